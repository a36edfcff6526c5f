//! The door through which every write goes.
//!
//! One transaction: lock the aggregate (which bumps its revision), let the service check and write, record history.
//! When nothing changed or something was refused, all of it is rolled back, the revision included.
//!
//! The work runs in a task of its own: a client that hangs up cannot leave a transaction half-way.

use std::time::{Duration, Instant};

use super::{Conn, Db, back_off, is_unclassified, query_time};
use crate::{
    common::{Actor, Audit, Change, Committed, Error, Resource, Result, timestamp::Timestamp},
    history::{self, AggregateVersion},
};

/// How long a write is repeated when the engine keeps aborting it in favour of others.
const RETRY_LIMIT: Duration = Duration::from_secs(10);
/// How often a write is begun anew after it failed otherwise before anything was committed.
const RECONNECTS: u32 = 3;

/// What a unit of work locks: the root under which a change is counted.
pub trait Aggregate: Clone {
    /// What the lock reveals, handed to the work.
    type Locked;

    /// Takes the write lock by bumping the revision, and applies the rules that hold for every write to it.
    fn lock(
        &self,
        conn: &mut Conn,
    ) -> impl Future<Output = Result<(Self::Locked, AggregateVersion)>>;
}

/// A unit of work in progress: the connection inside its transaction, and what the lock revealed.
pub struct Tx<'c, L> {
    pub conn: &'c mut Conn,
    pub locked: L,
    pub now: Timestamp,
    actor: &'c Actor,
}

impl<L> Tx<'_, L> {
    /// The stamp of something created by this unit of work.
    pub fn created_audit(&self) -> Audit {
        Audit::created(self.actor, self.now)
    }

    /// The stamp of something changed by this unit of work.
    pub fn updated_audit(&self, audit: &Audit) -> Audit {
        audit.updated(self.actor, self.now)
    }
}

/// Why an attempt ended, and whether another is safe.
enum AttemptError {
    /// The engine chose another transaction; nothing was kept.
    Aborted(Error),
    /// The connection broke, or the engine failed for a reason we do not understand, before the commit was sent; nothing
    /// was kept.
    Lost(Error),
    Final(Error),
}

impl From<Error> for AttemptError {
    fn from(error: Error) -> Self {
        match error {
            Error::Aborted(_) => Self::Aborted(error),
            Error::ConnectionLost(_) => Self::Lost(error),
            error if is_unclassified(&error) => Self::Lost(error),
            error => Self::Final(error),
        }
    }
}

impl Db {
    /// Runs one unit of work on `aggregate` and commits it, or leaves everything as it was.
    ///
    /// `work` may run several times and must have no effect but through its [`Tx`]. An error means that nothing was kept,
    /// with one exception: [`Error::ConnectionLost`] and [`Error::Unavailable`] leave that open when they befall the commit
    /// itself.
    pub async fn transact<A, T, F>(
        &self,
        actor: Actor,
        aggregate: A,
        work: F,
    ) -> Result<Committed<T>>
    where
        A: Aggregate + 'static,
        T: Resource + 'static,
        F: AsyncFn(&mut Tx<'_, A::Locked>) -> Result<Change<T>> + 'static,
    {
        let db = self.clone();
        let task = async move { db.persist(&actor, &aggregate, &work).await };
        query_time::count(tokio::task::spawn_local(task))
            .await
            .map_err(|panic| Error::Internal(panic.into()))?
    }

    async fn persist<A, T, F>(&self, actor: &Actor, aggregate: &A, work: &F) -> Result<Committed<T>>
    where
        A: Aggregate,
        T: Resource,
        F: AsyncFn(&mut Tx<'_, A::Locked>) -> Result<Change<T>>,
    {
        let started = Instant::now();
        let mut attempt = 0;
        loop {
            attempt += 1;
            match self.attempt(actor, aggregate, work).await {
                Ok(done) => return Ok(done),
                Err(AttemptError::Final(error)) => return Err(error),
                Err(AttemptError::Aborted(error)) if started.elapsed() > RETRY_LIMIT => {
                    return Err(error);
                }
                Err(AttemptError::Lost(error)) if attempt > RECONNECTS => return Err(error),
                Err(AttemptError::Aborted(_) | AttemptError::Lost(_)) => back_off(attempt).await,
            }
        }
    }

    async fn attempt<A, T, F>(
        &self,
        actor: &Actor,
        aggregate: &A,
        work: &F,
    ) -> Result<Committed<T>, AttemptError>
    where
        A: Aggregate,
        T: Resource,
        F: AsyncFn(&mut Tx<'_, A::Locked>) -> Result<Change<T>>,
    {
        let deadline = self.request_deadline();
        let conn = deadline.keep(self.writer()).await.map_err(Error::from)??;
        let prepared = deadline.run(conn, async |conn| {
            conn.begin_write().await?;
            let outcome = write(conn, actor, aggregate, work).await;
            match &outcome {
                Ok((Change::Unchanged(_), _)) => conn.rollback().await?,
                Ok(_) => {}
                // a connection that cannot roll back is not given out again
                Err(_) => drop(conn.rollback().await),
            }
            outcome
        });
        let (conn, (change, origin)) = prepared.await?;
        let created = matches!(change, Change::Created(_));
        if !matches!(change, Change::Unchanged(_)) {
            self.commit(conn, &origin).await?;
        }
        Ok(Committed {
            resource: change.into_result(),
            created,
        })
    }

    /// Commits. When no answer to that comes, because the connection broke or the time was up, nobody knows whether the change
    /// was kept, so it must not be repeated: the caller is told 503, and finds out by reading.
    async fn commit(&self, mut conn: Conn, origin: &AggregateVersion) -> Result<(), AttemptError> {
        let commit = conn.commit(self.changes(), origin);
        let committed = self
            .request_deadline()
            .keep(commit)
            .await
            .map_err(Error::from)
            .flatten();
        match committed {
            Ok(()) => Ok(()),
            Err(error @ Error::Aborted(_)) => Err(AttemptError::Aborted(error)),
            Err(error) => {
                // its transaction may still be open
                conn.close();
                tracing::error!(%error, "commit failed or was not answered; whether the change was kept is not known");
                Err(AttemptError::Final(error))
            }
        }
    }
}

async fn write<A, T, F>(
    conn: &mut Conn,
    actor: &Actor,
    aggregate: &A,
    work: &F,
) -> Result<(Change<T>, AggregateVersion)>
where
    A: Aggregate,
    T: Resource,
    F: AsyncFn(&mut Tx<'_, A::Locked>) -> Result<Change<T>>,
{
    let (locked, origin) = aggregate.lock(conn).await?;
    let now = Timestamp::now();
    let mut tx = Tx {
        conn,
        locked,
        now,
        actor,
    };
    let change = work(&mut tx).await?;
    history::record(tx.conn, &origin, actor, now, &change).await?;
    Ok((change, origin))
}

#[cfg(test)]
mod tests {
    use diesel::{Connection as _, ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _};
    use futures_util::FutureExt as _;
    use tokio::task::{LocalSet, spawn_local, yield_now};

    use super::*;
    use crate::{
        catalog::{self, Area},
        common::{change::Precondition, ids::BusinessPartnerId},
        db::{
            DbOptions,
            migrations::{Direction, migrate},
            schema::{
                CATALOG,
                shared_revisions::dsl::{name, revision, shared_revisions},
            },
        },
    };

    /// Far longer than a commit takes.
    const A_WHILE: Duration = Duration::from_millis(50);

    #[tokio::test]
    async fn a_commit_counts_as_soon_as_others_can_see_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.db").display().to_string();
        let url = format!("sqlite://{path}").parse().unwrap();
        migrate(&url, Direction::Up).await.unwrap();
        let db = Db::open(&url, DbOptions::default()).unwrap();
        let mut file = diesel::SqliteConnection::establish(&path).unwrap();
        let mut seen = || {
            shared_revisions
                .filter(name.eq(CATALOG))
                .select(revision)
                .first::<i64>(&mut file)
                .unwrap()
        };
        let (partner, changes) = (
            "K-1".parse::<BusinessPartnerId>().unwrap(),
            db.changes().unwrap().clone(),
        );
        let (before, due_before) = (seen(), changes.settled(&partner).await);
        let body = serde_json::json!({"name": "A", "color": "#00aaff"});
        let actor = Actor {
            subject: "s".to_owned(),
            client: None,
            request_id: "r".to_owned(),
        };
        let write = async move {
            let (id, body) = (
                "A-1".parse().unwrap(),
                serde_json::from_value(body).unwrap(),
            );
            catalog::service::put::<Area>(&db, actor, id, body, Precondition::default())
                .await
                .map(drop)
        };
        let test = async {
            let write = spawn_local(write);
            // between two looks, the writer's task gets on by one statement: it has not heard of its commit when that is seen
            while seen() == before {
                yield_now().await;
                let started = Instant::now();
                while seen() == before && started.elapsed() < A_WHILE {}
            }
            assert_ne!(changes.settled(&partner).now_or_never(), Some(due_before));
            write.await.unwrap().unwrap();
        };
        LocalSet::new().run_until(test).await;
    }
}

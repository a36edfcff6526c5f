//! Units of work: the transaction of a write.
//!
//! A unit of work locks its aggregate (which increments the revision), lets the service check and
//! write, and records the history. If nothing changed or the request is rejected, everything is
//! rolled back, including the revision.
//!
//! It runs in a separate task, so a client that disconnects cannot leave a transaction
//! half-finished.

use std::time::Duration;

use tokio::time::Instant;

use super::{
    AggregateVersion, Conn, Db, back_off, errors::is_unclassified, history_log, query_time,
};
use crate::common::{
    Actor, Audit, Change, Committed, Error, Resource, Result, timestamp::Timestamp,
};

/// How long a write is retried if the database repeatedly aborts it in favor of other ones.
const RETRY_LIMIT: Duration = Duration::from_secs(10);
/// How many attempts may fail for another reason before the commit was sent.
const MAX_LOST_ATTEMPTS: u32 = 3;

/// The aggregate that a unit of work locks. Each committed change increments its revision.
pub trait Aggregate: Clone {
    /// The state that is read while locking, for use by the work.
    type Locked;

    /// Locks the aggregate by incrementing its revision, and checks the rules that apply to every
    /// write.
    fn lock(
        &self,
        conn: &mut Conn,
    ) -> impl Future<Output = Result<(Self::Locked, AggregateVersion)>>;
}

/// A unit of work in progress.
pub struct Tx<'c, L> {
    /// The connection, inside the transaction.
    pub conn: &'c mut Conn,
    /// The state that was read while locking the aggregate.
    pub locked: L,
    /// The time of the change.
    pub now: Timestamp,
    actor: &'c Actor,
}

impl<L> Tx<'_, L> {
    /// The audit fields of a resource that this unit of work creates.
    pub fn created_audit(&self) -> Audit {
        Audit::created(self.actor, self.now)
    }

    /// The audit fields of a resource that this unit of work updates; `audit` are the current ones.
    pub fn updated_audit(&self, audit: &Audit) -> Audit {
        audit.updated(self.actor, self.now)
    }
}

/// Why an attempt failed, and whether another one is safe.
enum AttemptError {
    /// The database aborted the transaction in favor of another one. Nothing was committed.
    Aborted(Error),
    /// The connection broke or an unclassified error occurred before the commit was sent. Nothing
    /// was committed.
    Lost(Error),
    /// The attempt must not be repeated.
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
    /// Runs a unit of work on `aggregate` and commits it, or changes nothing.
    ///
    /// `work` may run several times, so it must have no side effects except through its [`Tx`].
    ///
    /// # Errors
    ///
    /// After an error nothing was committed, with one exception: if the commit itself fails with
    /// [`Error::ConnectionLost`] or [`Error::Unavailable`], the outcome is unknown.
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
        let task = async move { db.transact_with_retries(&actor, &aggregate, &work).await };
        query_time::measure(tokio::task::spawn_local(task))
            .await
            .map_err(|panic| Error::Internal(panic.into()))?
    }

    async fn transact_with_retries<A, T, F>(
        &self,
        actor: &Actor,
        aggregate: &A,
        work: &F,
    ) -> Result<Committed<T>>
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
                Ok(committed) => return Ok(committed),
                Err(AttemptError::Final(error)) => return Err(error),
                Err(AttemptError::Aborted(error)) if started.elapsed() > RETRY_LIMIT => {
                    return Err(error);
                }
                Err(AttemptError::Lost(error)) if attempt > MAX_LOST_ATTEMPTS => return Err(error),
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
        let deadline = self.request_deadline(Instant::now());
        let conn = deadline.limit(self.writer()).await.map_err(Error::from)??;
        let prepared = deadline.run(conn, async |conn| {
            prepare(conn, actor, aggregate, work).await
        });
        let (conn, (change, version)) = prepared.await?;
        let created = matches!(change, Change::Created(_));
        if !matches!(change, Change::Unchanged(_)) {
            self.commit(conn, &version).await?;
        }
        Ok(Committed {
            resource: change.into_result(),
            created,
        })
    }

    /// Commits. If the connection breaks or the time is up, the outcome is unknown. Then the unit
    /// of work must not be repeated; the client gets 503 and has to read the resource to find out.
    async fn commit(&self, mut conn: Conn, version: &AggregateVersion) -> Result<(), AttemptError> {
        let result = self
            .request_deadline(Instant::now())
            .limit(conn.commit(self.commit_counters(), version))
            .await
            .map_err(Error::from)
            .flatten();
        match result {
            Ok(()) => Ok(()),
            Err(error @ Error::Aborted(_)) => Err(AttemptError::Aborted(error)),
            Err(error) => {
                // the transaction may still be open
                conn.close();
                tracing::error!(%error, "commit outcome unknown");
                Err(AttemptError::Final(error))
            }
        }
    }
}

/// Begins a transaction and runs the work in it. If there is a change, the transaction stays open
/// for the commit; otherwise it is rolled back.
async fn prepare<A, T, F>(
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
    conn.begin_write().await?;
    let result = run(conn, actor, aggregate, work).await;
    match &result {
        Ok((Change::Unchanged(_), _)) => conn.rollback().await?,
        Ok(_) => {}
        // if the rollback fails too, the pool discards the connection
        Err(_) => drop(conn.rollback().await),
    }
    result
}

async fn run<A, T, F>(
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
    let (locked, version) = aggregate.lock(conn).await?;
    let now = Timestamp::now();
    let mut tx = Tx {
        conn,
        locked,
        now,
        actor,
    };
    let change = work(&mut tx).await?;
    history_log::record(tx.conn, &version, actor, now, &change).await?;
    Ok((change, version))
}

#[cfg(test)]
mod tests {
    use diesel::prelude::*;
    use futures_util::FutureExt as _;
    use serde::Serialize;
    use tokio::task::{LocalSet, spawn_local, yield_now};

    use super::*;
    use crate::{
        common::{etag::EntityTag, ids::BusinessPartnerId},
        db::{
            DbOptions,
            migrations::{Direction, migrate},
            schema::{CATALOG, shared_revisions},
            with_conn,
        },
    };

    /// Much longer than a commit takes.
    const COMMIT_LIMIT: Duration = Duration::from_millis(50);

    /// The catalog, reduced to its revision.
    #[derive(Clone)]
    struct TestAggregate;

    impl Aggregate for TestAggregate {
        type Locked = ();

        async fn lock(&self, conn: &mut Conn) -> Result<((), AggregateVersion)> {
            let bump = diesel::update(shared_revisions::table.find(CATALOG))
                .set(shared_revisions::revision.eq(shared_revisions::revision + 1))
                .returning(shared_revisions::revision);
            let revision = with_conn!(conn, |c| diesel_async::RunQueryDsl::get_result(bump, c))?;
            Ok(((), AggregateVersion::Catalog { revision }))
        }
    }

    #[derive(Serialize)]
    struct TestResource(#[serde(skip)] Audit);

    impl Resource for TestResource {
        const KIND: &'static str = "area";

        fn resource_id(&self) -> String {
            "A-1".to_owned()
        }

        fn etag(&self) -> EntityTag {
            EntityTag::of(1)
        }

        fn audit(&self) -> Option<&Audit> {
            Some(&self.0)
        }
    }

    fn actor() -> Actor {
        Actor {
            subject: "s".to_owned(),
            request_id: "r".to_owned(),
            ..Actor::default()
        }
    }

    fn catalog_revision(conn: &mut SqliteConnection) -> i64 {
        shared_revisions::table
            .find(CATALOG)
            .select(shared_revisions::revision)
            .first(conn)
            .unwrap()
    }

    #[tokio::test]
    async fn commit_is_counted_as_soon_as_it_is_visible() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.db").display().to_string();
        let url = format!("sqlite://{path}").parse().unwrap();
        migrate(&url, Direction::Up).await.unwrap();
        let db = Db::open(&url, DbOptions::default()).unwrap();
        let mut conn = SqliteConnection::establish(&path).unwrap();
        let partner: BusinessPartnerId = "K-1".parse().unwrap();
        let counters = db.commit_counters().unwrap().clone();
        let revision_before = catalog_revision(&mut conn);
        let settled_before = counters.settled(&partner).await;

        let test = async {
            let write = spawn_local(async move {
                db.transact(actor(), TestAggregate, async |tx| {
                    Ok(Change::Created(TestResource(tx.created_audit())))
                })
                .await
                .map(drop)
            });
            // Each yield lets the writer's task execute one statement. So when the commit becomes
            // visible, that task has not received the confirmation yet.
            while catalog_revision(&mut conn) == revision_before {
                yield_now().await;
                let started = Instant::now();
                while catalog_revision(&mut conn) == revision_before
                    && started.elapsed() < COMMIT_LIMIT
                {}
            }
            assert_ne!(
                counters.settled(&partner).now_or_never(),
                Some(settled_before)
            );
            write.await.unwrap().unwrap();
        };
        LocalSet::new().run_until(test).await;
    }
}

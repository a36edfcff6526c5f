//! Identifies states of the database, to check whether a list over many partners is still current.
//!
//! Such a list depends on more revisions than can be compared. A revision of "any partner" would
//! make all writers wait for each other. So two reads are compared by all transactions they see:
//!
//! * PostgreSQL: by their snapshots. Two equal snapshots see the same transactions. Transactions of
//!   other databases of the same server change the snapshot too; they cost an unnecessary read.
//! * SQLite: by the number of commits of this process, which is the only one that writes.

use std::sync::Arc;

use diesel::{
    deserialize::{FromSql, FromSqlRow},
    pg::{Pg, PgValue},
    sql_types::SqlType,
};
use diesel_async::RunQueryDsl as _;
use futures_util::FutureExt as _;

use super::{
    Conn, Db, PerWorker, ReadCost, ReadOptions, batch_loader::BatchLoader, query_time,
    revision_lookup::MAX_CONCURRENT_LOOKUPS,
};
use crate::common::Result;

/// A state of the database. Reads with equal states see the same data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatabaseState {
    /// SQLite: the number of commits.
    Commits(i64),
    /// PostgreSQL: the snapshot in its binary form.
    Snapshot(Arc<[u8]>),
}

/// PostgreSQL's type `pg_snapshot`.
#[derive(SqlType)]
#[diesel(postgres_type(oid = 5038, array_oid = 5039))]
pub struct PgSnapshot;

#[derive(Debug, FromSqlRow)]
#[diesel(sql_type = PgSnapshot)]
struct Snapshot(Arc<[u8]>);

impl FromSql<PgSnapshot, Pg> for Snapshot {
    fn from_sql(value: PgValue<'_>) -> diesel::deserialize::Result<Self> {
        Ok(Self(value.as_bytes().into()))
    }
}

#[diesel::declare_sql_function]
extern "SQL" {
    fn pg_current_snapshot() -> PgSnapshot;
}

impl DatabaseState {
    /// Approximate memory of the state, in bytes.
    pub fn size(&self) -> usize {
        match self {
            Self::Commits(_) => 0,
            Self::Snapshot(bytes) => bytes.len(),
        }
    }
}

/// Looks up the current state. On PostgreSQL, concurrent lookups share a query.
pub struct DatabaseStateLookup {
    db: Db,
    loaders: PerWorker<Arc<BatchLoader<(), DatabaseState>>>,
}

impl DatabaseStateLookup {
    /// Creates a lookup.
    pub fn new(db: Db) -> Self {
        let loaders = db.per_worker(MAX_CONCURRENT_LOOKUPS, || {
            let loader_db = db.clone();
            let load = move |_, since| {
                let db = loader_db.clone();
                async move {
                    let options = ReadOptions::from(ReadCost::Lookup).waiting_since(since);
                    db.read_with(options, async |conn| snapshot(conn).await)
                        .await
                }
                .boxed_local()
            };
            Arc::new(BatchLoader::new(&db, load))
        });
        Self { db, loaders }
    }

    /// The current state, not older than this call.
    ///
    /// # Errors
    ///
    /// Those of [`Db::read`].
    pub async fn current(&self) -> Result<DatabaseState> {
        if let Some(counters) = self.db.commit_counters() {
            return Ok(DatabaseState::Commits(counters.settled_total().await));
        }
        let state = query_time::measure(self.loaders.current().load(&())).await?;
        Ok(DatabaseState::clone(&state))
    }

    /// Reads in one snapshot, and returns its state too.
    ///
    /// # Errors
    ///
    /// Those of [`Db::snapshot`].
    pub async fn read<T>(
        &self,
        read: impl AsyncFn(&mut Conn) -> Result<T>,
    ) -> Result<(DatabaseState, T)> {
        let commits = self
            .db
            .commit_counters()
            .map(|counters| counters.total_lower_bound());
        self.db
            .snapshot(ReadCost::Scan, async |conn| {
                let state = match commits {
                    Some(commits) => DatabaseState::Commits(commits),
                    None => snapshot(conn).await?,
                };
                Ok((state, read(conn).await?))
            })
            .await
    }
}

/// The snapshot of the current statement or transaction (PostgreSQL only).
async fn snapshot(conn: &mut Conn) -> Result<DatabaseState> {
    let Conn::Postgres(conn) = conn else {
        return Err(anyhow::anyhow!("only PostgreSQL has snapshots").into());
    };
    let Snapshot(bytes) = diesel::select(pg_current_snapshot())
        .get_result(conn)
        .await?;
    Ok(DatabaseState::Snapshot(bytes))
}

//! A connection to either database, and the macro that runs a query on both.

use std::sync::Arc;

use diesel::connection::{AnsiTransactionManager as SyncTransactions, TransactionManager as _};
use diesel_async::{
    AnsiTransactionManager, AsyncPgConnection, SimpleAsyncConnection as _, TransactionManager as _,
    pooled_connection::deadpool::Object, sync_connection_wrapper::SyncConnectionWrapper,
};

use super::{AggregateVersion, CommitCounters, sqlite_executor::SqliteExecutor};
use crate::common::Result;

/// An asynchronous connection to SQLite. The executor determines where its statements run.
pub(crate) type SqliteConn = SyncConnectionWrapper<diesel::SqliteConnection, SqliteExecutor>;

/// A pooled connection.
#[expect(
    clippy::large_enum_variant,
    reason = "one per request, on the stack; a box would cost an allocation each"
)]
pub enum Conn {
    Sqlite(Object<SqliteConn>),
    Postgres(Object<AsyncPgConnection>),
}

/// Runs a query on a [`Conn`]. The expression is compiled and type-checked once for each database.
///
/// `with_conn!(conn, |c| accesses::table.find(id).first::<Row>(c))`. An optional second name is the
/// backend type, for boxed queries: `with_conn!(conn, |c, DB| table.into_boxed::<DB>()…)`.
///
/// diesel's `MultiConnection` could replace this if it supported asynchronous connections.
macro_rules! with_conn {
    ($conn:expr, |$c:ident $(, $backend:ident)?| $query:expr) => {
        match $conn {
            $crate::db::Conn::Sqlite(object) => {
                $(type $backend = diesel::sqlite::Sqlite;)?
                let $c: &mut $crate::db::SqliteConn = object;
                $query.await
            }
            $crate::db::Conn::Postgres(object) => {
                $(type $backend = diesel::pg::Pg;)?
                let $c: &mut diesel_async::AsyncPgConnection = object;
                $query.await
            }
        }
    };
}
pub(crate) use with_conn;

impl Conn {
    /// Begins a transaction that writes. On SQLite it takes the write lock immediately: a
    /// transaction that reads first would fail if another one wrote in between.
    pub(super) async fn begin_write(&mut self) -> Result<()> {
        match self {
            Self::Sqlite(conn) => begin_sqlite(conn, "BEGIN IMMEDIATE").await,
            Self::Postgres(conn) => {
                Ok(AnsiTransactionManager::begin_transaction_sql(&mut **conn, "BEGIN").await?)
            }
        }
    }

    /// Begins a read-only transaction that sees one state of the database.
    pub(super) async fn begin_snapshot(&mut self) -> Result<()> {
        match self {
            Self::Sqlite(conn) => begin_sqlite(conn, "BEGIN DEFERRED").await,
            Self::Postgres(conn) => {
                let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY";
                Ok(AnsiTransactionManager::begin_transaction_sql(&mut **conn, begin).await?)
            }
        }
    }

    /// Commits a unit of work that made `version`.
    ///
    /// On SQLite the commit is counted on the thread that performs it, so that the counters change
    /// neither earlier nor later than necessary.
    pub(super) async fn commit(
        &mut self,
        counters: Option<&Arc<CommitCounters>>,
        version: &AggregateVersion,
    ) -> Result<()> {
        match self {
            Self::Sqlite(conn) => {
                let counters = counters.cloned();
                let version = version.clone();
                let commit = move |conn: &mut diesel::SqliteConnection| {
                    let _pending = counters
                        .as_ref()
                        .map(|counters| counters.start_commit(&version));
                    SyncTransactions::commit_transaction(conn)
                };
                Ok(conn.spawn_blocking(commit).await?)
            }
            Self::Postgres(conn) => {
                Ok(AnsiTransactionManager::commit_transaction(&mut **conn).await?)
            }
        }
    }

    /// Rolls the transaction back.
    pub(super) async fn rollback(&mut self) -> Result<()> {
        Ok(with_conn!(self, |c| rollback_on(c))?)
    }

    /// Whether PostgreSQL plans each of the following statements for its values. The best index for
    /// a search depends on how many rows contain its terms.
    pub async fn plan_for_values(&mut self, enabled: bool) -> Result<()> {
        if let Self::Postgres(conn) = self {
            let set_mode = if enabled {
                "SET plan_cache_mode = force_custom_plan"
            } else {
                "SET plan_cache_mode = force_generic_plan"
            };
            conn.batch_execute(set_mode).await?;
        }
        Ok(())
    }

    /// Closes the connection. The pool opens a new one when needed.
    pub(super) fn close(self) {
        match self {
            Self::Sqlite(object) => drop(Object::take(object)),
            Self::Postgres(object) => drop(Object::take(object)),
        }
    }
}

async fn begin_sqlite(conn: &mut SqliteConn, sql: &'static str) -> Result<()> {
    Ok(conn
        .spawn_blocking(move |conn| SyncTransactions::begin_transaction_sql(conn, sql))
        .await?)
}

async fn rollback_on<C: diesel_async::AsyncConnection>(conn: &mut C) -> diesel::QueryResult<()> {
    C::TransactionManager::rollback_transaction(conn).await
}

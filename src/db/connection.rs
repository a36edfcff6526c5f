//! One connection, of either engine, and the macro that writes a query once for both.

use std::sync::Arc;

use diesel::connection::{AnsiTransactionManager as SyncTransactions, TransactionManager as _};
use diesel_async::{
    AnsiTransactionManager, AsyncPgConnection, TransactionManager as _,
    pooled_connection::deadpool::Object, sync_connection_wrapper::SyncConnectionWrapper,
};

use super::{CommitCounters, sqlite_executor::Runner};
use crate::{common::Result, history::AggregateVersion};

/// SQLite behind an asynchronous face: statements run where its runner says.
pub(crate) type SqliteConn = SyncConnectionWrapper<diesel::SqliteConnection, Runner>;

/// A pooled connection.
#[expect(
    clippy::large_enum_variant,
    reason = "one per request, on the stack; a box would cost an allocation each"
)]
pub enum Conn {
    Sqlite(Object<SqliteConn>),
    Postgres(Object<AsyncPgConnection>),
}

/// Runs a query on whichever engine `$conn` is. The expression is compiled, and type-checked, once for each.
///
/// `with_conn!(conn, |c| accesses::table.find(id).first::<Row>(c))`; a third name stands for the engine's type in boxed
/// queries: `with_conn!(conn, |c, Engine| table.into_boxed::<Engine>()…)`. diesel's `MultiConnection` can replace this once
/// it exists for asynchronous connections (stack.md).
macro_rules! with_conn {
    ($conn:expr, |$c:ident $(, $engine:ident)?| $query:expr) => {
        match $conn {
            $crate::db::Conn::Sqlite(object) => {
                $(type $engine = diesel::sqlite::Sqlite;)?
                let $c: &mut $crate::db::SqliteConn = object;
                $query.await
            }
            $crate::db::Conn::Postgres(object) => {
                $(type $engine = diesel::pg::Pg;)?
                let $c: &mut diesel_async::AsyncPgConnection = object;
                $query.await
            }
        }
    };
}
pub(crate) use with_conn;

impl Conn {
    /// Begins a transaction that will write. On SQLite it takes the write lock at once: a transaction that reads first
    /// and writes later would fail when another writer came between.
    pub(super) async fn begin_write(&mut self) -> Result<()> {
        match self {
            Self::Sqlite(conn) => begin_sqlite(conn, "BEGIN IMMEDIATE").await,
            Self::Postgres(conn) => {
                Ok(AnsiTransactionManager::begin_transaction_sql(&mut **conn, "BEGIN").await?)
            }
        }
    }

    /// Begins a transaction that reads one state of the database.
    pub(super) async fn begin_snapshot(&mut self) -> Result<()> {
        match self {
            Self::Sqlite(conn) => begin_sqlite(conn, "BEGIN DEFERRED").await,
            Self::Postgres(conn) => {
                let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY";
                Ok(AnsiTransactionManager::begin_transaction_sql(&mut **conn, begin).await?)
            }
        }
    }

    /// Commits what changes `origin`. On SQLite `changes` counts it, on the thread that does it: no sooner, and no later than it is
    /// visible.
    pub(super) async fn commit(
        &mut self,
        changes: Option<&Arc<CommitCounters>>,
        origin: &AggregateVersion,
    ) -> Result<()> {
        match self {
            Self::Sqlite(conn) => {
                let counted = changes.map(|changes| (Arc::clone(changes), origin.clone()));
                let commit = move |inner: &mut diesel::SqliteConnection| {
                    let _doubt = counted
                        .as_ref()
                        .map(|(changes, origin)| changes.begin_commit(origin));
                    SyncTransactions::commit_transaction(inner)
                };
                Ok(conn.spawn_blocking(commit).await?)
            }
            Self::Postgres(conn) => {
                Ok(AnsiTransactionManager::commit_transaction(&mut **conn).await?)
            }
        }
    }

    pub(super) async fn rollback(&mut self) -> Result<()> {
        Ok(with_conn!(self, |c| rollback_on(c))?)
    }

    /// Closes the connection; its pool opens another one when needed.
    pub(super) fn close(self) {
        match self {
            Self::Sqlite(object) => drop(Object::take(object)),
            Self::Postgres(object) => drop(Object::take(object)),
        }
    }
}

async fn begin_sqlite(conn: &mut SqliteConn, sql: &'static str) -> Result<()> {
    Ok(conn
        .spawn_blocking(move |inner| SyncTransactions::begin_transaction_sql(inner, sql))
        .await?)
}

async fn rollback_on<C: diesel_async::AsyncConnection>(conn: &mut C) -> diesel::QueryResult<()> {
    C::TransactionManager::rollback_transaction(conn).await
}

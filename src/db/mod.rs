//! Access to the database: SQLite and PostgreSQL behind one set of queries.
//!
//! * [`Db::transact`] runs every write: one transaction that locks its aggregate, checks, writes,
//!   increments the revision and records the history. It is retried if the database aborts it.
//! * [`Db::read`] and [`Db::read_with`] run statements, each in its own implicit transaction.
//! * [`Db::snapshot`] runs statements that all see the same state of the database.
//! * [`Db::ping`] is a read with a short time limit, for readiness probes.
//!
//! The scheme of the URL selects the database. SQLite has one connection for writing, for which
//! writers queue fairly in memory instead of polling the file's lock, and several read-only
//! connections. An SQLite file belongs to one process ([`lock_database()`]), so [`CommitCounters`]
//! in memory are enough to detect changes.

pub mod batch_loader;
mod commit_counters;
mod connect;
mod connection;
mod database;
pub mod database_state;
mod deadline;
mod errors;
pub mod history_log;
pub mod migrations;
mod paging;
mod per_worker;
mod pool;
mod pooler;
mod postgres_settings;
mod postgres_tls;
pub mod query_time;
mod read;
pub mod revision_lookup;
pub mod schema;
pub mod singleflight;
pub mod sql_types;
mod sqlite_executor;
mod sqlite_lock;
pub mod unique_violation;
mod unit_of_work;

pub use commit_counters::{CommitCounters, VersionVector};
pub use connection::Conn;
pub(crate) use connection::{SqliteConn, with_conn};
pub use database::{DatabaseUrl, Db, DbOptions};
pub use database_state::{DatabaseState, DatabaseStateLookup};
pub use history_log::AggregateVersion;
pub(crate) use paging::{first_rows, keyset, paged, patterns, selected};
pub(crate) use per_worker::PerWorker;
pub use pool::PoolState;
pub use pooler::{SessionError, check_sessions};
pub use read::{ReadCost, ReadOptions};
pub use revision_lookup::RevisionLookup;
pub use sqlite_lock::{FileLock, lock_database};
pub use unit_of_work::{Aggregate, Tx};

use std::time::Duration;

/// Exponential backoff with jitter. `attempt` starts at 1.
async fn back_off(attempt: u32) {
    let max_micros = 1_000_u64 << attempt.min(7);
    let micros = rand::random_range(max_micros / 4..max_micros);
    tokio::time::sleep(Duration::from_micros(micros)).await;
}

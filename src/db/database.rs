//! Opening the database: which engine, and which pools.

use std::{convert::Infallible, num::NonZeroUsize, str::FromStr, sync::Arc, time::Duration};

use diesel_async::pooled_connection::deadpool::Pool;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::time::Instant;

use super::{
    commit_counters::CommitCounters,
    connect::open_sqlite,
    connection::{Conn, SqliteConn},
    deadline::Deadline,
    per_worker::PerWorker,
    pool::{PoolState, WorkerPool, check_out, check_out_any, pool},
    sqlite_lock::{FileLock, lock_database},
};
use crate::common::Result;

/// Where the data is. Only known schemes can be expressed, so nothing is ever opened by guessing.
#[derive(Debug, Clone)]
pub enum DatabaseUrl {
    /// `sqlite://path`: a file, created when missing.
    Sqlite(String),
    /// `postgres://…` or `postgresql://…`; may hold a password.
    Postgres(SecretString),
}

impl FromStr for DatabaseUrl {
    type Err = String;

    fn from_str(url: &str) -> Result<Self, String> {
        if let Some(path) = url.strip_prefix("sqlite://") {
            return match path {
                "" | ":memory:" => {
                    Err("DATABASE_URL must name a file: sqlite://path/to/file.db".to_owned())
                }
                path => Ok(Self::Sqlite(path.to_owned())),
            };
        }
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Ok(Self::Postgres(SecretString::from(url)));
        }
        let scheme = url.split_once("://").map_or("none", |(scheme, _)| scheme);
        Err(format!(
            "DATABASE_URL must begin with sqlite:// or postgres://, its scheme is: {scheme}"
        ))
    }
}

/// Sizes of the pools, and how long PostgreSQL may keep somebody waiting (SQLite: [`super::deadline`]).
#[derive(Debug, Clone, Copy)]
pub struct DbOptions {
    /// Connections to PostgreSQL, or SQLite connections for reading.
    pub pool_size: usize,
    /// Workers that use them.
    pub workers: usize,
    /// Longest time for a read, or for one attempt of a write up to its commit, or for the commit.
    pub request_limit: Duration,
    /// Longest time for [`Db::probe`].
    pub readiness_limit: Duration,
}

/// A little more than `statement_timeout`, so that a server that is merely slow speaks first.
const REQUEST_LIMIT: Duration = Duration::from_secs(12);
/// Less than a platform waits for its probes.
const READINESS_LIMIT: Duration = Duration::from_secs(2);
/// Connections in a pool.
const POOL_SIZE: usize = 16;

impl Default for DbOptions {
    fn default() -> Self {
        Self {
            pool_size: POOL_SIZE,
            workers: 1,
            request_limit: REQUEST_LIMIT,
            readiness_limit: READINESS_LIMIT,
        }
    }
}

impl DbOptions {
    /// How many workers can have connections of their own.
    fn lane_count(self) -> NonZeroUsize {
        NonZeroUsize::new(self.pool_size.min(self.workers)).unwrap_or(NonZeroUsize::MIN)
    }
}

/// The database, ready for use. Cheap to clone.
#[derive(Clone)]
pub enum Db {
    Sqlite {
        writer: Pool<SqliteConn>,
        readers: Pool<SqliteConn>,
        changes: Arc<CommitCounters>,
        lock_database: Arc<FileLock>,
    },
    Postgres {
        lanes: Arc<PerWorker<WorkerPool>>,
        options: DbOptions,
    },
}

impl Db {
    /// Builds the pools, and claims an SQLite file for this process. Connections are opened when first needed, so this succeeds
    /// while the database is away.
    pub fn open(url: &DatabaseUrl, options: DbOptions) -> anyhow::Result<Self> {
        Ok(match url {
            DatabaseUrl::Sqlite(path) => Self::Sqlite {
                lock_database: Arc::new(lock_database(url)?),
                changes: Arc::default(),
                // an opening cannot be abandoned, no more than a statement
                writer: pool(path, |path| open_sqlite(path, "OFF"), 1, None)?,
                readers: pool(
                    path,
                    |path| open_sqlite(path, "ON"),
                    options.pool_size,
                    None,
                )?,
            },
            DatabaseUrl::Postgres(url) => {
                let (connections, count) = (options.pool_size, options.lane_count());
                let make = |number: usize| {
                    // those that are left over when all have as many
                    let size = connections / count + usize::from(number < connections % count);
                    WorkerPool::new(url.expose_secret(), size)
                };
                Self::Postgres {
                    lanes: Arc::new(PerWorker::try_new(count, make)?),
                    options,
                }
            }
        })
    }

    pub(super) async fn reader(&self) -> Result<Conn> {
        match self {
            Self::Sqlite { readers, .. } => check_out(readers).await.map(Conn::Sqlite),
            Self::Postgres { lanes, .. } => check_out_any(lanes).await.map(Conn::Postgres),
        }
    }

    pub(super) async fn writer(&self) -> Result<Conn> {
        match self {
            Self::Sqlite { writer, .. } => check_out(writer).await.map(Conn::Sqlite),
            Self::Postgres { lanes, .. } => check_out_any(lanes).await.map(Conn::Postgres),
        }
    }

    /// Something that each worker with connections of its own has as well, or shares with others if there are to be fewer.
    pub(crate) fn lanes<T>(
        &self,
        at_most: NonZeroUsize,
        mut make: impl FnMut() -> T,
    ) -> PerWorker<T> {
        let count = match self {
            Self::Sqlite { .. } => NonZeroUsize::MIN,
            Self::Postgres { options, .. } => options.lane_count().min(at_most),
        };
        let Ok(lanes) = PerWorker::try_new(count, |_| Ok::<_, Infallible>(make()));
        lanes
    }

    /// Until when the database may keep a request waiting that comes now.
    pub(super) fn request_deadline(&self) -> Deadline {
        self.request_deadline_since(Instant::now())
    }

    /// Until when the database may keep a request waiting that has waited since then.
    pub(super) fn request_deadline_since(&self, since: Instant) -> Deadline {
        match self {
            Self::Sqlite { .. } => Deadline::NEVER,
            Self::Postgres { options, .. } => Deadline::at(since + options.request_limit),
        }
    }

    /// Until when the database may keep a probe waiting that comes now.
    pub(super) fn readiness_deadline(&self) -> Deadline {
        match self {
            Self::Sqlite { .. } => Deadline::NEVER,
            Self::Postgres { options, .. } => {
                Deadline::at(Instant::now() + options.readiness_limit)
            }
        }
    }

    /// What this process has written; `None` where others write too.
    pub fn changes(&self) -> Option<&Arc<CommitCounters>> {
        match self {
            Self::Sqlite { changes, .. } => Some(changes),
            Self::Postgres { .. } => None,
        }
    }

    /// How the connections are used.
    pub fn pool(&self) -> PoolState {
        match self {
            Self::Sqlite {
                writer, readers, ..
            } => [writer, readers].into_iter().map(PoolState::of).sum(),
            Self::Postgres { lanes, .. } => lanes.iter().map(WorkerPool::state).sum(),
        }
    }

    /// The engine's name, for logs and health.
    pub fn engine(&self) -> &'static str {
        match self {
            Self::Sqlite { .. } => "sqlite",
            Self::Postgres { .. } => "postgres",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case("sqlite://data/x.db", true)]
    #[case("sqlite:///var/lib/x.db", true)]
    #[case("postgres://u:p@h/db", true)]
    #[case("postgresql:///db?host=/run", true)]
    #[case("sqlite://", false)]
    #[case("sqlite://:memory:", false)]
    #[case("mysql://u:secret@h/db", false)]
    #[case("data.db", false)]
    fn the_scheme_chooses_the_engine(#[case] url: &str, #[case] good: bool) {
        let parsed = url.parse::<DatabaseUrl>();
        assert_eq!(parsed.is_ok(), good, "{parsed:?}");
        assert!(
            !format!("{parsed:?}").contains("secret"),
            "a refused URL must not be repeated"
        );
    }
}

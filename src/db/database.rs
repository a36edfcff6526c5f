//! The database: its URL, its options and its connection pools.

use std::{convert::Infallible, num::NonZeroUsize, str::FromStr, sync::Arc, time::Duration};

use diesel_async::{AsyncPgConnection, pooled_connection::deadpool::Pool};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::{sync::OnceCell, time::Instant};

use super::{
    commit_counters::CommitCounters,
    connect::{open_postgres, open_sqlite},
    connection::{Conn, SqliteConn},
    deadline::Deadline,
    per_worker::PerWorker,
    pool::{CHECK_OUT_TIMEOUT, PoolState, WorkerPool, check_out, check_out_any, pool},
    pooler::{SessionError, check_sessions},
    postgres_settings::check_postgres_url,
    sqlite_lock::{FileLock, lock_database},
};
use crate::common::{Error, Result};

/// The URL of the database. The scheme selects the database system.
#[derive(Debug, Clone)]
pub enum DatabaseUrl {
    /// The path of `sqlite://path`. The file is created if missing.
    Sqlite(String),
    /// `postgres://…` or `postgresql://…`. May contain a password.
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
            check_postgres_url(url)?;
            return Ok(Self::Postgres(SecretString::from(url)));
        }
        let scheme = url.split_once("://").map_or("none", |(scheme, _)| scheme);
        Err(format!(
            "DATABASE_URL must begin with sqlite:// or postgres://; its scheme is {scheme}"
        ))
    }
}

/// Sizes of the pools, and time limits of PostgreSQL operations ([`super::deadline`]).
#[derive(Debug, Clone, Copy)]
pub struct DbOptions {
    /// Number of connections to PostgreSQL, or of read-only SQLite connections.
    pub pool_size: usize,
    /// Number of worker threads that use them.
    pub workers: usize,
    /// Time limit of a read, of one attempt of a write up to its commit, and of the commit.
    pub request_limit: Duration,
    /// Time limit of [`Db::ping`].
    pub readiness_limit: Duration,
}

/// Slightly more than `statement_timeout`, so that a slow but reachable server reports the timeout
/// itself.
const REQUEST_LIMIT: Duration = Duration::from_secs(12);
/// Less than the usual timeout of a platform's readiness probe.
const READINESS_LIMIT: Duration = Duration::from_secs(2);
/// Default number of connections.
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
    /// Number of workers with their own connections to PostgreSQL.
    fn worker_pools(self) -> NonZeroUsize {
        NonZeroUsize::new(self.pool_size.min(self.workers)).unwrap_or(NonZeroUsize::MIN)
    }

    /// Number of connections of the worker pool at `index`. The first pools share the remainder.
    fn worker_pool_size(self, index: usize) -> usize {
        let count = self.worker_pools();
        self.pool_size / count + usize::from(index < self.pool_size % count)
    }
}

/// The database. Cheap to clone.
#[derive(Clone)]
pub enum Db {
    Sqlite {
        writer: Pool<SqliteConn>,
        readers: Pool<SqliteConn>,
        commit_counters: Arc<CommitCounters>,
        /// Held as long as the database is in use.
        file_lock: Arc<FileLock>,
    },
    Postgres {
        pools: Arc<PerWorker<WorkerPool>>,
        /// A connection for probes only. They succeed even if all others are in use.
        probe: Pool<AsyncPgConnection>,
        options: DbOptions,
        url: DatabaseUrl,
        /// Set once it is certain that every connection has its own session.
        has_own_sessions: Arc<OnceCell<()>>,
    },
}

impl Db {
    /// Creates the pools, and locks an SQLite file for this process.
    ///
    /// Connections are opened when first needed, so this succeeds while PostgreSQL is unreachable.
    ///
    /// # Errors
    ///
    /// If the SQLite file cannot be opened or another process uses it.
    pub fn open(url: &DatabaseUrl, options: DbOptions) -> anyhow::Result<Self> {
        match url {
            DatabaseUrl::Sqlite(path) => {
                // no time limit for opening, because it cannot be abandoned any more than a
                // statement
                let writer = pool(path, |path| open_sqlite(path, "OFF"), 1, None)?;
                let readers = pool(
                    path,
                    |path| open_sqlite(path, "ON"),
                    options.pool_size,
                    None,
                )?;
                Ok(Self::Sqlite {
                    writer,
                    readers,
                    commit_counters: Arc::default(),
                    file_lock: Arc::new(lock_database(url)?),
                })
            }
            DatabaseUrl::Postgres(text) => {
                let count = options.worker_pools();
                let pools = PerWorker::try_new(count, |index| {
                    let size = options.worker_pool_size(index);
                    WorkerPool::new(text.expose_secret(), size)
                })?;
                let probe = pool(
                    text.expose_secret(),
                    open_postgres,
                    1,
                    Some(CHECK_OUT_TIMEOUT),
                )?;
                Ok(Self::Postgres {
                    pools: Arc::new(pools),
                    probe,
                    options,
                    url: url.clone(),
                    has_own_sessions: Arc::default(),
                })
            }
        }
    }

    /// Checks out a connection for reading.
    pub(super) async fn reader(&self) -> Result<Conn> {
        match self {
            Self::Sqlite { readers, .. } => check_out(readers).await.map(Conn::Sqlite),
            Self::Postgres { pools, .. } => check_out_any(pools).await.map(Conn::Postgres),
        }
    }

    /// Checks out a connection for writing.
    pub(super) async fn writer(&self) -> Result<Conn> {
        match self {
            Self::Sqlite { writer, .. } => check_out(writer).await.map(Conn::Sqlite),
            Self::Postgres { pools, .. } => check_out_any(pools).await.map(Conn::Postgres),
        }
    }

    /// Checks out the connection for probes.
    pub(super) async fn probe(&self) -> Result<Conn> {
        match self {
            Self::Sqlite { .. } => self.reader().await,
            Self::Postgres { probe, .. } => check_out(probe).await.map(Conn::Postgres),
        }
    }

    /// Checks that no connection pooler shares sessions between connections. Does nothing after the
    /// first success, and on SQLite.
    ///
    /// # Errors
    ///
    /// See [`SessionError`].
    pub async fn check_sessions(&self) -> Result<(), SessionError> {
        match self {
            Self::Sqlite { .. } => Ok(()),
            Self::Postgres {
                url,
                has_own_sessions,
                ..
            } => has_own_sessions
                .get_or_try_init(|| check_sessions(url))
                .await
                .copied(),
        }
    }

    /// As [`Db::check_sessions`], with the time limit of readiness probes.
    pub async fn probe_sessions(&self) -> Result<()> {
        self.readiness_deadline()
            .limit(self.check_sessions())
            .await?
            .map_err(|error| Error::Unavailable(error.to_string()))
    }

    /// One value for each worker with its own connections, but at most `max`.
    pub(crate) fn per_worker<T>(
        &self,
        max: NonZeroUsize,
        mut make: impl FnMut() -> T,
    ) -> PerWorker<T> {
        let count = match self {
            Self::Sqlite { .. } => NonZeroUsize::MIN,
            Self::Postgres { options, .. } => options.worker_pools().min(max),
        };
        let Ok(values) = PerWorker::try_new(count, |_| Ok::<_, Infallible>(make()));
        values
    }

    /// The deadline of a request that has waited for the database since `since`.
    pub(super) fn request_deadline(&self, since: Instant) -> Deadline {
        match self {
            Self::Sqlite { .. } => Deadline::NEVER,
            Self::Postgres { options, .. } => Deadline::at(since + options.request_limit),
        }
    }

    /// The deadline of a readiness probe that starts now.
    pub(super) fn readiness_deadline(&self) -> Deadline {
        match self {
            Self::Sqlite { .. } => Deadline::NEVER,
            Self::Postgres { options, .. } => {
                Deadline::at(Instant::now() + options.readiness_limit)
            }
        }
    }

    /// The commit counters; `None` on PostgreSQL, where other processes write too.
    pub fn commit_counters(&self) -> Option<&Arc<CommitCounters>> {
        match self {
            Self::Sqlite {
                commit_counters, ..
            } => Some(commit_counters),
            Self::Postgres { .. } => None,
        }
    }

    /// The state of the connection pools.
    pub fn pool(&self) -> PoolState {
        match self {
            Self::Sqlite {
                writer, readers, ..
            } => [writer, readers].into_iter().map(PoolState::of).sum(),
            Self::Postgres { pools, .. } => pools.iter().map(WorkerPool::state).sum(),
        }
    }

    /// The name of the database system, for logs and health checks.
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
    #[case("postgres://u:secret@1@h/db", false)]
    #[case("postgres://u:secret@h/db?sslmode=strict", false)]
    fn url_requires_known_scheme_and_file(#[case] url: &str, #[case] is_valid: bool) {
        let parsed = url.parse::<DatabaseUrl>();
        assert_eq!(parsed.is_ok(), is_valid, "{parsed:?}");
        let output = format!("{parsed:?}");
        assert!(
            !output.contains("secret"),
            "a rejected URL must not be shown"
        );
    }
}

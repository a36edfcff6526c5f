//! Opening the database: which engine, and which pools.

use std::{convert::Infallible, num::NonZeroUsize, str::FromStr, sync::Arc, time::Duration};

use deadpool::managed::{QueueMode, TimeoutType, Timeouts};
use diesel::ConnectionResult;
use diesel_async::{
    AsyncPgConnection,
    pooled_connection::{
        AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod,
        deadpool::{Object, Pool, PoolError},
    },
};
use futures_util::future::BoxFuture;
use secrecy::{ExposeSecret as _, SecretString};

use super::{
    changes::Changes,
    claim::{Claim, claim},
    conn::{Conn, SqliteConn},
    connect::{open_postgres, open_sqlite},
    deadline::Deadline,
    lanes::Lanes,
};
use crate::kernel::{Error, Result};

/// How long a request waits for a free connection before it is told to come back later.
const CHECK_OUT_TIMEOUT: Duration = Duration::from_secs(5);

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
                "" | ":memory:" => Err("DATABASE_URL must name a file: sqlite://path/to/file.db".to_owned()),
                path => Ok(Self::Sqlite(path.to_owned())),
            };
        }
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Ok(Self::Postgres(SecretString::from(url)));
        }
        let scheme = url.split_once("://").map_or("none", |(scheme, _)| scheme);
        Err(format!("DATABASE_URL must begin with sqlite:// or postgres://, its scheme is: {scheme}"))
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
        Self { pool_size: POOL_SIZE, workers: 1, request_limit: REQUEST_LIMIT, readiness_limit: READINESS_LIMIT }
    }
}

impl DbOptions {
    /// How many workers can have connections of their own.
    pub fn lanes(self) -> NonZeroUsize {
        NonZeroUsize::new(self.pool_size.min(self.workers)).unwrap_or(NonZeroUsize::MIN)
    }
}

/// How connections are used.
#[derive(Debug, Clone, Copy, Default)]
pub struct PoolState {
    pub idle: u64,
    pub used: u64,
    /// Most that there may be.
    pub most: u64,
    /// Requests that wait for one.
    pub waiting: u64,
}

impl std::iter::Sum for PoolState {
    fn sum<I: Iterator<Item = Self>>(states: I) -> Self {
        states.fold(Self::default(), |sum, other| Self {
            idle: sum.idle + other.idle,
            used: sum.used + other.used,
            most: sum.most + other.most,
            waiting: sum.waiting + other.waiting,
        })
    }
}

/// The database, ready for use. Cheap to clone.
#[derive(Clone)]
pub enum Db {
    Sqlite { writer: Pool<SqliteConn>, readers: Pool<SqliteConn>, changes: Arc<Changes>, claim: Arc<Claim> },
    Postgres { pools: Arc<Lanes<Pool<AsyncPgConnection>>>, options: DbOptions },
}

impl Db {
    /// Builds the pools, and claims an SQLite file for this process. Connections are opened when first needed, so this succeeds
    /// while the database is away.
    pub fn open(url: &DatabaseUrl, options: DbOptions) -> anyhow::Result<Self> {
        Ok(match url {
            DatabaseUrl::Sqlite(path) => Self::Sqlite {
                claim: Arc::new(claim(url)?),
                changes: Arc::default(),
                // an opening cannot be abandoned, no more than a statement
                writer: pool(path, |path| open_sqlite(path, "OFF"), 1, None)?,
                readers: pool(path, |path| open_sqlite(path, "ON"), options.pool_size, None)?,
            },
            DatabaseUrl::Postgres(url) => {
                let (connections, count) = (options.pool_size, options.lanes());
                let make = |number: usize| {
                    // those that are left over when all have as many
                    let size = connections / count + usize::from(number < connections % count);
                    pool(url.expose_secret(), open_postgres, size, Some(CHECK_OUT_TIMEOUT))
                };
                Self::Postgres { pools: Arc::new(Lanes::try_new(count, make)?), options }
            }
        })
    }

    pub(super) async fn reader(&self) -> Result<Conn> {
        match self {
            Self::Sqlite { readers, .. } => check_out(readers).await.map(Conn::Sqlite),
            Self::Postgres { pools, .. } => check_out_of(pools).await.map(Conn::Postgres),
        }
    }

    pub(super) async fn writer(&self) -> Result<Conn> {
        match self {
            Self::Sqlite { writer, .. } => check_out(writer).await.map(Conn::Sqlite),
            Self::Postgres { pools, .. } => check_out_of(pools).await.map(Conn::Postgres),
        }
    }

    /// Something that each worker with connections of its own has as well.
    pub(crate) fn lanes<T: Default>(&self) -> Lanes<T> {
        let count = match self {
            Self::Sqlite { .. } => NonZeroUsize::MIN,
            Self::Postgres { options, .. } => options.lanes(),
        };
        let Ok(lanes) = Lanes::try_new(count, |_| Ok::<_, Infallible>(T::default()));
        lanes
    }

    /// Until when the database may keep a request waiting that comes now.
    pub(super) fn request_deadline(&self) -> Deadline {
        match self {
            Self::Sqlite { .. } => Deadline::NEVER,
            Self::Postgres { options, .. } => Deadline::after(options.request_limit),
        }
    }

    /// Until when the database may keep a probe waiting that comes now.
    pub(super) fn readiness_deadline(&self) -> Deadline {
        match self {
            Self::Sqlite { .. } => Deadline::NEVER,
            Self::Postgres { options, .. } => Deadline::after(options.readiness_limit),
        }
    }

    /// What this process has written; `None` where others write too.
    pub fn changes(&self) -> Option<&Changes> {
        match self {
            Self::Sqlite { changes, .. } => Some(changes),
            Self::Postgres { .. } => None,
        }
    }

    /// How the connections are used.
    pub fn pool(&self) -> PoolState {
        let state = |status: deadpool::Status| PoolState {
            idle: status.available as u64,
            used: (status.size.saturating_sub(status.available)) as u64,
            most: status.max_size as u64,
            waiting: status.waiting as u64,
        };
        match self {
            Self::Sqlite { writer, readers, .. } => {
                [writer, readers].map(|pool| state(pool.status())).into_iter().sum()
            }
            Self::Postgres { pools, .. } => pools.iter().map(|pool| state(pool.status())).sum(),
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

/// A pool that does not test connections with a query at check-out (that costs up to 40 %): a connection that closed is
/// recognised without one, and one that dies in use is replaced by the doors' second attempt. Opening one may take `patience`.
fn pool<C>(
    url: &str,
    open: fn(&str) -> BoxFuture<'_, ConnectionResult<C>>,
    size: usize,
    patience: Option<Duration>,
) -> anyhow::Result<Pool<C>>
where
    C: diesel_async::AsyncConnection + diesel_async::pooled_connection::PoolableConnection + 'static,
    AsyncDieselConnectionManager<C>:
        deadpool::managed::Manager<Type = C, Error = diesel_async::pooled_connection::PoolError>,
{
    let mut config = ManagerConfig::<C>::default();
    config.recycling_method = RecyclingMethod::Fast;
    config.custom_setup = Box::new(open);
    let manager = AsyncDieselConnectionManager::new_with_config(url, config);
    let builder = deadpool::managed::Pool::builder(manager).max_size(size).runtime(deadpool::Runtime::Tokio1);
    // the one used last: its process at the server is warm, and under little load the others are left alone
    let builder = builder.queue_mode(QueueMode::Lifo);
    Ok(builder.wait_timeout(Some(CHECK_OUT_TIMEOUT)).create_timeout(patience).build()?)
}

/// One of the worker's own connections, or else one that nobody uses elsewhere; else whichever of its own is free first.
async fn check_out_of(pools: &Lanes<Pool<AsyncPgConnection>>) -> Result<Object<AsyncPgConnection>> {
    let own = pools.own();
    for pool in std::iter::once(own).chain(pools.iter()) {
        let at_once = Timeouts { wait: Some(Duration::ZERO), ..pool.timeouts() };
        match pool.timeout_get(&at_once).await {
            Err(PoolError::Timeout(TimeoutType::Wait)) => {}
            outcome => return outcome.map_err(|error| Error::Unavailable(error.to_string())),
        }
    }
    check_out(own).await
}

async fn check_out<C>(pool: &Pool<C>) -> Result<Object<C>>
where
    AsyncDieselConnectionManager<C>:
        deadpool::managed::Manager<Type = C, Error = diesel_async::pooled_connection::PoolError>,
    C: diesel_async::AsyncConnection + 'static,
{
    pool.get().await.map_err(|error: PoolError| Error::Unavailable(error.to_string()))
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
        assert!(!format!("{parsed:?}").contains("secret"), "a refused URL must not be repeated");
    }
}

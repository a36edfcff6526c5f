//! Connection pools. On PostgreSQL each worker has its own ([`super::per_worker`]).

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use deadpool::managed::{Manager, QueueMode, TimeoutType, Timeouts};
use diesel::{ConnectionError, ConnectionResult};
use diesel_async::{
    AsyncConnection, AsyncPgConnection,
    pooled_connection::{
        AsyncDieselConnectionManager, ManagerConfig, PoolError as ManagerError, PoolableConnection,
        RecyclingMethod,
        deadpool::{Object, Pool, PoolError},
    },
};
use futures_util::{FutureExt as _, future::BoxFuture};
use tokio::{runtime::Handle, time::timeout};

use super::{connect::open_postgres, per_worker::PerWorker};
use crate::common::{Error, Result};

/// How long a request waits for a free connection before it fails with 503.
pub(super) const CHECK_OUT_TIMEOUT: Duration = Duration::from_secs(5);

/// The state of a connection pool.
#[derive(Debug, Clone, Copy, Default)]
pub struct PoolState {
    /// Open connections that are free.
    pub idle: u64,
    /// Connections in use.
    pub used: u64,
    /// Maximum number of connections.
    pub max: u64,
    /// Requests that wait for a connection.
    pub waiting: u64,
}

impl PoolState {
    /// The state of `pool`.
    pub(super) fn of<C>(pool: &Pool<C>) -> Self
    where
        AsyncDieselConnectionManager<C>: Manager<Type = C, Error = ManagerError>,
        C: AsyncConnection + 'static,
    {
        let status = pool.status();
        Self {
            idle: status.available as u64,
            used: (status.size.saturating_sub(status.available)) as u64,
            max: status.max_size as u64,
            waiting: status.waiting as u64,
        }
    }
}

impl std::iter::Sum for PoolState {
    fn sum<I: Iterator<Item = Self>>(states: I) -> Self {
        states.fold(Self::default(), |sum, other| Self {
            idle: sum.idle + other.idle,
            used: sum.used + other.used,
            max: sum.max + other.max,
            waiting: sum.waiting + other.waiting,
        })
    }
}

/// A pool whose connections are opened by `open` within `open_timeout`.
///
/// It does not test connections with a query at check-out, which costs up to 40 % of the
/// throughput. A closed connection is recognized without a query, and if one breaks in use, the
/// operation is retried.
pub(super) fn pool<C>(
    url: &str,
    open: impl Fn(&str) -> BoxFuture<'_, ConnectionResult<C>> + Send + Sync + 'static,
    size: usize,
    open_timeout: Option<Duration>,
) -> anyhow::Result<Pool<C>>
where
    C: AsyncConnection + PoolableConnection + 'static,
    AsyncDieselConnectionManager<C>: Manager<Type = C, Error = ManagerError>,
{
    let mut config = ManagerConfig::<C>::default();
    config.recycling_method = RecyclingMethod::Fast;
    config.custom_setup = Box::new(open);
    let manager = AsyncDieselConnectionManager::new_with_config(url, config);
    Ok(deadpool::managed::Pool::builder(manager)
        .max_size(size)
        .runtime(deadpool::Runtime::Tokio1)
        // the most recently used connection has the warmest server process
        .queue_mode(QueueMode::Lifo)
        .wait_timeout(Some(CHECK_OUT_TIMEOUT))
        .create_timeout(open_timeout)
        .build()?)
}

/// Checks out a connection, and waits until one is free.
pub(super) async fn check_out<C>(pool: &Pool<C>) -> Result<Object<C>>
where
    AsyncDieselConnectionManager<C>: Manager<Type = C, Error = ManagerError>,
    C: AsyncConnection + 'static,
{
    pool.get()
        .await
        .map_err(|error: PoolError| Error::Unavailable(error.to_string()))
}

/// The connections of one worker. They are driven by that worker, even if another one uses them.
pub struct WorkerPool {
    pool: Pool<AsyncPgConnection>,
    /// The worker's runtime; set when the worker first requests a connection.
    worker: Arc<OnceLock<Handle>>,
}

impl WorkerPool {
    /// A pool of `size` connections to `url`.
    pub(super) fn new(url: &str, size: usize) -> anyhow::Result<Self> {
        let worker = Arc::<OnceLock<Handle>>::default();
        let opener = Arc::clone(&worker);
        let pool = pool(
            url,
            move |url| open_on(opener.get().cloned(), url.to_owned()).boxed(),
            size,
            Some(CHECK_OUT_TIMEOUT),
        )?;
        Ok(Self { pool, worker })
    }

    /// The state of the pool.
    pub(super) fn state(&self) -> PoolState {
        PoolState::of(&self.pool)
    }
}

/// Opens a connection that is driven by `worker`; by the current one if `worker` is unknown or has
/// ended.
async fn open_on(worker: Option<Handle>, url: String) -> ConnectionResult<AsyncPgConnection> {
    if let Some(worker) = worker {
        let url = url.clone();
        // The task continues if its request is cancelled. Without a timeout, a server that accepts
        // connections but does not respond would accumulate tasks.
        let open = async move { timeout(CHECK_OUT_TIMEOUT, open_postgres(&url)).await };
        if let Ok(opened) = worker.spawn(open).await {
            return opened.unwrap_or_else(|elapsed| {
                Err(ConnectionError::BadConnection(elapsed.to_string()))
            });
        }
    }
    open_postgres(&url).await
}

/// Checks out a free connection, preferably from the current worker's pool, else from any other. If
/// none is free, waits for one of the current worker's pool.
pub(super) async fn check_out_any(
    pools: &PerWorker<WorkerPool>,
) -> Result<Object<AsyncPgConnection>> {
    let own = pools.current();
    own.worker.get_or_init(Handle::current);
    let others = pools.iter().filter(|pool| !std::ptr::eq(*pool, own));
    for WorkerPool { pool, .. } in std::iter::once(own).chain(others) {
        let without_waiting = Timeouts {
            wait: Some(Duration::ZERO),
            ..pool.timeouts()
        };
        match pool.timeout_get(&without_waiting).await {
            Err(PoolError::Timeout(TimeoutType::Wait)) => {}
            result => return result.map_err(|error| Error::Unavailable(error.to_string())),
        }
    }
    check_out(&own.pool).await
}

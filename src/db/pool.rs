//! Pools of connections; those to PostgreSQL are divided among the workers ([`super::per_worker`]).

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use deadpool::managed::{QueueMode, TimeoutType, Timeouts};
use diesel::{ConnectionError, ConnectionResult};
use diesel_async::{
    AsyncPgConnection,
    pooled_connection::{
        AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod,
        deadpool::{Object, Pool, PoolError},
    },
};
use futures_util::{FutureExt as _, future::BoxFuture};
use tokio::{runtime::Handle, time::timeout};

use super::{connect::open_postgres, per_worker::PerWorker};
use crate::common::{Error, Result};

/// How long a request waits for a free connection before it is told to come back later.
const CHECK_OUT_TIMEOUT: Duration = Duration::from_secs(5);

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

impl PoolState {
    /// How those of a pool are used.
    pub(super) fn of<C>(pool: &Pool<C>) -> Self
    where
        AsyncDieselConnectionManager<C>: deadpool::managed::Manager<Type = C, Error = diesel_async::pooled_connection::PoolError>,
        C: diesel_async::AsyncConnection + 'static,
    {
        let status = pool.status();
        Self {
            idle: status.available as u64,
            used: (status.size.saturating_sub(status.available)) as u64,
            most: status.max_size as u64,
            waiting: status.waiting as u64,
        }
    }
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

/// A pool that does not test connections with a query at check-out (that costs up to 40 %): a connection that closed is
/// recognised without one, and one that dies in use is replaced by the doors' second attempt. Opening one may take `patience`.
pub(super) fn pool<C>(
    url: &str,
    open: impl Fn(&str) -> BoxFuture<'_, ConnectionResult<C>> + Send + Sync + 'static,
    size: usize,
    patience: Option<Duration>,
) -> anyhow::Result<Pool<C>>
where
    C: diesel_async::AsyncConnection
        + diesel_async::pooled_connection::PoolableConnection
        + 'static,
    AsyncDieselConnectionManager<C>:
        deadpool::managed::Manager<Type = C, Error = diesel_async::pooled_connection::PoolError>,
{
    let mut config = ManagerConfig::<C>::default();
    config.recycling_method = RecyclingMethod::Fast;
    config.custom_setup = Box::new(open);
    let manager = AsyncDieselConnectionManager::new_with_config(url, config);
    let builder = deadpool::managed::Pool::builder(manager)
        .max_size(size)
        .runtime(deadpool::Runtime::Tokio1);
    // the one used last: its process at the server is warm, and under little load the others are left alone
    let builder = builder.queue_mode(QueueMode::Lifo);
    Ok(builder
        .wait_timeout(Some(CHECK_OUT_TIMEOUT))
        .create_timeout(patience)
        .build()?)
}

/// A connection that is free, as soon as there is one.
pub(super) async fn check_out<C>(pool: &Pool<C>) -> Result<Object<C>>
where
    AsyncDieselConnectionManager<C>:
        deadpool::managed::Manager<Type = C, Error = diesel_async::pooled_connection::PoolError>,
    C: diesel_async::AsyncConnection + 'static,
{
    pool.get()
        .await
        .map_err(|error: PoolError| Error::Unavailable(error.to_string()))
}

/// The connections of one worker. Whoever opens or uses one of them, it is that worker that drives it.
pub struct WorkerPool {
    pool: Pool<AsyncPgConnection>,
    /// The worker, as soon as it has asked for a connection.
    worker: Arc<OnceLock<Handle>>,
}

impl WorkerPool {
    pub(super) fn new(url: &str, size: usize) -> anyhow::Result<Self> {
        let worker = Arc::<OnceLock<Handle>>::default();
        let of = Arc::clone(&worker);
        let pool = pool(
            url,
            move |url| open_on(of.get().cloned(), url.to_owned()).boxed(),
            size,
            Some(CHECK_OUT_TIMEOUT),
        )?;
        Ok(Self { pool, worker })
    }

    /// How its connections are used.
    pub(super) fn state(&self) -> PoolState {
        PoolState::of(&self.pool)
    }
}

/// Opens a connection that a worker drives; the one that asks if that has ended, or is not known.
async fn open_on(worker: Option<Handle>, url: String) -> ConnectionResult<AsyncPgConnection> {
    if let Some(worker) = worker {
        let url = url.clone();
        // whoever asked may have given up, which does not end it: a server that accepts and then says nothing would collect them
        let opening = async move { timeout(CHECK_OUT_TIMEOUT, open_postgres(&url)).await };
        if let Ok(opened) = worker.spawn(opening).await {
            return opened
                .unwrap_or_else(|late| Err(ConnectionError::BadConnection(late.to_string())));
        }
    }
    open_postgres(&url).await
}

/// One of the worker's own connections, or else one that nobody uses elsewhere; else whichever of its own is free first.
pub(super) async fn check_out_any(
    lanes: &PerWorker<WorkerPool>,
) -> Result<Object<AsyncPgConnection>> {
    let own = lanes.current();
    own.worker.get_or_init(Handle::current);
    let others = lanes.iter().filter(|lane| !std::ptr::eq(*lane, own));
    for lane in std::iter::once(own).chain(others) {
        let at_once = Timeouts {
            wait: Some(Duration::ZERO),
            ..lane.pool.timeouts()
        };
        match lane.pool.timeout_get(&at_once).await {
            Err(PoolError::Timeout(TimeoutType::Wait)) => {}
            outcome => return outcome.map_err(|error| Error::Unavailable(error.to_string())),
        }
    }
    check_out(&own.pool).await
}

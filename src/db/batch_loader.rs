//! A batch loader: coalesces concurrent lookups by key into one query at a time.
//!
//! While a query is in flight, arriving requests add their keys to the next batch and wait for it.
//! So a loader runs at most one query at a time, regardless of the load and the number of workers,
//! and no result is older than its request.
//!
//! ```text
//! request A    request B    request C       BatchLoader             database
//!     | load(1)    |            |                |                      |
//!     |----------------------------------------->| query for [1]        |
//!     |            |            |                |--------------------->|
//!     |            | load(2)    |                |                      |
//!     |            |---------------------------->| next batch: [2]      |
//!     |            |            | load(3)        |                      |
//!     |            |            |--------------->| next batch: [2, 3]   |
//!     |            |            |                |                      |
//!     |<-----------------------------------------|<---------------------|
//!     |            |            |                | query for [2, 3]     |
//!     |            |            |                |--------------------->|
//!     |            |            |                |                      |
//!     |            |<----------------------------|<---------------------|
//!     |            |            |<---------------|                      |
//! ```
//!
//! The query receives the time since which the first request of its batch has waited, so that its
//! time limit includes the wait for the previous batch.
//!
//! Waking a task on another thread costs several times as much as on the same one. So one task per
//! worker waits for the batch (its local share), and the worker's requests wait for that task.

use std::{
    num::NonZeroUsize,
    sync::{Arc, Mutex},
};

use futures_util::future::LocalBoxFuture;
use tokio::time::Instant;

use super::{
    Db, PerWorker,
    singleflight::{SharedFuture, clone_error, lock, spawn_shared},
};
use crate::common::Result;

/// The number of tasks between a request that has arrived and its call of [`BatchLoader::load`].
const YIELDS: u32 = 3;

/// Runs the query for some keys, whose requests have waited since the given time.
type Query<K, V> = Box<dyn Fn(Vec<K>, Instant) -> LocalBoxFuture<'static, Result<V>> + Send + Sync>;

/// A batch whose query has not started.
struct Batch<K, V> {
    keys: Vec<K>,
    result: SharedFuture<Arc<V>>,
}

/// The result of a batch, and the future through which one worker waits for it.
struct LocalShare<V> {
    result: SharedFuture<Arc<V>>,
    local: SharedFuture<Arc<V>>,
}

/// The share of the batch that a worker waited for last.
type LastShare<V> = Mutex<Option<LocalShare<V>>>;

/// Loads values by key in batches, see the module documentation. `V` is the result of a whole
/// batch.
pub struct BatchLoader<K, V> {
    query: Query<K, V>,
    next: Mutex<Option<Batch<K, V>>>,
    /// Held while a query runs.
    running: tokio::sync::Mutex<()>,
    shares: PerWorker<LastShare<V>>,
}

impl<K, V> BatchLoader<K, V>
where
    K: Clone + Eq + Send + 'static,
    V: Send + Sync + 'static,
{
    /// A loader with one local share for each worker that has its own connections to `db`.
    ///
    /// `query` receives the keys of a batch and the time since which the first of them has waited.
    pub fn new(
        db: &Db,
        query: impl Fn(Vec<K>, Instant) -> LocalBoxFuture<'static, Result<V>> + Send + Sync + 'static,
    ) -> Self {
        Self::with_shares(
            db.per_worker(NonZeroUsize::MAX, Mutex::default),
            Box::new(query),
        )
    }

    fn with_shares(shares: PerWorker<LastShare<V>>, query: Query<K, V>) -> Self {
        Self {
            query,
            next: Mutex::default(),
            running: tokio::sync::Mutex::default(),
            shares,
        }
    }

    /// The result of a batch that includes `key` and whose query starts after this call.
    ///
    /// # Errors
    ///
    /// The error of the query. All requests of a batch get the same error.
    pub async fn load(self: &Arc<Self>, key: &K) -> Result<Arc<V>> {
        let result = self.enqueue(key);
        self.local_share(result)
            .await
            .map_err(|error| clone_error(&error))
    }

    /// Adds `key` to the next batch.
    fn enqueue(self: &Arc<Self>, key: &K) -> SharedFuture<Arc<V>> {
        let mut next = lock(&self.next);
        // a batch can end before its query started, if its worker stopped; it accepts no more keys
        next.take_if(|batch| batch.result.peek().is_some());
        let batch = next.get_or_insert_with(|| Batch {
            keys: Vec::new(),
            result: self.spawn_batch(),
        });
        if !batch.keys.contains(key) {
            batch.keys.push(key.clone());
        }
        batch.result.clone()
    }

    fn spawn_batch(self: &Arc<Self>) -> SharedFuture<Arc<V>> {
        let loader = Arc::clone(self);
        let since = Instant::now();
        spawn_shared(async move {
            let result = loader.run_batch(since).await;
            result.map(Arc::new).map_err(Arc::new)
        })
    }

    /// Waits for the running query, then runs the query for all keys enqueued meanwhile.
    async fn run_batch(&self, since: Instant) -> Result<V> {
        let _running = self.running.lock().await;
        // let requests join that have arrived on this worker but have not called `load` yet
        for _ in 0..YIELDS {
            tokio::task::yield_now().await;
        }
        let batch = lock(&self.next).take();
        let keys = batch.map(|batch| batch.keys).unwrap_or_default();
        (self.query)(keys, since).await
    }

    /// The current worker's share of a batch's result.
    fn local_share(&self, result: SharedFuture<Arc<V>>) -> SharedFuture<Arc<V>> {
        let mut last = lock(self.shares.current());
        if let Some(share) = &*last
            && share.result.ptr_eq(&result)
        {
            return share.local.clone();
        }
        let local = spawn_shared(result.clone());
        *last = Some(LocalShare {
            result,
            local: local.clone(),
        });
        local
    }
}

#[cfg(test)]
mod tests {
    use std::{convert::Infallible, sync::Weak, thread};

    use futures_util::{FutureExt as _, future::join_all};
    use tokio::{
        sync::Notify,
        task::{JoinHandle, LocalSet, spawn_local, yield_now},
    };

    use super::*;

    /// A query that was started.
    struct Started {
        keys: Vec<u32>,
        since: Instant,
    }

    /// A loader whose queries return their sequence number as soon as `gate` lets them pass.
    struct TestLoader {
        loader: Arc<BatchLoader<u32, usize>>,
        started: Mutex<Vec<Started>>,
        gate: Notify,
    }

    impl TestLoader {
        fn new(workers: usize) -> Arc<Self> {
            let workers = NonZeroUsize::new(workers).unwrap();
            let Ok(shares) = PerWorker::try_new(workers, |_| Ok::<_, Infallible>(Mutex::default()));
            Arc::new_cyclic(|this: &Weak<Self>| {
                let this = Weak::clone(this);
                let query =
                    move |keys, since| this.upgrade().unwrap().query(keys, since).boxed_local();
                Self {
                    loader: Arc::new(BatchLoader::with_shares(shares, Box::new(query))),
                    started: Mutex::default(),
                    gate: Notify::new(),
                }
            })
        }

        async fn query(self: Arc<Self>, keys: Vec<u32>, since: Instant) -> Result<usize> {
            lock(&self.started).push(Started { keys, since });
            self.gate.notified().await;
            Ok(lock(&self.started).len())
        }

        fn load(self: &Arc<Self>, key: u32) -> JoinHandle<usize> {
            let this = Arc::clone(self);
            spawn_local(async move { *this.loader.load(&key).await.unwrap() })
        }

        /// Waits until `count` queries have started.
        async fn until_started(&self, count: usize) {
            while lock(&self.started).len() < count {
                yield_now().await;
            }
        }

        /// Waits until the next batch has `count` keys.
        async fn until_enqueued(&self, count: usize) {
            while lock(&self.loader.next)
                .as_ref()
                .is_none_or(|batch| batch.keys.len() < count)
            {
                yield_now().await;
            }
        }

        /// Loads `keys` on another thread, which is a worker with its own runtime.
        fn load_on_thread(
            self: &Arc<Self>,
            keys: std::ops::Range<u32>,
        ) -> thread::JoinHandle<Vec<usize>> {
            let this = Arc::clone(self);
            thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .build()
                    .unwrap();
                let results = async { join_all(keys.map(|key| this.load(key))).await };
                LocalSet::new()
                    .block_on(&runtime, results)
                    .into_iter()
                    .map(Result::unwrap)
                    .collect()
            })
        }
    }

    #[tokio::test]
    async fn requests_during_query_share_next_batch() {
        let test = async {
            let loader = TestLoader::new(1);
            let first = loader.load(1);
            loader.until_started(1).await;
            let later = [2, 3, 2, 1].map(|key| loader.load(key));
            loader.until_enqueued(3).await;
            let enqueued = Instant::now();
            loader.gate.notify_one();
            assert_eq!(first.await.unwrap(), 1);
            loader.until_started(2).await;
            loader.gate.notify_one();
            for result in join_all(later).await {
                assert_eq!(result.unwrap(), 2);
            }

            let started = lock(&loader.started);
            assert_eq!(started[0].keys, [1]);
            assert_eq!(started[1].keys, [2, 3, 1]);
            // the time limit includes the wait for the first query
            assert!(started[1].since <= enqueued);
        };
        LocalSet::new().run_until(test).await;
    }

    #[tokio::test]
    async fn workers_share_batches() {
        let test = async {
            let loader = TestLoader::new(3);
            let first = loader.load(1000);
            loader.until_started(1).await;
            let workers = [loader.load_on_thread(0..20), loader.load_on_thread(20..40)];
            loader.until_enqueued(40).await;
            loader.gate.notify_one();
            assert_eq!(first.await.unwrap(), 1);
            loader.until_started(2).await;
            loader.gate.notify_one();
            for worker in workers {
                assert_eq!(worker.join().unwrap(), [2; 20]);
            }
            assert_eq!(lock(&loader.started).len(), 2);
        };
        LocalSet::new().run_until(test).await;
    }
}

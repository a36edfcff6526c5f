//! Singleflight: work by key that runs once for all concurrent requests.
//!
//! `quick_cache`'s `entry_async` coalesces loads too, but after a failure it wakes one waiter at a
//! time, which repeats the load. During an outage of the database the waiters would time out one
//! after the other. Here all waiters get the same error at once.
//!
//! Batched lookups are in [`super::batch_loader`].

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures_util::{
    FutureExt as _,
    future::{BoxFuture, Shared},
};

use crate::common::{Error, Result};

/// The result of a task that several requests wait for.
pub(super) type SharedFuture<V> = Shared<BoxFuture<'static, Result<V, Arc<Error>>>>;

/// Spawns `work`, so that it continues if waiters are cancelled.
pub(super) fn spawn_shared<V: Clone + Send + Sync + 'static>(
    work: impl Future<Output = Result<V, Arc<Error>>> + 'static,
) -> SharedFuture<V> {
    let task = tokio::task::spawn_local(work);
    let result = async move {
        match task.await {
            Ok(result) => result,
            // the worker that ran it is shutting down
            Err(error) if error.is_cancelled() => {
                Err(Arc::new(Error::Unavailable(error.to_string())))
            }
            Err(panic) => Err(Arc::new(Error::Internal(panic.into()))),
        }
    };
    result.boxed().shared()
}

/// A copy of a shared error for one of its waiters.
pub(super) fn clone_error(error: &Arc<Error>) -> Error {
    match &**error {
        Error::Client(client) => Error::Client(client.clone()),
        Error::StorageFull(reason) => Error::StorageFull(reason.clone()),
        Error::Internal(_) => Error::Internal(anyhow::Error::new(Arc::clone(error))),
        other => Error::Unavailable(other.to_string()),
    }
}

/// Locks a mutex and ignores poisoning. The values locked here are consistent even after a panic.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs work once per key at a time; concurrent requests for the same key share the result.
#[derive(Debug)]
pub struct Singleflight<K, V> {
    in_flight: Mutex<HashMap<K, SharedFuture<V>>>,
}

impl<K, V> Default for Singleflight<K, V> {
    fn default() -> Self {
        Self {
            in_flight: Mutex::default(),
        }
    }
}

impl<K, V> Singleflight<K, V>
where
    K: Clone + Eq + Hash + Send + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// Joins the work in flight for `key`, or starts `work`. The work may have started before this
    /// call.
    ///
    /// # Errors
    ///
    /// The error of the work, for all requests that joined it.
    pub async fn join(
        self: &Arc<Self>,
        key: K,
        work: impl AsyncFnOnce() -> Result<V> + 'static,
    ) -> Result<V> {
        let result = lock(&self.in_flight)
            .entry(key.clone())
            .or_insert_with(|| self.start(key, work))
            .clone();
        result.await.map_err(|error| clone_error(&error))
    }

    fn start(
        self: &Arc<Self>,
        key: K,
        work: impl AsyncFnOnce() -> Result<V> + 'static,
    ) -> SharedFuture<V> {
        let guard = RemoveOnDrop {
            singleflight: Arc::clone(self),
            key,
        };
        spawn_shared(async move {
            let _guard = guard;
            work().await.map_err(Arc::new)
        })
    }
}

/// Removes work from the map when it ends, even by a panic.
struct RemoveOnDrop<K: Eq + Hash, V> {
    singleflight: Arc<Singleflight<K, V>>,
    key: K,
}

impl<K: Eq + Hash, V> Drop for RemoveOnDrop<K, V> {
    fn drop(&mut self) {
        lock(&self.singleflight.in_flight).remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, rc::Rc};

    use futures_util::future::join_all;
    use tokio::task::{LocalSet, yield_now};

    use super::*;

    /// A singleflight, and the number of times its work ran.
    #[derive(Default)]
    struct Counted {
        singleflight: Arc<Singleflight<&'static str, u32>>,
        runs: Rc<Cell<u32>>,
    }

    impl Counted {
        async fn join(&self, result: fn() -> Result<u32>) -> Result<u32> {
            let runs = Rc::clone(&self.runs);
            let work = async move || {
                yield_now().await;
                runs.set(runs.get() + 1);
                result()
            };
            self.singleflight.join("key", work).await
        }
    }

    #[tokio::test]
    async fn concurrent_requests_share_one_run() {
        let test = async {
            let counted = Counted::default();
            for result in join_all((0..50).map(|_| counted.join(|| Ok(7)))).await {
                assert_eq!(result.unwrap(), 7);
            }
            assert_eq!(counted.runs.get(), 1);

            counted.join(|| Ok(7)).await.unwrap();
            assert_eq!(counted.runs.get(), 2);
        };
        LocalSet::new().run_until(test).await;
    }

    #[tokio::test]
    async fn failure_reaches_all_requests() {
        let test = async {
            let counted = Counted::default();
            let fail = || Err(Error::Unavailable("down".to_owned()));
            for result in join_all((0..5).map(|_| counted.join(fail))).await {
                assert!(matches!(result, Err(Error::Unavailable(_))));
            }
            assert_eq!(counted.runs.get(), 1);
        };
        LocalSet::new().run_until(test).await;
    }

    #[tokio::test]
    async fn panic_is_internal_error_and_ends_the_run() {
        let test = async {
            let counted = Counted::default();
            let panicked = counted.join(|| panic!("on purpose")).await;
            assert!(matches!(panicked, Err(Error::Internal(_))));
            assert_eq!(counted.join(|| Ok(7)).await.unwrap(), 7);
        };
        LocalSet::new().run_until(test).await;
    }
}

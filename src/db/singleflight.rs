//! Work that several requests wait for, and that is done once: [`Singleflight`] here, questions in [`super::batch_loader`].

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

/// Work under way.
pub(super) type SharedFuture<V> = Shared<BoxFuture<'static, Result<V, Arc<Error>>>>;

/// Begins work in a task of its own, so that it goes on whoever leaves.
pub(super) fn spawn_shared<V: Clone + Send + Sync + 'static>(
    work: impl Future<Output = Result<V, Arc<Error>>> + 'static,
) -> SharedFuture<V> {
    let task = tokio::task::spawn_local(work);
    let waited = async move {
        match task.await {
            Ok(done) => done,
            // the worker that began it is being stopped
            Err(ended) if ended.is_cancelled() => {
                Err(Arc::new(Error::Unavailable(ended.to_string())))
            }
            Err(panic) => Err(Arc::new(Error::Internal(panic.into()))),
        }
    };
    waited.boxed().shared()
}

/// An error that several wait for, as one of them tells it.
pub(super) fn clone_error(error: &Arc<Error>) -> Error {
    match &**error {
        Error::Client(refusal) => Error::Client(refusal.clone()),
        Error::StorageFull(reason) => Error::StorageFull(reason.clone()),
        Error::Internal(_) => Error::Internal(anyhow::Error::new(Arc::clone(error))),
        other => Error::Unavailable(other.to_string()),
    }
}

/// A panic while somebody held it does not matter: what is lock here is never half-way anything.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Work by a key: who asks for what is under way already waits for it.
#[derive(Debug)]
pub struct Singleflight<K, V> {
    under_way: Mutex<HashMap<K, SharedFuture<V>>>,
}

impl<K, V> Default for Singleflight<K, V> {
    fn default() -> Self {
        Self {
            under_way: Mutex::default(),
        }
    }
}

impl<K, V> Singleflight<K, V>
where
    K: Clone + Eq + Hash + Send + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// What the work under way for `key` comes to, or else what `work` does. It may have begun before this was called.
    pub async fn join(
        self: &Arc<Self>,
        key: K,
        work: impl AsyncFnOnce() -> Result<V> + 'static,
    ) -> Result<V> {
        let flight = {
            let mut under_way = lock(&self.under_way);
            let begun = || {
                let landing = RemoveOnDrop {
                    flights: Arc::clone(self),
                    key: key.clone(),
                };
                spawn_shared(async move {
                    let _landing = landing;
                    work().await.map_err(Arc::new)
                })
            };
            under_way.entry(key.clone()).or_insert_with(begun).clone()
        };
        flight.await.map_err(|error| clone_error(&error))
    }
}

/// Takes a flight off the list however it ends, also by a panic.
struct RemoveOnDrop<K: Eq + Hash, V> {
    flights: Arc<Singleflight<K, V>>,
    key: K,
}

impl<K: Eq + Hash, V> Drop for RemoveOnDrop<K, V> {
    fn drop(&mut self) {
        lock(&self.flights.under_way).remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, rc::Rc};

    use futures_util::future::join_all;
    use tokio::task::LocalSet;

    use super::*;

    #[tokio::test]
    async fn a_flight_is_flown_once_and_failures_reach_everybody() {
        let local = LocalSet::new();
        local
            .run_until(async {
                let (flights, flown) = (
                    Arc::new(Singleflight::<&str, u32>::default()),
                    Rc::new(RefCell::new(0)),
                );
                let join = |key, fails: bool| {
                    let (flights, flown) = (Arc::clone(&flights), Rc::clone(&flown));
                    async move {
                        let work = async move || {
                            tokio::task::yield_now().await;
                            *flown.borrow_mut() += 1;
                            if fails {
                                Err(Error::Unavailable("away".to_owned()))
                            } else {
                                Ok(7)
                            }
                        };
                        flights.join(key, work).await
                    }
                };
                assert!(
                    join_all((0..50).map(|_| join("a", false)))
                        .await
                        .into_iter()
                        .all(|done| done.unwrap() == 7)
                );
                assert_eq!(*flown.borrow(), 1);
                join("a", false).await.unwrap();
                assert_eq!(*flown.borrow(), 2);
                let panics = async || -> Result<u32> { panic!("on purpose") };
                assert!(matches!(
                    flights.join("c", panics).await,
                    Err(Error::Internal(_))
                ));
                assert_eq!(join("c", false).await.unwrap(), 7);
                *flown.borrow_mut() -= 1;
                let failed = join_all((0..5).map(|_| join("b", true))).await;
                assert!(
                    failed
                        .into_iter()
                        .all(|done| matches!(done, Err(Error::Unavailable(_))))
                );
                assert_eq!(*flown.borrow(), 3);
            })
            .await;
    }
}

//! Work that several requests wait for, and that is done once.

use std::{
    collections::HashMap,
    hash::Hash,
    mem,
    sync::{Arc, Mutex, PoisonError},
};

use futures_util::{
    FutureExt as _,
    future::{BoxFuture, Shared},
};
use tokio::sync::Mutex as Turn;

use crate::kernel::{Error, Result};

/// Work under way.
type UnderWay<V> = Shared<BoxFuture<'static, Result<V, Arc<Error>>>>;

/// Begins work in a task of its own, so that it goes on whoever leaves.
fn begin<V: Clone + Send + Sync + 'static>(work: impl Future<Output = Result<V>> + 'static) -> UnderWay<V> {
    let task = tokio::task::spawn_local(work);
    let waited = async move {
        match task.await {
            Ok(done) => done.map_err(Arc::new),
            // the worker that began it is being stopped
            Err(ended) if ended.is_cancelled() => Err(Arc::new(Error::Unavailable(ended.to_string()))),
            Err(panic) => Err(Arc::new(Error::Internal(panic.into()))),
        }
    };
    waited.boxed().shared()
}

/// An error that several wait for, as one of them tells it.
fn told(error: &Arc<Error>) -> Error {
    match &**error {
        Error::Refused(refusal) => Error::Refused(refusal.clone()),
        Error::StorageFull(reason) => Error::StorageFull(reason.clone()),
        Error::Internal(_) => Error::Internal(anyhow::Error::new(Arc::clone(error))),
        other => Error::Unavailable(other.to_string()),
    }
}

/// Work by a key: who asks for what is under way already waits for it.
#[derive(Debug)]
pub struct Flights<K, V> {
    under_way: Mutex<HashMap<K, UnderWay<V>>>,
}

impl<K, V> Default for Flights<K, V> {
    fn default() -> Self {
        Self { under_way: Mutex::default() }
    }
}

impl<K, V> Flights<K, V>
where
    K: Clone + Eq + Hash + Send + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// What the work under way for `key` comes to, or else what `work` does. It may have begun before this was called.
    pub async fn join(self: &Arc<Self>, key: K, work: impl AsyncFnOnce() -> Result<V> + 'static) -> Result<V> {
        let flight = {
            let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
            let begun = || {
                let landing = Landing { flights: Arc::clone(self), key: key.clone() };
                begin(async move {
                    let _landing = landing;
                    work().await
                })
            };
            under_way.entry(key.clone()).or_insert_with(begun).clone()
        };
        flight.await.map_err(|error| told(&error))
    }
}

/// Takes a flight off the list however it ends, also by a panic.
struct Landing<K: Eq + Hash, V> {
    flights: Arc<Flights<K, V>>,
    key: K,
}

impl<K: Eq + Hash, V> Drop for Landing<K, V> {
    fn drop(&mut self) {
        self.flights.under_way.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}

/// How many tasks a request passes through between its connection and its question.
const HOPS: u32 = 3;

/// A question that has not begun yet: what it will ask for, and its answer.
type Round<K, A> = (Vec<K>, UnderWay<Arc<A>>);

/// Questions that are asked together: while one is under way, those who come wait for the next one, and share it. So the
/// database sees one at a time, whatever the load, and no answer is older than the request.
#[derive(Debug)]
pub struct Rounds<K, A> {
    next: Mutex<Option<Round<K, A>>>,
    turn: Turn<()>,
}

impl<K, A> Default for Rounds<K, A> {
    fn default() -> Self {
        Self { next: Mutex::default(), turn: Turn::default() }
    }
}

impl<K, A> Rounds<K, A>
where
    K: Eq + Send + 'static,
    A: Send + Sync + 'static,
{
    /// The answer to a question that begins after this was called and asks for `key`, beside the keys of others.
    pub async fn ask(
        self: &Arc<Self>,
        key: K,
        question: impl AsyncFnOnce(Vec<K>) -> Result<A> + 'static,
    ) -> Result<Arc<A>> {
        let round = {
            let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
            let rounds = Arc::clone(self);
            let begun = || begin(async move { rounds.hold(question).await.map(Arc::new) });
            // one that ended before its turn came takes nobody along
            if next.as_ref().is_some_and(|(_, round)| round.peek().is_some()) {
                *next = None;
            }
            let (keys, round) = next.get_or_insert_with(|| (Vec::new(), begun()));
            if !keys.contains(&key) {
                keys.push(key);
            }
            round.clone()
        };
        round.await.map_err(|error| told(&error))
    }

    /// Waits for its turn, and takes along all who came meanwhile.
    async fn hold(&self, question: impl AsyncFnOnce(Vec<K>) -> Result<A>) -> Result<A> {
        let _turn = self.turn.lock().await;
        // lets those in whose requests have arrived but have not been read
        for _ in 0..HOPS {
            tokio::task::yield_now().await;
        }
        let keys = mem::take(&mut *self.next.lock().unwrap_or_else(PoisonError::into_inner));
        question(keys.map(|(keys, _)| keys).unwrap_or_default()).await
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, rc::Rc};

    use futures_util::future::join_all;
    use tokio::{sync::Notify, task::LocalSet};

    use super::*;

    #[tokio::test]
    async fn a_flight_is_flown_once_and_failures_reach_everybody() {
        let local = LocalSet::new();
        local
            .run_until(async {
                let (flights, flown) = (Arc::new(Flights::<&str, u32>::default()), Rc::new(RefCell::new(0)));
                let join = |key, fails: bool| {
                    let (flights, flown) = (Arc::clone(&flights), Rc::clone(&flown));
                    async move {
                        let work = async move || {
                            tokio::task::yield_now().await;
                            *flown.borrow_mut() += 1;
                            if fails { Err(Error::Unavailable("away".to_owned())) } else { Ok(7) }
                        };
                        flights.join(key, work).await
                    }
                };
                assert!(join_all((0..50).map(|_| join("a", false))).await.into_iter().all(|done| done.unwrap() == 7));
                assert_eq!(*flown.borrow(), 1);
                join("a", false).await.unwrap();
                assert_eq!(*flown.borrow(), 2);
                let panics = async || -> Result<u32> { panic!("on purpose") };
                assert!(matches!(flights.join("c", panics).await, Err(Error::Internal(_))));
                assert_eq!(join("c", false).await.unwrap(), 7);
                *flown.borrow_mut() -= 1;
                let failed = join_all((0..5).map(|_| join("b", true))).await;
                assert!(failed.into_iter().all(|done| matches!(done, Err(Error::Unavailable(_)))));
                assert_eq!(*flown.borrow(), 3);
            })
            .await;
    }

    #[tokio::test]
    async fn who_comes_while_a_question_is_under_way_shares_the_next_one() {
        let local = LocalSet::new();
        local
            .run_until(async {
                let rounds = Arc::new(Rounds::<u32, usize>::default());
                let asked: Rc<RefCell<Vec<Vec<u32>>>> = Rc::default();
                let gate = Rc::new(Notify::new());
                let ask = |key: u32| {
                    let (rounds, asked, gate) = (Arc::clone(&rounds), Rc::clone(&asked), Rc::clone(&gate));
                    tokio::task::spawn_local(async move {
                        let question = async move |keys: Vec<u32>| {
                            asked.borrow_mut().push(keys);
                            gate.notified().await;
                            Ok(asked.borrow().len())
                        };
                        *rounds.ask(key, question).await.unwrap()
                    })
                };
                let first = ask(1);
                // until the question is under way
                while asked.borrow().is_empty() {
                    tokio::task::yield_now().await;
                }
                let later: Vec<_> = [2, 3, 2, 1].into_iter().map(ask).collect();
                while rounds.next.lock().unwrap().as_ref().is_none_or(|(keys, _)| keys.len() < 3) {
                    tokio::task::yield_now().await;
                }
                gate.notify_one();
                assert_eq!(first.await.unwrap(), 1);
                while asked.borrow().len() < 2 {
                    tokio::task::yield_now().await;
                }
                gate.notify_one();
                for answer in later {
                    assert_eq!(answer.await.unwrap(), 2);
                }
                assert_eq!(*asked.borrow(), [vec![1], vec![2, 3, 1]]);
            })
            .await;
    }
}

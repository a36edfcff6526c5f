//! Questions to the database that many requests share.
//!
//! While one is under way, those who come wait for the next one, and share it. So the database sees one at a time, whatever the load
//! and however many workers share it, and no answer is older than the request. A question is told since when it is waited for: who
//! has waited for the one before in vain is not to wait as long again.
//!
//! To be woken by another thread costs several times as much as by the own one. So one task of each worker waits for the answer, a
//! relay, and that worker's requests wait for the relay.

use std::sync::{Arc, Mutex};

use futures_util::future::LocalBoxFuture;
use tokio::{sync::Mutex as Slot, time::Instant};

use super::{
    PerWorker,
    singleflight::{SharedFuture, clone_error, lock, spawn_shared},
};
use crate::common::Result;

/// How many tasks a request passes through between its connection and its question.
const YIELDS: u32 = 3;

/// Asks for some keys on behalf of those who wait since then.
type Question<K, A> =
    Box<dyn Fn(Vec<K>, Instant) -> LocalBoxFuture<'static, Result<A>> + Send + Sync>;

/// A question that has not begun yet: what it will ask for, and its answer.
type Batch<K, A> = (Vec<K>, SharedFuture<Arc<A>>);

/// An answer that is waited for, and one worker's wait for it.
type Waited<A> = (SharedFuture<Arc<A>>, SharedFuture<Arc<A>>);

/// The last answer that a worker waited for.
#[derive(Debug)]
pub struct WorkerShare<A>(Mutex<Option<Waited<A>>>);

impl<A> Default for WorkerShare<A> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

/// See the module.
pub struct BatchLoader<K, A> {
    question: Question<K, A>,
    next: Mutex<Option<Batch<K, A>>>,
    turn: Slot<()>,
    relays: PerWorker<WorkerShare<A>>,
}

impl<K, A> BatchLoader<K, A>
where
    K: Clone + Eq + Send + 'static,
    A: Send + Sync + 'static,
{
    /// Nothing has been asked; there is a relay for each worker.
    pub fn new(
        relays: PerWorker<WorkerShare<A>>,
        question: impl Fn(Vec<K>, Instant) -> LocalBoxFuture<'static, Result<A>> + Send + Sync + 'static,
    ) -> Self {
        Self {
            question: Box::new(question),
            next: Mutex::default(),
            turn: Slot::default(),
            relays,
        }
    }

    /// The answer to a question that begins after this was called and asks for `key`, beside the keys of others.
    pub async fn load(self: &Arc<Self>, key: &K) -> Result<Arc<A>> {
        let answer = self.enqueue(key);
        self.local_share(answer)
            .await
            .map_err(|error| clone_error(&error))
    }

    /// Has the next question ask for `key` too.
    fn enqueue(self: &Arc<Self>, key: &K) -> SharedFuture<Arc<A>> {
        let mut next = lock(&self.next);
        let begun = || {
            let (rounds, since) = (Arc::clone(self), Instant::now());
            spawn_shared(async move {
                rounds
                    .run_batch(since)
                    .await
                    .map(Arc::new)
                    .map_err(Arc::new)
            })
        };
        // one that ended before its turn came takes nobody along
        if next
            .as_ref()
            .is_some_and(|(_, answer)| answer.peek().is_some())
        {
            *next = None;
        }
        let (keys, answer) = next.get_or_insert_with(|| (Vec::new(), begun()));
        if !keys.contains(key) {
            keys.push(key.clone());
        }
        answer.clone()
    }

    /// Waits for its turn, and takes along all who came meanwhile.
    async fn run_batch(&self, since: Instant) -> Result<A> {
        let _turn = self.turn.lock().await;
        // lets those in whose requests have arrived but have not been read
        for _ in 0..YIELDS {
            tokio::task::yield_now().await;
        }
        let round = lock(&self.next).take();
        (self.question)(round.map(|(keys, _)| keys).unwrap_or_default(), since).await
    }

    /// An answer by way of this worker's relay.
    fn local_share(&self, answer: SharedFuture<Arc<A>>) -> SharedFuture<Arc<A>> {
        let WorkerShare(last) = self.relays.current();
        let mut last = lock(last);
        match &*last {
            Some((of, relayed)) if of.ptr_eq(&answer) => relayed.clone(),
            _ => {
                let relayed = spawn_shared(answer.clone());
                *last = Some((answer, relayed.clone()));
                relayed
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{convert::Infallible, num::NonZeroUsize, sync::Weak, thread};

    use futures_util::{FutureExt as _, future::join_all};
    use tokio::{
        sync::Notify,
        task::{JoinHandle, LocalSet, spawn_local, yield_now},
    };

    use super::*;

    /// Questions that are answered with their number, each as soon as the gate lets it pass.
    struct Lookup {
        rounds: Arc<BatchLoader<u32, usize>>,
        questions: Mutex<Vec<Vec<u32>>>,
        /// Since when each was waited for.
        since: Mutex<Vec<Instant>>,
        gate: Notify,
    }

    impl Lookup {
        fn nothing(workers: usize) -> Arc<Self> {
            let workers = NonZeroUsize::new(workers).unwrap();
            let Ok(relays) =
                PerWorker::try_new(workers, |_| Ok::<_, Infallible>(WorkerShare::default()));
            Arc::new_cyclic(|asked: &Weak<Self>| {
                let asked = Weak::clone(asked);
                let question = move |keys, since| {
                    let within = asked.upgrade().unwrap();
                    let answered = async move {
                        lock(&within.since).push(since);
                        lock(&within.questions).push(keys);
                        within.gate.notified().await;
                        Ok(lock(&within.questions).len())
                    };
                    answered.boxed_local()
                };
                Self {
                    rounds: Arc::new(BatchLoader::new(relays, question)),
                    questions: Mutex::default(),
                    since: Mutex::default(),
                    gate: Notify::new(),
                }
            })
        }

        fn load(self: &Arc<Self>, key: u32) -> JoinHandle<usize> {
            let asked = Arc::clone(self);
            spawn_local(async move { *asked.rounds.load(&key).await.unwrap() })
        }

        /// Until so many questions have begun.
        async fn begun(&self, count: usize) {
            while lock(&self.questions).len() < count {
                yield_now().await;
            }
        }

        /// Until so many keys are waiting for their question.
        async fn waiting(&self, count: usize) {
            while lock(&self.rounds.next)
                .as_ref()
                .is_none_or(|(keys, _)| keys.len() < count)
            {
                yield_now().await;
            }
        }
    }

    #[tokio::test]
    async fn who_comes_while_a_question_is_under_way_shares_the_next_one() {
        let asked = Lookup::nothing(1);
        let test = async {
            let first = asked.load(1);
            asked.begun(1).await;
            let later: Vec<_> = [2, 3, 2, 1]
                .into_iter()
                .map(|key| asked.load(key))
                .collect();
            asked.waiting(3).await;
            let waiting = Instant::now();
            asked.gate.notify_one();
            assert_eq!(first.await.unwrap(), 1);
            asked.begun(2).await;
            asked.gate.notify_one();
            for answer in join_all(later).await {
                assert_eq!(answer.unwrap(), 2);
            }
            assert_eq!(*lock(&asked.questions), [vec![1], vec![2, 3, 1]]);
            // from when the first of them came, not from when its turn came
            assert!(
                lock(&asked.since)
                    .last()
                    .is_some_and(|since| *since <= waiting)
            );
        };
        LocalSet::new().run_until(test).await;
    }

    #[tokio::test]
    async fn workers_share_questions_too() {
        const EACH: u32 = 20;
        let asked = Lookup::nothing(3);
        let worker = |number: u32| {
            let asked = Arc::clone(&asked);
            thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .build()
                    .unwrap();
                let answers =
                    async { join_all((0..EACH).map(|key| asked.load(number * EACH + key))).await };
                LocalSet::new()
                    .block_on(&runtime, answers)
                    .into_iter()
                    .map(Result::unwrap)
                    .collect::<Vec<_>>()
            })
        };
        let test = async {
            let first = asked.load(1000);
            asked.begun(1).await;
            let workers = [worker(0), worker(1)];
            asked.waiting(2 * EACH as usize).await;
            asked.gate.notify_one();
            assert_eq!(first.await.unwrap(), 1);
            asked.begun(2).await;
            asked.gate.notify_one();
            assert_eq!(
                workers.map(|worker| worker.join().unwrap()),
                [vec![2; EACH as usize], vec![2; EACH as usize]]
            );
        };
        LocalSet::new().run_until(test).await;
        assert_eq!(lock(&asked.questions).len(), 2);
    }
}

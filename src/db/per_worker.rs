//! Per-worker values.
//!
//! A connection to PostgreSQL is driven by the worker thread that opened it, and waking a task on
//! another thread costs several times as much as on the same one. So each worker has its own
//! connections and its own share of a batched lookup. If there are fewer values than workers,
//! several workers share one.

use std::{
    num::NonZeroUsize,
    sync::atomic::{AtomicUsize, Ordering},
};

thread_local! {
    static THREAD_NUMBER: usize = {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        NEXT.fetch_add(1, Ordering::Relaxed)
    };
}

/// One value for each worker.
#[derive(Debug)]
pub struct PerWorker<T> {
    first: T,
    others: Box<[T]>,
}

impl<T> PerWorker<T> {
    /// Makes `count` values from their indexes.
    pub fn try_new<E>(
        count: NonZeroUsize,
        mut make: impl FnMut(usize) -> Result<T, E>,
    ) -> Result<Self, E> {
        Ok(Self {
            first: make(0)?,
            others: (1..count.get()).map(make).collect::<Result<_, E>>()?,
        })
    }

    /// The value of the current thread.
    pub fn current(&self) -> &T {
        let index = THREAD_NUMBER.with(|number| *number) % (self.others.len() + 1);
        index
            .checked_sub(1)
            .and_then(|index| self.others.get(index))
            .unwrap_or(&self.first)
    }

    /// The values of all workers.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        std::iter::once(&self.first).chain(&self.others)
    }
}

#[cfg(test)]
mod tests {
    use std::{convert::Infallible, thread};

    use super::*;

    #[test]
    fn thread_always_gets_same_value_and_neighbors_differ() {
        let Ok(values) = PerWorker::try_new(NonZeroUsize::new(2).unwrap(), Ok::<usize, Infallible>);
        assert_eq!(values.iter().collect::<Vec<_>>(), [&0, &1]);
        for _ in 0..4 {
            thread::scope(|scope| {
                scope.spawn(|| {
                    let number = THREAD_NUMBER.with(|number| *number);
                    assert_eq!(*values.current(), number % 2);
                    assert_eq!(*values.current(), number % 2);
                });
            });
        }
    }
}

//! What each worker has for itself.
//!
//! A connection to PostgreSQL is driven by the worker that opened it, and whoever waits for work of another worker has to be woken
//! across threads: twice per statement, and once per shared question. So each worker has connections and questions of its own, as
//! far as there are enough; which one a thread uses is told by its number.

use std::{
    num::NonZeroUsize,
    sync::atomic::{AtomicUsize, Ordering},
};

thread_local! {
    static NUMBER: usize = {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        NEXT.fetch_add(1, Ordering::Relaxed)
    };
}

/// Things of which each worker uses its own.
#[derive(Debug)]
pub struct PerWorker<T> {
    first: T,
    others: Box<[T]>,
}

impl<T> PerWorker<T> {
    /// Makes so many, each by its number.
    pub fn try_new<E>(
        count: NonZeroUsize,
        mut make: impl FnMut(usize) -> Result<T, E>,
    ) -> Result<Self, E> {
        Ok(Self {
            first: make(0)?,
            others: (1..count.get()).map(make).collect::<Result<_, E>>()?,
        })
    }

    /// That of this thread.
    pub fn current(&self) -> &T {
        let number = NUMBER.with(|number| *number) % (self.others.len() + 1);
        number
            .checked_sub(1)
            .and_then(|number| self.others.get(number))
            .unwrap_or(&self.first)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        std::iter::once(&self.first).chain(&self.others)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    #[test]
    fn a_thread_always_uses_the_same_and_neighbours_use_different_ones() {
        let Ok(lanes) = PerWorker::try_new(NonZeroUsize::new(2).unwrap(), Ok::<usize, Infallible>);
        assert_eq!(lanes.iter().collect::<Vec<_>>(), [&0, &1]);
        let number = || {
            (
                NUMBER.with(|number| *number),
                *lanes.current(),
                *lanes.current(),
            )
        };
        let told = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(number)).collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .collect::<Vec<_>>()
        });
        assert!(
            told.iter()
                .all(|(number, first, second)| first == second && *first == number % 2),
            "{told:?}"
        );
    }
}

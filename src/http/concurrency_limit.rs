//! Limits the number of requests that are processed at the same time. Excess requests are rejected
//! immediately, not queued.

use tokio_util::task::{TaskTracker, task_tracker::TaskTrackerToken};

use crate::common::{Code, Error, Result};

/// Counts the requests of an instance. Clones share the counts.
///
/// Trackers instead of a semaphore, because draining must not take permits away: requests that
/// arrive on open connections during shutdown are still served.
#[derive(Debug, Clone)]
pub struct ConcurrencyLimit {
    /// All requests, including those that wait for their body.
    in_progress: TaskTracker,
    /// The requests being processed.
    slots: TaskTracker,
    max: usize,
}

impl ConcurrencyLimit {
    /// Processes at most `max` requests at once.
    pub fn new(max: usize) -> Self {
        Self {
            in_progress: TaskTracker::new(),
            slots: TaskTracker::new(),
            max,
        }
    }

    /// The number of occupied slots.
    pub fn occupied(&self) -> usize {
        self.slots.len()
    }

    /// Makes [`Self::drained`] wait until the returned token is dropped.
    pub fn begin_request(&self) -> TaskTrackerToken {
        self.in_progress.token()
    }

    /// Occupies a slot until the returned token is dropped, or fails with [`Code::Overloaded`].
    pub fn occupy(&self) -> Result<TaskTrackerToken> {
        let slot = self.slots.token();
        if self.slots.len() > self.max {
            return Err(Error::client(Code::Overloaded));
        }
        Ok(slot)
    }

    /// Waits until no request is in progress.
    pub async fn drained(&self) {
        self.in_progress.close();
        self.in_progress.wait().await;
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[test]
    fn requests_above_the_limit_are_rejected_until_one_finishes() {
        let limit = ConcurrencyLimit::new(2);
        let first = limit.occupy().unwrap();
        let _second = limit.occupy().unwrap();
        for _ in 0..3 {
            assert_eq!(limit.occupy().unwrap_err().code(), Code::Overloaded);
        }
        assert_eq!(limit.occupied(), 2);

        drop(first);

        drop(limit.occupy().unwrap());
    }

    #[tokio::test]
    async fn draining_waits_for_requests_and_still_admits_new_ones() {
        let limit = ConcurrencyLimit::new(2);
        let first = limit.begin_request();
        let mut drained = Box::pin(limit.drained());
        assert_eq!(drained.as_mut().now_or_never(), None);
        let second = limit.begin_request();

        drop(first);
        assert_eq!(drained.as_mut().now_or_never(), None);

        drop(second);
        drained.await;
    }
}

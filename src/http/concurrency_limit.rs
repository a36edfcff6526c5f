//! Limits the number of concurrent requests. Excess requests are rejected immediately, not queued.

use tokio_util::task::{TaskTracker, task_tracker::TaskTrackerToken};

use crate::common::{Code, Error, Result};

/// Counts the requests in progress and rejects those above a maximum. Clones share the count.
///
/// A tracker instead of a semaphore, because draining must not take permits away: requests that
/// arrive on open connections during shutdown are still served.
#[derive(Debug, Clone)]
pub struct ConcurrencyLimit {
    in_progress: TaskTracker,
    max: usize,
}

impl ConcurrencyLimit {
    /// Admits at most `max` requests at once.
    pub fn new(max: usize) -> Self {
        Self {
            in_progress: TaskTracker::new(),
            max,
        }
    }

    /// The number of requests in progress.
    pub fn in_progress(&self) -> usize {
        self.in_progress.len()
    }

    /// Admits a request until the returned token is dropped, or fails with
    /// [`Code::Overloaded`].
    pub fn admit(&self) -> Result<TaskTrackerToken> {
        let token = self.in_progress.token();
        if self.in_progress.len() > self.max {
            return Err(Error::client(Code::Overloaded));
        }
        Ok(token)
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
        let first = limit.admit().unwrap();
        let _second = limit.admit().unwrap();
        for _ in 0..3 {
            assert_eq!(limit.admit().unwrap_err().code(), Code::Overloaded);
        }
        assert_eq!(limit.in_progress(), 2);

        drop(first);

        drop(limit.admit().unwrap());
    }

    #[tokio::test]
    async fn draining_waits_for_requests_and_still_admits_new_ones() {
        let limit = ConcurrencyLimit::new(2);
        let first = limit.admit().unwrap();
        let mut drained = Box::pin(limit.drained());
        assert_eq!(drained.as_mut().now_or_never(), None);
        let second = limit.admit().unwrap();

        drop(first);
        assert_eq!(drained.as_mut().now_or_never(), None);

        drop(second);
        drained.await;
    }
}

//! What a request occupies while it is in progress.
//!
//! The middleware [`admission`](super::middleware::admission) occupies a slot of the
//! [`ConcurrencyLimit`] for every request. An extractor that waits for something that only the
//! client or another server controls, such as the rest of a body, releases the slot meanwhile
//! ([`RequestSlot::released_while`]): a stalled client must not keep others from being served.
//! Such waits are limited by subject instead ([`SubjectLimits`]).

use std::{
    cell::{Cell, OnceCell},
    rc::Rc,
    sync::Arc,
};

use actix_web::{HttpMessage as _, HttpRequest};
use tokio::sync::Notify;
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::{
    concurrency_limit::ConcurrencyLimit,
    subject_limits::{SubjectLimits, SubjectShare},
};
use crate::{common::Result, tokens::Claims};

/// What one request occupies, stored in its extensions. Clones share it; dropping the last one
/// releases everything.
#[derive(Clone)]
pub struct RequestSlot(Rc<State>);

struct State {
    limit: ConcurrencyLimit,
    subjects: Arc<SubjectLimits>,
    /// Delays the end of a shutdown.
    _in_progress: TaskTrackerToken,
    slot: Cell<Option<TaskTrackerToken>>,
    /// Number of extractors that wait without the slot.
    waiting: Cell<u32>,
    share: OnceCell<SubjectShare>,
    share_entered: Notify,
}

impl RequestSlot {
    /// Occupies a slot, or fails with [`Code::Overloaded`](crate::common::Code::Overloaded).
    pub fn occupy(limit: &ConcurrencyLimit, subjects: &Arc<SubjectLimits>) -> Result<Self> {
        let in_progress = limit.begin_request();
        let slot = limit.occupy()?;
        Ok(Self(Rc::new(State {
            limit: limit.clone(),
            subjects: Arc::clone(subjects),
            _in_progress: in_progress,
            slot: Cell::new(Some(slot)),
            waiting: Cell::new(0),
            share: OnceCell::new(),
            share_entered: Notify::new(),
        })))
    }

    /// The slot of a request; `None` if the request is not limited.
    pub fn of(request: &HttpRequest) -> Option<Self> {
        request.extensions().get::<Self>().cloned()
    }

    /// Counts the request towards the limit of its token's subject. See [`SubjectLimits::enter`].
    pub fn enter_subject(&self, claims: &Claims) -> Result<()> {
        if self.0.share.get().is_none() {
            let share = self.0.subjects.enter(claims)?;
            let _ = self.0.share.set(share);
            self.0.share_entered.notify_one();
        }
        Ok(())
    }

    /// Whether the token was verified, and the request counts towards the limit of its subject.
    pub fn has_subject(&self) -> bool {
        self.0.share.get().is_some()
    }

    /// Waits until [`Self::has_subject`].
    pub async fn subject_entered(&self) {
        if !self.has_subject() {
            self.0.share_entered.notified().await;
        }
    }

    /// Reserves memory for received bytes of the body until the request ends. See
    /// [`SubjectShare::reserve`].
    pub fn reserve(&self, bytes: usize) -> Result<()> {
        match self.0.share.get() {
            Some(share) => share.reserve(bytes),
            None => Ok(()),
        }
    }

    /// Waits for a future without occupying the slot.
    ///
    /// # Errors
    ///
    /// The error of the future, or [`Code::Overloaded`](crate::common::Code::Overloaded) if no
    /// slot is free when it is ready.
    pub async fn released_while<T>(&self, future: impl Future<Output = Result<T>>) -> Result<T> {
        let released = ReleasedSlot::begin(&self.0);
        let output = future.await?;
        released.end()?;
        Ok(output)
    }
}

/// A slot that is released. An extractor may be dropped while it waits, so dropping this ends the
/// wait without occupying the slot again.
struct ReleasedSlot<'a>(&'a State);

impl<'a> ReleasedSlot<'a> {
    fn begin(state: &'a State) -> Self {
        state.waiting.set(state.waiting.get() + 1);
        drop(state.slot.take());
        Self(state)
    }

    /// Occupies a slot again, unless another extractor still waits.
    fn end(self) -> Result<()> {
        let state = self.0;
        if state.waiting.get() == 1 {
            state.slot.set(Some(state.limit.occupy()?));
        }
        Ok(())
    }
}

impl Drop for ReleasedSlot<'_> {
    fn drop(&mut self) {
        self.0.waiting.set(self.0.waiting.get().saturating_sub(1));
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{FutureExt as _, pin_mut};
    use tokio::sync::oneshot;

    use super::*;
    use crate::common::Code;

    fn slot(limit: &ConcurrencyLimit) -> RequestSlot {
        RequestSlot::occupy(limit, &Arc::new(SubjectLimits::new(1, 0))).unwrap()
    }

    #[test]
    fn slot_is_free_while_extractors_wait() {
        let limit = ConcurrencyLimit::new(1);
        let slot = slot(&limit);
        let (first_ready, first) = oneshot::channel();
        let (second_ready, second) = oneshot::channel();
        let first = slot.released_while(first.map(|_| Ok(())));
        let second = slot.released_while(second.map(|_| Ok(())));
        pin_mut!(first, second);
        assert!(first.as_mut().now_or_never().is_none());
        assert!(second.as_mut().now_or_never().is_none());
        assert_eq!(limit.occupied(), 0);

        first_ready.send(()).unwrap();
        first.now_or_never().unwrap().unwrap();
        assert_eq!(limit.occupied(), 0, "the second extractor still waits");

        second_ready.send(()).unwrap();
        second.now_or_never().unwrap().unwrap();
        assert_eq!(limit.occupied(), 1);
    }

    #[test]
    fn waiting_request_is_rejected_if_all_slots_are_occupied_afterwards() {
        let limit = ConcurrencyLimit::new(1);
        let waiting = slot(&limit);
        let (ready, wait) = oneshot::channel();
        let wait = waiting.released_while(wait.map(|_| Ok(())));
        pin_mut!(wait);
        assert!(wait.as_mut().now_or_never().is_none());
        let _other = slot(&limit);

        ready.send(()).unwrap();

        let rejected = wait.now_or_never().unwrap().unwrap_err();
        assert_eq!(rejected.code(), Code::Overloaded);
    }
}

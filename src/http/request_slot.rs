//! The limited resources that a request occupies while it is in progress.
//!
//! The middleware [`admission`](super::middleware::admission) occupies a slot of the
//! [`ConcurrencyLimit`] for every request. An extractor that waits for something that only the
//! client or another server controls, such as the rest of a body, releases the slot meanwhile
//! ([`RequestSlot::released_while`]): a stalled client must not keep others from being served.
//! Such waits are limited by subject instead ([`SubjectLimits`]).

use std::{cell::Cell, rc::Rc, sync::Arc};

use actix_web::{HttpMessage as _, HttpRequest};
use tokio::sync::SetOnce;
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::{
    concurrency_limit::ConcurrencyLimit,
    subject_limits::{SubjectLimits, SubjectShare},
};
use crate::{common::Result, tokens::Claims};

/// The resources of one request, stored in its extensions. Clones share them; dropping the last
/// one releases everything.
#[derive(Clone)]
pub struct RequestSlot(Rc<State>);

struct State {
    limit: ConcurrencyLimit,
    subjects: Arc<SubjectLimits>,
    /// Delays the end of a shutdown.
    _in_progress: TaskTrackerToken,
    /// `None` while the slot is released.
    slot: Cell<Option<TaskTrackerToken>>,
    /// Set once the token is verified.
    share: SetOnce<SubjectShare>,
}

impl RequestSlot {
    /// Occupies a slot, or fails with [`Code::Overloaded`](crate::common::Code::Overloaded).
    pub fn occupy(limit: &ConcurrencyLimit, subjects: &Arc<SubjectLimits>) -> Result<Self> {
        let slot = limit.occupy()?;
        Ok(Self(Rc::new(State {
            limit: limit.clone(),
            subjects: Arc::clone(subjects),
            _in_progress: limit.begin_request(),
            slot: Cell::new(Some(slot)),
            share: SetOnce::new(),
        })))
    }

    /// The slot of a request; `None` if the request is not limited.
    pub fn of(request: &HttpRequest) -> Option<Self> {
        request.extensions().get::<Self>().cloned()
    }

    /// Counts the request towards the limit of its token's subject. See [`SubjectLimits::enter`].
    pub fn enter_subject(&self, claims: &Claims) -> Result<()> {
        if !self.has_subject() {
            // Only this method sets the share.
            let _ = self.0.share.set(self.0.subjects.enter(claims)?);
        }
        Ok(())
    }

    /// Whether the request counts towards the limit of its subject.
    pub fn has_subject(&self) -> bool {
        self.0.share.initialized()
    }

    /// Waits for [`Self::enter_subject`].
    pub async fn subject_entered(&self) {
        self.0.share.wait().await;
    }

    /// Reserves memory for received bytes of the body until the request ends. See
    /// [`SubjectShare::reserve`].
    pub fn reserve(&self, bytes: usize) -> Result<()> {
        match self.0.share.get() {
            Some(share) => share.reserve(bytes),
            None => Ok(()),
        }
    }

    /// Waits for a future without occupying the slot. Only one such wait may be in progress.
    ///
    /// # Errors
    ///
    /// The error of the future, or [`Code::Overloaded`](crate::common::Code::Overloaded) if no
    /// slot is free when it is ready.
    pub async fn released_while<T>(&self, future: impl Future<Output = Result<T>>) -> Result<T> {
        drop(self.0.slot.take());
        let output = future.await?;
        self.0.slot.set(Some(self.0.limit.occupy()?));
        Ok(output)
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
    fn slot_is_free_while_an_extractor_waits() {
        let limit = ConcurrencyLimit::new(1);
        let slot = slot(&limit);
        let (ready, wait) = oneshot::channel();
        let wait = slot.released_while(wait.map(|_| Ok(())));
        pin_mut!(wait);
        assert!(wait.as_mut().now_or_never().is_none());
        assert_eq!(limit.occupied(), 0);

        ready.send(()).unwrap();

        wait.now_or_never().unwrap().unwrap();
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

//! Limits the concurrent requests of each token subject, and the memory of request bodies.

use std::{
    cell::Cell,
    collections::HashMap,
    hash::BuildHasher as _,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use foldhash::fast::RandomState;

use crate::{
    common::{Code, Error, Result},
    tokens::Claims,
};

/// The part of the body memory that one subject may use: one half.
const SUBJECT_PART: usize = 2;

/// Counts the requests and the body bytes of every subject.
pub struct SubjectLimits {
    /// Maximum number of concurrent requests of one subject.
    max_requests: usize,
    /// Maximum number of body bytes of all subjects.
    max_body_bytes: usize,
    usage: Mutex<Usage>,
    hasher: RandomState,
}

#[derive(Default)]
struct Usage {
    body_bytes: usize,
    subjects: HashMap<u64, SubjectUsage, RandomState>,
}

#[derive(Default)]
struct SubjectUsage {
    requests: usize,
    body_bytes: usize,
}

/// The share of one request. Dropping it releases everything.
pub struct SubjectShare {
    limits: Arc<SubjectLimits>,
    subject: u64,
    body_bytes: Cell<usize>,
}

impl SubjectLimits {
    /// Creates limits that no request has used yet.
    pub fn new(max_requests: usize, max_body_bytes: usize) -> Self {
        Self {
            max_requests,
            max_body_bytes,
            usage: Mutex::default(),
            hasher: RandomState::default(),
        }
    }

    /// Counts a request of the token's subject, or fails with
    /// [`Code::TooManyConcurrentRequests`].
    pub fn enter(self: &Arc<Self>, claims: &Claims) -> Result<SubjectShare> {
        let subject = self.hasher.hash_one((&claims.iss, &claims.sub));
        let mut usage = self.usage();
        let requests = &mut usage.subjects.entry(subject).or_default().requests;
        if *requests >= self.max_requests {
            return Err(Error::client(Code::TooManyConcurrentRequests));
        }
        *requests += 1;
        Ok(SubjectShare {
            limits: Arc::clone(self),
            subject,
            body_bytes: Cell::new(0),
        })
    }

    fn usage(&self) -> MutexGuard<'_, Usage> {
        self.usage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SubjectShare {
    /// Reserves memory for received bytes.
    ///
    /// # Errors
    ///
    /// [`Code::TooManyConcurrentRequests`] if the subject exceeds its part of the memory,
    /// [`Code::Overloaded`] if all subjects together exceed the whole.
    pub fn reserve(&self, bytes: usize) -> Result<()> {
        let max = self.limits.max_body_bytes;
        let mut usage = self.limits.usage();
        let total = usage.body_bytes + bytes;
        let subject = usage.subjects.entry(self.subject).or_default();
        if subject.body_bytes + bytes > max / SUBJECT_PART {
            return Err(Error::client(Code::TooManyConcurrentRequests));
        }
        if total > max {
            return Err(Error::client(Code::Overloaded));
        }
        subject.body_bytes += bytes;
        usage.body_bytes = total;
        self.body_bytes.set(self.body_bytes.get() + bytes);
        Ok(())
    }
}

impl Drop for SubjectShare {
    fn drop(&mut self) {
        let body_bytes = self.body_bytes.get();
        let mut usage = self.limits.usage();
        usage.body_bytes -= body_bytes;
        if let Some(subject) = usage.subjects.get_mut(&self.subject) {
            subject.requests -= 1;
            subject.body_bytes -= body_bytes;
            if subject.requests == 0 {
                usage.subjects.remove(&self.subject);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::tokens::{TokenSettings, dev_claims};

    fn claims(subject: &str) -> Claims {
        let settings = TokenSettings::hs256("issuer", "audience", &"x".repeat(32));
        dev_claims(&settings, subject, "", Duration::from_mins(1)).unwrap()
    }

    fn code<T>(result: Result<T>) -> Option<Code> {
        result.err().map(|error| error.code())
    }

    #[test]
    fn concurrent_requests_of_one_subject_are_limited() {
        let limits = Arc::new(SubjectLimits::new(2, 0));
        let first = limits.enter(&claims("anna")).unwrap();
        let _second = limits.enter(&claims("anna")).unwrap();
        assert_eq!(
            code(limits.enter(&claims("anna"))),
            Some(Code::TooManyConcurrentRequests)
        );
        limits.enter(&claims("bert")).unwrap();

        drop(first);

        limits.enter(&claims("anna")).unwrap();
    }

    #[test]
    fn body_memory_is_limited_in_total_and_by_subject() {
        let limits = Arc::new(SubjectLimits::new(9, 100));
        let anna = limits.enter(&claims("anna")).unwrap();
        let bert = limits.enter(&claims("bert")).unwrap();
        let carl = limits.enter(&claims("carl")).unwrap();
        anna.reserve(30).unwrap();
        anna.reserve(20).unwrap();
        assert_eq!(code(anna.reserve(1)), Some(Code::TooManyConcurrentRequests));
        bert.reserve(50).unwrap();
        assert_eq!(code(carl.reserve(1)), Some(Code::Overloaded));

        drop(anna);

        carl.reserve(50).unwrap();
    }

    #[test]
    fn idle_subjects_occupy_no_memory() {
        let limits = Arc::new(SubjectLimits::new(1, 10));
        let share = limits.enter(&claims("anna")).unwrap();
        share.reserve(5).unwrap();

        drop(share);

        let usage = limits.usage();
        assert_eq!(usage.subjects.len(), 0);
        assert_eq!(usage.body_bytes, 0);
    }
}

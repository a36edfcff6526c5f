//! Bounds the time that a decision request occupies a worker: a limit on the work of a request, a
//! deadline, and slices. Large requests run outside the workers ([`crate::http::off_worker`]).

use std::time::{Duration, Instant};

use ticket_policy::{Attribute, policy::Policy, ticket::TicketAttributes};

use super::request::TicketInput;
use crate::{
    common::{Code, Error, FieldError, Result},
    http::body::reject_if_any,
};

/// Most pairs of a ticket's tag and a rule's tag value in one request.
pub const MAX_COMPARISONS: usize = 100_000_000;
/// Largest body that is parsed and decided on the worker, in bytes.
pub const MAX_BODY_ON_WORKER: usize = 64 * 1024;
/// Most tickets whose decisions are explained on the worker.
pub const MAX_EXPLAINED_ON_WORKER: usize = 20;
/// How long a worker evaluates one request before it serves others.
pub const MAX_SLICE: Duration = Duration::from_millis(2);

/// When a request times out. The middleware responds at that time; the evaluation must end too.
#[derive(Debug, Clone, Copy)]
pub struct Deadline(Option<Instant>);

impl Deadline {
    /// The deadline after a duration, from now.
    pub fn after(limit: Duration) -> Self {
        Self(Instant::now().checked_add(limit))
    }

    /// 503 once the deadline has passed.
    pub fn check(self) -> Result<()> {
        if self.0.is_some_and(|end| end <= Instant::now()) {
            return Err(Error::Unavailable(
                "the request timed out during evaluation".to_owned(),
            ));
        }
        Ok(())
    }
}

/// The number of tags of all tickets.
pub fn count_tags<'t>(tickets: impl IntoIterator<Item = &'t TicketAttributes<'t>>) -> usize {
    tickets
        .into_iter()
        .map(|ticket| match &ticket.tags {
            Attribute::Known(tags) => tags.len(),
            Attribute::Unknown | Attribute::Absent => 0,
        })
        .sum()
}

/// The number of tag values of all rules of a policy.
pub fn count_tag_values(policy: &Policy) -> usize {
    policy.global.tag_values() + policy.partner.rules.tag_values()
}

/// The work of a visibility request.
#[derive(Debug, Clone, Copy)]
pub struct Workload {
    /// Pairs of a ticket's tag and a rule's tag value.
    comparisons: usize,
    /// Pairs of a ticket and a rule's condition.
    conditions: usize,
}

impl Workload {
    /// The work of deciding on tickets with a policy.
    pub fn of(policy: &Policy, tickets: &[TicketInput<'_>]) -> Self {
        let tag_values = count_tag_values(policy);
        let tags = if tag_values == 0 {
            0
        } else {
            count_tags(tickets.iter().flatten().map(|ticket| &**ticket))
        };
        let conditions = policy.global.conditions() + policy.partner.rules.conditions();
        Self {
            comparisons: tags.saturating_mul(tag_values),
            conditions: tickets.len().saturating_mul(conditions),
        }
    }

    /// Whether the evaluation takes about as long as one slice at most.
    pub fn is_small(self) -> bool {
        self.comparisons + self.conditions <= 50_000
    }

    /// Rejects requests with too many comparisons.
    pub fn ensure_allowed(self) -> Result<()> {
        ensure_comparisons(self.comparisons)
    }
}

/// Rejects more than [`MAX_COMPARISONS`].
pub fn ensure_comparisons(comparisons: usize) -> Result<()> {
    if comparisons <= MAX_COMPARISONS {
        return Ok(());
    }
    reject_if_any(vec![
        FieldError::new("/tickets", Code::TooManyComparisons).with("max", MAX_COMPARISONS),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passed_deadline_returns_unavailable() {
        let error = Deadline::after(Duration::ZERO).check().unwrap_err();
        assert_eq!(error.code(), Code::Unavailable);
        assert!(Deadline::after(Duration::MAX).check().is_ok());
        assert!(Deadline::after(Duration::from_mins(1)).check().is_ok());
    }

    #[test]
    fn comparisons_beyond_limit_are_rejected() {
        assert!(ensure_comparisons(MAX_COMPARISONS).is_ok());
        let error = ensure_comparisons(MAX_COMPARISONS + 1).unwrap_err();
        assert_eq!(error.code(), Code::ValidationFailed);
    }
}

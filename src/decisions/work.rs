//! Bounds the time that a decision request occupies a worker: a limit on the work of a request, a
//! deadline. Large requests run outside the workers ([`crate::http::off_worker`]).

use std::{
    ops::Add,
    time::{Duration, Instant},
};

use ticket_policy::{Attribute, Str, policy::Policy, rules::RuleSetSize, ticket::TicketAttributes};

use crate::{
    common::{Code, Error, FieldError, Result},
    http::{body::reject_if_any, off_worker},
};

/// Most comparisons of one request: pairs of a ticket's tag and a rule's tag value, and pairs of a
/// block of a ticket's text and a condition on it.
const MAX_COMPARISONS: usize = 100_000_000;
/// Searching this many bytes of a text counts as one comparison.
const TEXT_BLOCK: usize = 64;
/// The work of explaining the decision on one ticket, in comparisons.
const EXPLANATION: usize = 2_000;
/// Most work that is done on the worker, in comparisons. It takes a few milliseconds.
const MAX_ON_WORKER: usize = 50_000;
/// Largest body that is parsed and decided on the worker, in bytes.
pub const MAX_BODY_ON_WORKER: usize = 64 * 1024;

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

/// Runs a small computation on the worker, and any other outside the workers.
pub async fn run<T: Send + 'static>(
    workload: Workload,
    compute: impl FnOnce() -> T + Send + 'static,
) -> Result<T> {
    if workload.is_small() {
        return Ok(compute());
    }
    off_worker::run(compute).await
}

/// The sizes of tickets that determine the number of comparisons with rules.
#[derive(Debug, Clone, Copy, Default)]
struct TicketSizes {
    tickets: usize,
    tags: usize,
    /// Blocks of [`TEXT_BLOCK`] bytes.
    subject_blocks: usize,
    /// Blocks of [`TEXT_BLOCK`] bytes.
    reference_number_blocks: usize,
}

impl TicketSizes {
    fn of<'t>(tickets: impl IntoIterator<Item = &'t TicketAttributes<'t>>) -> Self {
        let mut sizes = Self::default();
        for ticket in tickets {
            sizes.tickets += 1;
            sizes.tags += ticket.tags.known().map_or(0, Vec::len);
            sizes.subject_blocks += text_blocks(&ticket.subject);
            sizes.reference_number_blocks += text_blocks(&ticket.reference_number);
        }
        sizes
    }

    fn comparisons(self, rules: RuleSetSize) -> usize {
        [
            (self.tags, rules.tag_values),
            (self.subject_blocks, rules.subject_conditions),
            (
                self.reference_number_blocks,
                rules.reference_number_conditions,
            ),
        ]
        .into_iter()
        .fold(0, |sum, (ticket_size, rules_size)| {
            sum.saturating_add(ticket_size.saturating_mul(rules_size))
        })
    }
}

fn text_blocks(text: &Attribute<Str<'_>>) -> usize {
    text.known()
        .map_or(0, |text| text.len().div_ceil(TEXT_BLOCK))
}

/// The work of evaluating rules for tickets.
#[derive(Debug, Clone, Copy, Default)]
pub struct Workload {
    /// Pairs of a ticket's tag and a rule's tag value, and of a block of a text and a condition.
    comparisons: usize,
    /// Everything else, in about the same unit.
    other: usize,
}

impl Workload {
    /// The work of deciding on tickets with a policy.
    pub fn of<'t>(
        policy: &Policy,
        tickets: impl IntoIterator<Item = &'t TicketAttributes<'t>>,
    ) -> Self {
        Self::of_rules(policy.global.size() + policy.partner.rules.size(), tickets)
    }

    /// The work of evaluating rules for tickets.
    pub fn of_rules<'t>(
        rules: RuleSetSize,
        tickets: impl IntoIterator<Item = &'t TicketAttributes<'t>>,
    ) -> Self {
        let sizes = TicketSizes::of(tickets);
        Self {
            comparisons: sizes.comparisons(rules),
            other: sizes.tickets.saturating_mul(rules.conditions),
        }
    }

    /// Adds the work of explaining decisions.
    #[must_use]
    pub fn with_explanations(self, tickets: usize) -> Self {
        Self {
            other: self.other.saturating_add(tickets * EXPLANATION),
            ..self
        }
    }

    /// Whether it takes a few milliseconds at most.
    pub fn is_small(self) -> bool {
        self.comparisons.saturating_add(self.other) <= MAX_ON_WORKER
    }

    /// Rejects requests with more than [`MAX_COMPARISONS`]. `pointer` is that of the tickets.
    pub fn ensure_allowed(self, pointer: &str) -> Result<()> {
        if self.comparisons <= MAX_COMPARISONS {
            return Ok(());
        }
        reject_if_any(vec![
            FieldError::new(pointer, Code::TooManyComparisons).with("max", MAX_COMPARISONS),
        ])
    }
}

impl Add for Workload {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            comparisons: self.comparisons.saturating_add(other.comparisons),
            other: self.other.saturating_add(other.other),
        }
    }
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
        let workload = |comparisons| Workload {
            comparisons,
            other: usize::MAX,
        };
        assert!(workload(MAX_COMPARISONS).ensure_allowed("/tickets").is_ok());
        let error = workload(MAX_COMPARISONS + 1).ensure_allowed("/tickets");
        assert_eq!(error.unwrap_err().code(), Code::ValidationFailed);
    }

    #[test]
    fn tags_and_texts_are_multiplied_by_the_conditions_on_them() {
        let text = serde_json::json!({"ticket_id": "1", "business_partner_id": "K", "area_id": "a",
            "internal": false, "confidential": false, "tags": ["a", "b", "c"],
            "subject": "x".repeat(65), "reference_number": "x"})
        .to_string();
        let ticket: TicketAttributes<'_> = serde_json::from_str(&text).unwrap();
        let rules = RuleSetSize {
            conditions: 1,
            tag_values: 1_000,
            subject_conditions: 10_000,
            reference_number_conditions: 100_000,
        };
        let workload = Workload::of_rules(rules, [&ticket]);
        assert_eq!(workload.comparisons, 3 * 1_000 + 2 * 10_000 + 100_000);
        assert_eq!(workload.with_explanations(1).other, 1 + EXPLANATION);
        assert!(!workload.is_small());
        assert!(Workload::of_rules(RuleSetSize::default(), [&ticket]).is_small());
    }
}

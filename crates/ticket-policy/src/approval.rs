//! The decision whether an access may release a ticket that waits for approval.

use serde::Serialize;

use crate::{
    Attribute, Timestamp, Viewer,
    evaluator::{self, Outcome, Scratch, Step, StepResult},
    policy::Policy,
    ticket::TicketAttributes,
};

/// Why an access may not release a ticket.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    Serialize,
    strum::IntoStaticStr,
    strum::EnumIter,
    strum::VariantNames,
)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ApprovalReason {
    IntegrationInactive,
    BusinessPartnerInactive,
    AccessInactive,
    /// Only approvers may release tickets.
    NotApprover,
    /// The access may not see the ticket, for another reason than the first three.
    TicketNotVisible,
    /// The ticket has already been released.
    AlreadyReleased,
}

/// Whether an access may release a ticket.
#[derive(Debug)]
pub struct Approval<'p> {
    /// All reasons against it, each with its outcome, which is never [`Outcome::Pass`]. Empty if
    /// the ticket may be released.
    pub reasons: Vec<(ApprovalReason, Outcome)>,
    /// All steps of the decision whether the access may see the ticket.
    pub visibility: Vec<StepResult<'p>>,
}

impl Approval<'_> {
    /// Whether the access may release the ticket.
    pub fn allowed(&self) -> bool {
        self.reasons.is_empty()
    }
}

/// Decides whether an access may release a ticket.
pub fn may_approve<'p>(
    policy: &'p Policy,
    viewer: &Viewer,
    ticket: &TicketAttributes<'_>,
    now: Timestamp,
    scratch: &mut Scratch,
) -> Approval<'p> {
    use ApprovalReason::*;
    let visibility = evaluator::explain(policy, viewer, ticket, now, scratch);
    let partner = &policy.partner;
    let outcomes = [
        (IntegrationInactive, deny_if(!partner.integration_active)),
        (
            BusinessPartnerInactive,
            deny_if(!partner.business_partner_active),
        ),
        (AccessInactive, deny_if(!viewer.active)),
        (NotApprover, deny_if(!viewer.approver)),
        (TicketNotVisible, ticket_visibility(&visibility)),
        (AlreadyReleased, not_released(ticket)),
    ];
    Approval {
        reasons: outcomes
            .into_iter()
            .filter(|(_, outcome)| *outcome != Outcome::Pass)
            .collect(),
        visibility,
    }
}

fn deny_if(denied: bool) -> Outcome {
    if denied { Outcome::Deny } else { Outcome::Pass }
}

/// The outcome of all steps except those that are reasons themselves.
fn ticket_visibility(steps: &[StepResult<'_>]) -> Outcome {
    let outcomes = || {
        steps
            .iter()
            .filter(|result| {
                !matches!(
                    result.step,
                    Step::IntegrationInactive
                        | Step::BusinessPartnerInactive
                        | Step::AccessInactive
                )
            })
            .map(|result| result.outcome)
    };
    if outcomes().any(|outcome| outcome == Outcome::Deny) {
        Outcome::Deny
    } else if outcomes().any(|outcome| outcome == Outcome::Undetermined) {
        Outcome::Undetermined
    } else {
        Outcome::Pass
    }
}

/// An absent flag counts as `false`, as in filters.
fn not_released(ticket: &TicketAttributes<'_>) -> Outcome {
    match ticket.released {
        Attribute::Known(true) => Outcome::Deny,
        Attribute::Known(false) | Attribute::Absent => Outcome::Pass,
        Attribute::Unknown => Outcome::Undetermined,
    }
}

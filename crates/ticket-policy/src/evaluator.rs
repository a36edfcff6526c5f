//! The decision whether an access may see a ticket (`docs/domain.md`).
//!
//! Each step has one implementation, with and without an explanation; without one, evaluation stops
//! at the first step that does not pass. An undetermined step denies: an unknown attribute may
//! narrow what an access sees, never widen it.

use std::cell::Cell;

use serde::Serialize;
use uuid::Uuid;

use crate::{
    TicketVisibility, Timestamp, Viewer,
    filter::Truth,
    policy::Policy,
    rules::{Bitmaps, Buffers, Rule, RuleSet},
    ticket::TicketAttributes,
};

/// The outcome of a step.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Serialize, strum::IntoStaticStr, strum::VariantNames,
)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Outcome {
    /// The step does not hide the ticket.
    Pass,
    /// The step hides the ticket.
    Deny,
    /// An attribute that could let the ticket pass is missing, so the ticket is hidden.
    Undetermined,
}

impl Outcome {
    #[inline]
    fn pass_if(truth: Truth) -> Self {
        match truth {
            Truth::True => Self::Pass,
            Truth::Unknown => Self::Undetermined,
            Truth::False => Self::Deny,
        }
    }

    #[inline]
    fn deny_if(denied: bool) -> Self {
        if denied { Self::Deny } else { Self::Pass }
    }
}

/// A step of the visibility decision, named after its reason to deny.
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
pub enum Step {
    IntegrationInactive,
    BusinessPartnerInactive,
    AccessInactive,
    /// The ticket belongs to another business partner.
    OtherBusinessPartner,
    /// The ticket is internal. No configuration overrides this step or the next.
    TicketInternal,
    /// The ticket is confidential and the contact of the access is not its main contact.
    TicketConfidential,
    /// The area is not granted, or retired.
    AreaNotGranted,
    ExcludedByGlobalRule,
    /// A global rule may match; an attribute it needs is missing.
    ExcludedByGlobalRuleUndetermined,
    ExcludedByRule,
    /// A rule of the partner may match; an attribute it needs is missing.
    ExcludedByRuleUndetermined,
    /// The access sees its own tickets only, and this is not one of them.
    NotOwnTicket,
}

/// The rules of one scope that match a ticket, or may match it.
#[derive(Debug, Default)]
pub struct Matches<'p> {
    pub certain: Vec<&'p Rule>,
    pub possible: Vec<&'p Rule>,
}

/// The outcome of a step, with the rules responsible if it is a step about rules.
#[derive(Debug)]
pub struct StepResult<'p> {
    pub step: Step,
    pub outcome: Outcome,
    pub rules: Vec<&'p Rule>,
}

/// Memory that is reused from ticket to ticket.
#[derive(Debug, Default)]
pub struct Scratch {
    buffers: Buffers,
    bitmaps: Bitmaps,
}

thread_local! {
    static SCRATCH: Cell<Scratch> = Cell::default();
}

impl Scratch {
    /// Calls `work` with the scratch memory of this thread, and drops that memory if it has become
    /// large.
    pub fn with_thread_local<T>(work: impl FnOnce(&mut Self) -> T) -> T {
        let mut scratch = SCRATCH.take();
        let result = work(&mut scratch);
        if scratch.buffers.is_small() {
            SCRATCH.set(scratch);
        }
        result
    }
}

/// A step that does not depend on rules.
type PlainStep = (Step, fn(&Evaluation<'_>) -> Outcome);

/// The steps before the rules, in order.
const STEPS_BEFORE_RULES: [PlainStep; 7] = [
    (Step::IntegrationInactive, |evaluation| {
        Outcome::deny_if(!evaluation.policy.partner.integration_active)
    }),
    (Step::BusinessPartnerInactive, |evaluation| {
        Outcome::deny_if(!evaluation.policy.partner.business_partner_active)
    }),
    (Step::AccessInactive, |evaluation| {
        Outcome::deny_if(!evaluation.viewer.active)
    }),
    (Step::OtherBusinessPartner, |evaluation| {
        let partner = &evaluation.policy.partner.business_partner_id;
        Outcome::deny_if(*evaluation.ticket.business_partner_id != **partner)
    }),
    (Step::TicketInternal, |evaluation| {
        Outcome::deny_if(evaluation.ticket.internal)
    }),
    (Step::TicketConfidential, |evaluation| {
        if evaluation.ticket.confidential {
            Outcome::pass_if(evaluation.viewer.is_main_contact(evaluation.ticket))
        } else {
            Outcome::Pass
        }
    }),
    (Step::AreaNotGranted, |evaluation| {
        let area = &evaluation.ticket.area_id;
        Outcome::deny_if(!evaluation.policy.partner.is_area_available(area))
    }),
];

/// The step after the rules.
const STEP_AFTER_RULES: PlainStep = (Step::NotOwnTicket, |evaluation| {
    let Evaluation { viewer, ticket, .. } = evaluation;
    match viewer.ticket_visibility {
        TicketVisibility::Partner => Outcome::Pass,
        TicketVisibility::Own => Outcome::pass_if(
            viewer
                .is_main_contact(ticket)
                .max(viewer.is_creator(ticket)),
        ),
    }
});

/// The inputs of the steps that do not depend on rules.
struct Evaluation<'c> {
    policy: &'c Policy,
    viewer: &'c Viewer,
    ticket: &'c TicketAttributes<'c>,
}

impl Evaluation<'_> {
    fn passes(&self, (_, evaluate): &PlainStep) -> bool {
        evaluate(self) == Outcome::Pass
    }

    fn result<'p>(&self, (step, evaluate): &PlainStep) -> StepResult<'p> {
        StepResult {
            step: *step,
            outcome: evaluate(self),
            rules: Vec::new(),
        }
    }
}

/// Whether an access could see a ticket if there were no exclusion rules.
pub fn is_visible_ignoring_rules(
    policy: &Policy,
    viewer: &Viewer,
    ticket: &TicketAttributes<'_>,
) -> bool {
    let evaluation = Evaluation {
        policy,
        viewer,
        ticket,
    };
    STEPS_BEFORE_RULES
        .iter()
        .all(|step| evaluation.passes(step))
        && evaluation.passes(&STEP_AFTER_RULES)
}

/// Decides whether an access may see a ticket. Stops at the first step that does not pass, and
/// allocates nothing once `scratch` has grown.
pub fn is_visible(
    policy: &Policy,
    viewer: &Viewer,
    ticket: &TicketAttributes<'_>,
    now: Timestamp,
    scratch: &mut Scratch,
) -> bool {
    if !is_visible_ignoring_rules(policy, viewer, ticket) {
        return false;
    }
    let Scratch { buffers, bitmaps } = scratch;
    let view = buffers.view(ticket, Some(viewer), now);
    !policy.global.any_may_match(&view, bitmaps)
        && !policy.partner.rules.any_may_match(&view, bitmaps)
}

/// Evaluates every step, in order, so that an administrator sees all reasons at once. The ticket is
/// visible if all steps pass.
pub fn explain<'p>(
    policy: &'p Policy,
    viewer: &Viewer,
    ticket: &TicketAttributes<'_>,
    now: Timestamp,
    scratch: &mut Scratch,
) -> Vec<StepResult<'p>> {
    let (global, own) = matching(policy, viewer, ticket, now, scratch);
    let evaluation = Evaluation {
        policy,
        viewer,
        ticket,
    };
    let mut steps: Vec<_> = STEPS_BEFORE_RULES
        .iter()
        .map(|step| evaluation.result(step))
        .collect();
    steps.extend(rule_steps(
        global,
        Step::ExcludedByGlobalRule,
        Step::ExcludedByGlobalRuleUndetermined,
    ));
    steps.extend(rule_steps(
        own,
        Step::ExcludedByRule,
        Step::ExcludedByRuleUndetermined,
    ));
    steps.push(evaluation.result(&STEP_AFTER_RULES));
    steps
}

/// The rules that match a ticket or may match it: the global ones and those of the partner.
pub fn matching<'p>(
    policy: &'p Policy,
    viewer: &Viewer,
    ticket: &TicketAttributes<'_>,
    now: Timestamp,
    scratch: &mut Scratch,
) -> (Matches<'p>, Matches<'p>) {
    let Scratch { buffers, bitmaps } = scratch;
    let view = buffers.view(ticket, Some(viewer), now);
    (
        policy.global.matching(&view, bitmaps).into(),
        policy.partner.rules.matching(&view, bitmaps).into(),
    )
}

/// Whether any rule of a set matches a ticket, for no particular viewer.
pub fn matched_by(
    rules: &RuleSet,
    ticket: &TicketAttributes<'_>,
    now: Timestamp,
    scratch: &mut Scratch,
) -> Truth {
    let Scratch { buffers, bitmaps } = scratch;
    let view = buffers.view(ticket, None, now);
    rules
        .matching(&view, bitmaps)
        .into_iter()
        .map(|(_, truth)| truth)
        .max()
        .unwrap_or(Truth::False)
}

/// Whether rules hide a ticket, before and after a change of the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effect {
    pub hidden_before: bool,
    pub hidden_after: bool,
}

/// The effect on a ticket if a draft replaced the rule `replaced`, or was added to the existing
/// rules if that is `None`. `hidden_by_draft` is whether the draft hides the ticket.
pub fn effect(
    policy: &Policy,
    ticket: &TicketAttributes<'_>,
    replaced: Option<Uuid>,
    hidden_by_draft: bool,
    now: Timestamp,
    scratch: &mut Scratch,
) -> Effect {
    let Scratch { buffers, bitmaps } = scratch;
    let view = buffers.view(ticket, None, now);
    let mut hiding = policy.global.matching(&view, bitmaps);
    hiding.extend(policy.partner.rules.matching(&view, bitmaps));
    let hidden_by_other_rule = hiding.iter().any(|(rule, _)| Some(rule.id) != replaced);
    Effect {
        hidden_before: !hiding.is_empty(),
        hidden_after: hidden_by_other_rule || hidden_by_draft,
    }
}

impl<'p> From<Vec<(&'p Rule, Truth)>> for Matches<'p> {
    fn from(matching: Vec<(&'p Rule, Truth)>) -> Self {
        let mut matches = Self::default();
        for (rule, truth) in matching {
            match truth {
                Truth::True => matches.certain.push(rule),
                _ => matches.possible.push(rule),
            }
        }
        matches
    }
}

/// The results for the rules of one scope: `certain` denies if rules match, `possible` is added if
/// rules may match. If none does either, `certain` passes.
fn rule_steps(
    matches: Matches<'_>,
    certain: Step,
    possible: Step,
) -> impl Iterator<Item = StepResult<'_>> {
    let outcome = Outcome::deny_if(!matches.certain.is_empty());
    let undetermined = (!matches.possible.is_empty()).then_some(StepResult {
        step: possible,
        outcome: Outcome::Undetermined,
        rules: matches.possible,
    });
    let determined = (outcome == Outcome::Deny || undetermined.is_none()).then_some(StepResult {
        step: certain,
        outcome,
        rules: matches.certain,
    });
    determined.into_iter().chain(undetermined)
}

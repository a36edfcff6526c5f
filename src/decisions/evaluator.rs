//! May this access see this ticket, may it create that one (domain.md section 6). Pure: from a policy and facts to an answer.
//!
//! Each step is judged by one function, whether an explanation is asked for or not. Without one the first step that does not
//! pass suffices. What is unknown may narrow, never widen: a step that cannot be determined denies.

use std::cell::Cell;

use super::{
    policy::{Policy, Viewer},
    rules::{Bitmaps, Buffers, Rule, RuleSet},
    ticket::TicketAttributes,
};
use crate::{
    accesses::TicketVisibility,
    common::{ids::RuleId, timestamp::Timestamp},
    ticket_filter::Truth,
};

/// What a step comes to.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, utoipa::ToSchema, strum::IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Outcome {
    /// EmptyBody stands in the way here.
    Pass,
    /// The ticket is hidden.
    Deny,
    /// A fact is missing that could let the ticket pass, so it is hidden.
    Undetermined,
}

impl Outcome {
    /// Passes what is true; what is unknown is not.
    fn of(truth: Truth) -> Self {
        match truth {
            Truth::True => Self::Pass,
            Truth::Unknown => Self::Undetermined,
            Truth::False => Self::Deny,
        }
    }

    fn unless(denied: bool) -> Self {
        if denied { Self::Deny } else { Self::Pass }
    }
}

/// A step of the decision on a ticket, named by the reason for which it denies.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    serde::Serialize,
    utoipa::ToSchema,
    strum::IntoStaticStr,
    strum::EnumIter,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Step {
    IntegrationInactive,
    BusinessPartnerInactive,
    AccessInactive,
    /// The ticket is another partner's.
    OtherBusinessPartner,
    /// No configuration can override this one or the next.
    TicketInternal,
    /// Confidential, and the access' contact is not its main contact.
    TicketConfidential,
    /// Not granted, or retired.
    AreaNotGranted,
    ExcludedByGlobalRule,
    /// A global rule may match; a fact is missing that would tell.
    ExcludedByGlobalRuleUndetermined,
    ExcludedByRule,
    /// A rule of the partner may match; a fact is missing that would tell.
    ExcludedByRuleUndetermined,
    /// The access sees its own tickets only, and this is none.
    NotOwnTicket,
}

/// What the rules of one scope come to: those that match, and those that may.
#[derive(Debug, Default)]
pub struct Matches<'p> {
    pub certain: Vec<&'p Rule>,
    pub possible: Vec<&'p Rule>,
}

/// A step with its outcome and, for the steps of rules, the rules responsible.
#[derive(Debug)]
pub struct StepResult<'p> {
    pub step: Step,
    pub outcome: Outcome,
    pub rules: Vec<&'p Rule>,
}

/// Memory that is used again for ticket after ticket.
#[derive(Debug, Default)]
pub struct Scratch {
    room: Buffers,
    marks: Bitmaps,
}

thread_local! {
    static SPARE: Cell<Scratch> = Cell::default();
}

impl Scratch {
    /// Lends this thread's own, which is kept for the next question unless it has become large.
    pub fn lend<T>(work: impl FnOnce(&mut Self) -> T) -> T {
        let mut scratch = SPARE.take();
        let done = work(&mut scratch);
        if scratch.room.is_small() {
            SPARE.set(scratch);
        }
        done
    }
}

/// A step that needs no rule, and how it is judged.
type PlainStep = (Step, fn(&Evaluation<'_>) -> Outcome);

/// The steps before those of rules, in order.
const BEFORE_RULES: [PlainStep; 7] = [
    (Step::IntegrationInactive, |case| {
        Outcome::unless(!case.policy.partner.integration_active)
    }),
    (Step::BusinessPartnerInactive, |case| {
        Outcome::unless(!case.policy.partner.business_partner_active)
    }),
    (Step::AccessInactive, |case| {
        Outcome::unless(!case.viewer.active)
    }),
    (Step::OtherBusinessPartner, |case| {
        Outcome::unless(
            *case.facts.business_partner_id != *case.policy.partner.business_partner_id.as_str(),
        )
    }),
    (Step::TicketInternal, |case| {
        Outcome::unless(case.facts.internal)
    }),
    (Step::TicketConfidential, |case| {
        if case.facts.confidential {
            Outcome::of(case.viewer.is_main_contact(case.facts))
        } else {
            Outcome::Pass
        }
    }),
    (Step::AreaNotGranted, |case| {
        Outcome::unless(!area_available(case.policy, &case.facts.area_id))
    }),
];

/// The step after them.
const AFTER_RULES: PlainStep = (Step::NotOwnTicket, |case| {
    match case.viewer.ticket_visibility {
        TicketVisibility::Partner => Outcome::Pass,
        TicketVisibility::Own => Outcome::of(
            case.viewer
                .is_main_contact(case.facts)
                .max(case.viewer.is_creator(case.facts)),
        ),
    }
});

/// Who asks about what.
struct Evaluation<'c> {
    policy: &'c Policy,
    viewer: &'c Viewer,
    facts: &'c TicketAttributes<'c>,
}

impl Evaluation<'_> {
    fn passes_but_for_rules(&self) -> bool {
        let passes = |(_, judge): &PlainStep| judge(self) == Outcome::Pass;
        BEFORE_RULES.iter().all(passes) && passes(&AFTER_RULES)
    }
}

fn area_available(policy: &Policy, area: &str) -> bool {
    policy.partner.area(area).is_some_and(|area| area.available)
}

/// Whether an access could see a ticket if there were no exclusion rules.
pub fn is_visible_ignoring_rules(
    policy: &Policy,
    viewer: &Viewer,
    facts: &TicketAttributes<'_>,
) -> bool {
    Evaluation {
        policy,
        viewer,
        facts,
    }
    .passes_but_for_rules()
}

/// Whether an access may see a ticket. Stops at the first step that does not pass, and allocates nothing once `scratch` has grown.
pub fn is_visible(
    policy: &Policy,
    viewer: &Viewer,
    facts: &TicketAttributes<'_>,
    now: Timestamp,
    scratch: &mut Scratch,
) -> bool {
    let case = Evaluation {
        policy,
        viewer,
        facts,
    };
    if !case.passes_but_for_rules() {
        return false;
    }
    let look = scratch.room.look(facts, Some(viewer), now);
    !policy.global.any_may_match(&look, &mut scratch.marks)
        && !policy
            .partner
            .rules
            .any_may_match(&look, &mut scratch.marks)
}

/// Every step with its outcome, in order, so that an administrator sees all that stands in the way. The ticket is visible when
/// all of them pass.
pub fn explain<'p>(
    policy: &'p Policy,
    viewer: &Viewer,
    facts: &TicketAttributes<'_>,
    now: Timestamp,
    scratch: &mut Scratch,
) -> Vec<StepResult<'p>> {
    let (global, own) = matching(policy, viewer, facts, now, scratch);
    let case = Evaluation {
        policy,
        viewer,
        facts,
    };
    let plain = |(step, judge): PlainStep| StepResult {
        step,
        outcome: judge(&case),
        rules: Vec::new(),
    };
    let mut steps: Vec<_> = BEFORE_RULES.into_iter().map(plain).collect();
    steps.extend(of_rules(
        global,
        Step::ExcludedByGlobalRule,
        Step::ExcludedByGlobalRuleUndetermined,
    ));
    steps.extend(of_rules(
        own,
        Step::ExcludedByRule,
        Step::ExcludedByRuleUndetermined,
    ));
    steps.push(plain(AFTER_RULES));
    steps
}

/// The rules that match a ticket, or may do so: the global ones, and the partner's.
pub fn matching<'p>(
    policy: &'p Policy,
    viewer: &Viewer,
    facts: &TicketAttributes<'_>,
    now: Timestamp,
    scratch: &mut Scratch,
) -> (Matches<'p>, Matches<'p>) {
    let Scratch { room, marks } = scratch;
    let look = room.look(facts, Some(viewer), now);
    (
        sorted(policy.global.matching(&look, marks)),
        sorted(policy.partner.rules.matching(&look, marks)),
    )
}

/// What a set of rules says of a ticket: the most that one of them does.
pub fn matched_by(
    rules: &RuleSet,
    facts: &TicketAttributes<'_>,
    now: Timestamp,
    scratch: &mut Scratch,
) -> Truth {
    let Scratch { room, marks } = scratch;
    let look = room.look(facts, None, now);
    rules
        .matching(&look, marks)
        .into_iter()
        .map(|(_, truth)| truth)
        .max()
        .unwrap_or(Truth::False)
}

/// Whether rules hide a ticket, as they are and as they would be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effect {
    pub hidden_before: bool,
    pub hidden_after: bool,
}

/// What would change for a ticket if a draft took the place of a rule, or came to those that are there. `drafted`: whether the
/// draft hides the ticket.
pub fn effect(
    policy: &Policy,
    facts: &TicketAttributes<'_>,
    replaced: Option<RuleId>,
    drafted: bool,
    now: Timestamp,
    scratch: &mut Scratch,
) -> Effect {
    let Scratch { room, marks } = scratch;
    let look = room.look(facts, None, now);
    let mut hiding = policy.global.matching(&look, marks);
    hiding.extend(policy.partner.rules.matching(&look, marks));
    let stay = hiding.iter().any(|(rule, _)| Some(rule.id) != replaced);
    Effect {
        hidden_before: !hiding.is_empty(),
        hidden_after: stay || drafted,
    }
}

fn sorted<'p>(matching: Vec<(&'p Rule, Truth)>) -> Matches<'p> {
    let (certain, possible): (Vec<_>, Vec<_>) = matching
        .into_iter()
        .partition(|(_, truth)| *truth == Truth::True);
    let rules = |judged: Vec<(&'p Rule, Truth)>| judged.into_iter().map(|(rule, _)| rule).collect();
    Matches {
        certain: rules(certain),
        possible: rules(possible),
    }
}

/// The step of one scope's rules: what matches for certain, and beside it what may match.
fn of_rules(
    matches: Matches<'_>,
    certain: Step,
    possible: Step,
) -> impl Iterator<Item = StepResult<'_>> {
    let denied = Outcome::unless(!matches.certain.is_empty());
    let unknown = (!matches.possible.is_empty()).then_some(StepResult {
        step: possible,
        outcome: Outcome::Undetermined,
        rules: matches.possible,
    });
    // a scope whose rules pass is told once
    let first = (denied == Outcome::Deny || unknown.is_none()).then_some(StepResult {
        step: certain,
        outcome: denied,
        rules: matches.certain,
    });
    first.into_iter().chain(unknown)
}

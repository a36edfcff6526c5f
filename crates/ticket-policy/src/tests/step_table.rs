//! The changes to a plain configuration or ticket that make each step deny, and creation fail.

use serde_json::{Value, json};
use strum::IntoEnumIterator as _;

use super::{
    generators::{World, explain, is_visible, now, with_attributes},
    operator_table::{condition, ticket, with},
};
use crate::{
    Role, TicketVisibility,
    approval::{
        Approval,
        ApprovalReason::{self, AlreadyReleased, NotApprover, TicketNotVisible},
        may_approve,
    },
    creation::{
        CreationReason::{self, *},
        may_create,
    },
    evaluator::{Outcome, Scratch, Step},
};

/// Changes the plain world and ticket.
type Change = fn(&mut World, &mut Value);
/// Changes the plain world.
type WorldChange = fn(&mut World);

/// Changes, each with the only step that then does not pass.
const STEPS: &[(Change, Option<(Step, Outcome)>)] = &[
    (|_, _| {}, None),
    (
        |world, _| world.integration_active = false,
        Some((Step::IntegrationInactive, Outcome::Deny)),
    ),
    (
        |world, _| world.business_partner_active = false,
        Some((Step::BusinessPartnerInactive, Outcome::Deny)),
    ),
    (
        |world, _| world.viewer.active = false,
        Some((Step::AccessInactive, Outcome::Deny)),
    ),
    (
        |_, ticket| ticket["business_partner_id"] = json!("K-2"),
        Some((Step::OtherBusinessPartner, Outcome::Deny)),
    ),
    (
        |_, ticket| ticket["internal"] = json!(true),
        Some((Step::TicketInternal, Outcome::Deny)),
    ),
    (
        |_, ticket| ticket["confidential"] = json!(true),
        Some((Step::TicketConfidential, Outcome::Undetermined)),
    ),
    (
        |_, ticket| {
            ticket["confidential"] = json!(true);
            ticket["main_contact_id"] = json!("P-2");
        },
        Some((Step::TicketConfidential, Outcome::Deny)),
    ),
    (
        |_, ticket| {
            ticket["confidential"] = json!(true);
            ticket["main_contact_id"] = json!(null);
        },
        Some((Step::TicketConfidential, Outcome::Deny)),
    ),
    (
        |_, ticket| {
            ticket["confidential"] = json!(true);
            ticket["main_contact_id"] = json!("P-1");
        },
        None,
    ),
    (
        |world, ticket| {
            world.viewer.contact_id = None;
            ticket["confidential"] = json!(true);
        },
        Some((Step::TicketConfidential, Outcome::Deny)),
    ),
    (
        |_, ticket| ticket["area_id"] = json!("b"),
        Some((Step::AreaNotGranted, Outcome::Deny)),
    ),
    (
        |world, _| world.areas[0].available = false,
        Some((Step::AreaNotGranted, Outcome::Deny)),
    ),
    (
        |world, _| world.global_rules = vec![condition("area", "in", &["a"])],
        Some((Step::ExcludedByGlobalRule, Outcome::Deny)),
    ),
    (
        |world, _| world.global_rules = vec![condition("status", "in", &["open"])],
        Some((
            Step::ExcludedByGlobalRuleUndetermined,
            Outcome::Undetermined,
        )),
    ),
    (
        |world, _| world.rules = vec![condition("area", "in", &["a"])],
        Some((Step::ExcludedByRule, Outcome::Deny)),
    ),
    (
        |world, _| world.rules = vec![condition("status", "in", &["open"])],
        Some((Step::ExcludedByRuleUndetermined, Outcome::Undetermined)),
    ),
    (
        |world, _| world.rules = vec![condition("area", "in", &["b"])],
        None,
    ),
    (
        |world, _| world.viewer.ticket_visibility = TicketVisibility::Own,
        Some((Step::NotOwnTicket, Outcome::Undetermined)),
    ),
    (
        |world, ticket| {
            world.viewer.ticket_visibility = TicketVisibility::Own;
            ticket["main_contact_id"] = json!("P-2");
        },
        Some((Step::NotOwnTicket, Outcome::Undetermined)),
    ),
    (
        |world, ticket| {
            world.viewer.ticket_visibility = TicketVisibility::Own;
            ticket["main_contact_id"] = json!("P-2");
            ticket["created_by_access_id"] = json!(null);
        },
        Some((Step::NotOwnTicket, Outcome::Deny)),
    ),
    (
        |world, ticket| {
            world.viewer.ticket_visibility = TicketVisibility::Own;
            ticket["main_contact_id"] = json!("P-1");
        },
        None,
    ),
    (
        |world, ticket| {
            world.viewer.ticket_visibility = TicketVisibility::Own;
            ticket["created_by_access_id"] = json!(world.viewer.id_text);
        },
        None,
    ),
];

#[test]
fn each_step_denies_as_the_table_says() {
    for (number, (change, expected)) in STEPS.iter().enumerate() {
        let mut world = World::plain();
        let mut ticket = ticket();
        change(&mut world, &mut ticket);
        let policy = world.policy();
        let not_passed: Vec<_> = explain(&policy, &world.viewer, &ticket)
            .iter()
            .filter(|result| result.outcome != Outcome::Pass)
            .map(|result| (result.step, result.outcome))
            .collect();
        let expected: Vec<_> = expected.iter().copied().collect();
        assert_eq!(not_passed, expected, "row {number}: {ticket}");
        assert_eq!(
            is_visible(&policy, &world.viewer, &ticket),
            expected.is_empty(),
            "row {number}: {ticket}"
        );
    }
}

#[test]
fn table_covers_each_step() {
    for step in Step::iter() {
        let is_covered = STEPS
            .iter()
            .any(|(_, expected)| expected.is_some_and(|(denying, _)| denying == step));
        assert!(is_covered, "{step:?}");
    }
}

#[test]
fn explanation_lists_all_steps_with_their_rules() {
    use Outcome::{Deny, Pass, Undetermined};
    let world = World {
        integration_active: false,
        rules: vec![
            condition("area", "in", &["z"]),
            condition("urgency", "in", &["low"]),
            condition("area", "in", &["b"]),
        ],
        global_rules: vec![condition("area", "not_in", &["a"])],
        ..World::plain()
    };
    let policy = world.policy();
    let mut ticket = with(ticket(), "area_id", json!("b"));
    ticket["internal"] = json!(true);
    let steps = explain(&policy, &world.viewer, &ticket);
    let results: Vec<_> = steps
        .iter()
        .map(|result| {
            let rules: Vec<_> = result.rules.iter().map(|rule| &*rule.name).collect();
            (result.step, result.outcome, rules)
        })
        .collect();
    assert_eq!(
        results,
        [
            (Step::IntegrationInactive, Deny, vec![]),
            (Step::BusinessPartnerInactive, Pass, vec![]),
            (Step::AccessInactive, Pass, vec![]),
            (Step::OtherBusinessPartner, Pass, vec![]),
            (Step::TicketInternal, Deny, vec![]),
            (Step::TicketConfidential, Pass, vec![]),
            (Step::AreaNotGranted, Deny, vec![]),
            (Step::ExcludedByGlobalRule, Deny, vec!["R0"]),
            (Step::ExcludedByRule, Deny, vec!["R2"]),
            (Step::ExcludedByRuleUndetermined, Undetermined, vec!["R1"]),
            (Step::NotOwnTicket, Pass, vec![]),
        ]
    );
}

/// Changes, each with the reasons against a creation.
const CREATION: &[(WorldChange, &[CreationReason])] = &[
    (|_| {}, &[]),
    (
        |world| world.integration_active = false,
        &[IntegrationInactive],
    ),
    (
        |world| world.business_partner_active = false,
        &[BusinessPartnerInactive],
    ),
    (|world| world.viewer.active = false, &[AccessInactive]),
    (
        |world| world.viewer.role = Role::Observer,
        &[RoleMayNotCreate],
    ),
    (|world| world.viewer.role = Role::Dispatcher, &[]),
    (|world| world.areas.clear(), &[AreaNotGranted]),
    (|world| world.areas[0].available = false, &[AreaNotGranted]),
    (|world| world.ticket_types.clear(), &[TicketTypeNotGranted]),
    (
        |world| world.ticket_types[0].available = false,
        &[TicketTypeNotGranted],
    ),
    (
        |world| world.areas[0].start_ticket_types = Some(vec!["u"]),
        &[TicketTypeNotStartable],
    ),
    (
        |world| world.areas[0].start_ticket_types = Some(vec![]),
        &[TicketTypeNotStartable],
    ),
    (
        |world| world.areas[0].start_ticket_types = Some(vec!["u", "t"]),
        &[],
    ),
    (
        |world| world.rules = vec![condition("area", "in", &["a"])],
        &[],
    ),
    (
        |world| {
            world.viewer.active = false;
            world.areas[0].available = false;
            world.areas[0].start_ticket_types = Some(vec![]);
            world.ticket_types.clear();
        },
        &[
            AccessInactive,
            AreaNotGranted,
            TicketTypeNotGranted,
            TicketTypeNotStartable,
        ],
    ),
];

#[test]
fn creation_is_refused_as_the_table_says() {
    for (number, (change, expected)) in CREATION.iter().enumerate() {
        for approval_required in [false, true] {
            let mut world = World::plain();
            world.ticket_types[0].approval_required = approval_required;
            change(&mut world);
            let creation = may_create(&world.policy(), &world.viewer, "a", "t");
            assert_eq!(creation.reasons, *expected, "row {number}");
            assert_eq!(
                creation.approval_required,
                approval_required && expected.is_empty(),
                "row {number}"
            );
        }
    }
}

#[test]
fn table_covers_each_creation_reason() {
    for reason in CreationReason::iter() {
        let is_covered = CREATION
            .iter()
            .any(|(_, reasons)| reasons.contains(&reason));
        assert!(is_covered, "{reason:?}");
    }
}

/// Changes, each with the reasons against releasing the ticket. A ticket is not released unless
/// the row says otherwise.
const APPROVAL: &[(Change, &[(ApprovalReason, Outcome)])] = &[
    (|_, _| {}, &[]),
    (|_, ticket| ticket["released"] = json!(null), &[]),
    (
        |world, _| world.integration_active = false,
        &[(ApprovalReason::IntegrationInactive, Outcome::Deny)],
    ),
    (
        |world, _| world.business_partner_active = false,
        &[(ApprovalReason::BusinessPartnerInactive, Outcome::Deny)],
    ),
    (
        |world, _| world.viewer.active = false,
        &[(ApprovalReason::AccessInactive, Outcome::Deny)],
    ),
    (
        |world, _| world.viewer.approver = false,
        &[(NotApprover, Outcome::Deny)],
    ),
    (
        |world, _| {
            world.viewer.approver = false;
            world.viewer.role = Role::Dispatcher;
        },
        &[(NotApprover, Outcome::Deny)],
    ),
    (
        |_, ticket| ticket["business_partner_id"] = json!("K-2"),
        &[(TicketNotVisible, Outcome::Deny)],
    ),
    (
        |world, _| world.rules = vec![condition("status", "in", &["open"])],
        &[(TicketNotVisible, Outcome::Undetermined)],
    ),
    (
        |world, ticket| {
            ticket["internal"] = json!(true);
            world.rules = vec![condition("status", "in", &["open"])];
        },
        &[(TicketNotVisible, Outcome::Deny)],
    ),
    (
        |_, ticket| ticket["released"] = json!(true),
        &[(AlreadyReleased, Outcome::Deny)],
    ),
    (
        |_, ticket| drop(ticket.as_object_mut().unwrap().remove("released")),
        &[(AlreadyReleased, Outcome::Undetermined)],
    ),
    (
        |world, ticket| {
            world.viewer.active = false;
            world.viewer.approver = false;
            world.areas.clear();
            ticket["released"] = json!(true);
        },
        &[
            (ApprovalReason::AccessInactive, Outcome::Deny),
            (NotApprover, Outcome::Deny),
            (TicketNotVisible, Outcome::Deny),
            (AlreadyReleased, Outcome::Deny),
        ],
    ),
];

#[test]
fn approval_is_refused_as_the_table_says() {
    for (number, (change, expected)) in APPROVAL.iter().enumerate() {
        let mut world = World::plain();
        let mut ticket = with(ticket(), "released", json!(false));
        change(&mut world, &mut ticket);
        let policy = world.policy();
        let approval: Approval<'_> = with_attributes(&ticket, |attributes| {
            let mut scratch = Scratch::default();
            may_approve(&policy, &world.viewer, attributes, now(), &mut scratch)
        });
        assert_eq!(approval.reasons, *expected, "row {number}: {ticket}");
        assert_eq!(approval.allowed(), expected.is_empty());
        let steps = explain(&policy, &world.viewer, &ticket);
        assert_eq!(approval.visibility.len(), steps.len());
    }
}

#[test]
fn table_covers_each_approval_reason() {
    for reason in ApprovalReason::iter() {
        let is_covered = APPROVAL
            .iter()
            .any(|(_, expected)| expected.iter().any(|(against, _)| *against == reason));
        assert!(is_covered, "{reason:?}");
    }
}

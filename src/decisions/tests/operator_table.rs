//! What each step, each field with each operator, and each combination of three-valued conditions comes to.

use rstest::rstest;
use serde_json::{Value, json};
use strum::IntoEnumIterator as _;

use super::generators::{World, explain, is_visible, now, with_facts};
use crate::{
    accesses::{Role, TicketVisibility},
    common::ids::RuleId,
    decisions::{
        evaluator::{self, Outcome, Scratch, Step},
        rules::RuleSet,
        ticket_creation::{
            CreationReason::{self, *},
            may_create,
        },
    },
    ticket_filter::{
        Field, Operator,
        Truth::{self, False, True, Unknown},
    },
};

fn ticket() -> Value {
    json!({"ticket_id": "4711", "business_partner_id": "K-1", "area_id": "a", "internal": false, "confidential": false})
}

fn with(mut ticket: Value, member: &str, value: Value) -> Value {
    ticket[member] = value;
    ticket
}

fn condition(field: &str, operator: &str, values: &[&str]) -> Value {
    json!({"type": "condition", "field": field, "operator": operator, "values": values})
}

/// What a rule with this filter comes to, and whether it hides: both ways of asking must say the same.
fn truth(filter: &Value, ticket: &Value) -> Truth {
    let rules = RuleSet::new([(
        RuleId::generate(),
        "R".to_owned(),
        serde_json::from_value(filter.clone()).unwrap(),
    )]);
    let truth = with_facts(ticket, |facts| {
        evaluator::matched_by(&rules, facts, now(), &mut Scratch::default())
    });
    let world = World {
        rules: vec![filter.clone()],
        areas: vec![("a", true, None), ("b", true, None)],
        ..World::plain()
    };
    let visible = is_visible(
        &world.policy(),
        &world.viewer,
        &with(ticket.clone(), "confidential", json!(false)),
    );
    if ticket["confidential"] == false {
        assert_eq!(visible, truth == False, "{filter} {ticket}");
    }
    truth
}

/// Field, operator, values; a fact with which the condition holds, one with which it does not, and what it comes to when the fact
/// is known to be none.
type Row = (
    &'static str,
    &'static str,
    &'static [&'static str],
    &'static str,
    Value,
    Value,
    Option<Truth>,
);

fn rows() -> Vec<Row> {
    let me = "019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e60";
    let set = |field: &'static str,
               member: &'static str,
               one: &'static [&'static str],
               other: &'static str| {
        let null = |truth| (member != "area_id").then_some(truth);
        [
            (
                field,
                "in",
                one,
                member,
                json!(one[0]),
                json!(other),
                null(False),
            ),
            (
                field,
                "not_in",
                one,
                member,
                json!(other),
                json!(one[0]),
                null(True),
            ),
        ]
    };
    let mut rows: Vec<Row> = [
        set("area", "area_id", &["a", "c"], "b"),
        set("ticket_type", "ticket_type_id", &["t"], "u"),
        set("status", "status", &["open", "parked"], "closed"),
        set("closure", "closure", &["withdrawn"], "completed"),
        set("urgency", "urgency", &["high"], "low"),
        set("impact", "impact", &["low", "medium"], "high"),
        set("main_contact", "main_contact_id", &["P-2"], "P-3"),
        set(
            "created_by",
            "created_by_access_id",
            &["019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e61"],
            me,
        ),
        set("entry_channel", "entry_channel", &["email"], "phone"),
        set("project", "project_id", &["4"], "5"),
        set("service_contract", "service_contract_id", &["S"], "s"),
    ]
    .concat();
    rows.extend([
        (
            "tag",
            "any_of",
            &["VPN", "x"][..],
            "tags",
            json!(["a", "vpn"]),
            json!(["a"]),
            Some(False),
        ),
        (
            "tag",
            "all_of",
            &["VPN", "Ärger"],
            "tags",
            json!(["ärger", "a", "Vpn"]),
            json!(["vpn"]),
            Some(False),
        ),
        (
            "tag",
            "none_of",
            &["VPN"],
            "tags",
            json!([]),
            json!(["vpn"]),
            Some(True),
        ),
        (
            "released",
            "is",
            &["true"],
            "released",
            json!(true),
            json!(false),
            Some(False),
        ),
        (
            "released",
            "is",
            &["false"],
            "released",
            json!(false),
            json!(true),
            Some(True),
        ),
        (
            "confidential",
            "is",
            &["true"],
            "confidential",
            json!(true),
            json!(false),
            None,
        ),
        (
            "confidential",
            "is",
            &["false"],
            "confidential",
            json!(false),
            json!(true),
            None,
        ),
        (
            "subject",
            "contains",
            &["gehalt"],
            "subject",
            json!("Ein GEHALTSzettel"),
            json!("Halt"),
            Some(False),
        ),
        (
            "subject",
            "contains",
            &["straße"],
            "subject",
            json!("MUSTERSTRASSE"),
            json!("Weg"),
            Some(False),
        ),
        (
            "subject",
            "equals",
            &["Änderung"],
            "subject",
            json!(" a\u{308}nDerung "),
            json!("Änderungen"),
            Some(False),
        ),
        (
            "reference_number",
            "contains",
            &["4711"],
            "reference_number",
            json!("R-4711-a"),
            json!("R-471"),
            Some(False),
        ),
        (
            "reference_number",
            "equals",
            &["r-1"],
            "reference_number",
            json!("R-1"),
            json!("R-11"),
            Some(False),
        ),
        (
            "created_at",
            "before",
            &["2026-01-01T00:00:00Z"],
            "created_at",
            json!("2025-12-31T23:59:59.999999Z"),
            json!("2026-01-01T00:00:00Z"),
            Some(False),
        ),
        (
            "created_at",
            "after",
            &["2026-01-01T00:00:00Z"],
            "created_at",
            json!("2026-01-01T01:00:00.000001+01:00"),
            json!("2026-01-01T00:00:00Z"),
            Some(False),
        ),
        (
            "created_at",
            "older_than",
            &["P1M"],
            "created_at",
            json!("2026-10-24T11:59:59Z"),
            json!("2026-10-24T12:00:00Z"),
            Some(False),
        ),
        (
            "created_at",
            "newer_than",
            &["P30D"],
            "created_at",
            json!("2026-10-25T12:00:01Z"),
            json!("2026-10-25T12:00:00Z"),
            Some(False),
        ),
    ]);
    rows
}

#[test]
fn fields_and_operators() {
    for (field, operator, values, member, holds, fails, null) in rows() {
        let filter = condition(field, operator, values);
        let at = format!("{field} {operator}");
        let none = |filter: &Value| json!({"type": "none", "filters": [filter]});
        for (fact, expected) in [(holds, True), (fails, False)] {
            let ticket = with(ticket(), member, fact);
            assert_eq!(truth(&filter, &ticket), expected, "{at}");
            assert_eq!(
                truth(&none(&filter), &ticket),
                expected.negated(),
                "not {at}"
            );
        }
        if let Some(expected) = null {
            let known = with(ticket(), member, Value::Null);
            assert_eq!(truth(&filter, &known), expected, "{at}, known to be none");
            assert_eq!(truth(&filter, &ticket()), Unknown, "{at}, unknown");
            assert_eq!(
                truth(&none(&filter), &ticket()),
                Unknown,
                "not {at}, unknown"
            );
        }
    }
}

#[test]
fn there_is_a_row_for_each_field_and_operator() {
    for field in Field::iter() {
        for operator in field
            .operators()
            .iter()
            .filter(|it| **it != Operator::IsSelf)
        {
            let row = |row: &Row| (row.0, row.1) == (field.as_str(), operator.as_str());
            assert!(rows().iter().any(row), "{field:?} {operator:?}");
        }
    }
}

#[rstest]
#[case("main_contact", json!({"main_contact_id": "P-1"}), Some(true))]
#[case("main_contact", json!({"main_contact_id": "P-2"}), Some(false))]
#[case("main_contact", json!({"main_contact_id": null}), Some(false))]
#[case("main_contact", json!({}), None)]
#[case("created_by", json!({"created_by_access_id": "me"}), Some(true))]
#[case("created_by", json!({"created_by_access_id": "019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e60"}), Some(false))]
#[case("created_by", json!({"created_by_access_id": null}), Some(false))]
#[case("created_by", json!({}), None)]
fn is_self(#[case] field: &str, #[case] facts: Value, #[case] expected: Option<bool>) {
    let world = World {
        rules: vec![condition(field, "is_self", &[])],
        ..World::plain()
    };
    let mut asked = ticket();
    for (member, value) in facts.as_object().unwrap() {
        asked[member] = if value == "me" {
            json!(world.viewer.id_text)
        } else {
            value.clone()
        };
    }
    let policy = world.policy();
    let steps = explain(&policy, &world.viewer, &asked);
    let of = |step| steps.iter().find(|it| it.step == step).map(|it| it.outcome);
    let (certain, possible) = (
        of(Step::ExcludedByRule),
        of(Step::ExcludedByRuleUndetermined),
    );
    match expected {
        Some(true) => assert_eq!((certain, possible), (Some(Outcome::Deny), None)),
        Some(false) => assert_eq!((certain, possible), (Some(Outcome::Pass), None)),
        None => assert_eq!((certain, possible), (None, Some(Outcome::Undetermined))),
    }
}

#[test]
fn three_valued_combinations() {
    let asked = with(ticket(), "area_id", json!("a"));
    let of = |truth| match truth {
        True => condition("area", "in", &["a"]),
        False => condition("area", "in", &["b"]),
        Unknown => condition("status", "in", &["open"]),
    };
    let table = [
        // both, all, any, none
        (True, True, True, True, False),
        (True, False, False, True, False),
        (True, Unknown, Unknown, True, False),
        (False, True, False, True, False),
        (False, False, False, False, True),
        (False, Unknown, False, Unknown, Unknown),
        (Unknown, True, Unknown, True, False),
        (Unknown, False, False, Unknown, Unknown),
        (Unknown, Unknown, Unknown, Unknown, Unknown),
    ];
    for (one, other, all, any, none) in table {
        for (group, expected) in [("all", all), ("any", any), ("none", none)] {
            let filter = json!({"type": group, "filters": [of(one), of(other)]});
            assert_eq!(
                truth(&filter, &asked),
                expected,
                "{group} of {one:?}, {other:?}"
            );
        }
    }
}

/// Changes a plain world and ticket.
type Change = fn(&mut World, &mut Value);
/// Changes a plain world.
type WorldChange = fn(&mut World);
/// All that stands in the way.
type Obstacles = &'static [CreationReason];

/// What is changed about a plain world and ticket, and the step that denies then.
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
        |world, _| world.areas[0].1 = false,
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
fn steps() {
    for (row, (change, expected)) in STEPS.iter().enumerate() {
        let (mut world, mut asked) = (World::plain(), ticket());
        change(&mut world, &mut asked);
        let policy = world.policy();
        let steps = explain(&policy, &world.viewer, &asked);
        let denying: Vec<_> = steps
            .iter()
            .filter(|it| it.outcome != Outcome::Pass)
            .map(|it| (it.step, it.outcome))
            .collect();
        assert_eq!(
            denying,
            expected.iter().copied().collect::<Vec<_>>(),
            "row {row}: {asked}"
        );
        assert_eq!(
            is_visible(&policy, &world.viewer, &asked),
            expected.is_none(),
            "row {row}: {asked}"
        );
    }
    let tested: Vec<_> = STEPS
        .iter()
        .filter_map(|(_, expected)| expected.map(|(step, _)| step))
        .collect();
    assert!(
        Step::iter().all(|step| tested.contains(&step)),
        "a step has no row"
    );
}

#[test]
fn every_step_is_told_in_order_with_the_rules_responsible() {
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
    let mut asked = with(ticket(), "area_id", json!("b"));
    asked["internal"] = json!(true);
    let steps = explain(&policy, &world.viewer, &asked);
    use Outcome::{Deny, Pass, Undetermined};
    let told: Vec<_> = steps
        .iter()
        .map(|it| {
            (
                it.step,
                it.outcome,
                it.rules
                    .iter()
                    .map(|rule| rule.name.as_str())
                    .collect::<Vec<_>>(),
            )
        })
        .collect();
    assert_eq!(
        told,
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

/// What is changed about a plain world, and what stands in the way then.
const CREATION: &[(WorldChange, Obstacles)] = &[
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
    (|world| world.areas[0].1 = false, &[AreaNotGranted]),
    (|world| world.ticket_types.clear(), &[TicketTypeNotGranted]),
    (
        |world| world.ticket_types[0].1 = false,
        &[TicketTypeNotGranted],
    ),
    (
        |world| world.areas[0].2 = Some(vec!["u"]),
        &[TicketTypeNotStartable],
    ),
    (
        |world| world.areas[0].2 = Some(vec![]),
        &[TicketTypeNotStartable],
    ),
    (|world| world.areas[0].2 = Some(vec!["u", "t"]), &[]),
    (
        |world| world.rules = vec![condition("area", "in", &["a"])],
        &[],
    ),
    (
        |world| {
            world.viewer.active = false;
            world.areas = vec![("a", false, Some(vec![]))];
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
fn creation() {
    for (row, (change, expected)) in CREATION.iter().enumerate() {
        for approval in [false, true] {
            let mut world = World {
                ticket_types: vec![("t", true, approval)],
                ..World::plain()
            };
            change(&mut world);
            let decided = may_create(&world.policy(), &world.viewer, "a", "t");
            assert_eq!(decided.reasons, *expected, "row {row}");
            assert_eq!(
                decided.approval_required,
                approval && expected.is_empty(),
                "row {row}"
            );
        }
    }
    let tested: Vec<_> = CREATION
        .iter()
        .flat_map(|(_, expected)| expected.iter())
        .collect();
    assert!(
        CreationReason::iter().all(|reason| tested.contains(&&reason)),
        "a reason has no row"
    );
}

/// More alternatives than the index takes apart, more rules than one word of it holds, and patterns of all sorts.
#[test]
fn large_filters_and_many_rules_are_judged_like_small_ones() {
    let pair = |n: usize| {
        let urgent = condition("urgency", "in", &["high"]);
        json!({"type": "any", "filters": [condition("project", "in", &[&format!("p{n}")]), urgent]})
    };
    let wide = json!({"type": "all", "filters": (0..20).map(pair).collect::<Vec<_>>()});
    assert_eq!(
        truth(
            &wide,
            &with(
                with(ticket(), "urgency", json!("high")),
                "project_id",
                json!(null)
            )
        ),
        True
    );
    assert_eq!(
        truth(
            &wide,
            &with(
                with(ticket(), "urgency", json!("low")),
                "project_id",
                json!("p3")
            )
        ),
        False
    );
    let mut rules: Vec<_> = (0..200)
        .map(|n| condition("project", "in", &[&format!("p{n}")]))
        .collect();
    rules.push(condition("subject", "contains", &["halt"]));
    let world = World {
        rules,
        ..World::plain()
    };
    // more text than is searched for at once
    let long = |n: usize| {
        condition(
            "subject",
            "contains",
            &[&format!("{n:04}{}", "x".repeat(196))],
        )
    };
    let many = World {
        rules: (0..1400).map(long).collect(),
        ..World::plain()
    };
    let asked = |n: usize| {
        with(
            ticket(),
            "subject",
            json!(format!("y{n:04}{}", "x".repeat(200))),
        )
    };
    assert!(!many.is_visible(&asked(1399)) && many.is_visible(&asked(1400)));
    let asked = with(
        with(ticket(), "project_id", json!("p199")),
        "subject",
        json!("x"),
    );
    assert!(!world.is_visible(&asked));
    assert!(world.is_visible(&with(asked.clone(), "project_id", json!("p200"))));
    assert!(!world.is_visible(&with(
        with(asked, "project_id", json!("p200")),
        "subject",
        json!("Gehalt")
    )));
}

//! The result of every operator on every field, of the groups, and of large filters.

use rstest::rstest;
use serde_json::{Value, json};
use strum::IntoEnumIterator as _;
use uuid::Uuid;

use super::generators::{Area, OTHER_ACCESS, World, explain, is_visible, now, with_attributes};
use crate::{
    evaluator::{self, Outcome, Scratch, Step},
    filter::{
        Field, Operator,
        Truth::{self, False, True, Unknown},
    },
    rules::{RuleDefinition, RuleSet},
};

/// A ticket with the required attributes only.
pub fn ticket() -> Value {
    json!({"ticket_id": "4711", "business_partner_id": "K-1", "area_id": "a", "internal": false,
        "confidential": false})
}

pub fn with(mut ticket: Value, member: &str, value: Value) -> Value {
    ticket[member] = value;
    ticket
}

pub fn condition(field: &str, operator: &str, values: &[&str]) -> Value {
    json!({"type": "condition", "field": field, "operator": operator, "values": values})
}

fn none_of(filter: &Value) -> Value {
    json!({"type": "none", "filters": [filter]})
}

/// Evaluates a filter as the only rule, and checks that the decision without explanation agrees.
fn truth(filter: &Value, ticket: &Value) -> Truth {
    let rules = RuleSet::new([RuleDefinition {
        id: Uuid::from_u128(1),
        name: "R".to_owned(),
        filter: serde_json::from_value(filter.clone()).unwrap(),
    }]);
    let truth = with_attributes(ticket, |ticket| {
        evaluator::matched_by(&rules, ticket, now(), &mut Scratch::default())
    });
    if ticket["confidential"] == false {
        let world = World {
            rules: vec![filter.clone()],
            areas: vec![Area::new("a"), Area::new("b")],
            ..World::plain()
        };
        let visible = is_visible(&world.policy(), &world.viewer, ticket);
        assert_eq!(visible, truth == False, "{filter} {ticket}");
    }
    truth
}

/// One operator on one field.
struct Row {
    field: &'static str,
    operator: &'static str,
    values: &'static [&'static str],
    /// The member of the ticket that holds the field.
    member: &'static str,
    /// A value for which the condition is true.
    matching: Value,
    /// A value for which the condition is false.
    other: Value,
    /// The result for an absent value; `None` if the attribute is required.
    absent: Option<Truth>,
}

/// The rows of `in` and `not_in`.
fn set_rows(
    field: &'static str,
    member: &'static str,
    values: &'static [&'static str],
    other: &'static str,
) -> [Row; 2] {
    let absent = |truth| (member != "area_id").then_some(truth);
    [
        Row {
            field,
            operator: "in",
            values,
            member,
            matching: json!(values[0]),
            other: json!(other),
            absent: absent(False),
        },
        Row {
            field,
            operator: "not_in",
            values,
            member,
            matching: json!(other),
            other: json!(values[0]),
            absent: absent(True),
        },
    ]
}

/// A row of an operator other than `in` and `not_in`.
fn row(
    field: &'static str,
    operator: &'static str,
    values: &'static [&'static str],
    matching: Value,
    other: Value,
) -> Row {
    let absent = match (field, operator, values) {
        ("confidential", ..) => None,
        (_, "none_of", _) | ("released", _, ["false"]) => Some(True),
        _ => Some(False),
    };
    Row {
        field,
        operator,
        values,
        member: if field == "tag" { "tags" } else { field },
        matching,
        other,
        absent,
    }
}

fn rows() -> Vec<Row> {
    let mut rows: Vec<Row> = [
        set_rows("area", "area_id", &["a", "c"], "b"),
        set_rows("ticket_type", "ticket_type_id", &["t"], "u"),
        set_rows("status", "status", &["open", "parked"], "closed"),
        set_rows("closure", "closure", &["withdrawn"], "completed"),
        set_rows("urgency", "urgency", &["high"], "low"),
        set_rows("impact", "impact", &["low", "medium"], "high"),
        set_rows("main_contact", "main_contact_id", &["P-2"], "P-3"),
        set_rows(
            "created_by",
            "created_by_access_id",
            &["019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e61"],
            OTHER_ACCESS,
        ),
        set_rows("entry_channel", "entry_channel", &["email"], "phone"),
        set_rows("project", "project_id", &["4"], "5"),
        set_rows("service_contract", "service_contract_id", &["S"], "s"),
    ]
    .into_iter()
    .flatten()
    .collect();
    rows.extend(tag_and_flag_rows());
    rows.extend(text_rows());
    rows.extend(time_rows());
    rows
}

fn tag_and_flag_rows() -> [Row; 7] {
    [
        row(
            "tag",
            "any_of",
            &["VPN", "x"],
            json!(["a", "vpn"]),
            json!(["a"]),
        ),
        row(
            "tag",
            "all_of",
            &["VPN", "Ärger"],
            json!(["ärger", "a", "Vpn"]),
            json!(["vpn"]),
        ),
        row("tag", "none_of", &["VPN"], json!([]), json!(["vpn"])),
        row("released", "is", &["true"], json!(true), json!(false)),
        row("released", "is", &["false"], json!(false), json!(true)),
        row("confidential", "is", &["true"], json!(true), json!(false)),
        row("confidential", "is", &["false"], json!(false), json!(true)),
    ]
}

fn text_rows() -> [Row; 5] {
    [
        row(
            "subject",
            "contains",
            &["gehalt"],
            json!("Ein GEHALTSzettel"),
            json!("Halt"),
        ),
        row(
            "subject",
            "contains",
            &["straße"],
            json!("MUSTERSTRASSE"),
            json!("Weg"),
        ),
        row(
            "subject",
            "equals",
            &["Änderung"],
            json!(" a\u{308}nDerung "),
            json!("Änderungen"),
        ),
        row(
            "reference_number",
            "contains",
            &["4711"],
            json!("R-4711-a"),
            json!("R-471"),
        ),
        row(
            "reference_number",
            "equals",
            &["r-1"],
            json!("R-1"),
            json!("R-11"),
        ),
    ]
}

fn time_rows() -> [Row; 4] {
    [
        row(
            "created_at",
            "before",
            &["2026-01-01T00:00:00Z"],
            json!("2025-12-31T23:59:59.999999Z"),
            json!("2026-01-01T00:00:00Z"),
        ),
        row(
            "created_at",
            "after",
            &["2026-01-01T00:00:00Z"],
            json!("2026-01-01T01:00:00.000001+01:00"),
            json!("2026-01-01T00:00:00Z"),
        ),
        row(
            "created_at",
            "older_than",
            &["P1M"],
            json!("2026-10-24T11:59:59Z"),
            json!("2026-10-24T12:00:00Z"),
        ),
        row(
            "created_at",
            "newer_than",
            &["P30D"],
            json!("2026-10-25T12:00:01Z"),
            json!("2026-10-25T12:00:00Z"),
        ),
    ]
}

#[test]
fn condition_matches_as_the_table_says() {
    for row in rows() {
        let filter = condition(row.field, row.operator, row.values);
        for (value, expected) in [(row.matching, True), (row.other, False)] {
            let ticket = with(ticket(), row.member, value);
            assert_eq!(truth(&filter, &ticket), expected, "{filter}");
            assert_eq!(
                truth(&none_of(&filter), &ticket),
                expected.negated(),
                "not {filter}"
            );
        }
    }
}

#[test]
fn condition_on_absent_attribute_is_as_the_table_says() {
    for row in rows() {
        let filter = condition(row.field, row.operator, row.values);
        let absent = with(ticket(), row.member, Value::Null);
        if let Some(expected) = row.absent {
            assert_eq!(truth(&filter, &absent), expected, "{filter}");
        }
    }
}

#[test]
fn condition_on_unknown_attribute_is_unknown() {
    for row in rows().iter().filter(|row| row.absent.is_some()) {
        let filter = condition(row.field, row.operator, row.values);
        assert_eq!(truth(&filter, &ticket()), Unknown, "{filter}");
        assert_eq!(truth(&none_of(&filter), &ticket()), Unknown, "not {filter}");
    }
}

#[test]
fn table_covers_each_field_with_each_operator() {
    let rows = rows();
    for field in Field::iter() {
        let operators = field.operators().iter();
        for operator in operators.filter(|operator| **operator != Operator::IsSelf) {
            let is_covered = rows
                .iter()
                .any(|row| row.field == field.as_str() && row.operator == operator.as_str());
            assert!(is_covered, "{field:?} {operator:?}");
        }
    }
}

#[rstest]
#[case("main_contact", json!({"main_contact_id": "P-1"}), True)]
#[case("main_contact", json!({"main_contact_id": "P-2"}), False)]
#[case("main_contact", json!({"main_contact_id": null}), False)]
#[case("main_contact", json!({}), Unknown)]
#[case("created_by", json!({"created_by_access_id": "self"}), True)]
#[case("created_by", json!({"created_by_access_id": OTHER_ACCESS}), False)]
#[case("created_by", json!({"created_by_access_id": null}), False)]
#[case("created_by", json!({}), Unknown)]
fn is_self_matches_the_viewer(
    #[case] field: &str,
    #[case] attributes: Value,
    #[case] expected: Truth,
) {
    let world = World {
        rules: vec![condition(field, "is_self", &[])],
        ..World::plain()
    };
    let mut ticket = ticket();
    for (member, value) in attributes.as_object().unwrap() {
        ticket[member] = if value == "self" {
            json!(world.viewer.id_text)
        } else {
            value.clone()
        };
    }
    let policy = world.policy();
    let steps = explain(&policy, &world.viewer, &ticket);
    let outcome = |step| {
        let result = steps.iter().find(|result| result.step == step);
        result.map(|result| result.outcome)
    };
    let (certain, possible) = match expected {
        True => (Some(Outcome::Deny), None),
        False => (Some(Outcome::Pass), None),
        Unknown => (None, Some(Outcome::Undetermined)),
    };
    assert_eq!(outcome(Step::ExcludedByRule), certain);
    assert_eq!(outcome(Step::ExcludedByRuleUndetermined), possible);
}

/// Left and right operand; the results of `all`, `any` and `none`.
const GROUPS: [(Truth, Truth, Truth, Truth, Truth); 9] = [
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

#[test]
fn groups_combine_three_valued() {
    let operand = |truth| match truth {
        True => condition("area", "in", &["a"]),
        False => condition("area", "in", &["b"]),
        Unknown => condition("status", "in", &["open"]),
    };
    for (left, right, all, any, none) in GROUPS {
        for (group, expected) in [("all", all), ("any", any), ("none", none)] {
            let filter = json!({"type": group, "filters": [operand(left), operand(right)]});
            assert_eq!(
                truth(&filter, &ticket()),
                expected,
                "{group} of {left:?}, {right:?}"
            );
        }
    }
}

#[test]
fn filter_with_too_large_normal_form_is_evaluated_exactly() {
    let pair = |n: usize| {
        json!({"type": "any", "filters": [
            condition("project", "in", &[&format!("p{n}")]),
            condition("urgency", "in", &["high"]),
        ]})
    };
    let filter = json!({"type": "all", "filters": (0..20).map(pair).collect::<Vec<_>>()});
    let urgent = with(ticket(), "urgency", json!("high"));
    let not_urgent = with(ticket(), "urgency", json!("low"));
    assert_eq!(
        truth(&filter, &with(urgent, "project_id", json!(null))),
        True
    );
    assert_eq!(
        truth(&filter, &with(not_urgent, "project_id", json!("p3"))),
        False
    );
}

#[test]
fn more_rules_than_one_block_of_bits_are_all_evaluated() {
    let mut rules: Vec<_> = (0..200)
        .map(|n| condition("project", "in", &[&format!("p{n}")]))
        .collect();
    rules.push(condition("subject", "contains", &["halt"]));
    let world = World {
        rules,
        ..World::plain()
    };
    let excluded_by_project = with(
        with(ticket(), "project_id", json!("p199")),
        "subject",
        json!("x"),
    );
    assert!(!world.is_visible(&excluded_by_project));
    let visible = with(excluded_by_project, "project_id", json!("p200"));
    assert!(world.is_visible(&visible));
    let excluded_by_subject = with(visible, "subject", json!("Gehalt"));
    assert!(!world.is_visible(&excluded_by_subject));
}

#[test]
fn more_patterns_than_the_automaton_takes_are_all_evaluated() {
    let pattern = |n: usize| format!("{n:04}{}", "x".repeat(196));
    let world = World {
        rules: (0..1400)
            .map(|n| condition("subject", "contains", &[&pattern(n)]))
            .collect(),
        ..World::plain()
    };
    let subject = |n: usize| json!(format!("y{}xxxx", pattern(n)));
    assert!(!world.is_visible(&with(ticket(), "subject", subject(1399))));
    assert!(world.is_visible(&with(ticket(), "subject", subject(1400))));
}

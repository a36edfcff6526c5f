//! Conditions for the other engines: each tests whether a condition is *not false*, because a rule
//! that is not false hides a ticket.
//!
//! A conjunction is not false if and only if none of its conditions is false, so no third value is
//! needed: a test is true if the condition is true or the attribute is unknown.

use customer_integration::{
    common::normalize::fold_case,
    ticket_filter::{Condition, Field, Operator, TicketFilter},
};

use crate::{
    flat::name,
    scenario::{Rule, Scenario},
};

/// A test of a condition. Engines add [`crate::flat::UNKNOWN`] to the values of positive tests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Test {
    OneOf {
        field: &'static str,
        values: Vec<String>,
    },
    NoneOf {
        field: &'static str,
        values: Vec<String>,
    },
    AnyTag(Vec<String>),
    NoTag(Vec<String>),
    SubjectContains(String),
    OlderThan {
        seconds: i64,
    },
}

impl Test {
    fn new(condition: &Condition) -> Self {
        let Condition {
            field,
            operator,
            values,
        } = condition;
        let folded = || values.iter().map(|value| fold_case(value)).collect();
        match (field, operator) {
            (Field::Tag, Operator::AnyOf) => Self::AnyTag(folded()),
            (Field::Tag, Operator::NoneOf) => Self::NoTag(folded()),
            (Field::Subject, Operator::Contains) => {
                Self::SubjectContains(fold_case(&first(values)))
            }
            (Field::CreatedAt, Operator::OlderThan) => Self::OlderThan {
                seconds: days(&first(values)) * 86_400,
            },
            (_, Operator::In | Operator::Is) => Self::OneOf {
                field: name(*field),
                values: values.clone(),
            },
            (_, Operator::NotIn) => Self::NoneOf {
                field: name(*field),
                values: values.clone(),
            },
            other => unreachable!("no rule of the benchmark has {other:?}"),
        }
    }

    /// The approximate cost of evaluation; cheap tests come first.
    fn cost(&self) -> usize {
        match self {
            Self::OlderThan { .. } => 1,
            Self::OneOf { values, .. } | Self::NoneOf { values, .. } => 1 + values.len(),
            Self::AnyTag(values) | Self::NoTag(values) => 10 + values.len(),
            Self::SubjectContains(_) => 100,
        }
    }
}

fn first(values: &[String]) -> String {
    values.first().cloned().unwrap_or_default()
}

fn days(period: &str) -> i64 {
    let number = period
        .strip_prefix('P')
        .and_then(|rest| rest.strip_suffix('D'));
    number
        .and_then(|number| number.parse().ok())
        .expect("a number of days")
}

impl Rule {
    /// The tests of its conditions, cheap ones first.
    pub fn tests(&self) -> Vec<Test> {
        let TicketFilter::All { filters } = &self.filter else {
            unreachable!("rules of the benchmark are conjunctions")
        };
        let test = |filter: &TicketFilter| match filter {
            TicketFilter::Condition(condition) => Test::new(condition),
            other => unreachable!("no rule of the benchmark nests {other:?}"),
        };
        let mut tests: Vec<_> = filters.iter().map(test).collect();
        tests.sort_by_key(Test::cost);
        tests
    }
}

/// The rules for an area, without their conditions on areas.
///
/// No engine has an index of rules by attributes. The fastest forms use a policy for each area
/// instead.
pub fn slice(scenario: &Scenario, area: &str) -> Vec<Vec<Test>> {
    let of_area = |test: &Test| match test {
        Test::OneOf {
            field: "area",
            values,
        } => Some(values.iter().any(|value| value == area)),
        Test::NoneOf {
            field: "area",
            values,
        } => Some(!values.iter().any(|value| value == area)),
        _ => None,
    };
    let rules = scenario.rules.iter().map(Rule::tests);
    let relevant = rules.filter(|tests| tests.iter().filter_map(of_area).all(|holds| holds));
    relevant
        .map(|tests| {
            tests
                .into_iter()
                .filter(|test| of_area(test).is_none())
                .collect()
        })
        .collect()
}

//! Conditions as input of the other engines. A test holds if the condition is *not false*, because
//! that is what hides a ticket.
//!
//! A conjunction is not false exactly if none of its conditions is false, so no third value is
//! needed: a test holds where the condition holds and where the attribute is unknown.

use ticket_policy::{
    filter::{Condition, Field, Operator, TicketFilter},
    fold::fold_case,
};

use crate::{
    flat::name,
    scenario::{Rule, Scenario},
};

/// A condition. Engines add [`crate::flat::UNKNOWN`] to the values of `OneOf` and `AnyTag`.
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

    /// Relative cost of evaluation.
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
    /// The conditions of the rule, cheapest first.
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

/// The rules that can match tickets of an area, without their conditions on the area.
///
/// No engine indexes rules by attributes. For speed there is one policy per area, selected before the
/// decision.
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
    let concerned = rules.filter(|tests| tests.iter().filter_map(of_area).all(|holds| holds));
    concerned
        .map(|tests| {
            tests
                .into_iter()
                .filter(|test| of_area(test).is_none())
                .collect()
        })
        .collect()
}

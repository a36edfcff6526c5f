//! Filters prepared for repeated evaluation.

use std::sync::Arc;

use super::{predicate::Predicate, ticket_view::TicketView};
use crate::filter::{Field, TicketFilter, Truth};

/// A filter whose values are prepared for comparison.
#[derive(Debug, Clone)]
pub enum CompiledFilter {
    All(Box<[CompiledFilter]>),
    Any(Box<[CompiledFilter]>),
    None(Box<[CompiledFilter]>),
    /// Shared with the residual clauses of the index.
    Predicate(Arc<Predicate>),
}

impl CompiledFilter {
    /// Compiles a filter.
    pub fn new(filter: &TicketFilter) -> Self {
        match filter {
            TicketFilter::All { filters } => Self::All(compile_group(filters)),
            TicketFilter::Any { filters } => Self::Any(compile_group(filters)),
            TicketFilter::None { filters } => Self::None(compile_group(filters)),
            TicketFilter::Condition(condition) => {
                Self::Predicate(Arc::new(Predicate::new(condition)))
            }
        }
    }

    /// Evaluates the filter for a ticket.
    pub fn evaluate(&self, view: &TicketView<'_>) -> Truth {
        self.evaluate_with(&|predicate| predicate.evaluate(view))
    }

    /// Whether every ticket of an area matches, whatever its other attributes are.
    pub fn covers(&self, area: &str) -> bool {
        let truth = self.evaluate_with(&|predicate| match predicate {
            Predicate::OneOf {
                field: Field::Area,
                values,
                wanted,
            } => (values.contains(area) == *wanted).into(),
            _ => Truth::Unknown,
        });
        truth == Truth::True
    }

    /// Evaluates the filter, given the value of each predicate. An empty group is unknown.
    fn evaluate_with(&self, evaluate: &impl Fn(&Predicate) -> Truth) -> Truth {
        match self {
            Self::All(filters) => fold_group(filters, Truth::False, Truth::min, evaluate),
            Self::Any(filters) => fold_group(filters, Truth::True, Truth::max, evaluate),
            Self::None(filters) => fold_group(filters, Truth::True, Truth::max, evaluate).negated(),
            Self::Predicate(predicate) => evaluate(predicate),
        }
    }

    /// Relative cost of evaluation.
    pub fn cost(&self) -> usize {
        self.sum(&Predicate::cost)
    }

    /// The sum of a measure over all predicates.
    pub fn sum(&self, measure: &impl Fn(&Predicate) -> usize) -> usize {
        match self {
            Self::All(filters) | Self::Any(filters) | Self::None(filters) => {
                filters.iter().map(|filter| filter.sum(measure)).sum()
            }
            Self::Predicate(predicate) => measure(predicate),
        }
    }
}

/// Compiles the filters of a group and puts the cheapest first. Their order does not change the
/// result, in three-valued logic either, and evaluation can stop early.
fn compile_group(filters: &[TicketFilter]) -> Box<[CompiledFilter]> {
    let mut compiled: Vec<_> = filters.iter().map(CompiledFilter::new).collect();
    compiled.sort_by_key(CompiledFilter::cost);
    compiled.into()
}

/// Combines the values of a group with `combine`. Stops at `absorbing`, which no other value
/// changes.
fn fold_group(
    filters: &[CompiledFilter],
    absorbing: Truth,
    combine: fn(Truth, Truth) -> Truth,
    evaluate: &impl Fn(&Predicate) -> Truth,
) -> Truth {
    let mut result = None;
    for filter in filters {
        let truth = filter.evaluate_with(evaluate);
        if truth == absorbing {
            return absorbing;
        }
        result = Some(result.map_or(truth, |other| combine(other, truth)));
    }
    result.unwrap_or(Truth::Unknown)
}

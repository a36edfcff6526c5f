//! Filters in disjunctive normal form: alternatives (clauses), each a conjunction of literals.
//!
//! Kleene's logic is a distributive lattice in which De Morgan's laws hold, so a filter and its
//! normal form have the same truth value for unknown attributes too. The form can be exponentially
//! larger than the filter. Where it would become too large, literals are left out. The result is
//! weaker: it can hold where the filter does not, but never the other way round.

use std::sync::Arc;

use super::{compiled_filter::CompiledFilter, predicate::Predicate, ticket_view::TicketView};
use crate::filter::Truth;

/// Maximum number of clauses of one filter.
const MAX_CLAUSES: usize = 16;
/// Maximum number of values in all clauses of one filter; clauses repeat the values of predicates.
const MAX_VALUES: usize = 4_000;

/// A predicate or its negation.
#[derive(Debug, Clone, Copy)]
pub struct Literal<'f> {
    pub predicate: &'f Arc<Predicate>,
    pub negated: bool,
}

/// A conjunction of literals.
pub type Clause<'f> = Vec<Literal<'f>>;

/// A filter in disjunctive normal form.
pub struct Dnf<'f> {
    /// If all clauses are false, so is the filter.
    pub clauses: Vec<Clause<'f>>,
    /// Whether no literal was left out. If so, the filter is false only if all clauses are.
    pub exact: bool,
}

impl<'f> Dnf<'f> {
    /// The normal form of a filter.
    pub fn of(filter: &'f CompiledFilter) -> Self {
        let mut builder = Builder {
            max_clauses: MAX_CLAUSES,
            exact: true,
        };
        let mut clauses = builder.clauses(filter, false);
        let values: usize = clauses
            .iter()
            .flatten()
            .map(|literal| literal.predicate.value_count())
            .sum();
        if values > MAX_VALUES {
            // a single clause repeats no values
            builder.max_clauses = 1;
            clauses = builder.clauses(filter, false);
        }
        Self {
            clauses,
            exact: builder.exact,
        }
    }

    /// Relative cost of evaluating all clauses.
    pub fn cost(&self) -> usize {
        let literals = self.clauses.iter().flatten();
        literals.map(|literal| literal.predicate.cost()).sum()
    }
}

struct Builder {
    max_clauses: usize,
    exact: bool,
}

impl Builder {
    /// The clauses of a filter or of its negation.
    fn clauses<'f>(&mut self, filter: &'f CompiledFilter, negated: bool) -> Vec<Clause<'f>> {
        match (filter, negated) {
            (CompiledFilter::Predicate(predicate), _) => {
                vec![vec![Literal { predicate, negated }]]
            }
            (
                CompiledFilter::All(filters)
                | CompiledFilter::Any(filters)
                | CompiledFilter::None(filters),
                _,
            ) if filters.is_empty() => {
                // an empty group is unknown, and so is its negation
                vec![Clause::new()]
            }
            (CompiledFilter::All(filters), false) => self.conjunction(filters, false),
            (CompiledFilter::Any(filters), true) | (CompiledFilter::None(filters), false) => {
                self.conjunction(filters, true)
            }
            (CompiledFilter::All(filters), true) => self.disjunction(filters, true),
            (CompiledFilter::Any(filters), false) | (CompiledFilter::None(filters), true) => {
                self.disjunction(filters, false)
            }
        }
    }

    fn disjunction<'f>(&mut self, filters: &'f [CompiledFilter], negated: bool) -> Vec<Clause<'f>> {
        let mut clauses = Vec::new();
        for filter in filters {
            clauses.extend(self.clauses(filter, negated));
            if clauses.len() > self.max_clauses {
                self.exact = false;
                return vec![Clause::new()];
            }
        }
        clauses
    }

    fn conjunction<'f>(&mut self, filters: &'f [CompiledFilter], negated: bool) -> Vec<Clause<'f>> {
        let mut product = vec![Clause::new()];
        for filter in filters {
            let factors = self.clauses(filter, negated);
            if product.len() * factors.len() <= self.max_clauses {
                product = product
                    .iter()
                    .flat_map(|left| factors.iter().map(|right| [&**left, right].concat()))
                    .collect();
            } else {
                self.exact = false;
            }
        }
        product
    }
}

/// The literals of a clause that the index does not decide: all except those about fields with at
/// most one value. Most clauses have none.
#[derive(Debug)]
pub struct Residual(Box<[(Arc<Predicate>, bool)]>);

impl Residual {
    /// The residual of a clause.
    pub fn of(clause: &Clause<'_>) -> Self {
        let literals = clause
            .iter()
            .filter(|literal| !literal.predicate.is_decided_by_index());
        Self(
            literals
                .map(|literal| (Arc::clone(literal.predicate), literal.negated))
                .collect(),
        )
    }

    /// Whether the clause holds or may hold, for a ticket that the index has not ruled out.
    pub fn may_hold(&self, view: &TicketView<'_>) -> bool {
        self.0
            .iter()
            .all(|(predicate, negated)| match predicate.evaluate(view) {
                Truth::Unknown => true,
                truth => (truth == Truth::False) == *negated,
            })
    }

    /// Memory use besides the predicates, in bytes.
    pub fn bytes(&self) -> usize {
        size_of_val(&*self.0)
    }
}

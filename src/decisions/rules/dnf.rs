//! A filter as clauses: alternatives, each a list of literals that must all hold.
//!
//! Kleene's logic is a distributive lattice with De Morgan's laws, so a filter and its disjunctive normal form have the same
//! truth value also where facts are unknown. The form can be exponentially longer than the filter; where it would be, literals
//! are left out. Such a clause can hold where the filter does not, never the other way round.

use std::sync::Arc;

use super::{
    compiled_filter::{CompiledFilter, Predicate},
    ticket_view::TicketView,
};
use crate::ticket_filter::Truth;

/// Most clauses of one filter.
const MAX_CLAUSES: usize = 16;
/// Most values in all clauses of one filter together: each clause repeats those of its conditions.
const MAX_VALUES: usize = 4_000;

/// A condition, or its opposite.
#[derive(Debug, Clone, Copy)]
pub struct Literal<'n> {
    pub test: &'n Arc<Predicate>,
    pub negated: bool,
}

/// Literals that must all hold.
pub type Clause<'n> = Vec<Literal<'n>>;

/// A filter as clauses.
pub struct Disjunction<'n> {
    /// Where all of them are false, so is the filter.
    pub all: Vec<Clause<'n>>,
    /// Whether no literal was left out. Then, where one of them is not false, neither is the filter.
    pub whole: bool,
}

impl<'n> Disjunction<'n> {
    /// The clauses of a filter.
    pub fn of(node: &'n CompiledFilter) -> Self {
        let mut making = Making {
            most: MAX_CLAUSES,
            whole: true,
        };
        let mut all = making.alternatives(node, false);
        let values = all
            .iter()
            .flatten()
            .map(|literal| literal.test.values())
            .sum::<usize>();
        if values > MAX_VALUES {
            // one clause repeats nothing
            making.most = 1;
            all = making.alternatives(node, false);
        }
        Self {
            all,
            whole: making.whole,
        }
    }
}

/// Clauses being made.
struct Making {
    /// Most clauses there may be; else there are fewer, and they say less.
    most: usize,
    whole: bool,
}

impl Making {
    /// The clauses of a filter, or of its opposite.
    fn alternatives<'n>(&mut self, node: &'n CompiledFilter, negated: bool) -> Vec<Clause<'n>> {
        match (node, negated) {
            (CompiledFilter::Predicate(test), _) => vec![vec![Literal { test, negated }]],
            // an empty group is unknown, whichever it is
            (
                CompiledFilter::All(nodes)
                | CompiledFilter::Any(nodes)
                | CompiledFilter::None(nodes),
                _,
            ) if nodes.is_empty() => {
                vec![Clause::new()]
            }
            (CompiledFilter::All(nodes), false) => self.conjunction(nodes, false),
            (CompiledFilter::Any(nodes), true) | (CompiledFilter::None(nodes), false) => {
                self.conjunction(nodes, true)
            }
            (CompiledFilter::Any(nodes), false) => self.disjunction(nodes, false),
            (CompiledFilter::All(nodes), true) => self.disjunction(nodes, true),
            (CompiledFilter::None(nodes), true) => self.disjunction(nodes, false),
        }
    }

    fn disjunction<'n>(&mut self, nodes: &'n [CompiledFilter], negated: bool) -> Vec<Clause<'n>> {
        let mut all = Vec::new();
        for node in nodes {
            all.extend(self.alternatives(node, negated));
            if all.len() > self.most {
                self.whole = false;
                return vec![Clause::new()];
            }
        }
        all
    }

    fn conjunction<'n>(&mut self, nodes: &'n [CompiledFilter], negated: bool) -> Vec<Clause<'n>> {
        let mut product = vec![Clause::new()];
        for node in nodes {
            let factors = self.alternatives(node, negated);
            // what would make too many is left out
            if product.len() * factors.len() <= self.most {
                product = product
                    .iter()
                    .flat_map(|left| factors.iter().map(|right| joined(left, right)))
                    .collect();
            } else {
                self.whole = false;
            }
        }
        product
    }
}

/// What the index has not judged of a clause that it leaves possible: all literals but those of fields with one value at most.
/// Most clauses have none.
#[derive(Debug)]
pub struct Residual(Box<[(Arc<Predicate>, bool)]>);

impl Residual {
    /// The rest of a clause.
    pub fn of(clause: &Clause<'_>) -> Self {
        let open = clause
            .iter()
            .filter(|it| !matches!(**it.test, Predicate::OneOf { .. } | Predicate::Word { .. }));
        Self(open.map(|it| (Arc::clone(it.test), it.negated)).collect())
    }

    /// Whether the clause holds for a ticket that the index leaves possible, or may hold.
    pub fn may_hold(&self, look: &TicketView<'_>) -> bool {
        self.0.iter().all(|(test, negated)| match test.judge(look) {
            Truth::Unknown => true,
            truth => (truth == Truth::False) == *negated,
        })
    }

    /// About how much memory it takes beside the filter, in bytes.
    pub fn bytes(&self) -> usize {
        size_of_val(&*self.0)
    }
}

fn joined<'n>(left: &Clause<'n>, right: &Clause<'n>) -> Clause<'n> {
    left.iter().chain(right).copied().collect()
}

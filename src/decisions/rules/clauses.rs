//! A filter as clauses: alternatives, each a list of literals that must all hold.
//!
//! Kleene's logic is a distributive lattice with De Morgan's laws, so a filter and its disjunctive normal form have the same
//! truth value also where facts are unknown. The form can be exponentially longer than the filter; where it would be, literals
//! are left out. Such a clause can hold where the filter does not, never the other way round.

use super::condition::{Node, Test};

/// Most clauses of one filter.
const MAX_CLAUSES: usize = 16;
/// Most values in all clauses of one filter together: each clause repeats those of its conditions.
const MAX_VALUES: usize = 4_000;

/// A condition, or its opposite.
#[derive(Debug, Clone, Copy)]
pub struct Literal<'n> {
    pub test: &'n Test,
    pub negated: bool,
}

/// Literals that must all hold.
pub type Clause<'n> = Vec<Literal<'n>>;

/// The clauses of a filter. Where all of them are false, so is the filter.
pub fn clauses(node: &Node) -> Vec<Clause<'_>> {
    let all = alternatives(node, false, MAX_CLAUSES);
    let values = all.iter().flatten().map(|literal| literal.test.values()).sum::<usize>();
    // one clause repeats nothing
    if values > MAX_VALUES { alternatives(node, false, 1) } else { all }
}

/// The clauses of a filter, or of its opposite; `most` of them, or fewer that say less.
fn alternatives(node: &Node, negated: bool, most: usize) -> Vec<Clause<'_>> {
    match (node, negated) {
        (Node::Test(test), _) => vec![vec![Literal { test, negated }]],
        // an empty group is unknown, whichever it is
        (Node::All(nodes) | Node::Any(nodes) | Node::None(nodes), _) if nodes.is_empty() => vec![Clause::new()],
        (Node::All(nodes), false) => conjunction(nodes, false, most),
        (Node::Any(nodes), true) | (Node::None(nodes), false) => conjunction(nodes, true, most),
        (Node::Any(nodes), false) => disjunction(nodes, false, most),
        (Node::All(nodes), true) => disjunction(nodes, true, most),
        (Node::None(nodes), true) => disjunction(nodes, false, most),
    }
}

fn disjunction(nodes: &[Node], negated: bool, most: usize) -> Vec<Clause<'_>> {
    let all: Vec<_> = nodes.iter().flat_map(|node| alternatives(node, negated, most)).take(most + 1).collect();
    if all.len() > most { vec![Clause::new()] } else { all }
}

fn conjunction(nodes: &[Node], negated: bool, most: usize) -> Vec<Clause<'_>> {
    let mut product = vec![Clause::new()];
    for node in nodes {
        let factors = alternatives(node, negated, most);
        // what would make too many is left out
        if product.len() * factors.len() <= most {
            product = product.iter().flat_map(|left| factors.iter().map(|right| joined(left, right))).collect();
        }
    }
    product
}

fn joined<'n>(left: &Clause<'n>, right: &Clause<'n>) -> Clause<'n> {
    left.iter().chain(right).copied().collect()
}

//! Exclusion rules, compiled: which of them hide a ticket.
//!
//! A rule's filter is prepared once ([`condition`]); what the conditions mean stands there and nowhere else. An index over all
//! rules ([`index`], made of their [`clauses`]) tells which of them may match a ticket, and these alone are judged.

mod bits;
mod clauses;
mod condition;
mod index;
mod look;
mod several;
mod texts;

pub use condition::Node;
pub use index::Marks;
pub use look::{Look, Room};

use index::Index;

use crate::{
    exclusion_rules::RuleId,
    ticket_filter::{TicketFilter, Truth},
};

/// A rule in force.
#[derive(Debug)]
pub struct Rule {
    pub id: RuleId,
    pub name: String,
    node: Node,
}

/// All rules in force of one scope.
#[derive(Debug)]
pub struct RuleSet {
    rules: Box<[Rule]>,
    index: Index,
    bytes: usize,
}

impl RuleSet {
    /// Compiles rules: id, name and filter of each.
    pub fn new(rules: impl IntoIterator<Item = (RuleId, String, TicketFilter)>) -> Self {
        let mut bytes = 0;
        let prepare = |(id, name, filter): (RuleId, String, TicketFilter)| {
            bytes += name.len() + size(&filter) + size_of::<Rule>();
            Rule { id, name, node: Node::new(&filter) }
        };
        let rules: Box<[Rule]> = rules.into_iter().map(prepare).collect();
        let numbered = rules.iter().enumerate();
        let clauses =
            numbered.flat_map(|(number, rule)| clauses::clauses(&rule.node).into_iter().map(move |it| (number, it)));
        let index = Index::new(&clauses.collect::<Vec<_>>());
        bytes += index.bytes();
        Self { rules, index, bytes }
    }

    /// The rules in their order.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// About how much memory they take, in bytes.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether some rule matches every ticket of an area, whatever its other facts are.
    pub fn cover(&self, area: &str) -> bool {
        self.rules.iter().any(|rule| rule.node.covers(area))
    }

    /// Whether a ticket matches a rule, or may do so: what is unknown hides (domain.md section 5).
    pub fn hide(&self, look: &Look<'_>, marks: &mut Marks) -> bool {
        if self.rules.is_empty() {
            return false;
        }
        let matches = |rule: usize| self.rules.get(rule).is_some_and(|rule| rule.node.judge(look) != Truth::False);
        self.index.candidates(look, marks).any(matches)
    }

    /// The rules that a ticket matches, or may match, in their order.
    pub fn matching(&self, look: &Look<'_>, marks: &mut Marks) -> Vec<(&Rule, Truth)> {
        let mut numbers: Vec<_> = self.index.candidates(look, marks).collect();
        numbers.dedup();
        let judged =
            numbers.into_iter().filter_map(|number| self.rules.get(number)).map(|it| (it, it.node.judge(look)));
        judged.filter(|(_, truth)| *truth != Truth::False).collect()
    }
}

/// About how much memory a prepared filter takes, in bytes.
fn size(filter: &TicketFilter) -> usize {
    let mut bytes = 0;
    filter.visit(&mut |_, condition| {
        bytes += 64 + condition.values.iter().map(|value| value.len() + 16).sum::<usize>();
    });
    bytes
}

//! Exclusion rules, compiled: which of them hide a ticket.
//!
//! A rule's filter is prepared once ([`condition`]); what the conditions mean stands there and nowhere else. An index over all
//! rules ([`index`], made of their [`clauses`]) tells which of them may match a ticket, and these alone are judged. Whether they hide
//! it takes even less: the index has judged most conditions already, and only the others are left.

mod bitset;
mod compiled_filter;
mod dnf;
mod index;
mod multi_value;
mod substring;
mod ticket_view;

pub use compiled_filter::CompiledFilter;
pub use index::Bitmaps;
pub use ticket_view::{Buffers, TicketView};

use dnf::{Disjunction, Residual};
use index::Index;

use crate::{
    common::ids::RuleId,
    ticket_filter::{TicketFilter, Truth},
};

/// A rule in force.
#[derive(Debug)]
pub struct Rule {
    pub id: RuleId,
    pub name: String,
    node: CompiledFilter,
}

/// A clause in the index.
#[derive(Debug)]
struct Indexed {
    /// The number of the rule it is of.
    rule: usize,
    /// What the index does not judge; `None` where the clause says less than the rule.
    rest: Option<Residual>,
}

/// All rules in force of one scope.
#[derive(Debug)]
pub struct RuleSet {
    rules: Box<[Rule]>,
    /// In the order of the rules.
    clauses: Box<[Indexed]>,
    index: Index,
    bytes: usize,
}

impl RuleSet {
    /// Compiles rules: id, name and filter of each.
    pub fn new(rules: impl IntoIterator<Item = (RuleId, String, TicketFilter)>) -> Self {
        let mut bytes = 0;
        let prepare = |(id, name, filter): (RuleId, String, TicketFilter)| {
            bytes += name.len() + size(&filter) + size_of::<Rule>();
            Rule {
                id,
                name,
                node: CompiledFilter::new(&filter),
            }
        };
        let rules: Box<[Rule]> = rules.into_iter().map(prepare).collect();
        let (mut indexed, mut all) = (Vec::new(), Vec::new());
        for (number, rule) in rules.iter().enumerate() {
            let Disjunction {
                all: of_rule,
                whole,
            } = Disjunction::of(&rule.node);
            let rest = |clause| whole.then(|| Residual::of(clause));
            indexed.extend(of_rule.iter().map(|clause| Indexed {
                rule: number,
                rest: rest(clause),
            }));
            all.extend(of_rule);
        }
        let index = Index::new(&all);
        let rests = indexed
            .iter()
            .filter_map(|it| it.rest.as_ref())
            .map(Residual::bytes)
            .sum::<usize>();
        bytes += index.bytes() + indexed.len() * size_of::<Indexed>() + rests;
        Self {
            clauses: indexed.into(),
            index,
            bytes,
            rules,
        }
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
    pub fn covers_area(&self, area: &str) -> bool {
        self.rules.iter().any(|rule| rule.node.covers(area))
    }

    /// Whether a ticket matches a rule, or may do so: what is unknown hides (domain.md section 5).
    pub fn any_may_match(&self, look: &TicketView<'_>, marks: &mut Bitmaps) -> bool {
        if self.rules.is_empty() {
            return false;
        }
        self.possible(look, marks).any(|clause| match &clause.rest {
            Some(rest) => rest.may_hold(look),
            None => self
                .rules
                .get(clause.rule)
                .is_some_and(|rule| rule.node.judge(look) != Truth::False),
        })
    }

    /// The rules that a ticket matches, or may match, in their order.
    pub fn matching(&self, look: &TicketView<'_>, marks: &mut Bitmaps) -> Vec<(&Rule, Truth)> {
        let mut numbers: Vec<_> = self
            .possible(look, marks)
            .map(|clause| clause.rule)
            .collect();
        numbers.dedup();
        let judged = numbers
            .into_iter()
            .filter_map(|number| self.rules.get(number))
            .map(|it| (it, it.node.judge(look)));
        judged.filter(|(_, truth)| *truth != Truth::False).collect()
    }

    /// The clauses that a ticket leaves possible, in the order of the rules.
    fn possible<'s>(
        &'s self,
        look: &TicketView<'_>,
        marks: &'s mut Bitmaps,
    ) -> impl Iterator<Item = &'s Indexed> {
        self.index
            .candidates(look, marks)
            .filter_map(|place| self.clauses.get(place))
    }
}

/// About how much memory a prepared filter takes, in bytes.
fn size(filter: &TicketFilter) -> usize {
    let mut bytes = 0;
    filter.visit(&mut |_, condition| {
        bytes += 64
            + condition
                .values
                .iter()
                .map(|value| value.len() + 16)
                .sum::<usize>();
    });
    bytes
}

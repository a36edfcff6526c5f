//! Exclusion rules, compiled and indexed.
//!
//! [`CompiledFilter`] and its predicates define what a filter means, and nothing else does. The
//! index is an optimization: it is built from the disjunctive normal form of all filters (`dnf`)
//! and finds the few clauses that may match a ticket. To decide whether a rule hides the ticket,
//! only the literals that the index does not cover (`Residual`) are then evaluated.

mod bitset;
mod compiled_filter;
mod dnf;
mod index;
mod multi_value;
mod predicate;
mod single_value;
mod substring;
mod ticket_view;

pub use compiled_filter::CompiledFilter;
pub use index::Bitmaps;
pub use ticket_view::{Buffers, TicketView};

use std::ops::Add;

use uuid::Uuid;

use crate::filter::{TicketFilter, Truth};
use dnf::{Dnf, Residual};
use index::Index;
use predicate::Predicate;
use ticket_view::TextField;

/// Maximum cost of evaluating all clauses of a rule, as a multiple of the cost of its filter.
/// Clauses repeat conditions, up to 16 times.
const MAX_RESIDUAL_COST: usize = 2;

/// An active exclusion rule, before compilation.
#[derive(Debug, Clone)]
pub struct RuleDefinition {
    pub id: Uuid,
    pub name: String,
    pub filter: TicketFilter,
}

/// A compiled exclusion rule.
#[derive(Debug)]
pub struct Rule {
    pub id: Uuid,
    pub name: String,
    filter: CompiledFilter,
}

/// An entry of the index.
#[derive(Debug)]
struct IndexedClause {
    /// Position of the rule in [`RuleSet::rules`].
    rule: usize,
    /// The literals that the index does not cover. `None` if the whole filter has to be evaluated:
    /// because the clause is weaker than the rule, or because the clauses of the rule repeat its
    /// conditions too often.
    residual: Option<Residual>,
}

/// All active rules of one scope: of one partner, or the global ones.
#[derive(Debug)]
pub struct RuleSet {
    rules: Box<[Rule]>,
    /// In the order of the rules.
    clauses: Box<[IndexedClause]>,
    index: Index,
    bytes: usize,
    size: RuleSetSize,
}

/// The number of comparisons that a ticket may require.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RuleSetSize {
    /// Conditions of all rules.
    pub conditions: usize,
    /// Tag values of all conditions.
    pub tag_values: usize,
    /// Conditions on the subject.
    pub subject_conditions: usize,
    /// Conditions on the reference number.
    pub reference_number_conditions: usize,
}

impl RuleSetSize {
    fn of(rules: &[Rule]) -> Self {
        let sum = |measure: &dyn Fn(&Predicate) -> usize| {
            rules.iter().map(|rule| rule.filter.sum(&measure)).sum()
        };
        Self {
            conditions: sum(&|_| 1),
            tag_values: sum(&Predicate::tag_values),
            subject_conditions: sum(&|predicate| predicate.is_about(TextField::Subject).into()),
            reference_number_conditions: sum(&|predicate| {
                predicate.is_about(TextField::ReferenceNumber).into()
            }),
        }
    }
}

impl Add for RuleSetSize {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            conditions: self.conditions + other.conditions,
            tag_values: self.tag_values + other.tag_values,
            subject_conditions: self.subject_conditions + other.subject_conditions,
            reference_number_conditions: self.reference_number_conditions
                + other.reference_number_conditions,
        }
    }
}

impl RuleSet {
    /// Compiles rules.
    pub fn new(definitions: impl IntoIterator<Item = RuleDefinition>) -> Self {
        let mut bytes = 0;
        let rules: Box<[Rule]> = definitions
            .into_iter()
            .map(|definition| {
                bytes += definition.name.len() + filter_bytes(&definition.filter);
                Rule::new(definition)
            })
            .collect();
        let mut indexed = Vec::new();
        let mut clauses = Vec::new();
        for (number, rule) in rules.iter().enumerate() {
            let dnf = Dnf::of(&rule.filter);
            let uses_residuals = dnf.exact && dnf.cost() <= MAX_RESIDUAL_COST * rule.filter.cost();
            indexed.extend(dnf.clauses.iter().map(|clause| IndexedClause {
                rule: number,
                residual: uses_residuals.then(|| Residual::of(clause)),
            }));
            clauses.extend(dnf.clauses);
        }
        let index = Index::new(&clauses);
        let residual_bytes: usize = indexed
            .iter()
            .filter_map(|clause| clause.residual.as_ref())
            .map(Residual::bytes)
            .sum();
        bytes += size_of_val(&*rules) + size_of_val(&*indexed) + residual_bytes + index.bytes();
        Self {
            clauses: indexed.into(),
            index,
            bytes,
            size: RuleSetSize::of(&rules),
            rules,
        }
    }

    /// The rules, in the order of their definitions.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Estimated memory use, in bytes.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The number of comparisons that a ticket may require.
    pub fn size(&self) -> RuleSetSize {
        self.size
    }

    /// Whether some rule matches every ticket of an area, whatever its other attributes are.
    pub fn covers_area(&self, area: &str) -> bool {
        self.rules.iter().any(|rule| rule.filter.covers(area))
    }

    /// Whether any rule matches a ticket or may match it.
    pub fn any_may_match(&self, view: &TicketView<'_>, bitmaps: &mut Bitmaps) -> bool {
        if self.rules.is_empty() {
            return false;
        }
        let mut evaluated = None;
        self.candidates(view, bitmaps)
            .any(|clause| match &clause.residual {
                Some(residual) => residual.may_hold(view),
                // another clause of the same rule: its filter is false
                None if evaluated.replace(clause.rule) == Some(clause.rule) => false,
                None => self
                    .rules
                    .get(clause.rule)
                    .is_some_and(|rule| rule.filter.evaluate(view) != Truth::False),
            })
    }

    /// The rules that match a ticket or may match it, in their order. The truth is never false.
    pub fn matching(&self, view: &TicketView<'_>, bitmaps: &mut Bitmaps) -> Vec<(&Rule, Truth)> {
        let mut numbers: Vec<_> = self
            .candidates(view, bitmaps)
            .map(|clause| clause.rule)
            .collect();
        numbers.dedup();
        numbers
            .into_iter()
            .filter_map(|number| self.rules.get(number))
            .map(|rule| (rule, rule.filter.evaluate(view)))
            .filter(|(_, truth)| *truth != Truth::False)
            .collect()
    }

    /// The clauses that the index does not rule out, in the order of the rules.
    fn candidates<'s>(
        &'s self,
        view: &TicketView<'_>,
        bitmaps: &'s mut Bitmaps,
    ) -> impl Iterator<Item = &'s IndexedClause> {
        self.index
            .candidates(view, bitmaps)
            .filter_map(|number| self.clauses.get(number))
    }
}

impl Rule {
    fn new(definition: RuleDefinition) -> Self {
        Self {
            id: definition.id,
            filter: CompiledFilter::new(&definition.filter),
            name: definition.name,
        }
    }
}

/// Estimated memory of a compiled filter, in bytes.
fn filter_bytes(filter: &TicketFilter) -> usize {
    let mut bytes = 0;
    filter.visit(&mut |_, condition| {
        let values: usize = condition.values.iter().map(|value| value.len() + 16).sum();
        bytes += 64 + values;
    });
    bytes
}

//! Finds the rules that may match a ticket without asking each of them.
//!
//! Every clause of every rule is one bit. For each field that some clause compares there is a mask of the clauses that the field's
//! value leaves possible; the AND of the masks of all fields is what remains. A field whose fact is unknown rules nothing
//! out. The cost grows with the number of fields and, 64 clauses at a time, with the number of clauses.
//!
//! A value's mask is kept as its difference from the usual one, that of values nobody mentions, so the index is about as large
//! as the rules it was made of. Times, and whatever else has no values to look up, rule nothing out: what remains is judged.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    bits::{Bits, Table, mask, ones, set},
    clauses::{Clause, Literal},
    condition::{Test, Values},
    look::Look,
    several::Several,
};
use crate::{decisions::facts::Fact, ticket_filter::Field};

/// Sets of clauses under construction, used again for the next ticket.
#[derive(Debug, Default)]
pub struct Marks {
    left: Vec<u64>,
    held: Vec<u64>,
}

/// A field with one value at most.
#[derive(Debug)]
struct Single {
    field: Field,
    usual: Box<[u64]>,
    /// Where a value's mask differs from the usual one.
    flips: Table,
}

/// The index.
#[derive(Debug)]
pub struct Index {
    /// The rule that each clause is of.
    owners: Box<[usize]>,
    all: Box<[u64]>,
    singles: Box<[Single]>,
    several: Box<[Several]>,
}

impl Index {
    /// Indexes clauses, each with the number of the rule it is of.
    pub fn new(clauses: &[(usize, Clause<'_>)]) -> Self {
        let fields: BTreeSet<Field> = clauses
            .iter()
            .flat_map(|(_, clause)| clause)
            .filter_map(|literal| if let Test::OneOf { field, .. } = literal.test { Some(*field) } else { None })
            .collect();
        let mut singles: Vec<_> = fields.into_iter().map(|field| Single::new(field, clauses)).collect();
        // what leaves the least comes first, so that often nothing is left to look at
        singles.sort_by_key(|single| single.usual.iter().map(|word| word.count_ones()).sum::<u32>());
        Self {
            all: mask(clauses.len(), |_| true),
            owners: clauses.iter().map(|(rule, _)| *rule).collect(),
            singles: singles.into(),
            several: Several::of(clauses),
        }
    }

    /// The numbers of the rules that a ticket leaves possible, once for each clause that does; in their order.
    pub fn candidates<'m>(&'m self, look: &Look<'_>, marks: &'m mut Marks) -> impl Iterator<Item = usize> + 'm {
        let Marks { left, held } = marks;
        left.clear();
        left.extend_from_slice(&self.all);
        let possible = self.singles.iter().all(|single| single.narrow(look, left))
            && self.several.iter().all(|several| several.narrow(look, left, held));
        let words = if possible { left.as_slice() } else { &[] };
        ones(words).filter_map(|clause| self.owners.get(clause).copied())
    }

    /// About how much memory it takes, in bytes.
    pub fn bytes(&self) -> usize {
        let words = self.all.len() * (1 + self.singles.len() + self.several.len());
        let tables = self.singles.iter().map(|it| it.flips.bytes()).sum::<usize>()
            + self.several.iter().map(Several::bytes).sum::<usize>();
        words * 8 + self.owners.len() * size_of::<usize>() + tables
    }
}

impl Single {
    fn new<'c>(field: Field, clauses: &[(usize, Clause<'c>)]) -> Self {
        let of_field = |literal: &Literal<'c>| match literal.test {
            Test::OneOf { field: of, values, wanted } if *of == field => Some((values, *wanted != literal.negated)),
            _ => None,
        };
        let parts: Vec<Vec<(&'c Values, bool)>> =
            clauses.iter().map(|(_, clause)| clause.iter().filter_map(of_field).collect()).collect();
        let usual = |tests: &[(&Values, bool)]| tests.iter().all(|(_, wanted)| !wanted);
        let mut flips = BTreeMap::<&'c str, Bits>::new();
        for (bit, tests) in parts.iter().enumerate() {
            for value in tests.iter().flat_map(|(values, _)| values.iter()) {
                let holds = tests.iter().all(|(values, wanted)| values.contain(value) == *wanted);
                if holds != usual(tests) {
                    set(flips.entry(value).or_default(), bit);
                }
            }
        }
        let usual = mask(clauses.len(), |bit| parts.get(bit).is_none_or(|tests| usual(tests)));
        Self { field, usual, flips: Table::new(flips) }
    }

    /// Leaves what the ticket's value leaves; whether that is anything.
    fn narrow(&self, look: &Look<'_>, left: &mut [u64]) -> bool {
        let flips = match look.facts.single(self.field) {
            Fact::Unknown => return true,
            Fact::Nothing => &[],
            Fact::Known(value) => self.flips.of(value),
        };
        let mut flips = flips.iter().peekable();
        let mut any = 0;
        for ((word, usual), at) in left.iter_mut().zip(&self.usual).zip(0_u32..) {
            let flipped = flips.next_if(|(place, _)| *place == at).map_or(0, |(_, bits)| *bits);
            *word &= usual ^ flipped;
            any |= *word;
        }
        any != 0
    }
}

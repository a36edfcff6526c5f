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
    bitset::{Bitset, Table, mask, ones, set},
    compiled_filter::{Predicate, Values},
    dnf::{Clause, Literal},
    multi_value::MultiValueIndex,
    ticket_view::TicketView,
};
use crate::{
    decisions::ticket::{Attribute, ENUM_FIELDS},
    ticket_filter::Field,
};

/// Sets of clauses under construction, used again for the next ticket.
#[derive(Debug, Default)]
pub struct Bitmaps {
    left: Vec<u64>,
    held: Vec<u64>,
}

/// A field with one value at most.
#[derive(Debug)]
struct Single {
    field: Field,
    /// The clauses that ask for it. While none of them is left, its value does not matter.
    concerned: Box<[u64]>,
    usual: Box<[u64]>,
    /// Where a value's mask differs from the usual one.
    flips: Table,
}

/// A field of few words.
#[derive(Debug)]
struct Worded {
    /// The field, by its place in [`ENUM_FIELDS`].
    slot: usize,
    /// The place of the last mask.
    none: u8,
    /// The mask of each word, one after the other; the last one is that of a ticket without any.
    masks: Box<[u64]>,
}

/// The index.
#[derive(Debug)]
pub struct Index {
    all: Box<[u64]>,
    worded: Box<[Worded]>,
    singles: Box<[Single]>,
    several: Box<[MultiValueIndex]>,
}

impl Index {
    /// Indexes clauses.
    pub fn new(clauses: &[Clause<'_>]) -> Self {
        let literals = || clauses.iter().flatten().map(|literal| &**literal.test);
        let ids = literals().filter_map(|test| {
            if let Predicate::OneOf { field, .. } = test {
                Some(*field)
            } else {
                None
            }
        });
        let words = literals().filter_map(|test| {
            if let Predicate::Word { slot, .. } = test {
                Some(*slot)
            } else {
                None
            }
        });
        let (ids, words): (BTreeSet<Field>, BTreeSet<usize>) = (ids.collect(), words.collect());
        let mut singles: Vec<_> = ids
            .into_iter()
            .map(|field| Single::new(field, clauses))
            .collect();
        // what leaves the least comes first, so that often nothing is left to look at
        singles.sort_by_key(|single| {
            single
                .usual
                .iter()
                .map(|word| word.count_ones())
                .sum::<u32>()
        });
        Self {
            all: mask(clauses.len(), |_| true),
            worded: words
                .into_iter()
                .map(|slot| Worded::new(slot, clauses))
                .collect(),
            singles: singles.into(),
            several: MultiValueIndex::of(clauses),
        }
    }

    /// The places of the clauses that a ticket leaves possible, in their order. Of those, all that they ask of fields with one
    /// value at most holds, or is unknown.
    pub fn candidates<'m>(
        &self,
        look: &TicketView<'_>,
        marks: &'m mut Bitmaps,
    ) -> impl Iterator<Item = usize> + use<'m> {
        let Bitmaps { left, held } = marks;
        left.clear();
        left.extend_from_slice(&self.all);
        let possible = match left.as_mut_slice() {
            // most sets fit into one word: what is known of its length makes this the fastest case
            [word] => self.narrow(look, std::slice::from_mut(word), held),
            words => self.narrow(look, words, held),
        };
        ones(if possible { left } else { &[] })
    }

    /// Leaves what the ticket leaves; whether that is anything.
    #[inline]
    fn narrow(&self, look: &TicketView<'_>, left: &mut [u64], held: &mut Vec<u64>) -> bool {
        // seldom does one of them leave nothing, so each is not worth a question
        self.worded
            .iter()
            .for_each(|worded| worded.narrow(look, left));
        left.iter().any(|word| *word != 0)
            && self.singles.iter().all(|single| single.narrow(look, left))
            && self
                .several
                .iter()
                .all(|several| several.narrow(look, left, held))
    }

    /// About how much memory it takes, in bytes.
    pub fn bytes(&self) -> usize {
        let worded = self.worded.iter().map(|it| it.masks.len()).sum::<usize>();
        let words = worded + self.all.len() * (1 + 2 * self.singles.len() + 2 * self.several.len());
        let tables = self
            .singles
            .iter()
            .map(|it| it.flips.bytes())
            .sum::<usize>()
            + self
                .several
                .iter()
                .map(MultiValueIndex::bytes)
                .sum::<usize>();
        words * 8 + tables
    }
}

impl Worded {
    fn new(slot: usize, clauses: &[Clause<'_>]) -> Self {
        // of a word by its place, or of none
        let mask_of = |place: Option<u8>| {
            mask(clauses.len(), |bit| {
                let mut literals = clauses.get(bit).into_iter().flatten();
                literals.all(|Literal { test, negated }| match &***test {
                    Predicate::Word {
                        slot: of,
                        words,
                        wanted,
                    } if *of == slot => {
                        (place.is_some_and(|place| words.contain(place)) == *wanted) != *negated
                    }
                    _ => true,
                })
            })
        };
        let none = ENUM_FIELDS.get(slot).map_or(0, |field| {
            u8::try_from(field.words().len()).unwrap_or(u8::MAX)
        });
        let places = (0..none).map(Some).chain([None]);
        Self {
            slot,
            none,
            masks: places.flat_map(|place| mask_of(place).into_vec()).collect(),
        }
    }

    /// Leaves what the ticket's word leaves.
    #[inline]
    fn narrow(&self, look: &TicketView<'_>, left: &mut [u64]) {
        let place = match look.word(self.slot) {
            Attribute::Unknown => return,
            Attribute::Absent => self.none,
            Attribute::Known(place) => place,
        };
        let begin = usize::from(place) * left.len();
        // all words have one; without it nothing would be ruled out
        let masks = self
            .masks
            .get(begin..begin + left.len())
            .unwrap_or_default();
        left.iter_mut()
            .zip(masks)
            .for_each(|(word, mask)| *word &= mask);
    }
}

impl Single {
    fn new<'c>(field: Field, clauses: &[Clause<'c>]) -> Self {
        let of_field = |literal: &Literal<'c>| match &**literal.test {
            Predicate::OneOf {
                field: of,
                values,
                wanted,
            } if *of == field => Some((values, *wanted != literal.negated)),
            _ => None,
        };
        let parts: Vec<Vec<(&'c Values, bool)>> = clauses
            .iter()
            .map(|clause| clause.iter().filter_map(of_field).collect())
            .collect();
        let usual = |tests: &[(&Values, bool)]| tests.iter().all(|(_, wanted)| !wanted);
        let mut flips = BTreeMap::<&'c str, Bitset>::new();
        for (bit, tests) in parts.iter().enumerate() {
            for value in tests.iter().flat_map(|(values, _)| values.iter()) {
                let holds = tests
                    .iter()
                    .all(|(values, wanted)| values.contain(value) == *wanted);
                if holds != usual(tests) {
                    set(flips.entry(value).or_default(), bit);
                }
            }
        }
        let usual = mask(clauses.len(), |bit| {
            parts.get(bit).is_none_or(|tests| usual(tests))
        });
        let concerned = mask(clauses.len(), |bit| {
            parts.get(bit).is_some_and(|tests| !tests.is_empty())
        });
        Self {
            field,
            concerned,
            usual,
            flips: Table::new(flips),
        }
    }

    /// Leaves what the ticket's value leaves; whether that is anything.
    #[inline]
    fn narrow(&self, look: &TicketView<'_>, left: &mut [u64]) -> bool {
        if left
            .iter()
            .zip(&self.concerned)
            .all(|(left, concerned)| left & concerned == 0)
        {
            return true;
        }
        let flips = match look.facts.single(self.field) {
            Attribute::Unknown => return true,
            Attribute::Absent => &[],
            Attribute::Known(value) => self.flips.of(value.as_bytes()),
        };
        let mut flips = flips.iter().peekable();
        let mut any = 0;
        for ((word, usual), at) in left.iter_mut().zip(&self.usual).zip(0_u32..) {
            let flipped = flips
                .next_if(|(place, _)| *place == at)
                .map_or(0, |(_, bits)| *bits);
            *word &= usual ^ flipped;
            any |= *word;
        }
        any != 0
    }
}

//! Indexes over fields with at most one value per ticket.

use std::collections::BTreeMap;

use super::{
    bitset::{self, BitTable, SparseSet, mask},
    dnf::Clause,
    predicate::{Predicate, Values},
    ticket_view::TicketView,
};
use crate::{Attribute, filter::Field, ticket::ENUM_FIELDS};

/// The index over one field with ids.
#[derive(Debug)]
pub struct IdIndex {
    field: Field,
    /// The clauses with a literal about this field.
    relevant: Box<[u64]>,
    /// The clauses that remain for a value that no clause contains, or if there is none.
    default_mask: Box<[u64]>,
    /// For each value, where its mask differs from the default.
    flips: BitTable,
}

/// A literal about ids: the values, and whether the value must be one of them.
type IdLiteral<'f> = (&'f Values, bool);

impl IdIndex {
    pub fn new(field: Field, clauses: &[Clause<'_>]) -> Self {
        let literals: Vec<Vec<IdLiteral<'_>>> = clauses
            .iter()
            .map(|clause| id_literals(clause, field))
            .collect();
        let mut flips = BTreeMap::<&str, SparseSet>::new();
        for (number, clause) in literals.iter().enumerate() {
            for value in clause.iter().flat_map(|(values, _)| values.iter()) {
                let holds = clause
                    .iter()
                    .all(|(values, wanted)| values.contains(value) == *wanted);
                if holds != holds_by_default(clause) {
                    bitset::insert(flips.entry(value).or_default(), number);
                }
            }
        }
        let clause_mask = |contains: fn(&[IdLiteral<'_>]) -> bool| {
            mask(literals.len(), |number| {
                literals.get(number).is_some_and(|clause| contains(clause))
            })
        };
        Self {
            field,
            relevant: clause_mask(|clause| !clause.is_empty()),
            default_mask: clause_mask(holds_by_default),
            flips: BitTable::new(flips),
        }
    }

    /// The number of clauses that remain by default. The smaller, the more the index rules out.
    pub fn default_count(&self) -> u32 {
        bitset::count(&self.default_mask)
    }

    /// Removes the clauses that the ticket's value rules out; returns whether any remain.
    #[inline]
    pub fn narrow(&self, view: &TicketView<'_>, remaining: &mut [u64]) -> bool {
        let is_irrelevant = remaining
            .iter()
            .zip(&self.relevant)
            .all(|(remaining, relevant)| remaining & relevant == 0);
        if is_irrelevant {
            return true;
        }
        let flips = match view.ticket.single_value(self.field) {
            Attribute::Unknown => return true,
            Attribute::Absent => &[],
            Attribute::Known(value) => self.flips.get(value.as_bytes()),
        };
        let mut flips = flips.iter().peekable();
        let mut any = 0;
        for ((block, default), at) in remaining.iter_mut().zip(&self.default_mask).zip(0_u32..) {
            let flipped = flips
                .next_if(|(position, _)| *position == at)
                .map_or(0, |(_, bits)| *bits);
            *block &= default ^ flipped;
            any |= *block;
        }
        any != 0
    }

    /// Estimated memory use, in bytes.
    pub fn bytes(&self) -> usize {
        size_of_val(&*self.relevant) + size_of_val(&*self.default_mask) + self.flips.bytes()
    }
}

/// The literals of a clause about a field.
fn id_literals<'f>(clause: &Clause<'f>, of_field: Field) -> Vec<IdLiteral<'f>> {
    clause
        .iter()
        .filter_map(|literal| match &**literal.predicate {
            Predicate::OneOf {
                field,
                values,
                wanted,
            } if *field == of_field => Some((values, *wanted != literal.negated)),
            _ => None,
        })
        .collect()
}

/// Whether the literals hold for a value that none of them contains.
fn holds_by_default(literals: &[IdLiteral<'_>]) -> bool {
    literals.iter().all(|(_, wanted)| !wanted)
}

/// The index over one field with a closed set of values.
#[derive(Debug)]
pub struct EnumIndex {
    /// Position of the field in [`ENUM_FIELDS`].
    slot: usize,
    /// The ordinal that stands for an absent value: one more than the last value's.
    absent: u8,
    /// The masks of all ordinals, one after the other, each as long as the set of clauses.
    masks: Box<[u64]>,
}

impl EnumIndex {
    pub fn new(slot: usize, clauses: &[Clause<'_>]) -> Self {
        let absent = ENUM_FIELDS.get(slot).map_or(0, |field| {
            u8::try_from(field.words().len()).unwrap_or(u8::MAX)
        });
        let masks = (0..absent).map(Some).chain([None]).flat_map(|ordinal| {
            mask(clauses.len(), |number| {
                clauses
                    .get(number)
                    .is_some_and(|clause| enum_literals_hold(clause, slot, ordinal))
            })
        });
        Self {
            slot,
            absent,
            masks: masks.collect(),
        }
    }

    /// Removes the clauses that the ticket's value rules out.
    #[inline]
    pub fn narrow(&self, view: &TicketView<'_>, remaining: &mut [u64]) {
        let ordinal = match view.enum_ordinal(self.slot) {
            Attribute::Unknown => return,
            Attribute::Absent => self.absent,
            Attribute::Known(ordinal) => ordinal,
        };
        let begin = usize::from(ordinal) * remaining.len();
        // every ordinal has a mask; if one were missing, nothing would be ruled out
        let mask = self
            .masks
            .get(begin..begin + remaining.len())
            .unwrap_or_default();
        bitset::intersect(remaining, mask);
    }

    /// Memory use, in bytes.
    pub fn bytes(&self) -> usize {
        size_of_val(&*self.masks)
    }
}

/// Whether the literals of a clause about an enum field hold for an ordinal; `None` is an absent
/// value.
fn enum_literals_hold(clause: &Clause<'_>, of_slot: usize, ordinal: Option<u8>) -> bool {
    clause.iter().all(|literal| match &**literal.predicate {
        Predicate::EnumOneOf {
            slot,
            values,
            wanted,
        } if *slot == of_slot => {
            let is_value = ordinal.is_some_and(|ordinal| values.contains(ordinal));
            (is_value == *wanted) != literal.negated
        }
        _ => true,
    })
}

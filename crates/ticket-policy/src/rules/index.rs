//! Finds the clauses that may hold for a ticket without evaluating all of them.
//!
//! Every clause of every rule is one bit. For each field, the ticket's value selects a mask of the
//! clauses that it does not rule out, and the intersection of all masks is the set of candidates.
//! An unknown value rules nothing out. The cost grows with the number of fields and, in steps of
//! 64, with the number of clauses.
//!
//! For ids, only the difference to a default mask is stored per value, so the index is about as
//! large as the rules it was built from. Times are not indexed; the candidates are evaluated.

use std::collections::BTreeSet;

use super::{
    bitset::{self, mask},
    dnf::Clause,
    multi_value::MultiValueIndex,
    predicate::Predicate,
    single_value::{EnumIndex, IdIndex},
    ticket_view::TicketView,
};
use crate::filter::Field;

/// Sets of clauses under construction, reused for the next ticket.
#[derive(Debug, Default)]
pub struct Bitmaps {
    remaining: Vec<u64>,
    buffer: Vec<u64>,
}

/// The index over all clauses of a set of rules.
#[derive(Debug)]
pub struct Index {
    all: Box<[u64]>,
    enums: Box<[EnumIndex]>,
    ids: Box<[IdIndex]>,
    multi_values: Box<[MultiValueIndex]>,
}

impl Index {
    /// Indexes clauses.
    pub fn new(clauses: &[Clause<'_>]) -> Self {
        let mut fields = BTreeSet::<Field>::new();
        let mut slots = BTreeSet::<usize>::new();
        for literal in clauses.iter().flatten() {
            match &**literal.predicate {
                Predicate::OneOf { field, .. } => {
                    fields.insert(*field);
                }
                Predicate::EnumOneOf { slot, .. } => {
                    slots.insert(*slot);
                }
                _ => {}
            }
        }
        let mut ids: Vec<_> = fields
            .into_iter()
            .map(|field| IdIndex::new(field, clauses))
            .collect();
        // the most selective index first, so that often nothing remains for the others
        ids.sort_by_key(IdIndex::default_count);
        Self {
            all: mask(clauses.len(), |_| true),
            enums: slots
                .into_iter()
                .map(|slot| EnumIndex::new(slot, clauses))
                .collect(),
            ids: ids.into(),
            multi_values: MultiValueIndex::for_all_sources(clauses),
        }
    }

    /// The positions of the clauses that a ticket does not rule out, in ascending order. All their
    /// literals that [`Predicate::is_decided_by_index`] hold, or are unknown.
    pub fn candidates<'m>(
        &self,
        view: &TicketView<'_>,
        bitmaps: &'m mut Bitmaps,
    ) -> impl Iterator<Item = usize> + use<'m> {
        let Bitmaps { remaining, buffer } = bitmaps;
        remaining.clear();
        remaining.extend_from_slice(&self.all);
        let any = match remaining.as_mut_slice() {
            // most sets fit into one block; the compiler optimizes for its known length
            [block] => self.narrow(view, std::slice::from_mut(block), buffer),
            blocks => self.narrow(view, blocks, buffer),
        };
        bitset::iter(if any { remaining } else { &[] })
    }

    /// Removes the clauses that the ticket rules out; returns whether any remain.
    #[inline]
    fn narrow(&self, view: &TicketView<'_>, remaining: &mut [u64], buffer: &mut Vec<u64>) -> bool {
        // a single enum rarely rules out everything, so there is one check after all of them
        for index in &self.enums {
            index.narrow(view, remaining);
        }
        !bitset::is_empty(remaining)
            && self.ids.iter().all(|index| index.narrow(view, remaining))
            && self
                .multi_values
                .iter()
                .all(|index| index.narrow(view, remaining, buffer))
    }

    /// Estimated memory use, in bytes.
    pub fn bytes(&self) -> usize {
        let enums: usize = self.enums.iter().map(EnumIndex::bytes).sum();
        let ids: usize = self.ids.iter().map(IdIndex::bytes).sum();
        let multi_values: usize = self.multi_values.iter().map(MultiValueIndex::bytes).sum();
        size_of_val(&*self.all) + enums + ids + multi_values
    }
}

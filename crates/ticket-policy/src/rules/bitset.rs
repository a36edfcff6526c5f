//! Sets of clauses, one bit per clause, in blocks of 64 bits.
//!
//! A dense set is a slice of blocks. A sparse set lists only its non-empty blocks, each with its
//! position in the dense form.

use std::{
    collections::{BTreeMap, HashMap},
    ops::Range,
};

use foldhash::fast::RandomState;

/// A sparse set under construction.
pub type SparseSet = BTreeMap<u32, u64>;

/// Maps values to sparse sets.
#[derive(Debug)]
pub struct BitTable {
    ranges: HashMap<Box<[u8]>, Range<usize>, RandomState>,
    blocks: Vec<(u32, u64)>,
}

impl BitTable {
    pub fn new(sets: BTreeMap<&str, SparseSet>) -> Self {
        let mut ranges = HashMap::default();
        let mut blocks = Vec::new();
        for (value, set) in sets {
            let begin = blocks.len();
            blocks.extend(set);
            ranges.insert(value.as_bytes().into(), begin..blocks.len());
        }
        Self { ranges, blocks }
    }

    /// The set of a value; empty for values that are not in the table.
    #[inline]
    pub fn get(&self, value: &[u8]) -> &[(u32, u64)] {
        self.ranges
            .get(value)
            .and_then(|range| self.blocks.get(range.clone()))
            .unwrap_or_default()
    }

    /// Estimated memory use, in bytes.
    pub fn bytes(&self) -> usize {
        let values: usize = self.ranges.keys().map(|value| value.len()).sum();
        values + self.ranges.capacity() * 40 + self.blocks.len() * 16
    }
}

/// The dense set of those of the first `length` bits that satisfy `contains`.
pub fn mask(length: usize, contains: impl Fn(usize) -> bool) -> Box<[u64]> {
    (0..length)
        .step_by(64)
        .map(|first| {
            (first..length.min(first + 64))
                .filter(|bit| contains(*bit))
                .fold(0, |block, bit| block | 1 << (bit - first))
        })
        .collect()
}

/// Adds a bit to a sparse set.
pub fn insert(set: &mut SparseSet, bit: usize) {
    *set.entry(u32::try_from(bit / 64).unwrap_or(u32::MAX))
        .or_default() |= 1 << (bit % 64);
}

/// Adds all bits of a sparse set.
#[inline]
pub fn union(target: &mut [u64], sparse: &[(u32, u64)]) {
    for (index, bits) in sparse {
        if let Some(block) = target.get_mut(*index as usize) {
            *block |= bits;
        }
    }
}

/// Removes all bits of a sparse set.
#[inline]
pub fn difference(target: &mut [u64], sparse: &[(u32, u64)]) {
    for (index, bits) in sparse {
        if let Some(block) = target.get_mut(*index as usize) {
            *block &= !bits;
        }
    }
}

/// Removes all bits that `other` does not have.
#[inline]
pub fn intersect(target: &mut [u64], other: &[u64]) {
    for (block, other) in target.iter_mut().zip(other) {
        *block &= other;
    }
}

/// Whether a dense set has no bits.
#[inline]
pub fn is_empty(set: &[u64]) -> bool {
    set.iter().all(|block| *block == 0)
}

/// The number of bits.
pub fn count(set: &[u64]) -> u32 {
    set.iter().map(|block| block.count_ones()).sum()
}

/// The bits of a dense set, in ascending order.
pub fn iter(set: &[u64]) -> impl Iterator<Item = usize> {
    set.iter().enumerate().flat_map(|(index, block)| {
        let mut rest = *block;
        std::iter::from_fn(move || {
            let bit = rest.trailing_zeros() as usize;
            (rest != 0).then(|| {
                rest &= rest - 1;
                index * 64 + bit
            })
        })
    })
}

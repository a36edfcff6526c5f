//! Sets of clauses, a bit for each; and for values, how their sets differ from the usual one.

use std::{
    collections::{BTreeMap, HashMap},
    ops::Range,
};

use foldhash::fast::RandomState;

/// Bits of a set, by the words they are in.
pub type Bitset = BTreeMap<u32, u64>;

/// For each value, some bits.
#[derive(Debug)]
pub struct Table {
    places: HashMap<Box<[u8]>, Range<usize>, RandomState>,
    bits: Vec<(u32, u64)>,
}

impl Table {
    pub fn new(values: BTreeMap<&str, Bitset>) -> Self {
        let mut bits = Vec::new();
        let place = |(value, of_value): (&str, Bitset)| -> (Box<[u8]>, Range<usize>) {
            let begin = bits.len();
            bits.extend(of_value);
            (value.as_bytes().into(), begin..bits.len())
        };
        Self {
            places: values.into_iter().map(place).collect(),
            bits,
        }
    }

    /// The bits of a value.
    #[inline]
    pub fn of(&self, value: &[u8]) -> &[(u32, u64)] {
        self.places
            .get(value)
            .and_then(|place| self.bits.get(place.clone()))
            .unwrap_or_default()
    }

    /// About how much memory it takes, in bytes.
    pub fn bytes(&self) -> usize {
        let names = self.places.keys().map(|name| name.len()).sum::<usize>();
        names + self.places.capacity() * 40 + self.bits.len() * 16
    }
}

/// A set of `length` bits.
pub fn mask(length: usize, holds: impl Fn(usize) -> bool) -> Box<[u64]> {
    let word = |first: usize| {
        let bits = first..length.min(first + 64);
        bits.filter(|bit| holds(*bit))
            .fold(0, |word, bit| word | 1 << (bit - first))
    };
    (0..length).step_by(64).map(word).collect()
}

/// Puts a bit into a set.
pub fn set(bits: &mut Bitset, bit: usize) {
    *bits
        .entry(u32::try_from(bit / 64).unwrap_or(u32::MAX))
        .or_default() |= 1 << (bit % 64);
}

pub fn add(to: &mut [u64], bits: &[(u32, u64)]) {
    for (at, bits) in bits {
        to.get_mut(*at as usize)
            .into_iter()
            .for_each(|word| *word |= bits);
    }
}

pub fn remove(from: &mut [u64], bits: &[(u32, u64)]) {
    for (at, bits) in bits {
        from.get_mut(*at as usize)
            .into_iter()
            .for_each(|word| *word &= !bits);
    }
}

pub fn meet(left: &mut [u64], right: &[u64]) {
    left.iter_mut()
        .zip(right)
        .for_each(|(left, right)| *left &= right);
}

/// The bits that are set, in their order.
pub fn ones(words: &[u64]) -> impl Iterator<Item = usize> {
    words.iter().enumerate().flat_map(|(index, word)| {
        let mut rest = *word;
        std::iter::from_fn(move || {
            let bit = rest.trailing_zeros() as usize;
            (rest != 0).then(|| {
                rest &= rest - 1;
                index * 64 + bit
            })
        })
    })
}

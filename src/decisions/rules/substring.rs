//! What texts contain: all patterns of a set of rules are looked for at once.

use std::collections::BTreeMap;

use aho_corasick::{AhoCorasick, MatchKind};

use super::bitset::{Bitset, set};

/// Most text that is searched for at once, in bytes: what it is searched with takes many times as much.
const MAX_PATTERNS: usize = 256 * 1024;

/// The clauses that want a pattern in a text, and those that do not want it, by the words of their set.
#[derive(Debug, Default)]
pub struct Concerned {
    pub wanted: Vec<(u32, u64)>,
    pub unwanted: Vec<(u32, u64)>,
}

/// Patterns being gathered.
#[derive(Debug, Default)]
pub struct Gathered(BTreeMap<Box<str>, [Bitset; 2]>);

impl Gathered {
    /// Adds a clause that does (not) want a pattern.
    pub fn add(&mut self, pattern: &str, wanted: bool, clause: usize) {
        let [for_it, against] = self.0.entry(pattern.into()).or_default();
        set(if wanted { for_it } else { against }, clause);
    }

    /// Ready to search; `None` if there is too much to be searched for at once.
    pub fn built(self) -> Option<Patterns> {
        if self.0.keys().map(|pattern| pattern.len()).sum::<usize>() > MAX_PATTERNS {
            return None;
        }
        let texts = self.0.keys().map(|pattern| pattern.as_bytes());
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .build(texts)
            .ok()?;
        let listed = |[wanted, unwanted]: [Bitset; 2]| Concerned {
            wanted: wanted.into_iter().collect(),
            unwanted: unwanted.into_iter().collect(),
        };
        Some(Patterns {
            concerned: self.0.into_values().map(listed).collect(),
            automaton,
        })
    }
}

/// Patterns, each with the clauses that it concerns.
#[derive(Debug)]
pub struct Patterns {
    concerned: Box<[Concerned]>,
    automaton: AhoCorasick,
}

impl Patterns {
    /// What the patterns that a text contains concern; some may come more than once.
    pub fn found_in<'p>(&'p self, text: &'p [u8]) -> impl Iterator<Item = &'p Concerned> {
        let matches = self.automaton.find_overlapping_iter(text);
        matches.filter_map(|found| self.concerned.get(found.pattern().as_usize()))
    }

    /// About how much memory they take, in bytes.
    pub fn bytes(&self) -> usize {
        self.automaton.memory_usage() + self.concerned.len() * 96
    }
}

//! Searches a text for the patterns of many clauses at once.

use std::collections::BTreeMap;

use aho_corasick::{AhoCorasick, MatchKind};

use super::bitset::{SparseSet, insert};

/// Maximum length of all patterns together, in bytes. The automaton is many times larger.
const MAX_PATTERN_BYTES: usize = 256 * 1024;

/// The clauses that depend on a pattern.
#[derive(Debug, Default)]
pub struct PatternClauses {
    /// Clauses that require the pattern, as a sparse set.
    pub wanted: Box<[(u32, u64)]>,
    /// Clauses that require its absence, as a sparse set.
    pub unwanted: Box<[(u32, u64)]>,
}

/// Collects patterns with their clauses.
#[derive(Debug, Default)]
pub struct PatternsBuilder(BTreeMap<Box<str>, ClauseSets>);

#[derive(Debug, Default)]
struct ClauseSets {
    wanted: SparseSet,
    unwanted: SparseSet,
}

impl PatternsBuilder {
    /// Adds a clause that requires a pattern, or its absence.
    pub fn add(&mut self, pattern: &str, wanted: bool, clause: usize) {
        let sets = self.0.entry(pattern.into()).or_default();
        let set = if wanted {
            &mut sets.wanted
        } else {
            &mut sets.unwanted
        };
        insert(set, clause);
    }

    /// Builds the automaton; `None` if the patterns are too long.
    pub fn build(self) -> Option<Patterns> {
        let length: usize = self.0.keys().map(|pattern| pattern.len()).sum();
        if length > MAX_PATTERN_BYTES {
            return None;
        }
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .build(self.0.keys().map(|pattern| pattern.as_bytes()))
            .ok()?;
        let clauses = self
            .0
            .into_values()
            .map(|sets| PatternClauses {
                wanted: sets.wanted.into_iter().collect(),
                unwanted: sets.unwanted.into_iter().collect(),
            })
            .collect();
        Some(Patterns { clauses, automaton })
    }
}

/// Patterns, each with the clauses that depend on it.
#[derive(Debug)]
pub struct Patterns {
    /// In the order of the automaton's patterns.
    clauses: Box<[PatternClauses]>,
    automaton: AhoCorasick,
}

impl Patterns {
    /// The clauses of each pattern that the text contains; a pattern may occur more than once.
    #[inline]
    pub fn matches<'p>(&'p self, text: &'p [u8]) -> impl Iterator<Item = &'p PatternClauses> {
        self.automaton
            .find_overlapping_iter(text)
            .filter_map(|found| self.clauses.get(found.pattern().as_usize()))
    }

    /// Estimated memory use, in bytes.
    pub fn bytes(&self) -> usize {
        self.automaton.memory_usage() + self.clauses.len() * 96
    }
}

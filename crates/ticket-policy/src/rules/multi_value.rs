//! Index over fields with several values per ticket: tags and the substrings of texts.

use std::collections::BTreeMap;

use super::{
    bitset::{self, BitTable, SparseSet, mask},
    dnf::{Clause, Literal},
    predicate::{Predicate, Quantifier},
    substring::{Patterns, PatternsBuilder},
    ticket_view::{TextField, TicketView},
};
use crate::Attribute;

/// Minimum number of remaining clauses for which a look-up is faster than evaluating them. Tests
/// use 1, so that they exercise every look-up.
const MIN_CLAUSES: u32 = if cfg!(test) { 1 } else { 7 };

/// Maximum number of matches in one text, each counted with its blocks of clauses. Overlapping
/// patterns such as `a`, `aa`, `aaa` can match thousands of times as often as the text has
/// characters. Beyond the limit, evaluating the clauses is faster. Tests use a low limit, so that
/// they exceed it.
const MAX_MATCHES: usize = if cfg!(test) { 8 } else { 16 * 1024 };

/// A source of several values per ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ValueSource {
    Tags,
    Text(TextField),
}

const SOURCES: [ValueSource; 3] = [
    ValueSource::Tags,
    ValueSource::Text(TextField::Subject),
    ValueSource::Text(TextField::ReferenceNumber),
];

/// The index over one source.
#[derive(Debug)]
pub struct MultiValueIndex {
    source: ValueSource,
    /// The clauses with a literal about this source.
    relevant: Box<[u64]>,
    /// The clauses that require no particular value.
    unconditional: Box<[u64]>,
    /// For each value, the clauses that require it.
    wanted: BitTable,
    /// For each value, the clauses that require its absence.
    unwanted: BitTable,
    /// The same for substrings; `None` if there is too much text.
    patterns: Option<Patterns>,
}

/// The values that a literal looks up in a source.
struct Lookup<'f> {
    values: Vec<&'f str>,
    /// Whether one of the values is required; otherwise all of them must be missing.
    positive: bool,
    /// Whether the values are substrings.
    substring: bool,
}

impl ValueSource {
    /// What a literal looks up in this source; `None` if it is about another field.
    fn lookup<'f>(self, literal: &Literal<'f>) -> Option<Lookup<'f>> {
        let negated = literal.negated;
        match (self, &**literal.predicate) {
            (Self::Tags, Predicate::Tags { values, quantifier }) => {
                let all = *quantifier == Quantifier::All && values.len() > 1;
                let usable_values = match (all, negated) {
                    // all values are required: looking up one of them is enough
                    (true, false) => 1,
                    // one of several values must be missing, which no look-up can decide
                    (true, true) => 0,
                    (false, _) => usize::MAX,
                };
                Some(Lookup {
                    values: values.iter().take(usable_values).collect(),
                    positive: (*quantifier == Quantifier::None) == negated,
                    substring: false,
                })
            }
            (
                Self::Text(text_field),
                Predicate::Text {
                    field,
                    pattern,
                    whole,
                },
            ) if text_field == *field => Some(Lookup {
                values: vec![&*pattern.text],
                positive: !negated,
                substring: !whole,
            }),
            _ => None,
        }
    }
}

/// What one clause requires of a source.
#[derive(Clone, Copy, Default)]
struct Requirements {
    relevant: bool,
    value: bool,
    substring: bool,
}

/// Collects the look-ups of all clauses in one source.
struct Builder<'f> {
    requirements: Vec<Requirements>,
    wanted: BTreeMap<&'f str, SparseSet>,
    unwanted: BTreeMap<&'f str, SparseSet>,
    patterns: PatternsBuilder,
}

impl<'f> Builder<'f> {
    /// Collects the look-ups of all clauses in `source`.
    fn new(source: ValueSource, clauses: &[Clause<'f>]) -> Self {
        let mut builder = Self {
            requirements: Vec::with_capacity(clauses.len()),
            wanted: BTreeMap::new(),
            unwanted: BTreeMap::new(),
            patterns: PatternsBuilder::default(),
        };
        for (number, clause) in clauses.iter().enumerate() {
            let mut requirements = Requirements::default();
            for lookup in clause.iter().filter_map(|literal| source.lookup(literal)) {
                builder.add(number, &lookup, &mut requirements);
            }
            builder.requirements.push(requirements);
        }
        builder
    }

    /// Adds a look-up of a clause. Only the first positive look-up of a clause is indexed.
    fn add(&mut self, clause: usize, lookup: &Lookup<'f>, requirements: &mut Requirements) {
        requirements.relevant = true;
        if lookup.values.is_empty() || lookup.positive && requirements.value {
            return;
        }
        requirements.value |= lookup.positive;
        requirements.substring |= lookup.substring;
        for value in &lookup.values {
            if lookup.substring {
                self.patterns.add(value, lookup.positive, clause);
                continue;
            }
            let sets = if lookup.positive {
                &mut self.wanted
            } else {
                &mut self.unwanted
            };
            bitset::insert(sets.entry(value).or_default(), clause);
        }
    }

    fn mask(&self, contains: impl Fn(&Requirements) -> bool) -> Box<[u64]> {
        mask(self.requirements.len(), |clause| {
            self.requirements.get(clause).is_some_and(&contains)
        })
    }
}

impl MultiValueIndex {
    /// The indexes of all sources that the clauses refer to.
    pub fn for_all_sources(clauses: &[Clause<'_>]) -> Box<[Self]> {
        SOURCES
            .into_iter()
            .filter_map(|source| Self::new(source, clauses))
            .collect()
    }

    fn new(source: ValueSource, clauses: &[Clause<'_>]) -> Option<Self> {
        let mut builder = Builder::new(source, clauses);
        let relevant = builder.mask(|requirements| requirements.relevant);
        if bitset::is_empty(&relevant) {
            return None;
        }
        let patterns = std::mem::take(&mut builder.patterns).build();
        // without patterns, clauses with a substring stay candidates and are evaluated
        let substrings_indexed = patterns.is_some();
        let unconditional = builder.mask(|requirements| {
            !requirements.value || requirements.substring && !substrings_indexed
        });
        Some(Self {
            source,
            relevant,
            unconditional,
            wanted: BitTable::new(builder.wanted),
            unwanted: BitTable::new(builder.unwanted),
            patterns,
        })
    }

    /// Removes the clauses that the ticket's values rule out; returns whether any remain. `buffer`
    /// is scratch memory.
    pub fn narrow(
        &self,
        view: &TicketView<'_>,
        remaining: &mut [u64],
        buffer: &mut Vec<u64>,
    ) -> bool {
        let relevant: u32 = remaining
            .iter()
            .zip(&self.relevant)
            .map(|(remaining, relevant)| (remaining & relevant).count_ones())
            .sum();
        if relevant < MIN_CLAUSES {
            return true;
        }
        let satisfied = buffer;
        satisfied.clear();
        satisfied.extend_from_slice(&self.unconditional);
        match self.source {
            ValueSource::Tags => {
                let Attribute::Known(tags) = view.tags() else {
                    return true;
                };
                for tag in tags {
                    self.apply_value(tag, remaining, satisfied);
                }
            }
            ValueSource::Text(field) => match view.text(field) {
                Attribute::Unknown => return true,
                Attribute::Absent => {}
                Attribute::Known(text) => {
                    if !self.apply_text(text, remaining, satisfied) {
                        return true;
                    }
                }
            },
        }
        bitset::intersect(remaining, satisfied);
        !bitset::is_empty(remaining)
    }

    /// Applies a value that the ticket has.
    fn apply_value(&self, value: &[u8], remaining: &mut [u64], satisfied: &mut [u64]) {
        bitset::union(satisfied, self.wanted.get(value));
        bitset::difference(remaining, self.unwanted.get(value));
    }

    /// Applies the text that the ticket has, and its substrings. Returns false if these are too
    /// many; `satisfied` is then incomplete.
    fn apply_text(&self, text: &[u8], remaining: &mut [u64], satisfied: &mut [u64]) -> bool {
        self.apply_value(text, remaining, satisfied);
        let Some(patterns) = &self.patterns else {
            return true;
        };
        let mut matches = 0;
        for clauses in patterns.matches(text) {
            matches += 1 + clauses.wanted.len() + clauses.unwanted.len();
            if matches > MAX_MATCHES {
                return false;
            }
            bitset::union(satisfied, &clauses.wanted);
            bitset::difference(remaining, &clauses.unwanted);
        }
        true
    }

    /// Estimated memory use, in bytes.
    pub fn bytes(&self) -> usize {
        let masks = size_of_val(&*self.relevant) + size_of_val(&*self.unconditional);
        let patterns = self.patterns.as_ref().map_or(0, Patterns::bytes);
        masks + self.wanted.bytes() + self.unwanted.bytes() + patterns
    }
}

//! Fields with several values: tags, and what a text contains.

use std::collections::BTreeMap;

use super::{
    bitset::{Bitset, Table, add, mask, meet, remove, set},
    compiled_filter::{Predicate, Quantifier},
    dnf::{Clause, Literal},
    substring::{Gathered, Patterns},
    ticket_view::{TextField, TicketView},
};
use crate::decisions::ticket::Attribute;

/// So many clauses are worth looking for their values; fewer are judged faster. One is in tests, so that these see every look-up.
const MANY: u32 = if cfg!(test) { 1 } else { 7 };

/// Where a ticket can have several values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PolicySource {
    Tags,
    Text(TextField),
}

/// The clauses that ask for values of one source.
#[derive(Debug)]
pub struct MultiValueIndex {
    source: PolicySource,
    /// The clauses that ask anything here. While but few of them are left, the source is not looked at.
    concerned: Box<[u64]>,
    /// The clauses that do not need a value here to be possible.
    usual: Box<[u64]>,
    /// The clauses that ask for this value.
    wanted: Table,
    /// The clauses that ask for its absence.
    unwanted: Table,
    patterns: Option<Patterns>,
}

/// What a literal asks of a source.
struct Lookup<'n> {
    values: Vec<&'n str>,
    /// Whether one of the values must be there; else none of them may.
    positive: bool,
    /// Whether the values are parts of a text.
    contained: bool,
}

impl PolicySource {
    /// `None`: nothing. Of several values that must all be there, only the first is looked for; that one of several must be
    /// missing cannot be looked for at all.
    fn asked(self, Literal { test, negated }: Literal<'_>) -> Option<Lookup<'_>> {
        match (self, &**test) {
            (Self::Tags, Predicate::Tags { values, how }) => {
                let all = *how == Quantifier::All && values.iter().len() > 1;
                let looked_for = match (all, negated) {
                    (true, true) => 0,
                    (true, false) => 1,
                    (false, _) => usize::MAX,
                };
                Some(Lookup {
                    values: values.iter().take(looked_for).collect(),
                    positive: (*how == Quantifier::None) == negated,
                    contained: false,
                })
            }
            (
                Self::Text(of),
                Predicate::Text {
                    field,
                    pattern,
                    whole,
                },
            ) if of == *field => Some(Lookup {
                values: vec![&*pattern.text],
                positive: !negated,
                contained: !whole,
            }),
            _ => None,
        }
    }
}

/// What clauses ask of a source, being gathered.
#[derive(Default)]
struct Gathering<'n> {
    concerned: Vec<bool>,
    needs_a_value: Vec<bool>,
    /// Whether a clause asks for a part of a text.
    needs_a_part: Vec<bool>,
    wanted: BTreeMap<&'n str, Bitset>,
    unwanted: BTreeMap<&'n str, Bitset>,
    parts: Gathered,
}

impl<'n> Gathering<'n> {
    /// One more literal of a clause. Only the first one that wants a value is looked for.
    fn add(&mut self, bit: usize, asked: &Lookup<'n>) {
        let flag = |flags: &mut Vec<bool>| {
            flags
                .get_mut(bit)
                .is_some_and(|flag| std::mem::replace(flag, true))
        };
        flag(&mut self.concerned);
        if asked.values.is_empty() || asked.positive && flag(&mut self.needs_a_value) {
            return;
        }
        if asked.contained {
            flag(&mut self.needs_a_part);
        }
        for value in &asked.values {
            match (asked.contained, asked.positive) {
                (true, positive) => self.parts.add(value, positive, bit),
                (false, true) => set(self.wanted.entry(*value).or_default(), bit),
                (false, false) => set(self.unwanted.entry(*value).or_default(), bit),
            }
        }
    }
}

impl MultiValueIndex {
    /// All sources that clauses ask for values of.
    pub fn of(clauses: &[Clause<'_>]) -> Box<[Self]> {
        let sources = [
            PolicySource::Tags,
            PolicySource::Text(TextField::Subject),
            PolicySource::Text(TextField::ReferenceNumber),
        ];
        sources
            .into_iter()
            .filter_map(|source| Self::new(source, clauses))
            .collect()
    }

    fn new(source: PolicySource, clauses: &[Clause<'_>]) -> Option<Self> {
        let flags = || vec![false; clauses.len()];
        let mut gathering = Gathering {
            concerned: flags(),
            needs_a_value: flags(),
            needs_a_part: flags(),
            ..Gathering::default()
        };
        for (bit, clause) in clauses.iter().enumerate() {
            for asked in clause.iter().filter_map(|literal| source.asked(*literal)) {
                gathering.add(bit, &asked);
            }
        }
        let Gathering {
            concerned,
            mut needs_a_value,
            needs_a_part,
            wanted,
            unwanted,
            parts,
        } = gathering;
        let patterns = parts.built();
        if patterns.is_none() {
            // what asks for a part of a text stays possible, and is judged by itself
            for (needs, part) in needs_a_value.iter_mut().zip(&needs_a_part) {
                *needs &= !part;
            }
        }
        let of = |flags: &[bool], wanted: bool| {
            mask(clauses.len(), |bit| flags.get(bit) == Some(&wanted))
        };
        concerned.contains(&true).then(|| Self {
            source,
            concerned: of(&concerned, true),
            usual: of(&needs_a_value, false),
            wanted: Table::new(wanted),
            unwanted: Table::new(unwanted),
            patterns,
        })
    }

    /// Leaves what the ticket's values leave; whether that is anything. `held` is memory to work in.
    pub fn narrow(&self, look: &TicketView<'_>, left: &mut [u64], held: &mut Vec<u64>) -> bool {
        let concerned = left
            .iter()
            .zip(&self.concerned)
            .map(|(left, concerned)| (left & concerned).count_ones())
            .sum::<u32>();
        if concerned < MANY {
            return true;
        }
        held.clear();
        held.extend_from_slice(&self.usual);
        match self.source {
            PolicySource::Tags => {
                let Attribute::Known(tags) = look.tags() else {
                    return true;
                };
                for tag in tags {
                    self.has(tag, left, held);
                }
            }
            PolicySource::Text(field) => match look.text(field) {
                Attribute::Unknown => return true,
                Attribute::Absent => {}
                Attribute::Known(text) => {
                    self.has(text, left, held);
                    for found in self
                        .patterns
                        .iter()
                        .flat_map(|patterns| patterns.found_in(text))
                    {
                        add(held, &found.wanted);
                        remove(left, &found.unwanted);
                    }
                }
            },
        }
        meet(left, held);
        left.iter().any(|word| *word != 0)
    }

    /// The ticket has this value.
    fn has(&self, value: &[u8], left: &mut [u64], held: &mut [u64]) {
        add(held, self.wanted.of(value));
        remove(left, self.unwanted.of(value));
    }

    /// About how much memory it takes, in bytes.
    pub fn bytes(&self) -> usize {
        self.wanted.bytes()
            + self.unwanted.bytes()
            + self.patterns.as_ref().map_or(0, Patterns::bytes)
    }
}

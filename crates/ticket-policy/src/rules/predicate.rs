//! Conditions prepared for repeated evaluation. This is the definition of all operators
//! (`docs/domain.md`).

use memchr::memmem::Finder;

use super::ticket_view::{TextField, TicketView};
use crate::{
    Attribute, CalendarDuration, Timestamp,
    filter::{Condition, Field, Operator, Truth},
    fold::fold_case,
    ticket::ENUM_FIELDS,
};

/// A compiled condition.
#[derive(Debug, Clone)]
pub enum Predicate {
    /// `in` and `not_in` for ids.
    OneOf {
        field: Field,
        values: Values,
        /// Whether a ticket matches if its value is one of `values`: false for `not_in`.
        wanted: bool,
    },
    /// `in`, `not_in` and `is` for closed sets of values.
    EnumOneOf {
        /// Position of the field in [`ENUM_FIELDS`].
        slot: usize,
        values: OrdinalSet,
        /// As in [`Self::OneOf`].
        wanted: bool,
    },
    Tags {
        values: Values,
        quantifier: Quantifier,
    },
    Text {
        field: TextField,
        pattern: Pattern,
        /// Whether the whole text must be equal; otherwise it must contain the pattern.
        whole: bool,
    },
    Created {
        bound: TimeBound,
        /// Whether the ticket must be older than the bound; otherwise it must be newer.
        before: bool,
    },
    MainContactIsSelf,
    CreatorIsSelf,
    /// An invalid condition, always unknown. Filters are validated before they are stored, so it
    /// indicates a bug; it may narrow what an access sees, never widen it.
    Invalid,
}

/// How the tags of a ticket are compared with those of a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantifier {
    Any,
    All,
    None,
}

/// A point in time, or an age relative to now.
#[derive(Debug, Clone, Copy)]
pub enum TimeBound {
    At(Timestamp),
    Ago(CalendarDuration),
}

/// A sorted set of texts.
#[derive(Debug, Clone)]
pub struct Values(Box<[Box<str>]>);

impl Values {
    fn new(values: impl Iterator<Item = String>) -> Self {
        let mut values: Vec<Box<str>> = values.map(String::into_boxed_str).collect();
        values.sort_unstable();
        values.dedup();
        Self(values.into())
    }

    pub fn contains(&self, value: &str) -> bool {
        self.contains_bytes(value.as_bytes())
    }

    fn contains_bytes(&self, value: &[u8]) -> bool {
        self.0
            .binary_search_by(|candidate| candidate.as_bytes().cmp(value))
            .is_ok()
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        self.0.iter().map(|value| &**value)
    }
}

/// A set of values of an enum field, as positions in [`Field::words`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrdinalSet(u8);

impl OrdinalSet {
    fn new(field: Field, values: &[String]) -> Self {
        let ordinals = field.words().iter().enumerate();
        Self(
            ordinals
                .filter(|(_, word)| values.iter().any(|value| value == *word))
                .fold(0, |set, (ordinal, _)| set | 1 << ordinal),
        )
    }

    #[inline]
    pub fn contains(self, ordinal: u8) -> bool {
        self.0 >> (ordinal % 8) & 1 == 1
    }
}

/// A case-folded text to search for.
#[derive(Debug, Clone)]
pub struct Pattern {
    pub text: Box<str>,
    /// Boxed because it is large and most predicates have none.
    finder: Box<Finder<'static>>,
}

impl Pattern {
    fn new(text: &str) -> Self {
        let text = fold_case(text);
        Self {
            finder: Box::new(Finder::new(&text).into_owned()),
            text: text.into(),
        }
    }

    fn is_contained_in(&self, text: &[u8]) -> bool {
        self.finder.find(text).is_some()
    }
}

impl Predicate {
    /// Compiles a condition.
    pub fn new(condition: &Condition) -> Self {
        let field = condition.field;
        let values = condition.values.as_slice();
        match condition.operator {
            Operator::In | Operator::Is => Self::one_of(field, values, true),
            Operator::NotIn => Self::one_of(field, values, false),
            Operator::AnyOf => Self::tags(values, Quantifier::Any),
            Operator::AllOf => Self::tags(values, Quantifier::All),
            Operator::NoneOf => Self::tags(values, Quantifier::None),
            Operator::IsSelf if field == Field::MainContact => Self::MainContactIsSelf,
            Operator::IsSelf => Self::CreatorIsSelf,
            Operator::Contains => Self::text(field, values, false),
            Operator::Equals => Self::text(field, values, true),
            Operator::Before | Operator::OlderThan => Self::created(values, true),
            Operator::After | Operator::NewerThan => Self::created(values, false),
        }
    }

    fn one_of(field: Field, values: &[String], wanted: bool) -> Self {
        match ENUM_FIELDS.iter().position(|candidate| *candidate == field) {
            Some(slot) => Self::EnumOneOf {
                slot,
                values: OrdinalSet::new(field, values),
                wanted,
            },
            None => Self::OneOf {
                field,
                values: Values::new(values.iter().cloned()),
                wanted,
            },
        }
    }

    fn tags(values: &[String], quantifier: Quantifier) -> Self {
        Self::Tags {
            values: Values::new(values.iter().map(|name| fold_case(name))),
            quantifier,
        }
    }

    fn text(field: Field, values: &[String], whole: bool) -> Self {
        let Some(text) = values.first() else {
            return Self::Invalid;
        };
        let field = match field {
            Field::Subject => TextField::Subject,
            _ => TextField::ReferenceNumber,
        };
        Self::Text {
            field,
            pattern: Pattern::new(text),
            whole,
        }
    }

    fn created(values: &[String], before: bool) -> Self {
        let value = values.first().map(String::as_str).unwrap_or_default();
        Timestamp::parse(value)
            .map(TimeBound::At)
            .or_else(|| CalendarDuration::parse(value).map(TimeBound::Ago))
            .map_or(Self::Invalid, |bound| Self::Created { bound, before })
    }

    /// Whether the index decides the predicate, so that it is not part of any residual.
    pub fn is_decided_by_index(&self) -> bool {
        matches!(self, Self::OneOf { .. } | Self::EnumOneOf { .. })
    }

    /// The number of values, as a measure of size.
    pub fn value_count(&self) -> usize {
        match self {
            Self::OneOf { values, .. } | Self::Tags { values, .. } => values.len(),
            _ => 1,
        }
    }

    /// The number of tag values.
    pub fn tag_values(&self) -> usize {
        match self {
            Self::Tags { values, .. } => values.len(),
            _ => 0,
        }
    }

    /// Whether it searches a text.
    pub fn is_about(&self, text: TextField) -> bool {
        matches!(self, Self::Text { field, .. } if *field == text)
    }

    /// Relative cost of evaluation.
    pub fn cost(&self) -> usize {
        match self {
            Self::Text { .. } => 20,
            Self::Tags { .. } => 10,
            Self::Created { .. } => 5,
            _ => 1,
        }
    }

    /// Evaluates the predicate for a ticket. An absent value is not equal to any value.
    pub fn evaluate(&self, view: &TicketView<'_>) -> Truth {
        match self {
            Self::OneOf {
                field,
                values,
                wanted,
            } => view
                .ticket
                .single_value(*field)
                .test(!wanted, |value| values.contains(value) == *wanted),
            Self::EnumOneOf {
                slot,
                values,
                wanted,
            } => view
                .enum_ordinal(*slot)
                .test(!wanted, |ordinal| values.contains(ordinal) == *wanted),
            Self::Tags { values, quantifier } => evaluate_tags(view, values, *quantifier),
            Self::Text {
                field,
                pattern,
                whole,
            } => view.text(*field).test(false, |text| {
                if *whole {
                    text == pattern.text.as_bytes()
                } else {
                    pattern.is_contained_in(text)
                }
            }),
            Self::Created { bound, before } => evaluate_created(view, bound, *before),
            Self::MainContactIsSelf => view
                .viewer
                .map_or(Truth::Unknown, |viewer| viewer.is_main_contact(view.ticket)),
            Self::CreatorIsSelf => view
                .viewer
                .map_or(Truth::Unknown, |viewer| viewer.is_creator(view.ticket)),
            Self::Invalid => Truth::Unknown,
        }
    }
}

fn evaluate_tags(view: &TicketView<'_>, values: &Values, quantifier: Quantifier) -> Truth {
    let Attribute::Known(tags) = view.tags() else {
        return Truth::Unknown;
    };
    let holds = match quantifier {
        Quantifier::Any => has_any_tag(tags, values),
        Quantifier::All => values.iter().all(|value| has_tag(tags, value)),
        Quantifier::None => !has_any_tag(tags, values),
    };
    holds.into()
}

/// Whether a ticket has one of the tags. Looks up the elements of the smaller set in the larger.
fn has_any_tag(tags: &[Vec<u8>], values: &Values) -> bool {
    if tags.len() < values.len() {
        tags.iter().any(|tag| values.contains_bytes(tag))
    } else {
        values.iter().any(|value| has_tag(tags, value))
    }
}

fn has_tag(tags: &[Vec<u8>], value: &str) -> bool {
    tags.binary_search_by(|tag| tag.as_slice().cmp(value.as_bytes()))
        .is_ok()
}

fn evaluate_created(view: &TicketView<'_>, bound: &TimeBound, before: bool) -> Truth {
    view.ticket.creation_time().test(false, |created| {
        let order = match bound {
            TimeBound::At(time) => time.cmp(&created),
            TimeBound::Ago(duration) => view.now.compare_age(created, duration),
        };
        if before { order.is_gt() } else { order.is_lt() }
    })
}

//! A condition, prepared once to be judged often. This is what the operators mean (domain.md section 5); the index only finds
//! out faster what cannot hold.

use std::sync::Arc;

use memchr::memmem::Finder;

use super::ticket_view::{TextField, TicketView};
use crate::{
    common::{calendar_duration::CalendarDuration, normalize::fold_case, timestamp::Timestamp},
    decisions::ticket::{Attribute, ENUM_FIELDS},
    ticket_filter::{Condition, Field, Operator, TicketFilter, Truth},
};

/// A filter whose values are ready to be compared.
#[derive(Debug, Clone)]
pub enum CompiledFilter {
    All(Box<[CompiledFilter]>),
    Any(Box<[CompiledFilter]>),
    None(Box<[CompiledFilter]>),
    /// Shared with what the index leaves to be judged.
    Predicate(Arc<Predicate>),
}

/// Values in their order, for look-ups.
#[derive(Debug, Clone)]
pub struct Values(Box<[Box<str>]>);

impl Values {
    fn new(values: impl Iterator<Item = String>) -> Self {
        let mut values: Vec<Box<str>> = values.map(String::into_boxed_str).collect();
        values.sort_unstable();
        values.dedup();
        Self(values.into())
    }

    /// Whether this is one of them.
    pub fn contain(&self, value: &str) -> bool {
        self.0
            .binary_search_by(|known| (**known).cmp(value))
            .is_ok()
    }

    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        self.0.iter().map(|value| &**value)
    }
}

/// Some of the words that a field can have, by their places among [`Field::words`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Words(u8);

impl Words {
    fn new(field: Field, values: &[String]) -> Self {
        let words = field.words().iter().enumerate();
        Self(
            words
                .filter(|(_, word)| values.iter().any(|it| it == *word))
                .fold(0, |set, (at, _)| set | 1 << at),
        )
    }

    /// Whether this is one of them.
    pub fn contain(self, place: u8) -> bool {
        self.0 >> (place % 8) & 1 == 1
    }
}

/// A folded text, and what it is searched for with.
#[derive(Debug, Clone)]
pub struct Pattern {
    pub text: Box<str>,
    // large, and most conditions have none
    finder: Box<Finder<'static>>,
}

impl Pattern {
    fn new(text: &str) -> Self {
        Self {
            text: text.into(),
            finder: Box::new(Finder::new(text).into_owned()),
        }
    }

    fn is_in(&self, text: &[u8]) -> bool {
        self.finder.find(text).is_some()
    }
}

/// How the tags of a ticket are compared with those of a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantifier {
    Any,
    All,
    None,
}

/// A point in time, or a distance from now.
#[derive(Debug, Clone, Copy)]
pub enum TimeBound {
    At(Timestamp),
    Ago(CalendarDuration),
}

/// A condition.
#[derive(Debug, Clone)]
pub enum Predicate {
    /// `in` and `not_in` of ids.
    OneOf {
        field: Field,
        values: Values,
        wanted: bool,
    },
    /// `in`, `not_in` and `is` of a few words; the field by its place in [`ENUM_FIELDS`].
    Word {
        slot: usize,
        words: Words,
        wanted: bool,
    },
    Tags {
        values: Values,
        how: Quantifier,
    },
    Text {
        field: TextField,
        pattern: Pattern,
        whole: bool,
    },
    Created {
        limit: TimeBound,
        before: bool,
    },
    MainContactIsSelf,
    CreatorIsSelf,
    /// What cannot be read. Filters are judged before they are stored, so this stands for a fault of ours; it may narrow, never
    /// widen.
    Unreadable,
}

impl CompiledFilter {
    /// Prepares a filter.
    pub fn new(filter: &TicketFilter) -> Self {
        // in three-valued logic too, the order of a group does not matter, and what costs least may save the rest
        let all = |filters: &[TicketFilter]| -> Box<[Self]> {
            let mut nodes: Vec<_> = filters.iter().map(Self::new).collect();
            nodes.sort_by_key(Self::cost);
            nodes.into()
        };
        match filter {
            TicketFilter::All { filters } => Self::All(all(filters)),
            TicketFilter::Any { filters } => Self::Any(all(filters)),
            TicketFilter::None { filters } => Self::None(all(filters)),
            TicketFilter::Condition(condition) => {
                Self::Predicate(Arc::new(Predicate::new(condition)))
            }
        }
    }

    /// What the filter comes to for a ticket.
    pub fn judge(&self, look: &TicketView<'_>) -> Truth {
        self.evaluate(&|test| test.judge(look))
    }

    /// Whether every ticket of an area matches, whatever its other facts are.
    pub fn covers(&self, area: &str) -> bool {
        let judge = |test: &Predicate| match test {
            Predicate::OneOf {
                field: Field::Area,
                values,
                wanted,
            } => (values.contain(area) == *wanted).into(),
            _ => Truth::Unknown,
        };
        self.evaluate(&judge) == Truth::True
    }

    /// What the filter comes to when `judge` says what each condition does. An empty group is unknown.
    fn evaluate(&self, judge: &impl Fn(&Predicate) -> Truth) -> Truth {
        match self {
            Self::All(nodes) => extreme(nodes, Truth::False, Truth::min, judge),
            Self::Any(nodes) => extreme(nodes, Truth::True, Truth::max, judge),
            Self::None(nodes) => extreme(nodes, Truth::True, Truth::max, judge).negated(),
            Self::Predicate(test) => judge(test),
        }
    }

    /// How much work it is to judge, compared with others.
    fn cost(&self) -> usize {
        match self {
            Self::All(nodes) | Self::Any(nodes) | Self::None(nodes) => {
                nodes.iter().map(Self::cost).sum()
            }
            Self::Predicate(test) => match **test {
                Predicate::Text { .. } => 20,
                Predicate::Tags { .. } => 10,
                Predicate::Created { .. } => 5,
                _ => 1,
            },
        }
    }
}

/// The least or the greatest of what some nodes come to; looks no further than the last thing there can be.
fn extreme(
    nodes: &[CompiledFilter],
    last: Truth,
    choose: fn(Truth, Truth) -> Truth,
    judge: &impl Fn(&Predicate) -> Truth,
) -> Truth {
    let mut all = None;
    for node in nodes {
        let truth = node.evaluate(judge);
        if truth == last {
            return last;
        }
        all = Some(all.map_or(truth, |all| choose(all, truth)));
    }
    all.unwrap_or(Truth::Unknown)
}

impl Predicate {
    fn new(condition: &Condition) -> Self {
        let Condition {
            field,
            operator,
            values,
        } = condition;
        match operator {
            Operator::In | Operator::NotIn | Operator::Is => {
                let (field, wanted) = (*field, *operator != Operator::NotIn);
                match ENUM_FIELDS.iter().position(|worded| *worded == field) {
                    Some(slot) => Self::Word {
                        slot,
                        words: Words::new(field, values),
                        wanted,
                    },
                    None => Self::OneOf {
                        field,
                        values: Values::new(values.iter().cloned()),
                        wanted,
                    },
                }
            }
            Operator::AnyOf => Self::tags(values, Quantifier::Any),
            Operator::AllOf => Self::tags(values, Quantifier::All),
            Operator::NoneOf => Self::tags(values, Quantifier::None),
            Operator::IsSelf if *field == Field::MainContact => Self::MainContactIsSelf,
            Operator::IsSelf => Self::CreatorIsSelf,
            Operator::Contains => Self::text(*field, values, false),
            Operator::Equals => Self::text(*field, values, true),
            Operator::Before | Operator::OlderThan => Self::created(values, true),
            Operator::After | Operator::NewerThan => Self::created(values, false),
        }
    }

    fn tags(values: &[String], how: Quantifier) -> Self {
        Self::Tags {
            values: Values::new(values.iter().map(|name| fold_case(name))),
            how,
        }
    }

    fn text(field: Field, values: &[String], whole: bool) -> Self {
        let field = if field == Field::Subject {
            TextField::Subject
        } else {
            TextField::ReferenceNumber
        };
        let pattern = values.first().map(|text| Pattern::new(&fold_case(text)));
        pattern.map_or(Self::Unreadable, |pattern| Self::Text {
            field,
            pattern,
            whole,
        })
    }

    fn created(values: &[String], before: bool) -> Self {
        let value = values.first().map(String::as_str).unwrap_or_default();
        let at = Timestamp::parse(value).map(TimeBound::At);
        let limit = at.or_else(|| CalendarDuration::parse(value).map(TimeBound::Ago));
        limit.map_or(Self::Unreadable, |limit| Self::Created { limit, before })
    }

    /// How many values it has.
    pub fn values(&self) -> usize {
        match self {
            Self::OneOf { values, .. } | Self::Tags { values, .. } => values.0.len(),
            _ => 1,
        }
    }

    /// What the condition comes to for a ticket.
    pub fn judge(&self, look: &TicketView<'_>) -> Truth {
        match self {
            Self::OneOf {
                field,
                values,
                wanted,
            } => match look.facts.single(*field) {
                Attribute::Unknown => Truth::Unknown,
                // what is known to be none is none of the values
                Attribute::Absent => (!wanted).into(),
                Attribute::Known(value) => (values.contain(value) == *wanted).into(),
            },
            Self::Word {
                slot,
                words,
                wanted,
            } => match look.word(*slot) {
                Attribute::Unknown => Truth::Unknown,
                Attribute::Absent => (!wanted).into(),
                Attribute::Known(place) => (words.contain(place) == *wanted).into(),
            },
            Self::Tags { values, how } => match look.tags() {
                Attribute::Known(tags) => {
                    let bears = |name: &str| tags.iter().any(|tag| tag == name.as_bytes());
                    let holds = match how {
                        Quantifier::Any => values.iter().any(bears),
                        Quantifier::All => values.iter().all(bears),
                        Quantifier::None => !values.iter().any(bears),
                    };
                    holds.into()
                }
                _ => Truth::Unknown,
            },
            Self::Text {
                field,
                pattern,
                whole,
            } => match look.text(*field) {
                Attribute::Unknown => Truth::Unknown,
                Attribute::Absent => Truth::False,
                Attribute::Known(text) if *whole => (text == pattern.text.as_bytes()).into(),
                Attribute::Known(text) => pattern.is_in(text).into(),
            },
            Self::Created { limit, before } => match look.facts.created() {
                Attribute::Unknown => Truth::Unknown,
                Attribute::Absent => Truth::False,
                Attribute::Known(created) => {
                    let order = match limit {
                        TimeBound::At(time) => time.cmp(&created),
                        TimeBound::Ago(period) => look.now.compare_age(created, period),
                    };
                    (if *before {
                        order.is_gt()
                    } else {
                        order.is_lt()
                    })
                    .into()
                }
            },
            Self::MainContactIsSelf => look
                .viewer
                .map_or(Truth::Unknown, |viewer| viewer.is_main_contact(look.facts)),
            Self::CreatorIsSelf => look
                .viewer
                .map_or(Truth::Unknown, |viewer| viewer.is_creator(look.facts)),
            Self::Unreadable => Truth::Unknown,
        }
    }
}

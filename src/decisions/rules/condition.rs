//! A condition, prepared once to be judged often. This is what the operators mean (domain.md section 5); the index only finds
//! out faster what cannot hold.

use std::sync::Arc;

use memchr::memmem::Finder;

use super::look::{Look, TextField};
use crate::{
    decisions::facts::{Fact, WORDED},
    kernel::{fold::fold_case, period::Period, time::Timestamp},
    ticket_filter::{Condition, Field, Operator, TicketFilter, Truth},
};

/// A filter whose values are ready to be compared.
#[derive(Debug, Clone)]
pub enum Node {
    All(Box<[Node]>),
    Any(Box<[Node]>),
    None(Box<[Node]>),
    /// Shared with what the index leaves to be judged.
    Test(Arc<Test>),
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
pub enum Quantity {
    Any,
    All,
    None,
}

/// A point in time, or a distance from now.
#[derive(Debug, Clone, Copy)]
pub enum Limit {
    At(Timestamp),
    Ago(Period),
}

/// A condition.
#[derive(Debug, Clone)]
pub enum Test {
    /// `in` and `not_in` of ids.
    OneOf {
        field: Field,
        values: Values,
        wanted: bool,
    },
    /// `in`, `not_in` and `is` of a few words; the field by its place in [`WORDED`].
    Word {
        slot: usize,
        words: Words,
        wanted: bool,
    },
    Tags {
        values: Values,
        how: Quantity,
    },
    Text {
        field: TextField,
        pattern: Pattern,
        whole: bool,
    },
    Created {
        limit: Limit,
        before: bool,
    },
    MainContactIsSelf,
    CreatorIsSelf,
    /// What cannot be read. Filters are judged before they are stored, so this stands for a fault of ours; it may narrow, never
    /// widen.
    Unreadable,
}

impl Node {
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
            TicketFilter::Condition(condition) => Self::Test(Arc::new(Test::new(condition))),
        }
    }

    /// What the filter comes to for a ticket.
    pub fn judge(&self, look: &Look<'_>) -> Truth {
        self.evaluate(&|test| test.judge(look))
    }

    /// Whether every ticket of an area matches, whatever its other facts are.
    pub fn covers(&self, area: &str) -> bool {
        let judge = |test: &Test| match test {
            Test::OneOf {
                field: Field::Area,
                values,
                wanted,
            } => (values.contain(area) == *wanted).into(),
            _ => Truth::Unknown,
        };
        self.evaluate(&judge) == Truth::True
    }

    /// What the filter comes to when `judge` says what each condition does. An empty group is unknown.
    fn evaluate(&self, judge: &impl Fn(&Test) -> Truth) -> Truth {
        match self {
            Self::All(nodes) => extreme(nodes, Truth::False, Truth::min, judge),
            Self::Any(nodes) => extreme(nodes, Truth::True, Truth::max, judge),
            Self::None(nodes) => extreme(nodes, Truth::True, Truth::max, judge).negated(),
            Self::Test(test) => judge(test),
        }
    }

    /// How much work it is to judge, compared with others.
    fn cost(&self) -> usize {
        match self {
            Self::All(nodes) | Self::Any(nodes) | Self::None(nodes) => {
                nodes.iter().map(Self::cost).sum()
            }
            Self::Test(test) => match **test {
                Test::Text { .. } => 20,
                Test::Tags { .. } => 10,
                Test::Created { .. } => 5,
                _ => 1,
            },
        }
    }
}

/// The least or the greatest of what some nodes come to; looks no further than the last thing there can be.
fn extreme(
    nodes: &[Node],
    last: Truth,
    choose: fn(Truth, Truth) -> Truth,
    judge: &impl Fn(&Test) -> Truth,
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

impl Test {
    fn new(condition: &Condition) -> Self {
        let Condition {
            field,
            operator,
            values,
        } = condition;
        match operator {
            Operator::In | Operator::NotIn | Operator::Is => {
                let (field, wanted) = (*field, *operator != Operator::NotIn);
                match WORDED.iter().position(|worded| *worded == field) {
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
            Operator::AnyOf => Self::tags(values, Quantity::Any),
            Operator::AllOf => Self::tags(values, Quantity::All),
            Operator::NoneOf => Self::tags(values, Quantity::None),
            Operator::IsSelf if *field == Field::MainContact => Self::MainContactIsSelf,
            Operator::IsSelf => Self::CreatorIsSelf,
            Operator::Contains => Self::text(*field, values, false),
            Operator::Equals => Self::text(*field, values, true),
            Operator::Before | Operator::OlderThan => Self::created(values, true),
            Operator::After | Operator::NewerThan => Self::created(values, false),
        }
    }

    fn tags(values: &[String], how: Quantity) -> Self {
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
        let at = Timestamp::parse(value).map(Limit::At);
        let limit = at.or_else(|| Period::parse(value).map(Limit::Ago));
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
    pub fn judge(&self, look: &Look<'_>) -> Truth {
        match self {
            Self::OneOf {
                field,
                values,
                wanted,
            } => match look.facts.single(*field) {
                Fact::Unknown => Truth::Unknown,
                // what is known to be none is none of the values
                Fact::Nothing => (!wanted).into(),
                Fact::Known(value) => (values.contain(value) == *wanted).into(),
            },
            Self::Word {
                slot,
                words,
                wanted,
            } => match look.word(*slot) {
                Fact::Unknown => Truth::Unknown,
                Fact::Nothing => (!wanted).into(),
                Fact::Known(place) => (words.contain(place) == *wanted).into(),
            },
            Self::Tags { values, how } => match look.tags() {
                Fact::Known(tags) => {
                    let bears = |name: &str| tags.iter().any(|tag| tag == name.as_bytes());
                    let holds = match how {
                        Quantity::Any => values.iter().any(bears),
                        Quantity::All => values.iter().all(bears),
                        Quantity::None => !values.iter().any(bears),
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
                Fact::Unknown => Truth::Unknown,
                Fact::Nothing => Truth::False,
                Fact::Known(text) if *whole => (text == pattern.text.as_bytes()).into(),
                Fact::Known(text) => pattern.is_in(text).into(),
            },
            Self::Created { limit, before } => match look.facts.created() {
                Fact::Unknown => Truth::Unknown,
                Fact::Nothing => Truth::False,
                Fact::Known(created) => {
                    let order = match limit {
                        Limit::At(time) => time.cmp(&created),
                        Limit::Ago(period) => look.now.compare_age(created, period),
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

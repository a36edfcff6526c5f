//! The ticket filter: the condition language of ticket board queries and exclusion rules
//! (`docs/domain.md`).
//!
//! A filter is a tree of groups with conditions as leaves. It guarantees no invariants: the API
//! validates filters before it stores them, and an invalid condition evaluates to unknown.

mod enums;
mod fields;
#[cfg(feature = "openapi")]
mod schema;

pub use enums::{TicketClosure, TicketLevel, TicketStatus};
pub use fields::{FLAGS, Field, MAX_VALUES, Operator, ValueKind};

use serde::{Deserialize, Serialize};

/// A condition on tickets, or a group of filters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum TicketFilter {
    /// Matches if all filters match.
    All {
        filters: Vec<TicketFilter>,
    },
    /// Matches if at least one filter matches.
    Any {
        filters: Vec<TicketFilter>,
    },
    /// Matches if no filter matches.
    None {
        filters: Vec<TicketFilter>,
    },
    Condition(Condition),
}

/// Compares one field with values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    pub field: Field,
    pub operator: Operator,
    pub values: Vec<String>,
}

/// Three-valued logic (Kleene): a condition on an unknown attribute is unknown. The order makes
/// `min` the conjunction and `max` the disjunction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Truth {
    False,
    Unknown,
    True,
}

impl Truth {
    /// The negation; unknown stays unknown.
    #[must_use]
    #[inline]
    pub fn negated(self) -> Self {
        match self {
            Self::False => Self::True,
            Self::Unknown => Self::Unknown,
            Self::True => Self::False,
        }
    }
}

impl From<bool> for Truth {
    #[inline]
    fn from(value: bool) -> Self {
        if value { Self::True } else { Self::False }
    }
}

impl TicketFilter {
    /// Calls `visitor` for every condition, with its JSON pointer within the filter.
    pub fn visit<'f>(&'f self, visitor: &mut impl FnMut(&str, &'f Condition)) {
        self.visit_at("", visitor);
    }

    fn visit_at<'f>(&'f self, pointer: &str, visitor: &mut impl FnMut(&str, &'f Condition)) {
        match self {
            Self::All { filters } | Self::Any { filters } | Self::None { filters } => {
                for (index, filter) in filters.iter().enumerate() {
                    filter.visit_at(&format!("{pointer}/filters/{index}"), visitor);
                }
            }
            Self::Condition(condition) => visitor(pointer, condition),
        }
    }
}

//! The ticket filter, the condition language of queries and exclusion rules
//! (`docs/domain.md#ticket-filter`).
//!
//! `parse` validates the JSON against the tables in `fields` and `enums`, with the help of `values`,
//! and returns a [`TicketFilter`], which is always valid. `summary` describes a filter in German or
//! English with the `names` of what it references, `references` stores which catalog entries these
//! are, and `routes` publishes the table of fields.

pub mod access_ids;
pub mod catalog_entries;
mod names;
pub mod parse;
pub mod references;
pub mod routes;
mod summary;
mod tag_names;
mod values;

pub use names::Names;
pub use summary::{Summary, serialize_summary, summary};
pub use tag_names::tag_names;
pub use ticket_policy::filter::{
    Condition, Field, Operator, TicketClosure, TicketFilter, TicketLevel, TicketStatus, Truth,
    ValueKind,
};

use crate::db::sql_types::Jsonb;

/// Approximate size of the JSON of a filter, in bytes.
pub fn approximate_bytes(filter: &TicketFilter) -> usize {
    match filter {
        TicketFilter::All { filters }
        | TicketFilter::Any { filters }
        | TicketFilter::None { filters } => filters.iter().map(approximate_bytes).sum(),
        TicketFilter::Condition(condition) => {
            let values: usize = condition.values.iter().map(|value| value.len() + 3).sum();
            values + 80
        }
    }
}

/// A filter as a column value.
pub type StoredFilter = Jsonb<TicketFilter>;

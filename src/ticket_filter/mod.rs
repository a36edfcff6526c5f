//! The ticket filter, the condition language of queries and exclusion rules
//! (`docs/domain.md#ticket-filter`).
//!
//! `parse` validates the JSON against the tables in `fields` and `enums`, with the help of `values`,
//! and returns a [`TicketFilter`], which is always valid. `summary` describes a filter in German or
//! English, `references` stores which catalog entries it references, and `routes` publishes the
//! table of fields.

pub mod catalog_entries;
pub mod parse;
pub mod references;
pub mod routes;
mod summary;
mod tag_names;
mod values;

pub use references::Names;
pub use summary::{MAX_LISTED, Summary, serialize_summary, strip_quotes, summary};
pub use tag_names::tag_names;
pub use ticket_policy::filter::{
    Condition, Field, Operator, TicketClosure, TicketFilter, TicketLevel, TicketStatus, Truth,
    ValueKind,
};

use crate::db::sql_types::Jsonb;

/// A filter as a column value.
pub type StoredFilter = Jsonb<TicketFilter>;

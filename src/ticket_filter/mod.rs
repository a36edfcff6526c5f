//! The ticket filter: the one condition language of queries and exclusion rules (domain.md section 5).
//!
//! A filter comes in as JSON (`parse`), is judged once against the table of `fields` (and `states`, words that tickets have), and is from then on a [`TicketFilter`],
//! which cannot be wrong. `words` says it in German and English, `references` keeps which catalogue entries it names.

pub mod catalog_entries;
pub mod parse;
pub mod references;
pub mod routes;
mod summary;

pub use references::Names;
pub use summary::{MAX_LISTED, Summary, serialize_summary, strip_quotes, summary};
pub use ticket_policy::filter::{
    Condition, Field, Operator, TicketClosure, TicketFilter, TicketLevel, TicketStatus, Truth,
    ValueKind,
};

use crate::db::sql_types::Jsonb;

/// A filter as a column value.
pub type StoredFilter = Jsonb<TicketFilter>;

//! Ticket board queries: saved ticket filters with columns and an order. A query belongs to exactly one partner and never widens
//! what an access may see.

pub mod dto;
mod repo;
pub mod routes;
pub mod service;

pub use dto::TicketQuery;
pub use repo::QueryFacts;

use crate::kernel::ids::Id;

/// Marks the ids of queries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OfQuery {}

/// Id of a query.
pub type QueryId = Id<OfQuery>;

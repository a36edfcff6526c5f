//! Ticket board queries: saved ticket filters with columns and a sort order.
//!
//! A query belongs to one partner and never widens what an access may see.

pub mod dto;
mod repo;
pub mod routes;
pub mod service;

pub use dto::TicketQuery;
pub use repo::QueryFields;

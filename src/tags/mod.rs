//! Tags that the tickets of a partner may have: in all areas or in one granted area, visible to all
//! users or to internal users only.
//!
//! `service` enforces the rules `docs/domain.md#r4`, `#r5` and `#r7`.

pub mod dto;
mod repo;
pub mod routes;
pub mod service;

pub use dto::Tag;

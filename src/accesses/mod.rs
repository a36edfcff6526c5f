//! Accesses: the external logins of a partner's contacts, with their roles. The service stores no
//! passwords and no other secrets of them.
//!
//! `service` enforces the rules `docs/domain.md#r2`, `#r6` and `#r7`. Accesses are deactivated,
//! never deleted.

pub mod dto;
pub mod filter_references;
pub mod global_routes;
mod repo;
pub mod routes;
pub mod service;

pub use dto::{Access, Language};
pub use repo::{AccessFields, AccessRow};
pub use ticket_policy::{Role, TicketVisibility};

use crate::common::ids::AccessId;

/// Identifies an access without its partner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccessRef {
    Id(AccessId),
    /// The login, in lower case.
    Email(String),
}

/// How many accesses a partner has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AccessCounts {
    pub all: i64,
    pub active: i64,
    /// Active accesses with a role that may create tickets.
    pub active_creators: i64,
    /// Active accesses that are approvers.
    pub active_approvers: i64,
}

//! Accesses: the external logins of a partner's people, and what role they have. No password, no secret is kept here.
//!
//! Rules R2 (active only with an area and a ticket type), R6 (approvers need a role that may act) and R7 (an e-mail
//! address is a login, so it exists once) live in `service`. Accesses are deactivated, never deleted.

pub mod dto;
mod repo;
pub mod routes;
pub mod service;

pub use dto::{Access, Language};
pub use repo::{AccessFields, AccessRow};
pub use ticket_policy::{Role, TicketVisibility};

use crate::common::ids::AccessId;

/// How somebody names an access without its partner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccessRef {
    Id(AccessId),
    /// The login, in lower case.
    Email(String),
}

/// How many accesses a partner has, by what readiness and the rules need to know.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AccessCounts {
    pub all: i64,
    pub active: i64,
    /// Active, and in a role that may create tickets.
    pub active_creators: i64,
    /// Active, and an approver.
    pub active_approvers: i64,
}

//! Decisions: may this access see this ticket, may it create that one, and why (domain.md sections 5 and 6).
//!
//! The configuration exists for this question, so it must be answered right, explained, and fast:
//!
//! * `questions` reads what is asked from `bodies`, `answers` is what is told, `schemas` documents the one as `answers` does the other.
//! * `facts` are a ticket's, `policy` is what is configured for a partner, `rules` are its exclusion rules, compiled. All three
//!   are pure data; `evaluator` and `creation` decide, by one piece of code for every operation, and `explanation` says why.
//! * `snapshot` reads a policy from the database, `policy_cache` keeps it and knows whether it is current.
//! * `service`, `capabilities` and `preview` are the operations, `routes` their HTTP.
//!
//! Decisions are not counted among the tab's rooms: they own nothing and write nothing.

mod attribute_error;
mod capabilities;
mod explanation;
pub mod policy_cache;
mod policy_loader;
mod preview;
mod request;
mod request_body;
pub mod request_schema;
pub mod response;
pub mod routes;
mod service;
mod stats;

pub use policy_cache::PolicyCache;
pub use stats::DecisionStats;

//! Decisions: which tickets an access may see, which it may create, and why
//! (`docs/domain.md#decisions`).
//!
//! * `request` parses the bodies, `response` defines the JSON of the results.
//! * The crate `ticket-policy` decides; `explanation` describes its results to users.
//! * `policy_loader` reads a policy from the database. `policy_cache` caches it and guarantees that
//!   it is up to date.
//! * `work` bounds the time that a request occupies a worker.
//! * `service`, `approval`, `capabilities` and `preview` implement the operations, `routes` their
//!   HTTP.
//!
//! This module owns no data and writes nothing.

mod access_cache;
mod approval;
mod attribute_error;
mod capabilities;
mod explanation;
pub mod policy_cache;
mod policy_loader;
mod preview;
pub mod request;
pub mod response;
pub mod routes;
mod service;
mod stats;
mod work;

pub use policy_cache::PolicyCache;
pub use stats::DecisionStats;

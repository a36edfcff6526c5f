//! The customer integration as a whole: counts of all sub-tabs, readiness, and activation.
//!
//! [`crate::integration`] contains the stored row and its locks, on which the modules of the
//! sub-tabs depend. This module depends on them.

pub mod dto;
mod findings;
mod readiness;
mod repo;
pub mod routes;
pub mod service;

pub use dto::CustomerIntegration;
pub use findings::FindingCode;

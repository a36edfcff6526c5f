//! Exclusion rules: what they match is hidden from accesses. Those of a partner, and global ones for all partners.
//!
//! Both are one sort of element in two homes: a partner's [`crate::integration::ConfigurationLock`], and [`GlobalRules`], which live
//! outside every partner and cannot be written through one.

pub mod dto;
mod global;
pub mod global_routes;
mod repo;
pub mod routes;
pub mod service;

pub use dto::ExclusionRule;
pub use global::{GLOBAL, GlobalRules, GlobalRulesState};

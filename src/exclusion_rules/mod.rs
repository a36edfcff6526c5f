//! Exclusion rules hide matching tickets from accesses.
//!
//! A rule belongs to one partner or applies to all partners ([`RuleOwner`]). Both kinds share the
//! code and differ in their [`Parent`](crate::crud::Parent): the partner's
//! [`ConfigurationLock`](crate::integration::ConfigurationLock), or [`GlobalRules`], which are not
//! part of any integration.

pub mod dto;
mod global;
pub mod global_routes;
mod owner;
mod repo;
pub mod routes;
pub mod service;

pub use dto::ExclusionRule;
pub use global::{GlobalRules, GlobalRulesState};
pub use owner::RuleOwner;
pub use repo::list_active;

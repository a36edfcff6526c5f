//! Counters of decisions, since the start of the process.

use crate::common::counters::{CacheStats, Count};

/// Numbers of decisions by outcome, and of policy cache lookups. Exported as metrics.
#[derive(Debug, Default)]
pub struct DecisionStats {
    /// Visible tickets.
    pub visible: Count,
    /// Hidden tickets.
    pub hidden: Count,
    /// Tickets with invalid attributes, which were not decided.
    pub invalid: Count,
    /// Allowed ticket creations.
    pub allowed: Count,
    /// Denied ticket creations.
    pub denied: Count,
    /// Lookups of compiled policies.
    pub policy_lookups: CacheStats,
}

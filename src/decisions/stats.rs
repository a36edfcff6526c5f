//! Counters of decisions, since the start of the process.

use crate::common::counters::{CacheStats, Counter};

/// Numbers of decisions by outcome, and of policy cache lookups. Exported as metrics.
#[derive(Debug, Default)]
pub struct DecisionStats {
    /// Visible tickets.
    pub visible: Counter,
    /// Hidden tickets.
    pub hidden: Counter,
    /// Tickets with invalid attributes, which were not decided.
    pub invalid: Counter,
    /// Allowed ticket creations.
    pub allowed: Counter,
    /// Denied ticket creations.
    pub denied: Counter,
    /// Tickets that may be released.
    pub allowed_approvals: Counter,
    /// Tickets that may not be released.
    pub denied_approvals: Counter,
    /// Lookups of compiled policies.
    pub policy_lookups: CacheStats,
}

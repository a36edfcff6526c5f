//! What was decided, and what for, in numbers since the start.

use crate::common::counters::{CacheStats, Counter};

/// See the module.
#[derive(Debug, Default)]
pub struct DecisionStats {
    /// Tickets that were visible.
    pub visible: Counter,
    /// Tickets that were hidden.
    pub hidden: Counter,
    /// Tickets whose facts were wrong.
    pub wrong: Counter,
    /// Creations that were allowed.
    pub allowed: Counter,
    /// Creations that were not.
    pub refused: Counter,
    /// Policies that were looked for.
    pub policies: CacheStats,
}

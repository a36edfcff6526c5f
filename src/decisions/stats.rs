//! What was decided, and what for, in numbers since the start.

use crate::common::counters::{CacheStats, Count};

/// See the module.
#[derive(Debug, Default)]
pub struct DecisionStats {
    /// Tickets that were visible.
    pub visible: Count,
    /// Tickets that were hidden.
    pub hidden: Count,
    /// Tickets whose facts were wrong.
    pub wrong: Count,
    /// Creations that were allowed.
    pub allowed: Count,
    /// Creations that were not.
    pub refused: Count,
    /// Policies that were looked for.
    pub policies: CacheStats,
}

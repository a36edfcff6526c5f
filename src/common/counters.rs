//! Numbers that metrics tell.

use std::sync::atomic::{AtomicU64, Ordering};

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Count(AtomicU64);

impl Count {
    /// Adds to it.
    pub fn add(&self, more: usize) {
        self.0.fetch_add(more as u64, Ordering::Relaxed);
    }

    /// The number now.
    pub fn now(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// How often something was looked for among what is kept, by how it was found.
#[derive(Debug, Default)]
pub struct CacheStats {
    /// It was kept, and current.
    pub current: Count,
    /// It was kept, but of another state.
    pub stale: Count,
    /// It was not kept.
    pub missing: Count,
}

impl CacheStats {
    /// What was found, if it is current; counts it.
    pub fn record<T>(&self, found: Option<T>, is_current: impl FnOnce(&T) -> bool) -> Option<T> {
        let Some(kept) = found else {
            self.missing.add(1);
            return None;
        };
        let current = is_current(&kept);
        if current { &self.current } else { &self.stale }.add(1);
        current.then_some(kept)
    }

    /// The numbers with their names.
    pub fn named(&self) -> [(&'static str, &Count); 3] {
        [
            ("current", &self.current),
            ("stale", &self.stale),
            ("missing", &self.missing),
        ]
    }
}

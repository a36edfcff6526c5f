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

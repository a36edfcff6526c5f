//! Counters for the metrics.

pub use prometheus_client::metrics::counter::Counter;

/// Counts the lookups of a cache by their result.
#[derive(Debug, Default)]
pub struct CacheStats {
    /// The entry was cached and current.
    pub hit: Counter,
    /// The entry was cached but outdated.
    pub stale: Counter,
    /// The entry was not cached.
    pub miss: Counter,
}

impl CacheStats {
    /// Counts a lookup that found `cached`, and returns the entry if it is current.
    pub fn record<T>(&self, cached: Option<T>, is_current: impl FnOnce(&T) -> bool) -> Option<T> {
        let Some(entry) = cached else {
            self.miss.inc();
            return None;
        };
        if is_current(&entry) {
            self.hit.inc();
            Some(entry)
        } else {
            self.stale.inc();
            None
        }
    }

    /// The counters with the value of their `result` label.
    pub fn named(&self) -> [(&'static str, &Counter); 3] {
        [
            ("hit", &self.hit),
            ("stale", &self.stale),
            ("miss", &self.miss),
        ]
    }
}

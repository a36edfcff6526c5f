//! Commit counters: show whether cached data is current, without a query (SQLite only).
//!
//! An SQLite file belongs to one process ([`super::sqlite_lock`]), which has one writer. So
//! counters in memory show whether anything was committed. On PostgreSQL other processes write too,
//! and the revisions are queried instead.
//!
//! # Invariant
//!
//! A reader can see a commit before the writer gets the confirmation. So the writer increments the
//! counter of the aggregate twice, directly before and directly after the commit. A counter is
//! *odd* while a commit is in progress, which readers may or may not see yet, and *even* otherwise.
//!
//! * Data is loaded as `version = lower_bound(); load()`. The lower bound rounds an odd counter
//!   down: the data includes at least the commits up to `version`, and possibly later ones.
//! * A request compares `version >= settled()`. This rounds an odd counter up and waits until the
//!   commit has ended: another client may already have seen the commit, so older data must not be
//!   returned.
//!
//! With a counter that starts at 0, a commit `W` (0 → 1 → 2) interleaves with a load `L` and a
//! later request `R` in one of these ways:
//!
//! | order | version of `L` | settled at `R` | result |
//! |---|---|---|---|
//! | `L`, `R`, then `W` | 0 | 0 | cached data is current |
//! | `L`, `W`, then `R` | 0 | 2 | data is loaded again |
//! | `L` during `W`, then `R` | 0 | 2 | data is loaded again, even if `L` already saw `W` |
//! | `W`, `L`, then `R` | 2 | 2 | cached data includes `W` |
//!
//! If `R` arrives during `W`, it waits for the end of `W` and then continues as in the row for
//! "then `R`". A failed commit is counted too; it costs an unnecessary load.

use std::{
    hash::BuildHasher as _,
    sync::atomic::{AtomicI64, Ordering},
};

use foldhash::fast::RandomState;
use tokio::sync::Notify;

use super::AggregateVersion;
use crate::common::ids::BusinessPartnerId;

/// Number of counters for partners. Partners whose ids collide share one and invalidate each
/// other's cached data, which is harmless.
const PARTNER_COUNTERS: usize = 4096;

/// Versions of the three aggregates that a partner's decisions depend on: commit counters on
/// SQLite, revisions on PostgreSQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VersionVector {
    pub partner: i64,
    pub catalog: i64,
    pub global_rules: i64,
}

impl VersionVector {
    /// Whether all versions are at least those of `other`.
    pub fn dominates(self, other: Self) -> bool {
        self.partner >= other.partner
            && self.catalog >= other.catalog
            && self.global_rules >= other.global_rules
    }

    fn map(self, convert: impl Fn(i64) -> i64) -> Self {
        Self {
            partner: convert(self.partner),
            catalog: convert(self.catalog),
            global_rules: convert(self.global_rules),
        }
    }
}

/// The commit counters of this process, see the module documentation.
#[derive(Debug)]
pub struct CommitCounters {
    partners: Box<[AtomicI64]>,
    catalog: AtomicI64,
    global_rules: AtomicI64,
    /// Counts every commit.
    total: AtomicI64,
    /// Notified when a commit has ended.
    commit_ended: Notify,
    hasher: RandomState,
}

/// A commit in progress. It ends when this is dropped.
pub(super) struct PendingCommit<'c> {
    counter: Option<&'c AtomicI64>,
    total: &'c AtomicI64,
    commit_ended: &'c Notify,
}

impl Drop for PendingCommit<'_> {
    fn drop(&mut self) {
        increment(self.counter);
        increment(Some(self.total));
        self.commit_ended.notify_waiters();
    }
}

fn increment(counter: Option<&AtomicI64>) {
    if let Some(counter) = counter {
        counter.fetch_add(1, Ordering::SeqCst);
    }
}

fn round_down_to_even(count: i64) -> i64 {
    count & !1
}

fn round_up_to_even(count: i64) -> i64 {
    (count + 1) & !1
}

impl Default for CommitCounters {
    fn default() -> Self {
        Self {
            partners: std::iter::repeat_with(AtomicI64::default)
                .take(PARTNER_COUNTERS)
                .collect(),
            catalog: AtomicI64::default(),
            global_rules: AtomicI64::default(),
            total: AtomicI64::default(),
            commit_ended: Notify::new(),
            hasher: RandomState::default(),
        }
    }
}

impl CommitCounters {
    /// Counts the start of a commit. Its end is counted when the result is dropped, whether the
    /// commit succeeded or not.
    pub(super) fn start_commit(&self, version: &AggregateVersion) -> PendingCommit<'_> {
        let counter = match version {
            AggregateVersion::CustomerIntegration {
                business_partner_id,
                ..
            } => self.partner_counter(business_partner_id),
            AggregateVersion::Catalog { .. } => Some(&self.catalog),
            AggregateVersion::GlobalRules { .. } => Some(&self.global_rules),
        };
        increment(counter);
        increment(Some(&self.total));
        PendingCommit {
            counter,
            total: &self.total,
            commit_ended: &self.commit_ended,
        }
    }

    /// The version of data that is loaded after this call, in one snapshot.
    pub fn lower_bound(&self, partner: &BusinessPartnerId) -> VersionVector {
        self.counters(partner).map(round_down_to_even)
    }

    /// The version that data must have to be current. Waits for the end of a commit in progress.
    pub async fn settled(&self, partner: &BusinessPartnerId) -> VersionVector {
        let counters = self.counters(partner);
        let settled = counters.map(round_up_to_even);
        if settled != counters {
            self.wait_until(|| self.counters(partner).dominates(settled))
                .await;
        }
        settled
    }

    /// The number of commits that data loaded after this call, in one snapshot, includes at least.
    pub fn total_lower_bound(&self) -> i64 {
        round_down_to_even(self.total.load(Ordering::SeqCst))
    }

    /// The number of commits that data must include to be current. Waits for the end of a commit
    /// in progress.
    pub async fn settled_total(&self) -> i64 {
        let settled = round_up_to_even(self.total.load(Ordering::SeqCst));
        self.wait_until(|| self.total.load(Ordering::SeqCst) >= settled)
            .await;
        settled
    }

    /// Waits for ends of commits until a condition holds.
    async fn wait_until(&self, holds: impl Fn() -> bool) {
        loop {
            // created before the check, so that no notification is missed
            let commit_ended = self.commit_ended.notified();
            if holds() {
                return;
            }
            commit_ended.await;
        }
    }

    fn counters(&self, partner: &BusinessPartnerId) -> VersionVector {
        let partner = self.partner_counter(partner);
        VersionVector {
            partner: partner.map_or(0, |counter| counter.load(Ordering::SeqCst)),
            catalog: self.catalog.load(Ordering::SeqCst),
            global_rules: self.global_rules.load(Ordering::SeqCst),
        }
    }

    fn partner_counter(&self, partner: &BusinessPartnerId) -> Option<&AtomicI64> {
        let hash = self.hasher.hash_one(partner.as_str());
        let index = usize::try_from(hash % PARTNER_COUNTERS as u64).ok()?;
        self.partners.get(index)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    fn partner() -> BusinessPartnerId {
        "K-1".parse().unwrap()
    }

    fn partner_version() -> AggregateVersion {
        AggregateVersion::CustomerIntegration {
            business_partner_id: partner(),
            revision: 7,
        }
    }

    /// A partner whose counter is still zero.
    fn unchanged_partner(counters: &CommitCounters) -> BusinessPartnerId {
        (0..PARTNER_COUNTERS)
            .map(|n| format!("X-{n}").parse().unwrap())
            .find(|other| counters.counters(other).partner == 0)
            .unwrap()
    }

    #[rstest::rstest]
    #[case::partner(partner_version())]
    #[case::catalog(AggregateVersion::Catalog { revision: 1 })]
    #[case::global_rules(AggregateVersion::GlobalRules { revision: 1 })]
    fn commit_raises_lower_bound(#[case] version: AggregateVersion) {
        let counters = CommitCounters::default();
        let before = counters.lower_bound(&partner());
        drop(counters.start_commit(&version));
        let after = counters.lower_bound(&partner());
        assert!(after.dominates(before));
        assert!(!before.dominates(after));
    }

    #[tokio::test]
    async fn every_commit_raises_total() {
        let counters = CommitCounters::default();
        let before = counters.settled_total().await;
        let commit = counters.start_commit(&AggregateVersion::Catalog { revision: 1 });
        assert_eq!(counters.total_lower_bound(), before);
        assert_eq!(counters.settled_total().now_or_never(), None);
        drop(commit);
        assert_eq!(counters.settled_total().await, before + 2);
        drop(counters.start_commit(&partner_version()));
        assert_eq!(counters.settled_total().await, before + 4);
        assert_eq!(counters.total_lower_bound(), before + 4);
    }

    #[test]
    fn commit_of_partner_does_not_affect_others() {
        let counters = CommitCounters::default();
        drop(counters.start_commit(&partner_version()));
        let other = unchanged_partner(&counters);
        assert_eq!(counters.lower_bound(&other).partner, 0);
    }

    #[tokio::test]
    async fn settled_waits_for_commit_in_progress() {
        let counters = CommitCounters::default();
        let partner = partner();
        let before = counters.settled(&partner).await;
        let commit = counters.start_commit(&partner_version());
        assert_eq!(counters.lower_bound(&partner), before);
        let other = unchanged_partner(&counters);
        assert_eq!(counters.settled(&other).now_or_never(), Some(before));
        let mut settled = Box::pin(counters.settled(&partner));
        assert_eq!(settled.as_mut().now_or_never(), None);

        drop(commit);
        // the next commit does not delay requests that arrived before it
        let _next = counters.start_commit(&partner_version());
        let settled = settled.await;
        assert!(settled.dominates(before));
        assert_ne!(settled, before);
        assert_eq!(counters.lower_bound(&partner), settled);
    }
}

//! What this process has written, for those who keep what they have read.
//!
//! An SQLite file has one process, and the process one writer ([`super::sqlite_lock`]), so whether something kept is still current is
//! known from memory: a count that has not changed means that nothing has. On PostgreSQL others write too, and the database is asked.
//!
//! Readers of the file see a commit before whoever made it knows. So each is snapshot twice, before and after: while a count is odd,
//! a commit may be visible or not. Who comes then waits for its end, because they may have seen it already, and must not be shown
//! what was before.

use std::{
    hash::BuildHasher as _,
    sync::atomic::{AtomicI64, Ordering},
};

use foldhash::fast::RandomState;
use tokio::sync::Notify;

use crate::{common::ids::BusinessPartnerId, history::AggregateVersion};

/// How many counters the partners share. Two partners with the same one are taken for changed together, which is harmless.
const PARTNERS: usize = 4096;

/// How the three things that a partner's decisions depend on are snapshot: by [`CommitCounters`], or on PostgreSQL by their revisions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VersionVector {
    pub partner: i64,
    pub catalog: i64,
    pub global_rules: i64,
}

impl VersionVector {
    /// Whether what bears this stamp is as new as what bears the other.
    pub fn dominates(self, other: Self) -> bool {
        self.partner >= other.partner
            && self.catalog >= other.catalog
            && self.global_rules >= other.global_rules
    }

    fn map(self, round: impl Fn(i64) -> i64) -> Self {
        let Self {
            partner,
            catalog,
            global_rules,
        } = self;
        Self {
            partner: round(partner),
            catalog: round(catalog),
            global_rules: round(global_rules),
        }
    }
}

/// Counters of the commits of this process.
#[derive(Debug)]
pub struct CommitCounters {
    partners: Box<[AtomicI64]>,
    catalog: AtomicI64,
    global_rules: AtomicI64,
    /// Tells those who wait that a commit has ended.
    ended: Notify,
    hasher: RandomState,
}

/// A commit that may be visible or not, until this is dropped.
pub(super) struct PendingCommit<'c> {
    counter: Option<&'c AtomicI64>,
    ended: &'c Notify,
}

impl Drop for PendingCommit<'_> {
    fn drop(&mut self) {
        self.counter
            .map(|counter| counter.fetch_add(1, Ordering::SeqCst));
        self.ended.notify_waiters();
    }
}

impl Default for CommitCounters {
    fn default() -> Self {
        Self {
            partners: std::iter::repeat_with(AtomicI64::default)
                .take(PARTNERS)
                .collect(),
            catalog: AtomicI64::default(),
            global_rules: AtomicI64::default(),
            ended: Notify::new(),
            hasher: RandomState::default(),
        }
    }
}

impl CommitCounters {
    /// Counts a commit that begins; its end is snapshot when what this returns is dropped, whether it succeeded or not.
    pub(super) fn begin_commit(&self, origin: &AggregateVersion) -> PendingCommit<'_> {
        let counter = match origin {
            AggregateVersion::CustomerIntegration {
                business_partner_id,
                ..
            } => self.of(business_partner_id),
            AggregateVersion::Catalog { .. } => Some(&self.catalog),
            AggregateVersion::GlobalRules { .. } => Some(&self.global_rules),
        };
        counter.map(|counter| counter.fetch_add(1, Ordering::SeqCst));
        PendingCommit {
            counter,
            ended: &self.ended,
        }
    }

    /// What is visible of that which a partner's decisions depend on: whatever is read after this, in one snapshot, is at least as new.
    pub fn stamp(&self, partner: &BusinessPartnerId) -> VersionVector {
        self.snapshot(partner).map(|count| count & !1)
    }

    /// The stamp of what is current for whoever asks now. Waits for the end of commits that may be visible already.
    pub async fn settled(&self, partner: &BusinessPartnerId) -> VersionVector {
        let begun = self.snapshot(partner);
        let settled = begun.map(|count| (count + 1) & !1);
        if settled != begun {
            loop {
                let ended = self.ended.notified();
                if self.snapshot(partner).dominates(settled) {
                    break;
                }
                ended.await;
            }
        }
        settled
    }

    fn snapshot(&self, partner: &BusinessPartnerId) -> VersionVector {
        let read = |counter: &AtomicI64| counter.load(Ordering::SeqCst);
        VersionVector {
            partner: self.of(partner).map_or(0, read),
            catalog: read(&self.catalog),
            global_rules: read(&self.global_rules),
        }
    }

    fn of(&self, partner: &BusinessPartnerId) -> Option<&AtomicI64> {
        let hash = self.hasher.hash_one(partner.as_str());
        usize::try_from(hash % PARTNERS as u64)
            .ok()
            .and_then(|place| self.partners.get(place))
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[test]
    fn each_change_is_seen_by_those_it_concerns() {
        let changes = CommitCounters::default();
        let partner: BusinessPartnerId = "K-1".parse().unwrap();
        let mut last = changes.stamp(&partner);
        for origin in [
            AggregateVersion::CustomerIntegration {
                business_partner_id: partner.clone(),
                revision: 7,
            },
            AggregateVersion::Catalog { revision: 1 },
            AggregateVersion::GlobalRules { revision: 1 },
        ] {
            drop(changes.begin_commit(&origin));
            let now = changes.stamp(&partner);
            assert!(now.dominates(last) && !last.dominates(now), "{origin:?}");
            last = now;
        }
        // of so many others, hardly any has the same counter
        let mut others =
            (0..PARTNERS).map(|n| format!("X-{n}").parse::<BusinessPartnerId>().unwrap());
        assert!(others.any(|other| changes.stamp(&other).partner == 0));
    }

    #[tokio::test]
    async fn who_comes_while_a_commit_may_be_visible_waits_for_its_end() {
        let changes = CommitCounters::default();
        let partner: BusinessPartnerId = "K-1".parse().unwrap();
        let origin = AggregateVersion::CustomerIntegration {
            business_partner_id: partner.clone(),
            revision: 7,
        };
        let before = changes.settled(&partner).await;
        let begin_commit = changes.begin_commit(&origin);
        // what is read now may lack it
        assert_eq!(changes.stamp(&partner), before);
        let mut others =
            (0..PARTNERS).map(|n| format!("X-{n}").parse::<BusinessPartnerId>().unwrap());
        let other = others
            .find(|other| changes.snapshot(other).partner == 0)
            .unwrap();
        assert_eq!(changes.settled(&other).now_or_never(), Some(before));
        let mut settled = Box::pin(changes.settled(&partner));
        assert_eq!(settled.as_mut().now_or_never(), None);
        drop(begin_commit);
        // the next one does not hold up those who came before it
        let _next = changes.begin_commit(&origin);
        let settled = settled.await;
        assert!(settled.dominates(before) && settled != before);
        assert_eq!(changes.stamp(&partner), settled);
    }
}

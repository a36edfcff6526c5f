//! What this process has written, for those who keep what they have read.
//!
//! An SQLite file has one process, and the process one writer ([`super::claim`]), so whether something kept is still current is
//! known from memory: a count that has not changed means that nothing has. On PostgreSQL others write too, and the database is asked.
//!
//! Readers of the file see a commit before whoever made it knows. So each is counted twice, before and after: while a count is odd,
//! a commit may be visible or not. Who comes then waits for its end, because they may have seen it already, and must not be shown
//! what was before.

use std::{
    hash::BuildHasher as _,
    sync::atomic::{AtomicI64, Ordering},
};

use foldhash::fast::RandomState;
use tokio::sync::Notify;

use crate::{catalog::BusinessPartnerId, history::Origin};

/// How many counters the partners share. Two partners with the same one are taken for changed together, which is harmless.
const PARTNERS: usize = 4096;

/// How the three things that a partner's decisions depend on are counted: by [`Changes`], or on PostgreSQL by their revisions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    pub partner: i64,
    pub catalog: i64,
    pub global_rules: i64,
}

impl Stamp {
    /// Whether what bears this stamp is as new as what bears the other.
    pub fn covers(self, other: Self) -> bool {
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
pub struct Changes {
    partners: Box<[AtomicI64]>,
    catalog: AtomicI64,
    global_rules: AtomicI64,
    /// Tells those who wait that a commit has ended.
    ended: Notify,
    hasher: RandomState,
}

/// A commit that may be visible or not, until this is dropped.
pub(super) struct Doubt<'c> {
    counter: Option<&'c AtomicI64>,
    ended: &'c Notify,
}

impl Drop for Doubt<'_> {
    fn drop(&mut self) {
        self.counter
            .map(|counter| counter.fetch_add(1, Ordering::SeqCst));
        self.ended.notify_waiters();
    }
}

impl Default for Changes {
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

impl Changes {
    /// Counts a commit that begins; its end is counted when what this returns is dropped, whether it succeeded or not.
    pub(super) fn doubt(&self, origin: &Origin) -> Doubt<'_> {
        let counter = match origin {
            Origin::CustomerIntegration {
                business_partner_id,
                ..
            } => self.of(business_partner_id),
            Origin::Catalog { .. } => Some(&self.catalog),
            Origin::GlobalRules { .. } => Some(&self.global_rules),
        };
        counter.map(|counter| counter.fetch_add(1, Ordering::SeqCst));
        Doubt {
            counter,
            ended: &self.ended,
        }
    }

    /// What is visible of that which a partner's decisions depend on: whatever is read after this, in one snapshot, is at least as new.
    pub fn stamp(&self, partner: &BusinessPartnerId) -> Stamp {
        self.counted(partner).map(|count| count & !1)
    }

    /// The stamp of what is current for whoever asks now. Waits for the end of commits that may be visible already.
    pub async fn due(&self, partner: &BusinessPartnerId) -> Stamp {
        let begun = self.counted(partner);
        let due = begun.map(|count| (count + 1) & !1);
        if due != begun {
            loop {
                let ended = self.ended.notified();
                if self.counted(partner).covers(due) {
                    break;
                }
                ended.await;
            }
        }
        due
    }

    fn counted(&self, partner: &BusinessPartnerId) -> Stamp {
        let read = |counter: &AtomicI64| counter.load(Ordering::SeqCst);
        Stamp {
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
        let changes = Changes::default();
        let partner: BusinessPartnerId = "K-1".parse().unwrap();
        let mut last = changes.stamp(&partner);
        for origin in [
            Origin::CustomerIntegration {
                business_partner_id: partner.clone(),
                revision: 7,
            },
            Origin::Catalog { revision: 1 },
            Origin::GlobalRules { revision: 1 },
        ] {
            drop(changes.doubt(&origin));
            let now = changes.stamp(&partner);
            assert!(now.covers(last) && !last.covers(now), "{origin:?}");
            last = now;
        }
        // of so many others, hardly any has the same counter
        let mut others =
            (0..PARTNERS).map(|n| format!("X-{n}").parse::<BusinessPartnerId>().unwrap());
        assert!(others.any(|other| changes.stamp(&other).partner == 0));
    }

    #[tokio::test]
    async fn who_comes_while_a_commit_may_be_visible_waits_for_its_end() {
        let changes = Changes::default();
        let partner: BusinessPartnerId = "K-1".parse().unwrap();
        let origin = Origin::CustomerIntegration {
            business_partner_id: partner.clone(),
            revision: 7,
        };
        let before = changes.due(&partner).await;
        let doubt = changes.doubt(&origin);
        // what is read now may lack it
        assert_eq!(changes.stamp(&partner), before);
        let mut others =
            (0..PARTNERS).map(|n| format!("X-{n}").parse::<BusinessPartnerId>().unwrap());
        let other = others
            .find(|other| changes.counted(other).partner == 0)
            .unwrap();
        assert_eq!(changes.due(&other).now_or_never(), Some(before));
        let mut due = Box::pin(changes.due(&partner));
        assert_eq!(due.as_mut().now_or_never(), None);
        drop(doubt);
        // the next one does not hold up those who came before it
        let _next = changes.doubt(&origin);
        let due = due.await;
        assert!(due.covers(before) && due != before);
        assert_eq!(changes.stamp(&partner), due);
    }
}

//! What this process has written, for those who keep what they have read.
//!
//! An SQLite file has one process, and the process one writer ([`super::claim`]), so whether something kept is still current is
//! known from memory. The door counts every commit before it lets the next writer in and before anybody is told, so a count
//! that has not changed means that nothing has. On PostgreSQL others write too, and the database is asked.

use std::{
    hash::BuildHasher as _,
    sync::atomic::{AtomicI64, Ordering},
};

use foldhash::fast::RandomState;

use crate::{catalog::BusinessPartnerId, history::Origin};

/// How many counters the partners share. Two partners with the same one are taken for changed together, which is harmless.
const PARTNERS: usize = 4096;

/// How often the three things that a partner's decisions depend on have changed. On PostgreSQL these are their revisions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    pub partner: i64,
    pub catalog: i64,
    pub global_rules: i64,
}

impl Stamp {
    /// Whether what bears this stamp is as new as what bears the other.
    pub fn covers(self, other: Self) -> bool {
        self.partner >= other.partner && self.catalog >= other.catalog && self.global_rules >= other.global_rules
    }
}

/// Counters of the commits of this process.
#[derive(Debug)]
pub struct Changes {
    partners: Box<[AtomicI64]>,
    catalog: AtomicI64,
    global_rules: AtomicI64,
    hasher: RandomState,
}

impl Default for Changes {
    fn default() -> Self {
        Self {
            partners: std::iter::repeat_with(AtomicI64::default).take(PARTNERS).collect(),
            catalog: AtomicI64::default(),
            global_rules: AtomicI64::default(),
            hasher: RandomState::default(),
        }
    }
}

impl Changes {
    /// Counts a commit, or one whose outcome is not known.
    pub(super) fn note(&self, origin: &Origin) {
        let counter = match origin {
            Origin::CustomerIntegration { business_partner_id, .. } => self.of(business_partner_id),
            Origin::Catalog { .. } => Some(&self.catalog),
            Origin::GlobalRules { .. } => Some(&self.global_rules),
        };
        if let Some(counter) = counter {
            counter.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// How often what a partner's decisions depend on has changed. What is read after this, in one snapshot, is at least as new
    /// as each of the counters, so it is current for as long as they stay the same.
    pub fn stamp(&self, partner: &BusinessPartnerId) -> Stamp {
        let read = |counter: &AtomicI64| counter.load(Ordering::SeqCst);
        Stamp {
            partner: self.of(partner).map_or(0, read),
            catalog: read(&self.catalog),
            global_rules: read(&self.global_rules),
        }
    }

    fn of(&self, partner: &BusinessPartnerId) -> Option<&AtomicI64> {
        let hash = self.hasher.hash_one(partner.as_str());
        usize::try_from(hash % PARTNERS as u64).ok().and_then(|place| self.partners.get(place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_change_is_seen_by_those_it_concerns() {
        let changes = Changes::default();
        let partner: BusinessPartnerId = "K-1".parse().unwrap();
        let mut last = changes.stamp(&partner);
        for origin in [
            Origin::CustomerIntegration { business_partner_id: partner.clone(), revision: 7 },
            Origin::Catalog { revision: 1 },
            Origin::GlobalRules { revision: 1 },
        ] {
            changes.note(&origin);
            let now = changes.stamp(&partner);
            assert!(now.covers(last) && !last.covers(now), "{origin:?}");
            last = now;
        }
        // of so many others, hardly any has the same counter
        let mut others = (0..PARTNERS).map(|n| format!("X-{n}").parse::<BusinessPartnerId>().unwrap());
        assert!(others.any(|other| changes.stamp(&other).partner == 0));
    }
}

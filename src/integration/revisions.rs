//! Where integrations stand right now, for those who have something already and ask whether it is still current.
//!
//! Never by time: an answer is of a moment that is not before its question. On SQLite, whose only writer this process is, that is
//! known from memory as long as nothing was written. On PostgreSQL the database is asked, and those who come while it is being
//! asked share the next question ([`BatchLoader`]).

use std::{collections::HashMap, num::NonZeroUsize, sync::Arc};

use foldhash::fast::RandomState;
use futures_util::FutureExt as _;
use quick_cache::sync::Cache;
use tokio::time::Instant;

use super::{service, tag_of};
use crate::{
    common::{Result, change::EntityTag, ids::BusinessPartnerId, or_not_found},
    db::{
        Db, PerWorker, ReadCost, ReadOptions, VersionVector, batch_loader::BatchLoader, query_time,
    },
};

/// Of how many partners the revisions are remembered (SQLite), at about 250 bytes each.
const CACHED_PARTNERS: usize = 10_000;

/// How many questions are under way at most, each on behalf of an equal part of the workers: while one is being answered, the other
/// one's answer is handed out. More of them would be shared by fewer.
const MAX_CONCURRENT_LOOKUPS: NonZeroUsize = NonZeroUsize::new(2).unwrap();

/// The revisions of a partner, and the tag made of them, once for all who will ask for it.
#[derive(Debug, Clone)]
struct Revisions {
    revisions: VersionVector,
    tag: EntityTag,
}

/// Where partners stand.
type RevisionMap = HashMap<BusinessPartnerId, Revisions, RandomState>;

/// See the module.
pub struct RevisionLookup {
    db: Db,
    rounds: PerWorker<Arc<BatchLoader<BusinessPartnerId, RevisionMap>>>,
    /// On SQLite: where partners stand, and the stamp that was current before that was read.
    remembered: Cache<BusinessPartnerId, (VersionVector, Revisions)>,
}

impl RevisionLookup {
    pub fn new(db: Db) -> Self {
        let rounds = db.per_worker(MAX_CONCURRENT_LOOKUPS, || {
            let of = db.clone();
            let question = move |partners: Vec<BusinessPartnerId>, since| {
                let db = of.clone();
                async move { read(&db, &partners, since).await }.boxed_local()
            };
            Arc::new(BatchLoader::new(&db, question))
        });
        Self {
            rounds,
            db,
            remembered: Cache::new(CACHED_PARTNERS),
        }
    }

    /// What has to be covered by whatever is to be current for a partner: on PostgreSQL the revisions, and not found if there is
    /// no such partner; on SQLite the counts of this process's writes, whether there is such a partner or not.
    pub async fn stamp(&self, partner: &BusinessPartnerId) -> Result<VersionVector> {
        match self.db.commit_counters() {
            Some(changes) => Ok(changes.settled(partner).await),
            None => self.ask(partner, |now| now.revisions).await,
        }
    }

    /// The tag of everything that can be read below a partner's integration; not found if there is no such partner.
    pub async fn tag(&self, partner: &BusinessPartnerId) -> Result<EntityTag> {
        let Some(changes) = self.db.commit_counters() else {
            return self.ask(partner, |now| now.tag.clone()).await;
        };
        let stamp = changes.settled(partner).await;
        match self.remembered.get(partner) {
            Some((at, now)) if at == stamp => Ok(now.tag),
            _ => {
                let now = or_not_found(
                    read(&self.db, std::slice::from_ref(partner), Instant::now())
                        .await?
                        .remove(partner),
                )?;
                let tag = now.tag.clone();
                self.remembered.insert(partner.clone(), (stamp, now));
                Ok(tag)
            }
        }
    }

    /// Asks the database, together with all who ask meanwhile.
    async fn ask<T>(
        &self,
        partner: &BusinessPartnerId,
        take: impl FnOnce(&Revisions) -> T,
    ) -> Result<T> {
        let answer = query_time::measure(self.rounds.current().load(partner)).await?;
        or_not_found(answer.get(partner).map(take))
    }
}

async fn read(db: &Db, partners: &[BusinessPartnerId], since: Instant) -> Result<RevisionMap> {
    let read = db
        .read_with(
            ReadOptions::from(ReadCost::Lookup).waiting_since(since),
            async |conn| service::revisions(conn, partners).await,
        )
        .await?;
    Ok(read
        .map(|(partner, revisions)| {
            (
                partner,
                Revisions {
                    revisions,
                    tag: tag_of(revisions),
                },
            )
        })
        .collect())
}

//! Looks up the current revisions of a partner, to check whether cached data is still current.
//!
//! Freshness never depends on time: a result is at least as recent as the call. On SQLite, where
//! this process is the only writer, revisions are cached until a commit. On PostgreSQL every
//! lookup reads the database; concurrent lookups share a query ([`BatchLoader`]).

use std::{collections::HashMap, num::NonZeroUsize, sync::Arc};

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use foldhash::fast::RandomState;
use futures_util::FutureExt as _;
use quick_cache::sync::Cache;
use tokio::time::Instant;

use super::{
    Conn, Db, PerWorker, ReadCost, ReadOptions, VersionVector,
    batch_loader::BatchLoader,
    query_time,
    schema::{CATALOG, GLOBAL_RULES, customer_integrations as integrations, shared_revisions},
    with_conn,
};
use crate::common::{Result, etag::EntityTag, ids::BusinessPartnerId, or_not_found};

diesel::alias!(shared_revisions as global_rules: GlobalRulesRevision);

/// Partners whose revisions are cached on SQLite, at about 250 bytes each.
const CACHED_PARTNERS: usize = 10_000;

/// Maximum number of concurrent queries on PostgreSQL. Each serves an equal share of the workers:
/// one runs while the results of the other are handed out. More queries would share less.
pub(super) const MAX_CONCURRENT_LOOKUPS: NonZeroUsize = NonZeroUsize::new(2).unwrap();

impl VersionVector {
    /// The ETag of everything readable below a partner's integration. It changes with the
    /// partner's configuration, the catalog and the global rules.
    pub fn etag(self) -> EntityTag {
        EntityTag::derived(
            self.partner,
            format_args!("c{}.g{}", self.catalog, self.global_rules),
        )
    }
}

/// A partner's revisions and the ETag derived from them, which all requests share.
#[derive(Debug, Clone)]
struct Revisions {
    versions: VersionVector,
    etag: EntityTag,
}

type RevisionMap = HashMap<BusinessPartnerId, Revisions, RandomState>;

/// Looks up current revisions; see the module documentation.
pub struct RevisionLookup {
    db: Db,
    loaders: PerWorker<Arc<BatchLoader<BusinessPartnerId, RevisionMap>>>,
    /// Only used on SQLite: revisions, with the commit counters taken before they were read.
    cache: Cache<BusinessPartnerId, (VersionVector, Revisions)>,
}

impl RevisionLookup {
    /// Creates a lookup with an empty cache.
    pub fn new(db: Db) -> Self {
        let loaders = db.per_worker(MAX_CONCURRENT_LOOKUPS, || {
            let loader_db = db.clone();
            let load = move |partners: Vec<BusinessPartnerId>, since| {
                let db = loader_db.clone();
                async move { read(&db, &partners, since).await }.boxed_local()
            };
            Arc::new(BatchLoader::new(&db, load))
        });
        Self {
            loaders,
            db,
            cache: Cache::new(CACHED_PARTNERS),
        }
    }

    /// The versions that cached data of a partner must dominate to be current: the revisions on
    /// PostgreSQL, the commit counters of this process on SQLite.
    ///
    /// An unknown partner is a "not found" error on PostgreSQL; SQLite does not check.
    pub async fn versions(&self, partner: &BusinessPartnerId) -> Result<VersionVector> {
        match self.db.commit_counters() {
            Some(counters) => Ok(counters.settled(partner).await),
            None => self.load(partner, |current| current.versions).await,
        }
    }

    /// The ETag of everything readable below a partner's integration, or a "not found" error.
    pub async fn etag(&self, partner: &BusinessPartnerId) -> Result<EntityTag> {
        let Some(counters) = self.db.commit_counters() else {
            return self.load(partner, |current| current.etag.clone()).await;
        };
        let counted = counters.settled(partner).await;
        if let Some((cached, revisions)) = self.cache.get(partner)
            && cached == counted
        {
            return Ok(revisions.etag);
        }
        let mut read = read(&self.db, std::slice::from_ref(partner), Instant::now()).await?;
        let revisions = or_not_found(read.remove(partner))?;
        let etag = revisions.etag.clone();
        self.cache.insert(partner.clone(), (counted, revisions));
        Ok(etag)
    }

    /// Queries the database, sharing the query with concurrent callers.
    async fn load<T>(
        &self,
        partner: &BusinessPartnerId,
        select: impl FnOnce(&Revisions) -> T,
    ) -> Result<T> {
        let loaded = query_time::measure(self.loaders.current().load(partner)).await?;
        or_not_found(loaded.get(partner).map(select))
    }
}

async fn read(db: &Db, partners: &[BusinessPartnerId], since: Instant) -> Result<RevisionMap> {
    let rows = db
        .read_with(
            ReadOptions::from(ReadCost::Lookup).waiting_since(since),
            async |conn| query(conn, partners).await,
        )
        .await?;
    Ok(rows
        .into_iter()
        .map(|(partner, versions)| {
            let etag = versions.etag();
            (partner, Revisions { versions, etag })
        })
        .collect())
}

/// The ETag of everything readable below a partner's integration, as `conn` sees it; a "not
/// found" error for unknown partners.
pub async fn etag_in(conn: &mut Conn, partner: &BusinessPartnerId) -> Result<EntityTag> {
    let row = query(conn, std::slice::from_ref(partner)).await?.pop();
    or_not_found(row).map(|(_, versions)| versions.etag())
}

/// Reads the revisions of partners with one query; unknown partners are omitted.
async fn query(
    conn: &mut Conn,
    partners: &[BusinessPartnerId],
) -> Result<Vec<(BusinessPartnerId, VersionVector)>> {
    // PostgreSQL replans `= ANY` with short arrays on every execution, because its generic plan
    // assumes longer ones; planning costs as much as the rest of the query.
    let rows: Vec<(BusinessPartnerId, i64, i64, i64)> = match partners {
        [partner] => with_conn!(conn, |c| revisions()
            .filter(integrations::business_partner_id.eq(partner))
            .load(c)),
        partners => with_conn!(conn, |c| revisions()
            .filter(integrations::business_partner_id.eq_any(partners))
            .load(c)),
    }?;
    Ok(rows
        .into_iter()
        .map(|(id, partner, catalog, rules)| {
            let versions = VersionVector {
                partner,
                catalog,
                global_rules: rules,
            };
            (id, versions)
        })
        .collect())
}

/// Selects each partner with its revision and the shared revisions.
#[diesel::dsl::auto_type(no_type_alias)]
fn revisions() -> _ {
    // `auto_type` needs the types of its arguments
    let catalog: &'static str = CATALOG;
    let rules: &'static str = GLOBAL_RULES;
    integrations::table
        .inner_join(shared_revisions::table.on(shared_revisions::name.eq(catalog)))
        .inner_join(global_rules.on(global_rules.field(shared_revisions::name).eq(rules)))
        .select((
            integrations::business_partner_id,
            integrations::revision,
            shared_revisions::revision,
            global_rules.field(shared_revisions::revision),
        ))
}

//! Caches compiled policies and the accesses that they are evaluated for.
//!
//! # Freshness
//!
//! A decision reflects every change that any instance acknowledged before the request arrived. No
//! entry expires by time; instead, every use of an entry is validated:
//!
//! 1. [`RevisionLookup`] returns the current [`VersionVector`] of the partner. It covers the
//!    partner's integration, the catalog and the global rules. On PostgreSQL it consists of their
//!    revisions, read by a query that starts after the request arrived and is shared by concurrent
//!    requests. On SQLite, where this process is the only writer, it consists of commit counters in
//!    memory.
//! 2. A cached policy is used if its version vector equals the current one. A higher vector is
//!    stale too: revisions go backwards when a backup is restored.
//! 3. Otherwise the policy is loaded in one database snapshot. Concurrent loads of one partner are
//!    coalesced ([`Singleflight`]). A load that was already running may have started before step 1.
//!    Its result is used only if its version vector dominates the current one; otherwise the
//!    request loads again.
//!
//! An access is cached with the revision of its partner's integration and is combined only with a
//! policy of the same revision. Two different states could together allow what neither of them
//! allows.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use quick_cache::{
    DefaultHashBuilder, Weighter,
    sync::{Cache, DefaultLifecycle},
};
use ticket_policy::Viewer;

use super::{
    DecisionStats,
    access_cache::{AccessCache, CachedAccess, cache_options},
    policy_loader::{GlobalRuleCache, PolicyInput, PolicySnapshot},
};
use crate::{
    accesses::{self, AccessFields, AccessRef, AccessRow},
    common::{
        Error, Result,
        etag::EntityTag,
        ids::{AccessId, BusinessPartnerId},
    },
    db::{
        Conn, Db, ReadCost, RevisionLookup, VersionVector, query_time, singleflight::Singleflight,
    },
};

/// Approximate size of a cached policy beyond its partner part, in bytes.
const POLICY_OVERHEAD_BYTES: u64 = 256;
/// Expected average size of a cached policy, in bytes.
const EXPECTED_POLICY_BYTES: u64 = 8 * 1024;
/// Attempts to read access and policy one after the other, before both are read in one snapshot.
const RESOLVE_ATTEMPTS: u32 = 2;
/// Attempts to load a policy that is recent enough.
const LOAD_ATTEMPTS: u32 = 3;

/// An access and the policy of its partner, both of the same revision.
pub struct ResolvedAccess {
    pub snapshot: Arc<PolicySnapshot>,
    pub access: Arc<CachedAccess>,
}

#[derive(Debug, Clone)]
struct PolicyWeighter;

impl Weighter<BusinessPartnerId, Arc<PolicySnapshot>> for PolicyWeighter {
    fn weight(&self, _: &BusinessPartnerId, snapshot: &Arc<PolicySnapshot>) -> u64 {
        snapshot.policy.partner.bytes() as u64 + POLICY_OVERHEAD_BYTES
    }
}

/// The cache of policies and accesses. See the [module](self) for its guarantees.
pub struct PolicyCache {
    /// Counters of the decisions made with cached policies.
    pub stats: DecisionStats,
    db: Db,
    revisions: Arc<RevisionLookup>,
    policies: Cache<BusinessPartnerId, Arc<PolicySnapshot>, PolicyWeighter>,
    accesses: AccessCache,
    global_rules: GlobalRuleCache,
    /// Revision of the global rules in the most recently loaded policy.
    global_rules_revision: AtomicI64,
    /// The policies that are being loaded.
    loads: Arc<Singleflight<BusinessPartnerId, Arc<PolicySnapshot>>>,
}

impl PolicyCache {
    /// Creates a cache of about `bytes` bytes: three quarters for policies, the rest for accesses.
    /// The global rules are not included.
    pub fn new(db: Db, revisions: Arc<RevisionLookup>, bytes: u64) -> anyhow::Result<Self> {
        let access_bytes = bytes / 4;
        let policy_options = cache_options(bytes - access_bytes, bytes / EXPECTED_POLICY_BYTES)?;
        Ok(Self {
            stats: DecisionStats::default(),
            db,
            revisions,
            policies: Cache::with_options(
                policy_options,
                PolicyWeighter,
                DefaultHashBuilder::default(),
                DefaultLifecycle::default(),
            ),
            accesses: AccessCache::new(access_bytes)?,
            global_rules: GlobalRuleCache::default(),
            global_rules_revision: AtomicI64::default(),
            loads: Arc::default(),
        })
    }

    /// Approximate size of the cached policies, in bytes.
    pub fn bytes(&self) -> u64 {
        self.policies.weight()
    }

    /// The database that policies are loaded from.
    pub fn db(&self) -> &Db {
        &self.db
    }

    /// Returns an access and the policy of its partner, both as of one moment after the call.
    /// `None` if the access does not exist or `can_access` rejects its partner; the policy is not
    /// loaded then.
    pub async fn resolve(
        self: &Arc<Self>,
        access: &AccessRef,
        can_access: impl Fn(&BusinessPartnerId) -> bool,
    ) -> Result<Option<ResolvedAccess>> {
        match self.accesses.get(access) {
            Some(cached) if can_access(&cached.business_partner_id) => {
                let snapshot = self.fresh(&cached.business_partner_id).await?;
                if is_current(&cached, &snapshot, access) {
                    return Ok(Some(ResolvedAccess {
                        snapshot,
                        access: cached,
                    }));
                }
            }
            // an access never moves to another partner, but its e-mail address can be given to
            // another access
            Some(_) if matches!(access, AccessRef::Id(_)) => return Ok(None),
            _ => {}
        }
        // boxed: the future is large and rarely needed
        Box::pin(self.load_and_resolve(access, can_access)).await
    }

    async fn load_and_resolve(
        self: &Arc<Self>,
        access: &AccessRef,
        can_access: impl Fn(&BusinessPartnerId) -> bool,
    ) -> Result<Option<ResolvedAccess>> {
        for _ in 0..RESOLVE_ATTEMPTS {
            let loaded = self.load_access(access).await?;
            let Some(loaded) = loaded.filter(|loaded| can_access(&loaded.business_partner_id))
            else {
                return Ok(None);
            };
            let snapshot = self.fresh(&loaded.business_partner_id).await?;
            if is_current(&loaded, &snapshot, access) {
                return Ok(Some(ResolvedAccess {
                    snapshot,
                    access: loaded,
                }));
            }
        }
        let resolved = self.load_access_with_policy(access).await?;
        Ok(resolved.filter(|resolved| can_access(&resolved.access.business_partner_id)))
    }

    /// Returns the policy of a partner as of a moment after the call. 404 if the partner does not
    /// exist.
    pub async fn fresh(
        self: &Arc<Self>,
        partner: &BusinessPartnerId,
    ) -> Result<Arc<PolicySnapshot>> {
        let current = self.revisions.versions(partner).await?;
        let cached = self
            .stats
            .policy_lookups
            .record(self.policies.get(partner), |cached| {
                cached.version == current
            });
        if let Some(cached) = cached {
            return Ok(cached);
        }
        Box::pin(query_time::measure(self.load_shared(partner, current))).await
    }

    /// Loads a policy that is not older than `current`. Joins a load that is already running.
    async fn load_shared(
        self: &Arc<Self>,
        partner: &BusinessPartnerId,
        current: VersionVector,
    ) -> Result<Arc<PolicySnapshot>> {
        for _ in 0..LOAD_ATTEMPTS {
            let policy_cache = Arc::clone(self);
            let load = {
                let partner = partner.clone();
                async move || Ok(policy_cache.load(&partner, async |_, _| Ok(())).await?.0)
            };
            let snapshot = self.loads.join(partner.clone(), load).await?;
            // the first load joined may have started before `current` was read, the next one cannot
            if snapshot.version.dominates(current) {
                return Ok(snapshot);
            }
        }
        Err(Error::Unavailable(
            "the revisions went backwards".to_owned(),
        ))
    }

    /// Loads the policy of a partner, and whatever `read_more` reads in the same snapshot. The
    /// snapshot begins after the call.
    pub async fn load<T>(
        &self,
        partner: &BusinessPartnerId,
        read_more: impl AsyncFn(&mut Conn, &PolicyInput) -> Result<T>,
    ) -> Result<(Arc<PolicySnapshot>, T)> {
        let version = self
            .db
            .commit_counters()
            .map(|counters| counters.lower_bound(partner));
        let read = async |conn: &mut Conn| {
            let input = self.read_input(conn, partner, version).await?;
            let more = read_more(conn, &input).await?;
            Ok((input, more))
        };
        let (input, more) = self.db.snapshot(ReadCost::Scan, read).await?;
        let snapshot = Arc::new(input.compile().await?);
        self.policies.insert(partner.clone(), Arc::clone(&snapshot));
        self.evict_old_global_rules(snapshot.revisions.global_rules);
        Ok((snapshot, more))
    }

    /// Evicts policies with outdated global rules. Each of them would keep an old rule set in
    /// memory, which the cache's size does not include. Policies with the previous rules stay,
    /// because their partner parts are reused.
    fn evict_old_global_rules(&self, revision: i64) {
        let previous = self.global_rules_revision.swap(revision, Ordering::Relaxed);
        if previous != revision {
            self.policies
                .retain(|_, cached| [previous, revision].contains(&cached.revisions.global_rules));
        }
    }

    async fn read_input(
        &self,
        conn: &mut Conn,
        partner: &BusinessPartnerId,
        version: Option<VersionVector>,
    ) -> Result<PolicyInput> {
        let cached = self.policies.get(partner);
        PolicyInput::read(
            conn,
            partner,
            cached.as_deref(),
            &self.global_rules,
            version,
        )
        .await
    }

    /// The ETag of an access' capabilities, if it was cached at these revisions.
    pub fn cached_etag(&self, id: AccessId, revisions: VersionVector) -> Option<EntityTag> {
        self.accesses.etag(id, revisions)
    }

    /// Caches the ETag of an access' capabilities.
    pub fn cache_etag(&self, id: AccessId, revisions: VersionVector, etag: EntityTag) {
        self.accesses.insert_etag(id, revisions, etag);
    }

    async fn load_access(&self, access: &AccessRef) -> Result<Option<Arc<CachedAccess>>> {
        let row = self
            .db
            .read(async |conn| accesses::service::look_up(conn, access).await)
            .await?;
        Ok(row.map(|(row, revision)| self.cache_access(row, revision)))
    }

    fn cache_access(&self, row: AccessRow, revision: i64) -> Arc<CachedAccess> {
        let access = Arc::new(CachedAccess {
            business_partner_id: row.business_partner_id,
            revision,
            viewer: viewer(row.id, row.fields),
        });
        self.accesses.insert(row.id, Arc::clone(&access));
        access
    }

    /// Loads access and policy in one snapshot, which succeeds even while the partner is written to
    /// continuously.
    async fn load_access_with_policy(&self, access: &AccessRef) -> Result<Option<ResolvedAccess>> {
        let read = async |conn: &mut Conn| {
            let Some((row, revision)) = accesses::service::look_up(conn, access).await? else {
                return Ok(None);
            };
            let input = self
                .read_input(conn, &row.business_partner_id, None)
                .await?;
            Ok(Some((row, revision, input)))
        };
        let Some((row, revision, input)) = self.db.snapshot(ReadCost::Scan, read).await? else {
            return Ok(None);
        };
        Ok(Some(ResolvedAccess {
            // not cached: the partner was unknown when the snapshot began, so SQLite's commit
            // counters were not read
            snapshot: Arc::new(input.compile().await?),
            access: self.cache_access(row, revision),
        }))
    }
}

/// Whether an access has the same revision as a policy and still matches the reference that it was
/// requested by.
fn is_current(cached: &CachedAccess, snapshot: &PolicySnapshot, access: &AccessRef) -> bool {
    cached.revision == snapshot.revisions.partner && cached.matches(access)
}

/// The viewer that represents an access in decisions.
pub fn viewer(id: AccessId, fields: AccessFields) -> Viewer {
    Viewer {
        id: id.as_uuid(),
        id_text: id.to_string().into(),
        contact_id: fields.contact_id.map(|contact| contact.as_str().into()),
        email: fields.email.into(),
        active: fields.active,
        role: fields.role.0,
        approver: fields.approver,
        ticket_visibility: fields.ticket_visibility.0,
    }
}

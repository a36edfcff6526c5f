//! Keeps compiled policies and the accesses that asked, and knows whether they are current.
//!
//! What is kept is validated by revision, never by time: before an answer is computed, the instance knows that nothing it is
//! computed from has changed, since [`RevisionLookup`] does. So no answer is older than its request.
//!
//! A policy is one state of the database as a whole, and an access is taken with it only where both are of the same revision:
//! parts of two states could together allow what neither did.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use quick_cache::{
    DefaultHashBuilder, OptionsBuilder, UnitWeighter, Weighter,
    sync::{Cache, DefaultLifecycle},
};
use ticket_policy::Viewer;

use super::{
    DecisionStats,
    policy_loader::{GlobalRuleCache, PolicyInput, PolicySnapshot},
};
use crate::{
    accesses::{self, AccessFields, AccessRef, AccessRow},
    common::{
        Error, Result,
        change::EntityTag,
        ids::{AccessId, BusinessPartnerId},
    },
    db::{Conn, Db, ReadCost, VersionVector, query_time, singleflight::Singleflight},
    integration::RevisionLookup,
};

/// Memory of a kept access, in bytes, roughly.
const ACCESS_BYTES: u64 = 512;
/// How often policy and access are looked up one after the other before both are read together.
const ATTEMPTS: u32 = 2;
/// How often a policy is read before it counts as one that cannot be read.
const READS: u32 = 3;
/// Into how many parts each cache is divided. One, because a policy must fit into a part.
const SHARDS: usize = 1;

/// An access as it was at a revision of its partner's integration.
#[derive(Debug)]
pub struct CachedAccess {
    pub business_partner_id: BusinessPartnerId,
    revision: i64,
    pub viewer: Viewer,
}

/// Who asks, and the policy that decides, of one moment.
pub struct ResolvedAccess {
    pub snapshot: Arc<PolicySnapshot>,
    pub known: Arc<CachedAccess>,
}

#[derive(Debug, Clone)]
struct ByBytes;

impl Weighter<BusinessPartnerId, Arc<PolicySnapshot>> for ByBytes {
    fn weight(&self, _: &BusinessPartnerId, snapshot: &Arc<PolicySnapshot>) -> u64 {
        snapshot.policy.partner.bytes() as u64 + 256
    }
}

/// See the module.
pub struct PolicyCache {
    /// What was decided with what is kept.
    pub counts: DecisionStats,
    db: Db,
    current: Arc<RevisionLookup>,
    policies: Cache<BusinessPartnerId, Arc<PolicySnapshot>, ByBytes>,
    accesses: Cache<AccessId, Arc<CachedAccess>>,
    logins: Cache<String, AccessId>,
    /// The tags of the last capabilities capability_etags of an access, and the revisions they were made from.
    capability_etags: Cache<AccessId, (VersionVector, EntityTag)>,
    shared: GlobalRuleCache,
    /// The revision of the global rules of the policy that was made last.
    rules_at: AtomicI64,
    flights: Arc<Singleflight<BusinessPartnerId, Arc<PolicySnapshot>>>,
}

impl PolicyCache {
    /// A keeper that uses about `bytes` of memory: three quarters for policies, the rest for accesses.
    pub fn new(db: Db, current: Arc<RevisionLookup>, bytes: u64) -> anyhow::Result<Self> {
        let for_accesses = bytes / 4;
        let policies = options(bytes - for_accesses, bytes / (8 * 1024))?;
        let accesses = options(for_accesses / ACCESS_BYTES, for_accesses / ACCESS_BYTES)?;
        Ok(Self {
            counts: DecisionStats::default(),
            db,
            current,
            policies: Cache::with_options(
                policies,
                ByBytes,
                DefaultHashBuilder::default(),
                DefaultLifecycle::default(),
            ),
            logins: counted(accesses.clone()),
            capability_etags: counted(accesses.clone()),
            accesses: counted(accesses),
            shared: GlobalRuleCache::default(),
            rules_at: AtomicI64::default(),
            flights: Arc::default(),
        })
    }

    /// Memory of the policies that are kept, in bytes, roughly.
    pub fn bytes(&self) -> u64 {
        self.policies.weight()
    }

    /// The database that what is kept comes from.
    pub fn db(&self) -> &Db {
        &self.db
    }

    /// An access, and the policy of its partner, both of one moment that is not before this call. `None`: there is no such access,
    /// or it is none of a partner that the caller may know of, for whom then nothing more is looked up.
    pub async fn resolve(
        self: &Arc<Self>,
        access: &AccessRef,
        can_access: impl Fn(&BusinessPartnerId) -> bool,
    ) -> Result<Option<ResolvedAccess>> {
        // an access never changes its partner, but an e-mail address may since have become another one's
        match self.cached_access(access) {
            Some(known) if can_access(&known.business_partner_id) => {
                let snapshot = self.fresh(&known.business_partner_id).await?;
                if known.fits(&snapshot, access) {
                    return Ok(Some(ResolvedAccess { snapshot, known }));
                }
            }
            Some(_) if matches!(access, AccessRef::Id(_)) => return Ok(None),
            _ => {}
        }
        // boxed: it is large, seldom needed, and would be moved about with every question
        Box::pin(self.load_and_resolve(access, can_access)).await
    }

    async fn load_and_resolve(
        self: &Arc<Self>,
        access: &AccessRef,
        can_access: impl Fn(&BusinessPartnerId) -> bool,
    ) -> Result<Option<ResolvedAccess>> {
        let can_access = |known: &Arc<CachedAccess>| can_access(&known.business_partner_id);
        for _ in 0..ATTEMPTS {
            let Some(known) = self.load_access(access).await?.filter(can_access) else {
                return Ok(None);
            };
            let snapshot = self.fresh(&known.business_partner_id).await?;
            if known.fits(&snapshot, access) {
                return Ok(Some(ResolvedAccess { snapshot, known }));
            }
        }
        Ok(self
            .load_together(access)
            .await?
            .filter(|asked| can_access(&asked.known)))
    }

    /// The policy of a partner, of a moment that is not before this call. Not found if there is no such partner.
    pub async fn fresh(
        self: &Arc<Self>,
        partner: &BusinessPartnerId,
    ) -> Result<Arc<PolicySnapshot>> {
        let now = self.current.stamp(partner).await?;
        // not one that is newer either: revisions that went backwards, as after a restored backup, belong to another history
        if let Some(kept) = self
            .counts
            .policies
            .record(self.policies.get(partner), |kept| kept.stamp == now)
        {
            return Ok(kept);
        }
        Box::pin(query_time::count(self.load_fresh(partner, now))).await
    }

    async fn load_fresh(
        self: &Arc<Self>,
        partner: &BusinessPartnerId,
        now: VersionVector,
    ) -> Result<Arc<PolicySnapshot>> {
        for _ in 0..READS {
            let (policy_cache, wanted) = (Arc::clone(self), partner.clone());
            let read = async move || Ok(policy_cache.load(&wanted, async |_, _| Ok(())).await?.0);
            let read = self.flights.join(partner.clone(), read).await?;
            // the first one joined may have begun before `now`, the next one has not
            if read.stamp.dominates(now) {
                return Ok(read);
            }
        }
        Err(Error::Unavailable(
            "the revisions went backwards".to_owned(),
        ))
    }

    /// The policy of a partner, and whatever else `more` reads of the same moment, which begins after this was called.
    pub async fn load<T>(
        &self,
        partner: &BusinessPartnerId,
        more: impl AsyncFn(&mut Conn, &PolicyInput) -> Result<T>,
    ) -> Result<(Arc<PolicySnapshot>, T)> {
        let stamp = self.db.changes().map(|changes| changes.stamp(partner));
        let read = async |conn: &mut Conn| {
            let input = self.input(conn, partner, stamp).await?;
            let more = more(conn, &input).await?;
            Ok((input, more))
        };
        let (input, more) = self.db.snapshot(ReadCost::Scan, read).await?;
        let snapshot = Arc::new(input.compile().await?);
        self.policies.insert(partner.clone(), Arc::clone(&snapshot));
        self.forget_old_rules(snapshot.revisions.global_rules);
        Ok((snapshot, more))
    }

    /// Partners that are not asked about any more would keep old sets of global rules in memory, one for each revision that there was,
    /// beside all that is counted. Policies with the last one before are left: most of what they are made of is still good.
    fn forget_old_rules(&self, now: i64) {
        let before = self.rules_at.swap(now, Ordering::Relaxed);
        if before != now {
            self.policies
                .retain(|_, kept| [before, now].contains(&kept.revisions.global_rules));
        }
    }

    async fn input(
        &self,
        conn: &mut Conn,
        partner: &BusinessPartnerId,
        stamp: Option<VersionVector>,
    ) -> Result<PolicyInput> {
        let older = self.policies.get(partner);
        PolicyInput::read(conn, partner, older.as_deref(), &self.shared, stamp).await
    }

    /// The tag of the capabilities of an access, if they were capability_etags at these revisions.
    pub fn cached_etag(&self, id: AccessId, revisions: VersionVector) -> Option<EntityTag> {
        self.capability_etags
            .get(&id)
            .filter(|(at, _)| *at == revisions)
            .map(|(_, tag)| tag)
    }

    /// Remembers the tag of the capabilities of an access.
    pub fn cache_etag(&self, id: AccessId, revisions: VersionVector, tag: EntityTag) {
        self.capability_etags.insert(id, (revisions, tag));
    }

    /// Who an access is, as far as is remembered; it may have changed since.
    fn cached_access(&self, access: &AccessRef) -> Option<Arc<CachedAccess>> {
        let id = match access {
            AccessRef::Id(id) => *id,
            AccessRef::Email(email) => self.logins.get(email)?,
        };
        self.accesses.get(&id)
    }

    async fn load_access(&self, access: &AccessRef) -> Result<Option<Arc<CachedAccess>>> {
        let row = self
            .db
            .read(async |conn| accesses::service::look_up(conn, access).await)
            .await?;
        Ok(row.map(|row| self.remember(row)))
    }

    fn remember(&self, row: (AccessRow, i64)) -> Arc<CachedAccess> {
        let known = Arc::new(CachedAccess::from(row));
        self.logins
            .insert(known.viewer.email.to_string(), known.viewer.id.into());
        self.accesses
            .insert(known.viewer.id.into(), Arc::clone(&known));
        known
    }

    /// Reads access and policy in one snapshot: the way that ends also while others keep writing.
    async fn load_together(&self, access: &AccessRef) -> Result<Option<ResolvedAccess>> {
        let read = async |conn: &mut Conn| {
            let Some(row) = accesses::service::look_up(conn, access).await? else {
                return Ok(None);
            };
            // not kept: on SQLite nobody knows what it would have to cover
            let input = self.input(conn, &row.0.business_partner_id, None).await?;
            Ok(Some((row, input)))
        };
        let Some((row, input)) = self.db.snapshot(ReadCost::Scan, read).await? else {
            return Ok(None);
        };
        Ok(Some(ResolvedAccess {
            snapshot: Arc::new(input.compile().await?),
            known: self.remember(row),
        }))
    }
}

impl CachedAccess {
    /// Whether it is of the same state as a policy, and still goes by the name it was asked for.
    fn fits(&self, snapshot: &PolicySnapshot, access: &AccessRef) -> bool {
        let named = match access {
            AccessRef::Id(id) => id.as_uuid() == self.viewer.id,
            AccessRef::Email(email) => **email == *self.viewer.email,
        };
        named && self.revision == snapshot.revisions.partner
    }
}

impl From<(AccessRow, i64)> for CachedAccess {
    fn from((row, revision): (AccessRow, i64)) -> Self {
        Self {
            business_partner_id: row.business_partner_id,
            revision,
            viewer: viewer(row.id, row.fields),
        }
    }
}

/// An access as it looks at tickets.
pub fn viewer(id: AccessId, fields: AccessFields) -> Viewer {
    Viewer {
        id: id.as_uuid(),
        id_text: id.to_string().into(),
        contact_id: fields.contact_id.map(|contact| contact.as_str().into()),
        email: fields.email.into(),
        active: fields.active,
        role: fields.role.0,
        ticket_visibility: fields.ticket_visibility.0,
    }
}

fn counted<K: Eq + std::hash::Hash, V: Clone>(options: quick_cache::Options) -> Cache<K, V> {
    Cache::with_options(
        options,
        UnitWeighter,
        DefaultHashBuilder::default(),
        DefaultLifecycle::default(),
    )
}

fn options(weight: u64, items: u64) -> anyhow::Result<quick_cache::Options> {
    let items = usize::try_from(items)?.max(64);
    let built = OptionsBuilder::new()
        .shards(SHARDS)
        .estimated_items_capacity(items)
        .weight_capacity(weight)
        .build();
    built.map_err(|error| anyhow::anyhow!("{error}"))
}

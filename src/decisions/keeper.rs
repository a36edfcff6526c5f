//! Keeps compiled policies and the accesses that asked, and knows whether they are current.
//!
//! What is kept is validated by revision, never by time: before an answer is computed, the instance knows that nothing it is
//! computed from has changed, since [`Current`] does. So no answer is older than its request.
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

use super::{
    Counts,
    policy::Viewer,
    snapshot::{Material, SharedRules, Snapshot},
};
use crate::{
    accesses::{self, AccessFacts, AccessId, AccessRow, Who},
    catalog::BusinessPartnerId,
    db::{Conn, Db, Reach, Stamp, shared_work::Flights, spent},
    integration::Current,
    kernel::{Error, Result, change::EntityTag},
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
pub struct Known {
    pub business_partner_id: BusinessPartnerId,
    revision: i64,
    pub viewer: Viewer,
}

/// Who asks, and the policy that decides, of one moment.
pub struct Asked {
    pub snapshot: Arc<Snapshot>,
    pub known: Arc<Known>,
}

#[derive(Debug, Clone)]
struct ByBytes;

impl Weighter<BusinessPartnerId, Arc<Snapshot>> for ByBytes {
    fn weight(&self, _: &BusinessPartnerId, snapshot: &Arc<Snapshot>) -> u64 {
        snapshot.policy.partner.bytes() as u64 + 256
    }
}

/// See the module.
pub struct Keeper {
    /// What was decided with what is kept.
    pub counts: Counts,
    db: Db,
    current: Arc<Current>,
    policies: Cache<BusinessPartnerId, Arc<Snapshot>, ByBytes>,
    accesses: Cache<AccessId, Arc<Known>>,
    logins: Cache<String, AccessId>,
    /// The tags of the last capabilities told of an access, and the revisions they were made from.
    told: Cache<AccessId, (Stamp, EntityTag)>,
    shared: SharedRules,
    /// The revision of the global rules of the policy that was made last.
    rules_at: AtomicI64,
    flights: Arc<Flights<BusinessPartnerId, Arc<Snapshot>>>,
}

impl Keeper {
    /// A keeper that uses about `bytes` of memory: three quarters for policies, the rest for accesses.
    pub fn new(db: Db, current: Arc<Current>, bytes: u64) -> anyhow::Result<Self> {
        let for_accesses = bytes / 4;
        let policies = options(bytes - for_accesses, bytes / (8 * 1024))?;
        let accesses = options(for_accesses / ACCESS_BYTES, for_accesses / ACCESS_BYTES)?;
        Ok(Self {
            counts: Counts::default(),
            db,
            current,
            policies: Cache::with_options(
                policies,
                ByBytes,
                DefaultHashBuilder::default(),
                DefaultLifecycle::default(),
            ),
            logins: counted(accesses.clone()),
            told: counted(accesses.clone()),
            accesses: counted(accesses),
            shared: SharedRules::default(),
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
    pub async fn ask(
        self: &Arc<Self>,
        who: &Who,
        may_know: impl Fn(&BusinessPartnerId) -> bool,
    ) -> Result<Option<Asked>> {
        // an access never changes its partner, but an e-mail address may since have become another one's
        match self.recall(who) {
            Some(known) if may_know(&known.business_partner_id) => {
                let snapshot = self.current(&known.business_partner_id).await?;
                if known.fits(&snapshot, who) {
                    return Ok(Some(Asked { snapshot, known }));
                }
            }
            Some(_) if matches!(who, Who::Id(_)) => return Ok(None),
            _ => {}
        }
        // boxed: it is large, seldom needed, and would be moved about with every question
        Box::pin(self.look_up_and_ask(who, may_know)).await
    }

    async fn look_up_and_ask(
        self: &Arc<Self>,
        who: &Who,
        may_know: impl Fn(&BusinessPartnerId) -> bool,
    ) -> Result<Option<Asked>> {
        let may_know = |known: &Arc<Known>| may_know(&known.business_partner_id);
        for _ in 0..ATTEMPTS {
            let Some(known) = self.look_up(who).await?.filter(may_know) else {
                return Ok(None);
            };
            let snapshot = self.current(&known.business_partner_id).await?;
            if known.fits(&snapshot, who) {
                return Ok(Some(Asked { snapshot, known }));
            }
        }
        Ok(self
            .read_both(who)
            .await?
            .filter(|asked| may_know(&asked.known)))
    }

    /// The policy of a partner, of a moment that is not before this call. Not found if there is no such partner.
    pub async fn current(self: &Arc<Self>, partner: &BusinessPartnerId) -> Result<Arc<Snapshot>> {
        let now = self.current.stamp(partner).await?;
        // not one that is newer either: revisions that went backwards, as after a restored backup, belong to another history
        if let Some(kept) = self
            .counts
            .policies
            .sift(self.policies.get(partner), |kept| kept.stamp == now)
        {
            return Ok(kept);
        }
        Box::pin(spent::count(self.read_current(partner, now))).await
    }

    async fn read_current(
        self: &Arc<Self>,
        partner: &BusinessPartnerId,
        now: Stamp,
    ) -> Result<Arc<Snapshot>> {
        for _ in 0..READS {
            let (keeper, wanted) = (Arc::clone(self), partner.clone());
            let read = async move || Ok(keeper.read_with(&wanted, async |_, _| Ok(())).await?.0);
            let read = self.flights.join(partner.clone(), read).await?;
            // the first one joined may have begun before `now`, the next one has not
            if read.stamp.covers(now) {
                return Ok(read);
            }
        }
        Err(Error::Unavailable(
            "the revisions went backwards".to_owned(),
        ))
    }

    /// The policy of a partner, and whatever else `more` reads of the same moment, which begins after this was called.
    pub async fn read_with<T>(
        &self,
        partner: &BusinessPartnerId,
        more: impl AsyncFn(&mut Conn, &Material) -> Result<T>,
    ) -> Result<(Arc<Snapshot>, T)> {
        let stamp = self.db.changes().map(|changes| changes.stamp(partner));
        let read = async |conn: &mut Conn| {
            let material = self.material(conn, partner, stamp).await?;
            let more = more(conn, &material).await?;
            Ok((material, more))
        };
        let (material, more) = self.db.snapshot(Reach::Much, read).await?;
        let snapshot = Arc::new(material.compiled().await?);
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

    async fn material(
        &self,
        conn: &mut Conn,
        partner: &BusinessPartnerId,
        stamp: Option<Stamp>,
    ) -> Result<Material> {
        let older = self.policies.get(partner);
        Material::read(conn, partner, older.as_deref(), &self.shared, stamp).await
    }

    /// The tag of the capabilities of an access, if they were told at these revisions.
    pub fn told(&self, id: AccessId, revisions: Stamp) -> Option<EntityTag> {
        self.told
            .get(&id)
            .filter(|(at, _)| *at == revisions)
            .map(|(_, tag)| tag)
    }

    /// Remembers the tag of the capabilities of an access.
    pub fn tell(&self, id: AccessId, revisions: Stamp, tag: EntityTag) {
        self.told.insert(id, (revisions, tag));
    }

    /// Who an access is, as far as is remembered; it may have changed since.
    fn recall(&self, who: &Who) -> Option<Arc<Known>> {
        let id = match who {
            Who::Id(id) => *id,
            Who::Email(email) => self.logins.get(email)?,
        };
        self.accesses.get(&id)
    }

    async fn look_up(&self, who: &Who) -> Result<Option<Arc<Known>>> {
        let row = self
            .db
            .read(async |conn| accesses::service::look_up(conn, who).await)
            .await?;
        Ok(row.map(|row| self.remember(row)))
    }

    fn remember(&self, row: (AccessRow, i64)) -> Arc<Known> {
        let known = Arc::new(Known::from(row));
        self.logins
            .insert(known.viewer.email.to_string(), known.viewer.id);
        self.accesses.insert(known.viewer.id, Arc::clone(&known));
        known
    }

    /// Reads access and policy in one snapshot: the way that ends also while others keep writing.
    async fn read_both(&self, who: &Who) -> Result<Option<Asked>> {
        let read = async |conn: &mut Conn| {
            let Some(row) = accesses::service::look_up(conn, who).await? else {
                return Ok(None);
            };
            // not kept: on SQLite nobody knows what it would have to cover
            let material = self
                .material(conn, &row.0.business_partner_id, None)
                .await?;
            Ok(Some((row, material)))
        };
        let Some((row, material)) = self.db.snapshot(Reach::Much, read).await? else {
            return Ok(None);
        };
        Ok(Some(Asked {
            snapshot: Arc::new(material.compiled().await?),
            known: self.remember(row),
        }))
    }
}

impl Known {
    /// Whether it is of the same state as a policy, and still goes by the name it was asked for.
    fn fits(&self, snapshot: &Snapshot, who: &Who) -> bool {
        let named = match who {
            Who::Id(id) => *id == self.viewer.id,
            Who::Email(email) => **email == *self.viewer.email,
        };
        named && self.revision == snapshot.revisions.partner
    }
}

impl From<(AccessRow, i64)> for Known {
    fn from((row, revision): (AccessRow, i64)) -> Self {
        Self {
            business_partner_id: row.business_partner_id,
            revision,
            viewer: viewer(row.id, row.facts),
        }
    }
}

/// An access as it looks at tickets.
pub fn viewer(id: AccessId, facts: AccessFacts) -> Viewer {
    Viewer {
        id,
        id_text: id.to_string().into(),
        contact_id: facts.contact_id.map(|contact| contact.as_str().into()),
        email: facts.email.into(),
        active: facts.active,
        role: facts.role.0,
        ticket_visibility: facts.ticket_visibility.0,
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

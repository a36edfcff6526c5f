//! Caches accesses and the ETags of their capabilities.
//!
//! Entries do not expire: every use of an entry is validated with a revision.

use std::{hash::Hash, sync::Arc};

use quick_cache::{
    DefaultHashBuilder, OptionsBuilder, UnitWeighter,
    sync::{Cache, DefaultLifecycle},
};
use ticket_policy::Viewer;

use crate::{
    accesses::AccessRef,
    common::{
        etag::EntityTag,
        ids::{AccessId, BusinessPartnerId},
    },
    db::VersionVector,
};

/// Approximate size of a cached access, in bytes.
const ACCESS_BYTES: u64 = 512;
/// Fewest entries that a cache is prepared for.
const MIN_CAPACITY: usize = 64;
/// Shards of each cache. One, because an entry must fit into a shard.
const SHARDS: usize = 1;

/// An access at a revision of its partner's integration.
#[derive(Debug)]
pub struct CachedAccess {
    pub business_partner_id: BusinessPartnerId,
    /// Revision of the partner's integration.
    pub revision: i64,
    pub viewer: Viewer,
}

impl CachedAccess {
    /// Whether the access still matches the reference that it was requested by.
    pub fn matches(&self, access: &AccessRef) -> bool {
        match access {
            AccessRef::Id(id) => id.as_uuid() == self.viewer.id,
            AccessRef::Email(email) => **email == *self.viewer.email,
        }
    }
}

/// The ETag of an access' capabilities, and the revisions that these were computed from.
#[derive(Clone)]
struct CapabilitiesEtag {
    revisions: VersionVector,
    etag: EntityTag,
}

/// The accesses that were requested most.
pub struct AccessCache {
    accesses: Cache<AccessId, Arc<CachedAccess>>,
    ids_by_email: Cache<String, AccessId>,
    capability_etags: Cache<AccessId, CapabilitiesEtag>,
}

impl AccessCache {
    /// Creates a cache of about `bytes` bytes.
    pub fn new(bytes: u64) -> anyhow::Result<Self> {
        let max_accesses = bytes / ACCESS_BYTES;
        let options = cache_options(max_accesses, max_accesses)?;
        Ok(Self {
            accesses: unweighted_cache(options.clone()),
            ids_by_email: unweighted_cache(options.clone()),
            capability_etags: unweighted_cache(options),
        })
    }

    /// The access as last loaded. It may be outdated.
    pub fn get(&self, access: &AccessRef) -> Option<Arc<CachedAccess>> {
        let id = match access {
            AccessRef::Id(id) => *id,
            AccessRef::Email(email) => self.ids_by_email.get(email)?,
        };
        self.accesses.get(&id)
    }

    /// Caches an access.
    pub fn insert(&self, id: AccessId, access: Arc<CachedAccess>) {
        self.ids_by_email
            .insert(access.viewer.email.to_string(), id);
        self.accesses.insert(id, access);
    }

    /// The ETag of an access' capabilities, if it was cached at these revisions.
    pub fn etag(&self, id: AccessId, revisions: VersionVector) -> Option<EntityTag> {
        let cached = self.capability_etags.get(&id)?;
        (cached.revisions == revisions).then_some(cached.etag)
    }

    /// Caches the ETag of an access' capabilities.
    pub fn insert_etag(&self, id: AccessId, revisions: VersionVector, etag: EntityTag) {
        self.capability_etags
            .insert(id, CapabilitiesEtag { revisions, etag });
    }
}

fn unweighted_cache<K: Eq + Hash, V: Clone>(options: quick_cache::Options) -> Cache<K, V> {
    Cache::with_options(
        options,
        UnitWeighter,
        DefaultHashBuilder::default(),
        DefaultLifecycle::default(),
    )
}

/// Options of a cache with a total weight and an expected number of entries.
pub fn cache_options(weight: u64, items: u64) -> anyhow::Result<quick_cache::Options> {
    let items = usize::try_from(items)?.max(MIN_CAPACITY);
    OptionsBuilder::new()
        .shards(SHARDS)
        .estimated_items_capacity(items)
        .weight_capacity(weight)
        .build()
        .map_err(|error| anyhow::anyhow!("{error}"))
}

//! Caches response bodies of reads.
//!
//! A cached body is reused only if its ETag, or the state of the database in which it was read, is
//! still current; it never expires by time. Only bodies that depend on nothing else but the cache
//! key may be cached.

use actix_web::{HttpRequest, http::header::HeaderValue, web::Bytes};
use quick_cache::{Weighter, sync::Cache};

use crate::{
    common::{counters::CacheStats, etag::EntityTag, ids::BusinessPartnerId},
    db::DatabaseState,
    i18n::Lang,
};

/// Typical size of an entry, in bytes.
const TYPICAL_ENTRY_BYTES: u64 = 4096;
/// Approximate memory of an entry besides its strings, in bytes.
const ENTRY_OVERHEAD_BYTES: usize = 192;

/// The JSON of a page, and its ETag.
#[derive(Debug, Clone)]
pub struct CachedPage {
    pub etag: EntityTag,
    /// The state in which the page was read, if its ETag does not identify it.
    pub state: Option<DatabaseState>,
    pub json: Bytes,
    /// The header `Link` to the next page.
    pub next_link: Option<HeaderValue>,
}

#[derive(Debug, Clone)]
struct ByteWeighter;

impl Weighter<String, CachedPage> for ByteWeighter {
    fn weight(&self, key: &String, page: &CachedPage) -> u64 {
        let link = page.next_link.as_ref().map_or(0, HeaderValue::len);
        let state = page.state.as_ref().map_or(0, DatabaseState::size);
        let bytes = key.len() + page.etag.as_str().len() + state + page.json.len() + link;
        (bytes + ENTRY_OVERHEAD_BYTES) as u64
    }
}

/// Caches pages by URL and language; see the module documentation.
#[derive(Debug)]
pub struct PageCache {
    pub lookups: CacheStats,
    pages: Cache<String, CachedPage, ByteWeighter>,
}

impl PageCache {
    /// Creates a cache of about `bytes` bytes; 0 disables it.
    pub fn new(bytes: u64) -> Self {
        let items = usize::try_from(bytes / TYPICAL_ENTRY_BYTES).unwrap_or(usize::MAX);
        Self {
            lookups: CacheStats::default(),
            pages: Cache::with_weighter(items, bytes, ByteWeighter),
        }
    }

    /// Approximate memory of the cached pages, in bytes.
    pub fn bytes(&self) -> u64 {
        self.pages.weight()
    }

    /// The page cached for a key, if it has this ETag.
    pub fn get(&self, key: &str, etag: &EntityTag) -> Option<CachedPage> {
        self.lookups
            .record(self.pages.get(key), |page| page.etag == *etag)
    }

    /// The page cached for a key, if it was read in this state.
    pub fn get_read_in(&self, key: &str, state: &DatabaseState) -> Option<CachedPage> {
        self.lookups.record(self.pages.get(key), |page| {
            page.state.as_ref() == Some(state)
        })
    }

    /// Whether pages are cached at all.
    pub fn is_enabled(&self) -> bool {
        self.pages.capacity() > 0
    }

    /// Caches a page, and replaces the previous one of the same key.
    pub fn insert(&self, key: String, page: CachedPage) {
        self.pages.insert(key, page);
    }
}

/// The cache key of a request: its language, the partner to which its token is limited if the body
/// depends on it, its path and query.
pub fn cache_key(
    request: &HttpRequest,
    lang: Lang,
    limited_to: Option<&BusinessPartnerId>,
) -> String {
    let target = request
        .uri()
        .path_and_query()
        .map_or("/", |target| target.as_str());
    // neither languages nor ids contain a slash, with which the path begins
    let partner = limited_to.map_or("", BusinessPartnerId::as_str);
    [lang.code(), ":", partner, target].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(version: i64, length: usize) -> CachedPage {
        CachedPage {
            etag: EntityTag::of(version),
            state: None,
            json: vec![b' '; length].into(),
            next_link: None,
        }
    }

    #[test]
    fn page_with_current_etag_is_returned() {
        let cache = PageCache::new(1 << 20);
        assert!(cache.get("/a", &EntityTag::of(1)).is_none());
        cache.insert("/a".to_owned(), page(1, 10));
        assert_eq!(cache.get("/a", &EntityTag::of(1)).unwrap().json.len(), 10);
        assert!(cache.get("/a", &EntityTag::of(2)).is_none());
        assert!(cache.get("/b", &EntityTag::of(1)).is_none());
        let lookups = cache.lookups.named().map(|(_, count)| count.get());
        assert_eq!(lookups, [1, 1, 2]);
    }

    #[test]
    fn page_read_in_current_state_is_returned() {
        let cache = PageCache::new(1 << 20);
        let read = CachedPage {
            state: Some(DatabaseState::Commits(4)),
            ..page(1, 10)
        };
        cache.insert("/a".to_owned(), read);
        assert!(
            cache
                .get_read_in("/a", &DatabaseState::Commits(4))
                .is_some()
        );
        assert!(
            cache
                .get_read_in("/a", &DatabaseState::Commits(6))
                .is_none()
        );
    }

    #[test]
    fn cached_pages_stay_within_the_limit() {
        let cache = PageCache::new(1 << 20);
        for number in 0..10_000 {
            cache.insert(format!("/{number}"), page(1, 5_000));
        }
        cache.insert("/huge".to_owned(), page(1, 2 << 20));
        assert!(cache.get("/huge", &EntityTag::of(1)).is_none());
        let bytes = cache.bytes();
        assert!(bytes <= 1 << 20 && bytes > 1 << 19, "{bytes}");
    }

    #[test]
    fn cache_of_size_zero_stores_nothing() {
        let cache = PageCache::new(0);
        cache.insert("/a".to_owned(), page(1, 1));
        assert!(!cache.is_enabled());
        assert!(cache.get("/a", &EntityTag::of(1)).is_none());
        assert_eq!(cache.bytes(), 0);
    }
}

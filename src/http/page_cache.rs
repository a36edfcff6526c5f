//! Pages that were read before.
//!
//! A page is entry under its key, with its tag, and is given out again only when that tag has been found to be the current one:
//! validated by revision, never by time, just as a caller that sends `If-None-EtagMatcher` keeps it. So only such pages may be entry of
//! which key and tag say all; what depends on who asks has no place here.

use actix_web::{HttpRequest, web::Bytes};
use quick_cache::{Weighter, sync::Cache};

use crate::{
    common::{change::EntityTag, counters::CacheStats},
    i18n::Lang,
};

/// Size of a usual page with what is entry beside it, in bytes.
const TYPICAL_ENTRY_BYTES: u64 = 4096;
/// What a page takes beside its texts, in bytes, roughly.
const ENTRY_OVERHEAD_BYTES: usize = 192;

/// The JSON of a page, and the tag of the state that it shows.
#[derive(Debug, Clone)]
pub struct CachedPage {
    pub tag: EntityTag,
    pub json: Bytes,
}

#[derive(Debug, Clone)]
struct ByteWeighter;

impl Weighter<String, CachedPage> for ByteWeighter {
    fn weight(&self, key: &String, entry: &CachedPage) -> u64 {
        (key.len() + entry.tag.as_str().len() + entry.json.len() + ENTRY_OVERHEAD_BYTES) as u64
    }
}

/// See the module.
#[derive(Debug)]
pub struct PageCache {
    /// Pages that were looked for.
    pub lookups: CacheStats,
    pages: Cache<String, CachedPage, ByteWeighter>,
}

impl PageCache {
    /// Keeps pages in about `bytes` of memory; none if that is too little for one.
    pub fn new(bytes: u64) -> Self {
        let items = usize::try_from(bytes / TYPICAL_ENTRY_BYTES).unwrap_or(usize::MAX);
        Self {
            lookups: CacheStats::default(),
            pages: Cache::with_weighter(items, bytes, ByteWeighter),
        }
    }

    /// Memory of the pages that are entry, in bytes, roughly.
    pub fn bytes(&self) -> u64 {
        self.pages.weight()
    }

    /// The JSON of the page last read at an key, if it shows the state that bears this tag.
    pub fn get(&self, key: &str, tag: &EntityTag) -> Option<Bytes> {
        self.lookups
            .record(self.pages.get(key), |entry| entry.tag == *tag)
            .map(|entry| entry.json)
    }

    /// Keeps a page in place of the last one.
    pub fn insert(&self, key: String, page: CachedPage) {
        self.pages.insert(key, page);
    }
}

/// What a page is entry under. In another language, it may be another page.
pub fn cache_key(request: &HttpRequest, lang: Lang) -> String {
    let key = request
        .uri()
        .path_and_query()
        .map_or("/", |key| key.as_str());
    [lang.code(), key].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(version: i64, length: usize) -> CachedPage {
        CachedPage {
            tag: EntityTag::of(version),
            json: vec![b' '; length].into(),
        }
    }

    #[test]
    fn a_page_is_given_out_as_long_as_its_tag_is_the_current_one() {
        let pages = PageCache::new(1 << 20);
        assert_eq!(pages.get("/a", &EntityTag::of(1)), None);
        pages.insert("/a".to_owned(), page(1, 10));
        assert_eq!(pages.get("/a", &EntityTag::of(1)).unwrap().len(), 10);
        assert_eq!(pages.get("/a", &EntityTag::of(2)), None);
        assert_eq!(pages.get("/b", &EntityTag::of(1)), None);
        assert_eq!(
            pages.lookups.named().map(|(_, count)| count.get()),
            [1, 1, 2]
        );
    }

    #[test]
    fn memory_is_bounded() {
        let pages = PageCache::new(1 << 20);
        for number in 0..10_000 {
            pages.insert(format!("/{number}"), page(1, 5_000));
        }
        pages.insert("/huge".to_owned(), page(1, 2 << 20));
        assert_eq!(pages.get("/huge", &EntityTag::of(1)), None);
        assert!(
            pages.bytes() <= 1 << 20 && pages.bytes() > 1 << 19,
            "{}",
            pages.bytes()
        );
        let none = PageCache::new(0);
        none.insert("/a".to_owned(), page(1, 1));
        assert_eq!((none.get("/a", &EntityTag::of(1)), none.bytes()), (None, 0));
    }
}

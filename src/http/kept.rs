//! Pages that were read before.
//!
//! A page is kept under its address, with its tag, and is given out again only when that tag has been found to be the current one:
//! validated by revision, never by time, just as a caller that sends `If-None-Match` keeps it. So only such pages may be kept of
//! which address and tag say all; what depends on who asks has no place here.

use actix_web::{HttpRequest, web::Bytes};
use quick_cache::{Weighter, sync::Cache};

use crate::{
    kernel::{change::EntityTag, count::Finds},
    texts::Lang,
};

/// Size of a usual page with what is kept beside it, in bytes.
const USUAL: u64 = 4096;
/// What a page takes beside its texts, in bytes, roughly.
const OVERHEAD: usize = 192;

/// The JSON of a page, and the tag of the state that it shows.
#[derive(Debug, Clone)]
pub struct Kept {
    pub tag: EntityTag,
    pub json: Bytes,
}

#[derive(Debug, Clone)]
struct ByBytes;

impl Weighter<String, Kept> for ByBytes {
    fn weight(&self, address: &String, kept: &Kept) -> u64 {
        (address.len() + kept.tag.as_str().len() + kept.json.len() + OVERHEAD) as u64
    }
}

/// See the module.
#[derive(Debug)]
pub struct KeptPages {
    /// Pages that were looked for.
    pub finds: Finds,
    pages: Cache<String, Kept, ByBytes>,
}

impl KeptPages {
    /// Keeps pages in about `bytes` of memory; none if that is too little for one.
    pub fn new(bytes: u64) -> Self {
        let items = usize::try_from(bytes / USUAL).unwrap_or(usize::MAX);
        Self {
            finds: Finds::default(),
            pages: Cache::with_weighter(items, bytes, ByBytes),
        }
    }

    /// Memory of the pages that are kept, in bytes, roughly.
    pub fn bytes(&self) -> u64 {
        self.pages.weight()
    }

    /// The JSON of the page last read at an address, if it shows the state that bears this tag.
    pub fn find(&self, address: &str, tag: &EntityTag) -> Option<Bytes> {
        self.finds
            .sift(self.pages.get(address), |kept| kept.tag == *tag)
            .map(|kept| kept.json)
    }

    /// Keeps a page in place of the last one.
    pub fn keep(&self, address: String, page: Kept) {
        self.pages.insert(address, page);
    }
}

/// What a page is kept under. In another language, it may be another page.
pub fn address(request: &HttpRequest, lang: Lang) -> String {
    let address = request
        .uri()
        .path_and_query()
        .map_or("/", |address| address.as_str());
    [lang.tag(), address].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(version: i64, length: usize) -> Kept {
        Kept {
            tag: EntityTag::of(version),
            json: vec![b' '; length].into(),
        }
    }

    #[test]
    fn a_page_is_given_out_as_long_as_its_tag_is_the_current_one() {
        let pages = KeptPages::new(1 << 20);
        assert_eq!(pages.find("/a", &EntityTag::of(1)), None);
        pages.keep("/a".to_owned(), page(1, 10));
        assert_eq!(pages.find("/a", &EntityTag::of(1)).unwrap().len(), 10);
        assert_eq!(pages.find("/a", &EntityTag::of(2)), None);
        assert_eq!(pages.find("/b", &EntityTag::of(1)), None);
        assert_eq!(pages.finds.named().map(|(_, count)| count.now()), [1, 1, 2]);
    }

    #[test]
    fn memory_is_bounded() {
        let pages = KeptPages::new(1 << 20);
        for number in 0..10_000 {
            pages.keep(format!("/{number}"), page(1, 5_000));
        }
        pages.keep("/huge".to_owned(), page(1, 2 << 20));
        assert_eq!(pages.find("/huge", &EntityTag::of(1)), None);
        assert!(
            pages.bytes() <= 1 << 20 && pages.bytes() > 1 << 19,
            "{}",
            pages.bytes()
        );
        let none = KeptPages::new(0);
        none.keep("/a".to_owned(), page(1, 1));
        assert_eq!(
            (none.find("/a", &EntityTag::of(1)), none.bytes()),
            (None, 0)
        );
    }
}

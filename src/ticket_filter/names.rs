//! The names that summaries show instead of ids.

use std::collections::BTreeMap;

use super::Summary;
use crate::{catalog::EntryKind, common::etag::EntityTag};

/// Names of catalog entries and of accesses.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Names {
    /// By kind and id.
    entries: BTreeMap<(EntryKind, String), String>,
    /// By id.
    accesses: BTreeMap<String, String>,
}

impl Names {
    /// The name of a catalog entry. `None` if the catalog does not contain it.
    pub fn entry(&self, kind: EntryKind, id: &str) -> Option<&str> {
        self.entries.get(&(kind, id.to_owned())).map(String::as_str)
    }

    /// The display name of an access. `None` if it is not an access of the filter's partner.
    pub fn access(&self, id: &str) -> Option<&str> {
        self.accesses.get(id).map(String::as_str)
    }

    /// Adds accesses, each with its id and its name.
    #[must_use]
    pub fn with_accesses(mut self, accesses: impl IntoIterator<Item = (String, String)>) -> Self {
        self.accesses.extend(accesses);
        self
    }

    /// The ETag of a resource of this `version` whose filter refers to exactly these names, in the
    /// language of its summary.
    pub fn etag(&self, version: i64, summary: &Summary) -> EntityTag {
        let etag = EntityTag::derived(version, EntityTag::hashed(self).as_str());
        match summary {
            Some((lang, _)) => etag.in_language(lang.content_hash()),
            None => etag,
        }
    }
}

impl FromIterator<(EntryKind, String, String)> for Names {
    /// From the kind, the id and the name of each catalog entry.
    fn from_iter<I: IntoIterator<Item = (EntryKind, String, String)>>(entries: I) -> Self {
        let entries = entries.into_iter();
        Self {
            entries: entries.map(|(kind, id, name)| ((kind, id), name)).collect(),
            accesses: BTreeMap::new(),
        }
    }
}

//! ETags (RFC 9110 section 8.8.3).

use std::{
    fmt,
    hash::{DefaultHasher, Hash, Hasher as _},
    sync::Arc,
};

/// Separates the state from the language.
const LANGUAGE_SEPARATOR: char = '+';
/// Separates the version from the derived state.
const STATE_SEPARATOR: char = '-';
/// Suffixes that proxies append to the `ETag` of a response that they compress. No `ETag` of this
/// service ends with one.
const CODING_SUFFIXES: [&str; 4] = ["--gzip", "-gzip", "-br", "-zstd"];

/// A strong ETag, without its quotes.
///
/// Its form is `<version>`, or `<version>-<state>` if the representation also shows data that
/// changes without a new version (a catalog name, whether an access is effective). `+<language>`
/// follows if the representation contains localized text. Cheap to clone, because many responses
/// share one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntityTag(Arc<str>);

impl EntityTag {
    /// The `ETag` of a resource that changes only with its version.
    pub fn of(version: i64) -> Self {
        Self(version.to_string().into())
    }

    /// The `ETag` of a resource that also shows `state` of other resources.
    pub fn derived(version: i64, state: impl fmt::Display) -> Self {
        Self(format!("{version}{STATE_SEPARATOR}{state}").into())
    }

    /// The `ETag` of a list, whose parts change independently.
    pub fn hashed(parts: impl Hash) -> Self {
        let mut hasher = DefaultHasher::new();
        parts.hash(&mut hasher);
        Self(format!("{:016x}", hasher.finish()).into())
    }

    /// The `ETag` of the same state in the language (or edition of a language) `lang`, which is a
    /// different representation.
    #[must_use]
    pub fn in_language(self, lang: &str) -> Self {
        Self(format!("{}{LANGUAGE_SEPARATOR}{lang}", self.0).into())
    }

    /// The `ETag` without quotes.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The `ETag` with quotes, as a header value.
    pub fn quoted(&self) -> String {
        ["\"", &self.0, "\""].concat()
    }

    /// Whether an `ETag` sent with a write matches this state; the language is ignored.
    ///
    /// The bare version (of an integration: its revision) matches too. It is a member of every item
    /// of a list, which has no `ETag` header, and it covers everything a write can overwrite.
    pub fn matches(&self, sent: &str) -> bool {
        let sent = sent
            .split_once(LANGUAGE_SEPARATOR)
            .map_or(sent, |(state, _)| state);
        *sent == *self.0
            || self
                .0
                .split_once(STATE_SEPARATOR)
                .is_some_and(|(version, _)| version == sent)
    }
}

/// An `ETag` without the suffix of a proxy that compressed the response.
pub fn without_coding_suffix(opaque: &str) -> &str {
    CODING_SUFFIXES
        .iter()
        .find_map(|suffix| opaque.strip_suffix(suffix))
        .unwrap_or(opaque)
}

/// The value of an `If-Match` or `If-None-Match` header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EtagMatcher {
    /// `*`: matches any existing resource.
    Any,
    /// Matches one of these `ETag`s or bare versions.
    Tags(Vec<String>),
}

impl EtagMatcher {
    /// Whether the resource's current `ETag` matches. A missing resource (`None`) never matches.
    pub fn matches(&self, current: Option<&EntityTag>) -> bool {
        match (self, current) {
            (_, None) => false,
            (Self::Any, Some(_)) => true,
            (Self::Tags(sent), Some(etag)) => sent.iter().any(|sent| etag.matches(sent)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_etag_and_bare_version_match() {
        let etag = EntityTag::derived(3, "c7");
        assert!(etag.matches("3-c7"));
        assert!(etag.matches("3"));
    }

    #[test]
    fn language_is_ignored_when_matching() {
        let etag = EntityTag::derived(3, "c7");
        assert_eq!(EntityTag::of(3).in_language("de").as_str(), "3+de");
        assert!(etag.matches("3-c7+de"));
        assert!(!etag.matches("3-c6+de"));
    }

    #[test]
    fn other_version_or_state_does_not_match() {
        let etag = EntityTag::derived(3, "c7");
        assert!(!etag.matches("2"));
        assert!(!etag.matches("3-c6"));
        assert!(!etag.matches("3-"));
    }

    #[rstest::rstest]
    #[case::apache_or_caddy("3-c7-gzip", "3-c7")]
    #[case::jetty("3-c7--gzip", "3-c7")]
    #[case::brotli("3-c7+de-br", "3-c7+de")]
    #[case::zstd("3-zstd", "3")]
    #[case::version_only("3-gzip", "3")]
    #[case::uncompressed("3-c7+de", "3-c7+de")]
    #[case::other_suffix("3-c7-lz4", "3-c7-lz4")]
    fn suffix_of_content_coding_is_removed(#[case] sent: &str, #[case] original: &str) {
        assert_eq!(without_coding_suffix(sent), original);
    }

    #[test]
    fn any_matches_existing_resource_only() {
        assert!(EtagMatcher::Any.matches(Some(&EntityTag::of(1))));
        assert!(!EtagMatcher::Any.matches(None));
    }
}

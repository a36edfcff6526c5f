//! What a write did, and the version tag of what it did it to.
//!
//! The door through which every write goes ([`crate::db::Db::transact`]) takes a closure that returns a [`Change`]. The
//! history entry is made from it, so a write that forgets its history entry does not compile.

use std::{fmt, sync::Arc};

use serde::Serialize;

use crate::common::{Error, Result};

/// Anything with a representation, a version and a place in the history.
pub trait Resource: Serialize {
    /// The glossary's word, as stored in the history (`access`, `area_grant`, …).
    const KIND: &'static str;

    /// Its id within its kind.
    fn resource_id(&self) -> String;

    /// Its entity tag now.
    fn etag(&self) -> EntityTag;

    /// The language of its words, where it holds some that were made for the caller.
    fn language(&self) -> Option<&'static str> {
        None
    }
}

/// The outcome of a unit of work. `Unchanged` writes nothing: no version, no revision, no history.
#[derive(Debug)]
pub enum Change<T> {
    Created(T),
    Updated { before: T, after: T },
    Deleted(T),
    Unchanged(T),
}

impl<T> Change<T> {
    /// The resource as it is afterwards (for a deletion: as it was).
    pub fn into_result(self) -> T {
        match self {
            Self::Created(it)
            | Self::Updated { after: it, .. }
            | Self::Deleted(it)
            | Self::Unchanged(it) => it,
        }
    }
}

/// A committed unit of work: the resource as it is now, and whether it is new.
#[derive(Debug)]
pub struct Committed<T> {
    pub resource: T,
    pub created: bool,
}

/// Separates a state from the language it is shown in.
const LANGUAGE: char = '+';

/// A strong entity tag (RFC 9110 section 8.8.3), without its quotes.
///
/// It is `<version>`, or `<version>-<state>` where the representation also shows things that change without a new
/// version (a catalogue name, whether an access is effective), followed by `+<language>` where it holds words of one.
/// Shared, since many answers bear the same one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntityTag(Arc<str>);

impl EntityTag {
    /// The tag of something that only changes with its version.
    pub fn of(version: i64) -> Self {
        Self(version.to_string().into())
    }

    /// The tag of something that shows foreign state as well.
    pub fn derived(version: i64, state: impl fmt::Display) -> Self {
        Self(format!("{version}-{state}").into())
    }

    /// The tag of a list whose parts change independently.
    pub fn hashed(parts: impl std::hash::Hash) -> Self {
        let mut hasher = std::hash::DefaultHasher::new();
        parts.hash(&mut hasher);
        Self(format!("{:016x}", std::hash::Hasher::finish(&hasher)).into())
    }

    /// The tag of the same state, shown in (an edition of) a language: another representation, so another tag.
    #[must_use]
    pub fn in_language(self, lang: &str) -> Self {
        Self(format!("{}{LANGUAGE}{lang}", self.0).into())
    }

    /// The tag as it stands between the quotes.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The tag as a header holds it.
    pub fn quoted(&self) -> String {
        ["\"", &self.0, "\""].concat()
    }

    /// Whether a tag sent with a write names this state. The bare version (an integration's: its revision) is accepted
    /// too: it is a member of every item of a list, where there is no `ETag` header to copy, and it protects all that the
    /// sender may overwrite. In which language the sender read the state does not matter.
    pub fn matches(&self, sent: &str) -> bool {
        let sent = sent.split_once(LANGUAGE).map_or(sent, |(state, _)| state);
        *sent == *self.0
            || self
                .0
                .split_once('-')
                .is_some_and(|(version, _)| version == sent)
    }
}

/// What a condition names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EtagMatcher {
    /// `*`: any state.
    Any,
    /// One of these tags, or bare versions.
    Tags(Vec<String>),
}

impl EtagMatcher {
    /// Whether the state that bears this tag is named; what does not exist (`None`) never is.
    fn names(&self, current: Option<&EntityTag>) -> bool {
        match self {
            Self::Any => current.is_some(),
            Self::Tags(sent) => {
                current.is_some_and(|tag| sent.iter().any(|sent| tag.matches(sent)))
            }
        }
    }
}

/// The condition under which a write may act (RFC 9110 section 13.1), checked inside its transaction.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Precondition {
    /// `If-EtagMatcher`: the resource must exist, and be in a state that is named.
    pub if_match: Option<EtagMatcher>,
    /// `If-None-EtagMatcher`: the resource must not exist yet (`*`), or be in no state that is named.
    pub if_none_match: Option<EtagMatcher>,
}

impl Precondition {
    /// Fails with 412 and the current tag unless the condition holds for `current` (`None`: no such resource yet).
    pub fn check<T: Resource>(&self, current: Option<&T>) -> Result<()> {
        let tag = current.map(Resource::etag);
        let wanted = self
            .if_match
            .as_ref()
            .is_none_or(|named| named.names(tag.as_ref()));
        let unwanted = self
            .if_none_match
            .as_ref()
            .is_some_and(|named| named.names(tag.as_ref()));
        if wanted && !unwanted {
            Ok(())
        } else {
            Err(Error::precondition_failed(tag))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    struct Thing(i64);

    impl Resource for Thing {
        const KIND: &'static str = "thing";
        fn resource_id(&self) -> String {
            "t".to_owned()
        }
        fn etag(&self) -> EntityTag {
            EntityTag::derived(self.0, "c7")
        }
    }

    fn tags(tags: &[&str]) -> EtagMatcher {
        EtagMatcher::Tags(tags.iter().map(|tag| (*tag).to_owned()).collect())
    }

    fn if_match(sent: &[&str]) -> Precondition {
        Precondition {
            if_match: Some(tags(sent)),
            ..Precondition::default()
        }
    }

    fn if_none_match(named: EtagMatcher) -> Precondition {
        Precondition {
            if_none_match: Some(named),
            ..Precondition::default()
        }
    }

    #[test]
    fn the_full_tag_and_the_bare_version_match() {
        assert!(if_match(&["3-c7"]).check(Some(&Thing(3))).is_ok());
        assert!(if_match(&["9", "3"]).check(Some(&Thing(3))).is_ok());
    }

    #[test]
    fn the_language_somebody_read_does_not_matter() {
        assert_eq!(EntityTag::of(3).in_language("de").as_str(), "3+de");
        assert!(if_match(&["3-c7+de"]).check(Some(&Thing(3))).is_ok());
        assert!(if_match(&["3-c6+de"]).check(Some(&Thing(3))).is_err());
    }

    #[test]
    fn another_version_another_state_or_no_resource_does_not() {
        assert!(if_match(&["2"]).check(Some(&Thing(3))).is_err());
        assert!(if_match(&["3-c6"]).check(Some(&Thing(3))).is_err());
        assert!(if_match(&["3-"]).check(Some(&Thing(3))).is_err());
        assert!(if_match(&["3"]).check(None::<&Thing>).is_err());
        let any = Precondition {
            if_match: Some(EtagMatcher::Any),
            ..Precondition::default()
        };
        assert!(any.check(Some(&Thing(1))).is_ok());
        assert!(any.check(None::<&Thing>).is_err());
    }

    #[test]
    fn create_only_refuses_what_exists() {
        let create_only = if_none_match(EtagMatcher::Any);
        assert!(create_only.check(None::<&Thing>).is_ok());
        assert!(create_only.check(Some(&Thing(1))).is_err());
    }

    #[test]
    fn a_state_that_is_named_as_unwanted_is_refused() {
        assert!(
            if_none_match(tags(&["3-c7"]))
                .check(Some(&Thing(3)))
                .is_err()
        );
        assert!(
            if_none_match(tags(&["9", "3"]))
                .check(Some(&Thing(3)))
                .is_err()
        );
        assert!(
            if_none_match(tags(&["2", "3-c6"]))
                .check(Some(&Thing(3)))
                .is_ok()
        );
        assert!(if_none_match(tags(&["3"])).check(None::<&Thing>).is_ok());
        let both = Precondition {
            if_match: Some(tags(&["3"])),
            if_none_match: Some(tags(&["3-c7"])),
        };
        assert!(both.check(Some(&Thing(3))).is_err());
    }
}

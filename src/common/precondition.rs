//! Preconditions of a write (RFC 9110 section 13.1).

use crate::common::{
    Audit, Error, Resource, Result,
    etag::{EntityTag, EtagMatcher},
};

/// The current state of a resource, which the sender of a failed precondition has not seen yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Current {
    pub etag: EntityTag,
    /// The version, and who changed it last, if these are stored.
    pub audit: Option<Audit>,
}

impl Current {
    fn of<T: Resource>(resource: &T) -> Self {
        Self {
            etag: resource.etag(),
            audit: resource.audit().cloned(),
        }
    }
}

/// The condition under which a write may proceed. It is checked inside the write's transaction.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Precondition {
    /// `If-Match`: the resource must exist and match.
    pub if_match: Option<EtagMatcher>,
    /// `If-None-Match`: the resource must not exist (`*`), or must not match.
    pub if_none_match: Option<EtagMatcher>,
}

impl Precondition {
    /// Checks the condition against the `current` resource; `None` if it does not exist yet.
    ///
    /// # Errors
    ///
    /// 412 with the current state if the condition does not hold.
    pub fn check<T: Resource>(&self, current: Option<&T>) -> Result<()> {
        let etag = current.map(Resource::etag);
        let if_match_holds = self
            .if_match
            .as_ref()
            .is_none_or(|matcher| matcher.matches(etag.as_ref()));
        let if_none_match_holds = self
            .if_none_match
            .as_ref()
            .is_none_or(|matcher| !matcher.matches(etag.as_ref()));
        if if_match_holds && if_none_match_holds {
            Ok(())
        } else {
            Err(Error::precondition_failed(current.map(Current::of)))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde::Serialize;

    use super::*;
    use crate::common::{Actor, timestamp::Timestamp};

    #[derive(Serialize)]
    struct Thing(i64, #[serde(skip)] Audit);

    fn thing(version: i64) -> Thing {
        let actor = Actor {
            subject: "anna".to_owned(),
            request_id: String::new(),
            ..Actor::default()
        };
        let audit = Audit::created(&actor, Timestamp::now());
        Thing(version, Audit { version, ..audit })
    }

    impl Resource for Thing {
        const KIND: &'static str = "thing";

        fn resource_id(&self) -> String {
            "t".to_owned()
        }

        fn etag(&self) -> EntityTag {
            EntityTag::derived(self.0, "c7")
        }

        fn audit(&self) -> Option<&Audit> {
            Some(&self.1)
        }
    }

    fn etags(etags: &[&str]) -> EtagMatcher {
        EtagMatcher::Tags(etags.iter().map(|etag| (*etag).to_owned()).collect())
    }

    fn if_match(matcher: EtagMatcher) -> Precondition {
        Precondition {
            if_match: Some(matcher),
            ..Precondition::default()
        }
    }

    fn if_none_match(matcher: EtagMatcher) -> Precondition {
        Precondition {
            if_none_match: Some(matcher),
            ..Precondition::default()
        }
    }

    #[test]
    fn if_match_holds_for_any_listed_etag() {
        assert!(if_match(etags(&["3-c7"])).check(Some(&thing(3))).is_ok());
        assert!(if_match(etags(&["9", "3"])).check(Some(&thing(3))).is_ok());
        assert!(if_match(etags(&["2"])).check(Some(&thing(3))).is_err());
    }

    #[test]
    fn if_match_fails_for_missing_resource() {
        assert!(if_match(etags(&["3"])).check(None::<&Thing>).is_err());
        assert!(if_match(EtagMatcher::Any).check(None::<&Thing>).is_err());
        assert!(if_match(EtagMatcher::Any).check(Some(&thing(1))).is_ok());
    }

    #[test]
    fn if_none_match_any_fails_for_existing_resource() {
        let create_only = if_none_match(EtagMatcher::Any);
        assert!(create_only.check(None::<&Thing>).is_ok());
        assert!(create_only.check(Some(&thing(1))).is_err());
    }

    #[test]
    fn if_none_match_fails_for_any_listed_etag() {
        let current = Some(&thing(3));
        assert!(if_none_match(etags(&["3-c7"])).check(current).is_err());
        assert!(if_none_match(etags(&["9", "3"])).check(current).is_err());
        assert!(if_none_match(etags(&["2", "3-c6"])).check(current).is_ok());
        assert!(if_none_match(etags(&["3"])).check(None::<&Thing>).is_ok());
    }

    #[test]
    fn both_conditions_must_hold() {
        let both = Precondition {
            if_match: Some(etags(&["3"])),
            if_none_match: Some(etags(&["3-c7"])),
        };
        assert!(both.check(Some(&thing(3))).is_err());
    }
}

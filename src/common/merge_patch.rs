//! JSON merge patch (RFC 7396) for typed bodies: absent = keep, `null` = clear.
//!
//! A member that can be cleared is an `Option<Option<T>>`, one that cannot is an `Option<T>`; both are read by
//! [`given`], so `null` reaches `T` and is refused there unless `T` can be empty.

use serde::{Deserialize, Deserializer};

/// Reads a member that is there. Use with `#[serde(default, deserialize_with = "merge_patch::present")]`.
pub fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// Overwrites `target` when the patch says so.
pub fn assign<T>(target: &mut T, given: Option<impl Into<T>>) {
    if let Some(value) = given {
        *target = value.into();
    }
}

/// The default of a flag that is set unless somebody says otherwise.
pub fn default_true() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Body {
        #[serde(default, deserialize_with = "present")]
        kept: Option<String>,
        #[serde(default, deserialize_with = "present")]
        clearable: Option<Option<String>>,
    }

    #[test]
    fn absent_null_and_value_differ() {
        let body: Body = serde_json::from_str("{}").unwrap();
        assert_eq!((body.kept, body.clearable), (None, None));
        let body: Body = serde_json::from_str(r#"{"clearable": null}"#).unwrap();
        assert_eq!(body.clearable, Some(None));
        let body: Body = serde_json::from_str(r#"{"kept": "k", "clearable": "c"}"#).unwrap();
        assert_eq!(
            (body.kept.as_deref(), body.clearable),
            (Some("k"), Some(Some("c".to_owned())))
        );
    }

    #[test]
    fn null_where_nothing_can_be_cleared_is_refused() {
        assert!(serde_json::from_str::<Body>(r#"{"kept": null}"#).is_err());
    }
}

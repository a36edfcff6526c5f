//! JSON merge patch (RFC 7396) for typed bodies: an absent member is unchanged, `null` clears it.
//!
//! A member that can be cleared is an `Option<Option<T>>`, any other member an `Option<T>`. Both
//! are deserialized with [`present`], so `null` reaches `T` and is rejected unless `T` accepts it.

use serde::{Deserialize, Deserializer};

/// Deserializes a member that is present.
///
/// Use with `#[serde(default, deserialize_with = "merge_patch::present")]`.
pub fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// Assigns `value` to `target` if the patch contains it.
pub fn assign<T>(target: &mut T, value: Option<impl Into<T>>) {
    if let Some(value) = value {
        *target = value.into();
    }
}

/// Default of a flag that is true if absent.
pub fn default_true() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Body {
        #[serde(default, deserialize_with = "present")]
        required: Option<String>,
        #[serde(default, deserialize_with = "present")]
        clearable: Option<Option<String>>,
    }

    #[test]
    fn absent_null_and_value_are_distinguished() {
        let empty: Body = serde_json::from_str("{}").unwrap();
        assert_eq!(empty.required, None);
        assert_eq!(empty.clearable, None);
        let cleared: Body = serde_json::from_str(r#"{"clearable": null}"#).unwrap();
        assert_eq!(cleared.clearable, Some(None));
        let set: Body = serde_json::from_str(r#"{"required": "r", "clearable": "c"}"#).unwrap();
        assert_eq!(set.required.as_deref(), Some("r"));
        assert_eq!(set.clearable, Some(Some("c".to_owned())));
    }

    #[test]
    fn null_for_required_member_is_rejected() {
        assert!(serde_json::from_str::<Body>(r#"{"required": null}"#).is_err());
    }
}

//! Integers in request bodies.
//!
//! JSON has only one type of number. As JSON Schema defines it, an integer is any number without a
//! fractional part, such as `1.0` and `1e2`.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error, Unexpected, Visitor},
};

/// Deserializes an integer or `null`. Numbers beyond the range of `i64` become its limits.
///
/// Use with `#[serde(default, deserialize_with = "json_integer::optional")]`.
pub fn optional<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    let integer = Option::<JsonInteger>::deserialize(deserializer)?;
    Ok(integer.map(|JsonInteger(value)| value))
}

/// As [`optional`], but rejects `null`: for merge patches of members that cannot be cleared.
pub fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    JsonInteger::deserialize(deserializer).map(|JsonInteger(value)| Some(value))
}

struct JsonInteger(i64);

impl<'de> Deserialize<'de> for JsonInteger {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_i64(IntegerVisitor).map(Self)
    }
}

struct IntegerVisitor;

impl Visitor<'_> for IntegerVisitor {
    type Value = i64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an integer")
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<i64, E> {
        Ok(value)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<i64, E> {
        Ok(i64::try_from(value).unwrap_or(i64::MAX))
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "without a fraction, only the range can be exceeded, where casts saturate"
    )]
    fn visit_f64<E: Error>(self, value: f64) -> Result<i64, E> {
        if value.fract() == 0.0 {
            Ok(value as i64)
        } else {
            Err(E::invalid_type(Unexpected::Float(value), &self))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Body {
        #[serde(default, deserialize_with = "optional")]
        optional: Option<i64>,
        #[serde(default, deserialize_with = "present")]
        present: Option<i64>,
    }

    fn parse(member: &str, value: &str) -> Result<Body, serde_json::Error> {
        serde_json::from_str(&format!(r#"{{"{member}": {value}}}"#))
    }

    #[rstest::rstest]
    #[case("1", Some(1))]
    #[case("1.0", Some(1))]
    #[case("-0.0", Some(0))]
    #[case("1e2", Some(100))]
    #[case("18446744073709551615", Some(i64::MAX))]
    #[case("-1e300", Some(i64::MIN))]
    #[case("1.5", None)]
    #[case("1e-1", None)]
    #[case("\"1\"", None)]
    #[case("true", None)]
    fn number_without_fraction_is_integer(#[case] text: &str, #[case] expected: Option<i64>) {
        let optional = parse("optional", text).map(|body| body.optional);
        assert_eq!(optional.ok().flatten(), expected);
        let present = parse("present", text).map(|body| body.present);
        assert_eq!(present.ok().flatten(), expected);
    }

    #[test]
    fn null_is_accepted_by_optional_only() {
        assert_eq!(parse("optional", "null").unwrap().optional, None);
        assert!(parse("present", "null").is_err());
    }
}

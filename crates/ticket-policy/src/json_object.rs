//! Strict JSON objects.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{MapAccess, Visitor, value::MapAccessDeserializer},
};

/// Deserializes `T` from a JSON object only. By default, serde also accepts an array of the
/// members' values for a struct.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct JsonObject<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for JsonObject<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ObjectVisitor<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
            type Value = JsonObject<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<JsonObject<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(JsonObject)
            }
        }

        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    struct Point {
        x: i32,
    }

    #[test]
    fn array_is_rejected() {
        assert!(
            serde_json::from_str::<Point>("[1]").is_ok(),
            "if serde rejects arrays, `JsonObject` is obsolete"
        );
        assert!(serde_json::from_str::<JsonObject<Point>>("[1]").is_err());
        assert_eq!(
            serde_json::from_str::<JsonObject<Point>>(r#"{"x": 1}"#)
                .unwrap()
                .0
                .x,
            1
        );
    }
}

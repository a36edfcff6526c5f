//! Limits that follow from a type alone: those of integers and of timestamps.
//!
//! All other limits are documented with the member that has them, by its type or by an attribute.
//! With limits everywhere, clients can choose column widths and integer types.

use serde_json::{Value, json};

/// Longest timestamp: RFC 3339 with nanoseconds and an offset.
const MAX_TIMESTAMP_LENGTH: u64 = 35;

/// The largest integer that JavaScript represents exactly. Revisions and counts stay below it.
const MAX_COUNT: u64 = 9_007_199_254_740_991;

/// Adds the missing limits to a schema and to the schemas within it.
pub(super) fn complete(schema: &mut Value) {
    if has_type(schema, "string") && schema["format"] == "date-time" {
        set_default(schema, "maxLength", json!(MAX_TIMESTAMP_LENGTH));
    } else if has_type(schema, "integer") {
        limit_integer(schema);
    }
    let Some(keywords) = schema.as_object_mut() else {
        return;
    };
    for (keyword, value) in keywords {
        match (keyword.as_str(), value) {
            ("properties", Value::Object(members)) => members.values_mut().for_each(complete),
            ("allOf" | "oneOf", Value::Array(schemas)) => schemas.iter_mut().for_each(complete),
            ("items", items) => complete(items),
            _ => {}
        }
    }
}

fn has_type(schema: &Value, name: &str) -> bool {
    match &schema["type"] {
        Value::Array(types) => types.iter().any(|value| value == name),
        value => value == name,
    }
}

/// An integer that is never negative is a count. Any other uses the whole range of its type.
fn limit_integer(schema: &mut Value) {
    let is_count = schema["minimum"]
        .as_i64()
        .is_some_and(|minimum| minimum >= 0);
    set_default(schema, "format", json!("int64"));
    if is_count {
        set_default(schema, "maximum", json!(MAX_COUNT));
    } else {
        set_default(schema, "minimum", json!(i64::MIN));
        set_default(schema, "maximum", json!(i64::MAX));
    }
}

fn set_default(schema: &mut Value, keyword: &str, value: Value) {
    if schema.get(keyword).is_none() {
        schema[keyword] = value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case::text(json!({"type": "string"}), json!({"type": "string"}))]
    #[case::timestamp(
        json!({"type": ["string", "null"], "format": "date-time"}),
        json!({"type": ["string", "null"], "format": "date-time", "maxLength": 35})
    )]
    #[case::count(
        json!({"type": "integer", "minimum": 1}),
        json!({"type": "integer", "minimum": 1, "format": "int64", "maximum": MAX_COUNT})
    )]
    #[case::number(
        json!({"type": "integer", "format": "int64"}),
        json!({"type": "integer", "format": "int64", "minimum": i64::MIN, "maximum": i64::MAX})
    )]
    #[case::limited(
        json!({"type": "integer", "format": "int32", "minimum": 1, "maximum": 9}),
        json!({"type": "integer", "format": "int32", "minimum": 1, "maximum": 9})
    )]
    #[case::nested(
        json!({"properties": {"at": {"oneOf": [{"format": "date-time", "type": "string"}]}}}),
        json!({"properties": {"at": {"oneOf": [
            {"format": "date-time", "type": "string", "maxLength": 35}
        ]}}})
    )]
    fn missing_limits_are_added(#[case] mut schema: Value, #[case] expected: Value) {
        complete(&mut schema);
        assert_eq!(schema, expected);
    }
}

//! How long, how many and how much: the limits of what has none of its own in the document.
//!
//! What callers send is bounded by its types. What the service answers follows from that – a name that was stored is no longer
//! than a name that was sent –, and is said here by the member's name, as the largest that a member of this name can be. So a
//! client knows how wide its columns must be.

use serde_json::{Value, json};

use crate::common::error::MAX_FIELD_ERRORS;

/// Longest texts, in characters, by the member or parameter that holds them.
const LENGTHS: [(&str, u64); 33] = [
    ("client", 255),
    ("code", 64),
    ("color", 7),
    ("created_by", 255),
    ("description", 1000),
    ("detail", 10_000),
    ("email", 254),
    ("first_name", 100),
    // path of the service's own
    ("href", 300),
    // an id of any kind
    ("id", 64),
    // the path of the request: a URI has at most 64 KiB
    ("instance", 65_534),
    ("kind", 32),
    ("label", 200),
    ("last_name", 100),
    ("matching", 200),
    // of an access it is its e-mail address
    ("name", 254),
    ("next_cursor", 2000),
    ("pointer", 1000),
    ("request_id", 128),
    ("resource_id", 64),
    ("search_name", 100),
    ("subject", 255),
    // fifty conditions with five values each, as words
    ("summary", 131_072),
    ("tags", 200),
    ("ticket_id", 201),
    ("ticket_ids", 200),
    ("title", 200),
    ("type", 200),
    ("undetermined", 200),
    ("updated_by", 255),
    ("value", 64),
    ("values", 200),
    // RFC 3339 with nanoseconds and an offset
    ("date-time", 35),
];

/// Most items of lists, by the member that holds them.
const COUNTS: [(&str, u64); 17] = [
    ("accesses", 500),
    ("blockers", 10),
    ("columns", 20),
    ("decisions", 1000),
    ("errors", MAX_FIELD_ERRORS as u64),
    ("ineffective_reasons", 3),
    ("items", 200),
    ("matching", 200),
    ("operators", 20),
    ("queries", 500),
    ("reasons", 10),
    ("sort", 3),
    ("sources", 20),
    ("steps", 20),
    ("ticket_ids", 200),
    ("undetermined", 200),
    ("warnings", 10),
];

/// The same where one name stands for several lists.
const COUNTS_OF: [(&str, &str, u64); 5] = [
    ("Area", "start_ticket_types", 500),
    ("AreaGrant", "start_ticket_types", 500),
    ("Capabilities", "tags", 20_000),
    ("Problem", "references", 20),
    ("TicketField", "values", 20),
];

/// Lists of which no two items are equal.
const DISTINCT: [&str; 2] = ["columns", "start_ticket_types"];

/// The largest whole number that every client can hold (JavaScript's); revisions and counts never get there.
const MAX_COUNT: u64 = 9_007_199_254_740_991;

/// Gives every part of a schema the limits it lacks. `of` is the schema's name, `member` that of the member or parameter.
pub(super) fn complete(of: &str, member: &str, schema: &mut Value) {
    bound(of, member, schema);
    let Some(parts) = schema.as_object_mut() else {
        return;
    };
    for (key, part) in parts {
        match key.as_str() {
            "properties" => {
                part.as_object_mut()
                    .into_iter()
                    .flatten()
                    .for_each(|(name, part)| complete(of, name, part));
            }
            "items" => complete(of, member, part),
            "allOf" | "oneOf" => {
                part.as_array_mut()
                    .into_iter()
                    .flatten()
                    .for_each(|part| complete(of, member, part));
            }
            _ => {}
        }
    }
}

fn bound(of: &str, member: &str, schema: &mut Value) {
    let is = |name: &str| {
        schema["type"] == name
            || schema["type"]
                .as_array()
                .is_some_and(|it| it.contains(&json!(name)))
    };
    let lacks = |limit: &str| schema.get(limit).is_none();
    if is("string") && lacks("maxLength") && lacks("enum") {
        let name = schema["format"]
            .as_str()
            .filter(|format| *format == "date-time")
            .unwrap_or(member);
        if let Some((_, most)) = LENGTHS.iter().find(|(it, _)| *it == name) {
            schema["maxLength"] = json!(most);
        }
    } else if is("array") {
        let here = COUNTS_OF
            .iter()
            .find(|it| (it.0, it.1) == (of, member))
            .map(|it| it.2);
        let most = here.or_else(|| {
            COUNTS
                .iter()
                .find(|(name, _)| *name == member)
                .map(|it| it.1)
        });
        if let Some(most) = most.filter(|_| lacks("maxItems")) {
            schema["maxItems"] = json!(most);
        }
        // not in answers: clients in some languages would read a set, and lose the order
        if DISTINCT.contains(&member)
            && ["Create", "Patch", "Put"]
                .iter()
                .any(|sent| of.ends_with(sent))
        {
            schema["uniqueItems"] = json!(true);
        }
    } else if is("integer") {
        bound_integer(schema);
    }
}

/// A number that is never negative is a count. Any other takes all that its type can hold.
fn bound_integer(schema: &mut Value) {
    let counts = schema["minimum"].as_i64().is_some_and(|least| least >= 0);
    let (least, most) = if counts {
        (json!(0), json!(MAX_COUNT))
    } else {
        (json!(i64::MIN), json!(i64::MAX))
    };
    for (limit, value) in [
        ("format", json!("int64")),
        ("minimum", least),
        ("maximum", most),
    ] {
        if schema.get(limit).is_none() {
            schema[limit] = value;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case(json!({"type": ["string", "null"]}), json!({"type": ["string", "null"], "maxLength": 254}))]
    #[case(json!({"type": "string", "maxLength": 5}), json!({"type": "string", "maxLength": 5}))]
    #[case(json!({"type": "string", "enum": ["a"]}), json!({"type": "string", "enum": ["a"]}))]
    #[case(json!({"type": "string", "format": "date-time"}), json!({"type": "string", "format": "date-time", "maxLength": 35}))]
    #[case(json!({"type": "integer", "minimum": 1}), json!({"type": "integer", "minimum": 1, "format": "int64", "maximum": MAX_COUNT}))]
    #[case(
        json!({"type": "integer", "format": "int64"}),
        json!({"type": "integer", "format": "int64", "minimum": i64::MIN, "maximum": i64::MAX})
    )]
    #[case(json!({"oneOf": [{"type": "string"}]}), json!({"oneOf": [{"type": "string", "maxLength": 254}]}))]
    #[case(
        json!({"properties": {"sort": {"type": "array", "items": {"type": "string", "enum": []}}}}),
        json!({"properties": {"sort": {"type": "array", "maxItems": 3, "items": {"type": "string", "enum": []}}}})
    )]
    fn what_has_no_limit_gets_one(#[case] mut schema: Value, #[case] expected: Value) {
        complete("Thing", "name", &mut schema);
        assert_eq!(schema, expected);
    }
}

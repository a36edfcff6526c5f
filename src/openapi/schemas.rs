//! Completes the schemas: required members of responses, limits, and examples of bodies.

use serde_json::{Map, Value, json};

use super::schema_limits;

/// Response members that are omitted when they have no value, by schema: those that would make up
/// most of a response with a thousand decisions, and those that are returned on demand.
const OPTIONAL_MEMBERS: [(&str, &[&str]); 4] = [
    ("TicketDecision", &["steps", "position_reasons", "error"]),
    ("Area", &["usage_count"]),
    ("TicketType", &["usage_count"]),
    ("PlanBoard", &["usage_count"]),
];

/// Completes the schemas of the document in place.
pub(super) fn complete(document: &mut Value) {
    simplify(document);
    let schemas = document.pointer_mut("/components/schemas");
    for (name, schema) in schemas.and_then(Value::as_object_mut).into_iter().flatten() {
        if let Some(item) = name.strip_suffix("List") {
            schema["properties"]["items"]["items"] =
                json!({"$ref": format!("#/components/schemas/{item}")});
        }
        let optional = OPTIONAL_MEMBERS
            .iter()
            .find(|(schema, _)| schema == name)
            .map_or(&[] as &[&str], |(_, members)| members);
        require_members(schema, optional);
        let parts = schema.get_mut("allOf").and_then(Value::as_array_mut);
        for part in parts.into_iter().flatten() {
            require_members(part, optional);
        }
        schema_limits::complete(schema);
    }
}

/// Responses contain all their members, including those that are `null`, except the `optional`
/// ones. Request schemas, which refuse unknown members, declare their required members.
fn require_members(schema: &mut Value, optional: &[&str]) {
    if schema.get("additionalProperties").is_some() {
        return;
    }
    let Some(members) = schema["properties"].as_object() else {
        return;
    };
    let required: Vec<_> = members
        .keys()
        .filter(|name| !optional.contains(&name.as_str()))
        .cloned()
        .collect();
    schema["required"] = json!(required);
}

/// Rewrites two constructs of utoipa.
///
/// A described member of an inlined type is `allOf: [type, {type: object, description}]`, which no
/// value satisfies; the description moves into the type. `propertyNames: {type: string}` is
/// redundant and is removed.
fn simplify(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(simplify),
        Value::Object(members) => {
            members.values_mut().for_each(simplify);
            if members.get("propertyNames") == Some(&json!({"type": "string"})) {
                members.remove("propertyNames");
            }
            if let Some(merged) = merge_description(members) {
                *members = merged;
            }
        }
        _ => {}
    }
}

fn merge_description(schema: &Map<String, Value>) -> Option<Map<String, Value>> {
    let [first, second] = schema.get("allOf")?.as_array()?.as_slice() else {
        return None;
    };
    let second = second.as_object()?;
    if second
        .keys()
        .any(|key| key != "type" && key != "description")
    {
        return None;
    }
    let mut merged = first.as_object()?.clone();
    if let Some(description) = second.get("description") {
        merged.insert("description".to_owned(), description.clone());
    }
    Some(merged)
}

/// Sets the example of a media type to that of its schema. The example of a list is made of the
/// example of its items.
pub(super) fn add_example(media: &mut Value, schemas: &Value) {
    let example = media
        .pointer("/schema")
        .and_then(|schema| example_of(schema, schemas));
    if let Some(example) = example {
        media["example"] = example;
    }
}

fn example_of(schema: &Value, schemas: &Value) -> Option<Value> {
    let reference = schema["$ref"].as_str().or_else(|| {
        let alternatives = schema["oneOf"].as_array()?;
        alternatives
            .iter()
            .find_map(|alternative| alternative["$ref"].as_str())
    })?;
    let schema = &schemas[reference.rsplit('/').next()?];
    if let Some(example) = schema.get("example") {
        return Some(example.clone());
    }
    let item = example_of(schema.pointer("/properties/items/items")?, schemas)?;
    Some(json!({"items": [item], "next_cursor": null, "total_count": null}))
}

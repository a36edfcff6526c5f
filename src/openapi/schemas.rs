//! Schemas of the document: what the generator cannot know or says clumsily.

#![expect(
    clippy::indexing_slicing,
    reason = "serde_json's values answer null for what is not there, and insert it"
)]

use serde_json::{Map, Value, json};

use super::limits;

/// Completes the schemas in place; `document` is the whole document.
pub(super) fn complete(document: &mut Value) {
    simplify(document);
    let Some(schemas) = document
        .pointer_mut("/components/schemas")
        .and_then(Value::as_object_mut)
    else {
        return;
    };
    for (name, schema) in schemas.iter_mut() {
        if let Some(item) = name.strip_suffix("List") {
            schema["properties"]["items"]["items"] =
                json!({"$ref": format!("#/components/schemas/{item}")});
        }
        require_all(
            schema,
            OPTIONAL
                .iter()
                .find(|(of, _)| of == name)
                .map_or(&[], |(_, members)| members),
        );
        if let Some(parts) = schema.get_mut("allOf").and_then(Value::as_array_mut) {
            for part in parts {
                require_all(part, &[]);
            }
        }
        limits::complete(name, "", schema);
    }
}

/// Members that answers leave out where there is nothing to say: they would be most of an answer of a thousand decisions.
const OPTIONAL: [(&str, &[&str]); 1] = [("TicketDecision", &["steps", "error"])];

/// Answers have all their members, `null` included, but for the `optional` ones; bodies (which refuse unknown members) say
/// themselves what is required.
fn require_all(schema: &mut Value, optional: &[&str]) {
    let required = |name: &&String| !optional.contains(&name.as_str());
    let names = schema["properties"]
        .as_object()
        .map(|it| it.keys().filter(required).cloned().collect::<Vec<_>>());
    if let (Some(names), None) = (names, schema.get("additionalProperties")) {
        schema["required"] = json!(names);
    }
}

/// A described member of an inlined type comes as `allOf: [type, {type: object, description}]`, which no value satisfies.
/// The description belongs into the type itself. And that the names of a map's members are strings goes without saying.
fn simplify(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(simplify),
        Value::Object(members) => {
            members.values_mut().for_each(simplify);
            if members.get("propertyNames") == Some(&json!({"type": "string"})) {
                members.remove("propertyNames");
            }
            if let Some(merged) = merged(members) {
                *members = merged;
            }
        }
        _ => {}
    }
}

fn merged(members: &Map<String, Value>) -> Option<Map<String, Value>> {
    let parts = members.get("allOf")?.as_array()?;
    let (first, second) = (parts.first()?.as_object()?, parts.get(1)?.as_object()?);
    let only_describes = second
        .keys()
        .all(|key| key == "type" || key == "description");
    if parts.len() != 2 || !only_describes {
        return None;
    }
    let mut merged = first.clone();
    merged.extend(
        second
            .iter()
            .filter(|(key, _)| *key == "description")
            .map(|(key, it)| (key.clone(), it.clone())),
    );
    Some(merged)
}

/// Gives a media type the example of its schema; a list's is made of its item's.
pub(super) fn add_example(media: &mut Value, schemas: &Value) {
    let found = media
        .pointer("/schema")
        .and_then(|schema| example_of(schema, schemas));
    if let Some(example) = found {
        media["example"] = example;
    }
}

fn example_of(schema: &Value, schemas: &Value) -> Option<Value> {
    let reference = schema["$ref"].as_str().or_else(|| {
        schema["oneOf"]
            .as_array()?
            .iter()
            .find_map(|it| it["$ref"].as_str())
    })?;
    let schema = &schemas[reference.rsplit('/').next()?];
    if let Some(example) = schema.get("example") {
        return Some(example.clone());
    }
    let item = example_of(schema.pointer("/properties/items/items")?, schemas)?;
    Some(json!({"items": [item], "next_cursor": null}))
}

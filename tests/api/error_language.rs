//! Errors are in the language of the client, without English text of the JSON parser.

use std::collections::{BTreeMap, BTreeSet};

use rstest_reuse::apply;
use serde_json::{Value, json};

use crate::{
    engines::both_engines,
    support::{
        Client, Engine, Response, TestApp,
        document::{DOCUMENT, OPERATIONS, Operation},
    },
};

/// Words of serde's messages that no German text contains.
const ENGLISH: [&str; 16] = [
    "expected",
    "invalid",
    "missing",
    "unknown field",
    "unknown variant",
    "unexpected",
    "duplicate",
    "trailing",
    "at line",
    "while parsing",
    "integer",
    "floating",
    "boolean",
    "sequence",
    "recursion",
    "control character",
];

/// Bodies that no operation accepts.
const UNREADABLE: [&str; 14] = [
    "",
    "{",
    "}",
    "[]",
    "null",
    "1",
    "\"x\"",
    "{\"a\": ",
    "{\"a\": 01}",
    "{\"a\": \"\\x\"}",
    "{\"a\": \"\\ud800\"}",
    "{} {}",
    "{\"nonsense\": [{}], \"other\": 1}",
    "{\"a\": truth}",
];

/// Values of every type.
fn values() -> [Value; 8] {
    [
        json!(null),
        json!(true),
        json!(-1),
        json!(1.5),
        json!("\u{0}"),
        json!([1, "x"]),
        json!({}),
        json!({"nonsense": 1}),
    ]
}

/// The JSON pointers of all values in a document.
fn pointers(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                pointers(member, &format!("{at}/{name}"), found);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                pointers(item, &format!("{at}/{index}"), found);
            }
        }
        _ => {}
    }
}

/// The example of an operation's body with one value replaced, and with one member of the schema
/// added.
fn bad_bodies(operation: &Operation) -> Vec<String> {
    let media = &operation.value["requestBody"]["content"]["application/json"];
    let example = &media["example"];
    if example.is_null() {
        return Vec::new();
    }
    let mut bodies = Vec::new();
    let mut places = Vec::new();
    pointers(example, "", &mut places);
    for pointer in &places {
        for value in values() {
            let mut body = example.clone();
            *body.pointer_mut(pointer).unwrap() = value;
            bodies.push(body.to_string());
        }
    }
    let schema = media["schema"]["$ref"].as_str().unwrap();
    let schema = DOCUMENT.pointer(schema.trim_start_matches('#')).unwrap();
    for name in schema["properties"].as_object().unwrap().keys() {
        for value in values() {
            let mut body = example.clone();
            body[name] = value;
            bodies.push(body.to_string());
        }
    }
    bodies
}

/// The texts of all errors in a response, by location and code.
fn texts(value: &Value, found: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(members) => {
            if let (Some(code), Some(detail)) = (members.get("code"), members.get("detail")) {
                let pointer = members.get("pointer").unwrap_or(&Value::Null);
                let text = format!("{} {detail}", members.get("title").unwrap_or(&Value::Null));
                found.insert(format!("{pointer} {code}"), text);
            }
            members.values().for_each(|member| texts(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        _ => {}
    }
}

async fn send(
    client: &Client,
    operation: &Operation,
    path: &str,
    body: &str,
    lang: &str,
) -> Response {
    client
        .request(&operation.method, path)
        .header("accept-language", lang)
        .raw("application/json", body.to_owned())
        .send()
        .await
}

#[apply(both_engines)]
#[actix_web::test]
async fn errors_of_bad_bodies_are_in_german(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let ids = app.create_one_of_each().await;
    let scopes: BTreeSet<_> = OPERATIONS
        .iter()
        .map(|operation| operation.scope.as_str())
        .collect();
    let client = app.client_with_scope(&scopes.into_iter().collect::<Vec<_>>().join(" "));
    let mut codes = BTreeSet::new();
    for operation in &*OPERATIONS {
        let reads_body = operation.has_body() || operation.method == "PUT";
        let path = ids.path(operation, "K-1");
        let unreadable = UNREADABLE.map(ToOwned::to_owned).into_iter();
        for body in unreadable
            .chain(bad_bodies(operation))
            .filter(|_| reads_body)
        {
            let german = send(&client, operation, &path, &body, "de").await;
            let at = format!("{} {body}: {}", operation.id, german.text);
            assert!(german.status < 500, "{at}");
            let mut german_texts = BTreeMap::new();
            texts(&german.json, &mut german_texts);
            for (error, text) in &german_texts {
                let lower = text.to_lowercase();
                let english = ENGLISH.iter().find(|word| lower.contains(*word));
                assert_eq!(english, None, "{at}");
                codes.extend(error.rsplit(' ').next().map(ToOwned::to_owned));
            }
            if german.status >= 400 {
                let english = send(&client, operation, &path, &body, "en").await;
                let mut english_texts = BTreeMap::new();
                texts(&english.json, &mut english_texts);
                for (error, text) in &english_texts {
                    assert_ne!(german_texts.get(error), Some(text), "{at}");
                }
            }
        }
    }
    let reported = |code: &str| codes.contains(&format!("\"{code}\""));
    for code in [
        "malformed_json",
        "wrong_type",
        "unknown_member",
        "required",
        "unknown_value",
    ] {
        assert!(reported(code), "{code} was not reported: {codes:?}");
    }
}

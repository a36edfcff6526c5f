//! Labels of enumerations.

use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{Engine, TestApp, document::DOCUMENT};

/// Enumerations without labels in `GET /labels`: the parts of filters, and the problem codes.
const UNLABELED: [&str; 6] = [
    "Field",
    "Operator",
    "ValueKind",
    "TicketFilterCondition",
    "TicketFilterGroup",
    "KnownProblemCode",
];

/// Adds all enumerations within a schema.
fn collect_enums(schema: &Value, enums: &mut Vec<Vec<String>>) {
    match schema {
        Value::Object(members) => {
            if let Some(values) = members.get("enum").and_then(Value::as_array) {
                let values = values.iter().filter_map(Value::as_str);
                enums.push(values.map(ToOwned::to_owned).collect());
            }
            let children = members.iter().filter(|(name, _)| *name != "example");
            children.for_each(|(_, child)| collect_enums(child, enums));
        }
        Value::Array(items) => items.iter().for_each(|item| collect_enums(item, enums)),
        _ => {}
    }
}

#[rstest]
#[actix_web::test]
async fn every_enumeration_of_the_document_has_labels(#[values(Engine::Sqlite)] engine: Engine) {
    let app = TestApp::start(engine).await;
    let labels = app.reader().get("/labels").await.is(200).json;
    let labeled: Vec<Vec<String>> = labels
        .as_object()
        .unwrap()
        .values()
        .map(|labels| {
            let labels = labels.as_array().unwrap().iter();
            labels
                .map(|label| label["value"].as_str().unwrap().to_owned())
                .collect()
        })
        .collect();
    for (name, schema) in DOCUMENT["components"]["schemas"].as_object().unwrap() {
        if UNLABELED.contains(&name.as_str()) {
            continue;
        }
        let mut enums = Vec::new();
        collect_enums(schema, &mut enums);
        for values in enums {
            assert!(labeled.contains(&values), "{name} {values:?} has no labels");
        }
    }
}

#[rstest]
#[actix_web::test]
async fn labels_use_request_language(#[values(Engine::Sqlite)] engine: Engine) {
    let app = TestApp::start(engine).await;
    let reader = app.reader();
    let mut etags = Vec::new();
    for (language, label) in [("de", "Bearbeiter"), ("en", "Editor")] {
        let request = || {
            reader
                .request("GET", "/labels")
                .header("accept-language", language)
        };
        let labels = request().send().await.is(200);
        assert_eq!(labels.header("content-language"), language);
        assert_eq!(
            labels.json["role"][1],
            json!({"value": "editor", "label": label})
        );
        let unchanged = request().header("if-none-match", &labels.etag());
        unchanged.send().await.is(304);
        etags.push(labels.etag());
    }
    assert_ne!(etags[0], etags[1]);
}

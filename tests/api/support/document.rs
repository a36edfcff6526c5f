//! The OpenAPI document, and checks that a response is documented and matches its schema.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex, PoisonError},
};

use actix_web::dev::ResourceDef;
use customer_integration::router;
use jsonschema::Validator;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};

/// The OpenAPI document of this build.
pub static DOCUMENT: LazyLock<Value> = LazyLock::new(|| router::document().unwrap());

/// One operation of the document.
#[derive(Debug, Clone)]
pub struct Operation {
    pub path: String,
    pub method: String,
    pub id: String,
    /// The required scope; empty if any token suffices.
    pub scope: String,
    pub value: Value,
}

impl Operation {
    pub fn has_body(&self) -> bool {
        self.value.get("requestBody").is_some()
    }

    /// The path with values in place of its parameters.
    pub fn path_with(&self, values: &[(&str, &str)]) -> String {
        values
            .iter()
            .fold(self.path.clone(), |path, (name, value)| {
                path.replace(&format!("{{{name}}}"), value)
            })
    }

    pub fn is_list(&self) -> bool {
        self.method == "GET" && self.id.starts_with("list_")
    }
}

/// All operations of the document, deletions last.
pub static OPERATIONS: LazyLock<Vec<Operation>> = LazyLock::new(|| {
    let mut operations = Vec::new();
    for (path, item) in DOCUMENT["paths"].as_object().unwrap() {
        for (method, value) in item.as_object().unwrap() {
            operations.push(Operation {
                path: path.clone(),
                method: method.to_uppercase(),
                id: value["operationId"].as_str().unwrap().to_owned(),
                scope: value["x-required-scopes"][0]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned(),
                value: with_resolved_responses(value),
            });
        }
    }
    // deletions last: in this order every operation finds its resource
    operations.sort_by_key(|operation| operation.method == "DELETE");
    operations
});

/// An operation with references to shared responses resolved.
fn with_resolved_responses(operation: &Value) -> Value {
    let mut operation = operation.clone();
    for response in operation["responses"].as_object_mut().unwrap().values_mut() {
        if let Some(reference) = response["$ref"].as_str() {
            let pointer = reference.trim_start_matches('#');
            *response = DOCUMENT.pointer(pointer).expect(reference).clone();
        }
    }
    operation
}

/// The operation of a request. Of several matching paths, the one with the fewest parameters
/// counts: `/queries/order` is not a `/queries/{query_id}`.
fn find_operation(method: &str, path: &str) -> Option<&'static Operation> {
    let documented = OPERATIONS
        .iter()
        .filter(|operation| ResourceDef::new(operation.path.as_str()).is_match(path))
        .min_by_key(|operation| operation.path.matches('{').count())?;
    OPERATIONS
        .iter()
        .find(|operation| operation.method == method && operation.path == documented.path)
}

/// Panics unless the document allows this response: status, media type, problem code and schema,
/// or no body if none is documented.
pub fn assert_documented(
    method: &str,
    path: &str,
    status: u16,
    content_type: Option<&str>,
    body: &str,
) {
    let Some(operation) = find_operation(method, path) else {
        assert!(
            method == "OPTIONS" || matches!(status, 404 | 405),
            "{method} {path} is not documented and returned {status}: {body}"
        );
        return;
    };

    let response = &operation.value["responses"][status.to_string()];
    assert!(
        !response.is_null(),
        "{} has no documented status {status}: {body}",
        operation.id
    );
    if response.get("content").is_none() {
        assert_eq!(
            body, "",
            "{}: status {status} is documented without a body",
            operation.id
        );
        return;
    }

    assert_content_documented(operation, status, content_type, body);
}

fn assert_content_documented(
    operation: &Operation,
    status: u16,
    content_type: Option<&str>,
    body: &str,
) {
    let id = &operation.id;
    let media_type = content_type
        .and_then(|value| value.split(';').next())
        .unwrap_or_default();
    let content = &operation.value["responses"][status.to_string()]["content"][media_type];
    assert!(
        !content["schema"].is_null(),
        "{id}: status {status} has no documented media type {media_type}"
    );

    let body: Value = serde_json::from_str(body)
        .unwrap_or_else(|error| panic!("{id} returned {status} without JSON: {error}: {body}"));
    if status >= 400 {
        let code = body["code"].as_str().unwrap();
        assert!(
            content["examples"].get(code).is_some(),
            "{id}: status {status} has no documented code {code}"
        );
    }
    assert_matches_schema(&content["schema"], &body);
}

/// Panics unless a response has the required headers and every documented header matches its
/// schema.
pub fn assert_headers_documented(method: &str, path: &str, status: u16, headers: &HeaderMap) {
    let Some(operation) = find_operation(method, path) else {
        return;
    };

    let response = &operation.value["responses"][status.to_string()];
    for (name, header) in response["headers"].as_object().into_iter().flatten() {
        let header = DOCUMENT
            .pointer(header["$ref"].as_str().unwrap().trim_start_matches('#'))
            .unwrap();
        match headers.get(name) {
            Some(value) => {
                let value = json!(value.to_str().unwrap());
                assert_matches_schema(&header["schema"], &value);
            }
            None => assert_eq!(
                header["required"], false,
                "{} returned {status} without {name}",
                operation.id
            ),
        }
    }
}

/// Panics unless `body` matches `schema`.
pub fn assert_matches_schema(schema: &Value, body: &Value) {
    let validator = validator(schema);
    let errors: Vec<_> = validator
        .iter_errors(body)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{errors:?}\n{body}");
}

/// The validator of a schema; cached, since compiling it takes longer than validating.
fn validator(schema: &Value) -> Arc<Validator> {
    static VALIDATORS: LazyLock<Mutex<HashMap<String, Arc<Validator>>>> =
        LazyLock::new(Mutex::default);
    let mut validators = VALIDATORS.lock().unwrap_or_else(PoisonError::into_inner);
    let validator = validators.entry(schema.to_string()).or_insert_with(|| {
        let mut root = schema.clone();
        root["components"] = json!({"schemas": DOCUMENT["components"]["schemas"]});
        Arc::new(
            jsonschema::options()
                .should_validate_formats(true)
                .build(&root)
                .unwrap(),
        )
    });
    validator.clone()
}

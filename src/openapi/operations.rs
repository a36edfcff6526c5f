//! Completes each operation: description, parameters, request body and responses.

use serde_json::{Map, Value, json};

use super::{
    headers, parameters,
    problems::{self, SharedResponses},
    schemas,
};

/// OpenAPI tags of the operations whose responses depend on the language.
const LOCALIZED: [&str; 9] = [
    "me",
    "customer-integrations",
    "accesses",
    "queries",
    "exclusion-rules",
    "global-exclusion-rules",
    "ticket-fields",
    "labels",
    "history",
];

/// Operations with one of these tags whose responses contain no text.
const NOT_LOCALIZED: [&str; 2] = ["list_customer_integrations", "put_query_order"];

/// The properties of an operation from which its parameters, headers and problems follow.
#[expect(clippy::struct_excessive_bools, reason = "independent properties")]
pub(super) struct Shape {
    pub(super) is_get: bool,
    pub(super) is_delete: bool,
    /// A POST that computes a result and stores nothing. The result must not be cached.
    pub(super) is_computation: bool,
    /// Whether it changes stored data: its scope is a write scope.
    pub(super) is_write: bool,
    /// Whether its path ends with the id of a resource.
    pub(super) is_single: bool,
    /// Whether it documents a request body.
    pub(super) has_body: bool,
    /// Whether it parses a request body, documented or not.
    pub(super) reads_body: bool,
    /// Whether it returns pages of a list.
    pub(super) has_cursor: bool,
    /// Whether it requires a scope.
    pub(super) needs_scope: bool,
    /// Whether it depends on a resource named in its path. PUT creates the last one.
    pub(super) can_miss_resource: bool,
}

impl Shape {
    fn new(path: &str, method: &str, operation: &Map<String, Value>) -> Self {
        let is_put = method == "put";
        let is_write = scopes(operation).any(|scope| scope.ends_with(":write"));
        let has_body = operation.contains_key("requestBody");
        let is_single = path.ends_with('}');
        let required_ids = path.matches('{').count() - usize::from(is_put && is_single);
        Self {
            is_get: method == "get",
            is_delete: method == "delete",
            is_computation: method == "post" && !is_write,
            is_write,
            is_single,
            has_body,
            reads_body: has_body || is_put,
            has_cursor: query_parameters(operation).any(|parameter| parameter["name"] == "cursor"),
            needs_scope: scopes(operation).next().is_some(),
            can_miss_resource: required_ids > 0,
        }
    }
}

/// Completes an operation in place.
///
/// # Errors
/// If the operation declares an unknown problem code, or see [`SharedResponses::reference`].
pub(super) fn complete(
    path: &str,
    method: &str,
    operation: &mut Value,
    schemas: &Value,
    shared: &mut SharedResponses,
) -> serde_json::Result<()> {
    let Some(operation) = operation.as_object_mut() else {
        return Ok(());
    };
    let declared = problems::declared(operation)?;
    let shape = Shape::new(path, method, operation);
    describe_scopes(operation);
    let query = query_parameters(operation).cloned().collect();
    let parameters = parameters::complete(path, &shape, query);
    operation.insert("parameters".to_owned(), parameters.into());
    if let Some(body) = operation.get_mut("requestBody") {
        complete_request_body(body, method, schemas);
    }
    let has_text = operation
        .get("operationId")
        .is_none_or(|id| NOT_LOCALIZED.iter().all(|other| id != other));
    let is_localized = shape.is_computation
        || has_text
            && operation
                .get("tags")
                .is_some_and(|tags| LOCALIZED.iter().any(|tag| tags[0] == *tag));
    let Some(responses) = operation
        .get_mut("responses")
        .and_then(Value::as_object_mut)
    else {
        return Ok(());
    };
    for (status, response) in responses.iter_mut() {
        complete_success(status, response, &shape, is_localized, schemas);
    }
    if shape.is_get {
        let reference = json!({"$ref": "#/components/responses/NotModified"});
        responses.insert("304".to_owned(), reference);
    }
    for (status, codes) in problems::by_status(&shape, declared) {
        responses.insert(status, shared.reference(&codes)?);
    }
    responses.sort_keys();
    Ok(())
}

fn query_parameters(operation: &Map<String, Value>) -> impl Iterator<Item = &Value> {
    operation
        .get("parameters")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

fn scopes(operation: &Map<String, Value>) -> impl Iterator<Item = &str> {
    operation
        .get("security")
        .and_then(|security| security[0]["bearer"].as_array())
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
}

/// Moves the scopes to an extension and to the description. Many tools reject scopes in a security
/// requirement that is not OAuth 2.
fn describe_scopes(operation: &mut Map<String, Value>) {
    let scopes: Vec<_> = scopes(operation).map(ToOwned::to_owned).collect();
    let description = operation
        .get("description")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let required = if scopes.is_empty() {
        "Any valid token suffices; no scope is required.".to_owned()
    } else {
        format!("Required scope: `{}`.", scopes.join("`, `"))
    };
    let description = format!("{description}\n\n{required}");
    operation.insert("description".to_owned(), json!(description));
    operation.insert("security".to_owned(), json!([{"bearer": []}]));
    operation.insert("x-required-scopes".to_owned(), json!(scopes));
}

/// Adds the example, and the media type of merge patches to PATCH. utoipa describes an optional
/// body as `oneOf` with `null`, but such a body is absent, not `null`.
fn complete_request_body(body: &mut Value, method: &str, schemas: &Value) {
    let Some(media) = body.pointer_mut("/content/application~1json") else {
        return;
    };
    if let Some(schema) = media.pointer("/schema/oneOf/0").cloned() {
        media["schema"] = schema;
    }
    schemas::add_example(media, schemas);
    let media = media.clone();
    if method == "patch" {
        body["content"]["application/merge-patch+json"] = media;
    }
}

fn complete_success(
    status: &str,
    response: &mut Value,
    shape: &Shape,
    is_localized: bool,
    schemas: &Value,
) {
    let mut names = match status {
        "201" => vec!["ETag", "Location"],
        "200" if !shape.is_computation => vec!["ETag"],
        _ => vec![],
    };
    if shape.has_cursor {
        names.push("Link");
    }
    if is_localized && status != "204" {
        names.push("Content-Language");
    }
    response["headers"] = headers::of_response(&names);
    if let Some(media) = response.pointer_mut("/content/application~1json") {
        schemas::add_example(media, schemas);
    }
}

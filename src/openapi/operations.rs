//! What every operation of the document gets: path parameters, conditional headers, response headers, its scope in words.

#![expect(
    clippy::indexing_slicing,
    reason = "serde_json's values answer null for what is not there, and insert it"
)]

use serde_json::{Map, Value, json};

use super::{limits, links, problems, schemas};
use crate::{
    common::{
        Code,
        ids::{ERP_ID_PATTERN, ID_PATTERN},
    },
    http::{conditional::CONDITION_PATTERN, route_guard::MAX_HEADER},
};

/// Tags of the operations whose answers hold words of the caller's language.
const WORDED: [&str; 4] = [
    "queries",
    "exclusion-rules",
    "global-exclusion-rules",
    "ticket-fields",
];

pub(super) fn complete(path: &str, method: &str, operation: &mut Value, schemas: &Value) {
    let Some(operation) = operation.as_object_mut() else {
        return;
    };
    let own: Vec<Code> = operation
        .remove("x-problem-codes")
        .and_then(|codes| serde_json::from_value::<Vec<String>>(codes).ok())
        .map(|codes| codes.iter().filter_map(|code| code.parse().ok()).collect())
        .unwrap_or_default();
    require_scopes(operation);
    let single = path.ends_with('}');
    let writes = method != "get";
    let parameters = operation.entry("parameters").or_insert_with(|| json!([]));
    complete_parameters(parameters, path, method, single);
    let problems = problems::of_operation(path, method, operation, own);
    if let Some(body) = operation.get_mut("requestBody") {
        complete_request(body, method, schemas);
    }
    let of_tags = |tags: &[&str]| {
        operation
            .get("tags")
            .is_some_and(|of| tags.iter().any(|tag| of[0] == *tag))
    };
    // a decision is good for its moment only, and its answer has no tag
    let decides = of_tags(&["decisions"]) && writes;
    let worded = of_tags(&WORDED) || decides;
    let Some(responses) = operation
        .get_mut("responses")
        .and_then(Value::as_object_mut)
    else {
        return;
    };
    for (status, response) in responses.iter_mut() {
        let mut names = match status.as_str() {
            "201" => vec!["ETag", "Location"],
            "200" if !decides => vec!["ETag"],
            _ => vec![],
        };
        if worded && status.starts_with('2') && status != "204" {
            names.push("Content-Language");
        }
        response["headers"] = response_headers(&names);
        if let Some(media) = response.pointer_mut("/content/application~1json") {
            schemas::add_example(media, schemas);
        }
    }
    if !writes {
        responses.insert(
            "304".to_owned(),
            json!({"$ref": "#/components/responses/NotModified"}),
        );
    }
    for (status, codes) in problems {
        responses.insert(status, problems::response(&codes));
    }
    responses.sort_keys();
}

/// Scopes stand beside the security requirement, where every tool accepts them, and in the description, where people look.
fn require_scopes(operation: &mut Map<String, Value>) {
    let scopes = operation
        .get("security")
        .map(|security| security[0]["bearer"].clone())
        .unwrap_or_default();
    let named: Vec<_> = scopes
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let description = operation
        .get("description")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let described = format!("{description}\n\nNeeds the scope `{}`.", named.join("`, `"));
    operation.insert("description".to_owned(), json!(described));
    operation.insert("security".to_owned(), json!([{"bearer": []}]));
    operation.insert("x-required-scopes".to_owned(), scopes);
}

fn complete_parameters(parameters: &mut Value, path: &str, method: &str, single: bool) {
    let Some(parameters) = parameters.as_array_mut() else {
        return;
    };
    let mut all: Vec<_> = links::names(path).map(path_parameter).collect();
    for parameter in parameters.iter_mut() {
        let name = parameter["name"].as_str().unwrap_or_default().to_owned();
        limits::complete("", &name, &mut parameter["schema"]);
        if let Some((_, example)) = EXAMPLES.iter().find(|(of, _)| *of == name) {
            parameter["example"] = serde_json::from_str(example).unwrap_or_else(|_| json!(example));
        }
    }
    all.append(parameters);
    if method == "get" {
        let description = "Tags the caller has; 304 when one of them is current.";
        all.push(header_parameter("If-None-Match", description, "\"3\""));
    } else if single {
        all.push(header_parameter(
            "If-Match",
            "Act only if the resource has one of these tags (or the bare number before their `-`); else 412.",
            "\"3\"",
        ));
        all.push(header_parameter(
            "If-None-Match",
            "Act only if the resource has none of these tags (or bare numbers); `*`: only if it does not exist. Else 412.",
            "\"2\"",
        ));
    }
    all.push(header_parameter(
        "Accept-Language",
        "Language of problems, summaries and labels: de or en, with quality values.",
        "de, en;q=0.5",
    ));
    *parameters = all;
}

/// Examples of query parameters, as they are written in JSON or, being texts, without its quotes. A `cursor` is opaque: there
/// is none to make up.
const EXAMPLES: [(&str, &str); 15] = [
    ("active", "true"),
    ("area_id", "netz"),
    ("from", "2026-11-01T00:00:00Z"),
    ("grantable_to", "K-1001"),
    ("include_global", "true"),
    ("internal_only", "false"),
    ("limit", "20"),
    ("q", "müller"),
    ("resource", "access"),
    ("resource_id", "netz"),
    ("role", "editor"),
    ("sort", "-created_at"),
    ("subject", "anna.admin"),
    ("until", "2026-12-01T00:00:00Z"),
    ("usable", "true"),
];

/// PATCH bodies may also be named by what they are; every body has an example. A body that may be left out is no `null`.
fn complete_request(body: &mut Value, method: &str, schemas: &Value) {
    let Some(media) = body.pointer_mut("/content/application~1json") else {
        return;
    };
    if let Some(given) = media.pointer("/schema/oneOf/0").cloned() {
        media["schema"] = given;
    }
    schemas::add_example(media, schemas);
    let media = media.clone();
    if method == "patch" {
        body["content"]["application/merge-patch+json"] = media;
    }
}

/// Parameters of paths: name, description, and the id's schema.
fn path_parameter(name: &str) -> Value {
    let erp = json!({"type": "string", "minLength": 1, "maxLength": 64, "pattern": ERP_ID_PATTERN});
    let (description, schema, example) = match name {
        "business_partner_id" => ("The business partner's id in the ERP.", erp, "K-1001"),
        "area_id" => ("The area's id in the ERP.", erp, "netz"),
        "ticket_type_id" => ("The ticket type's id in the ERP.", erp, "anomalie"),
        "plan_board_id" => ("The plan board's id in the ERP.", erp, "rollout"),
        _ => (
            "The id given by this service.",
            json!({"type": "string", "format": "uuid", "maxLength": 36, "pattern": ID_PATTERN}),
            "019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e60",
        ),
    };
    json!({"name": name, "in": "path", "required": true, "description": description, "schema": schema, "example": example})
}

fn header_parameter(name: &str, description: &str, example: &str) -> Value {
    let mut schema = json!({"type": "string", "maxLength": MAX_HEADER});
    if name.starts_with("If-") {
        schema["pattern"] = json!(CONDITION_PATTERN);
    }
    json!({"name": name, "in": "header", "required": false, "description": description, "schema": schema, "example": example})
}

pub(super) fn headers() -> Value {
    let header = |description: &str, required: bool, most: u32, example: &str| {
        let schema = json!({"type": "string", "maxLength": most});
        json!({"description": description, "required": required, "schema": schema, "example": example})
    };
    json!({
        "Access-Control-Allow-Origin": header(
            "The origin of the page that called, where the service is set up to let it; else absent.", false, 1000, "https://portal.example"),
        "ETag": header("Tag of what was answered; send it in If-Match or If-None-Match.", true, 200, "\"3\""),
        "Current-ETag": header("Tag that the resource has now, where it exists.", false, 200, "\"4\""),
        "Content-Language": header("Language of the words in the answer; `Vary` says that it follows `Accept-Language`.", true, 2, "de"),
        "Location": header("Where the new resource is.", true, 300, "/api/v1/customer-integrations/K-1001/areas/netz"),
        "X-Request-Id": header("Id of the request, also in the service's log.", true, 128, "019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e60"),
        "WWW-Authenticate": header("What token is needed.", true, 1000, "Bearer realm=\"customer-integration\", error=\"invalid_token\""),
        "Scope-WWW-Authenticate": header(
            "What scope is missing; absent where no scope would help.", false, 1000,
            "Bearer realm=\"customer-integration\", error=\"insufficient_scope\", scope=\"integration:write\""),
        "Accept-Encoding": header("Codings that bodies may have.", false, 100, "identity"),
        "Retry-After": header("Seconds after which trying again may help.", true, 10, "1"),
        "RateLimit": header("What is left to the caller (draft-ietf-httpapi-ratelimit-headers).", true, 100, "\"subject\";r=0;t=1"),
        "RateLimit-Policy": header("How many requests in how many seconds.", true, 100, "\"subject\";q=20;w=2")
    })
}

pub(super) fn response_headers(names: &[&str]) -> Value {
    let all = names
        .iter()
        .chain(&["X-Request-Id", "Access-Control-Allow-Origin"]);
    // what is said of a header may differ where an answer need not have it
    let header = |name: &str| {
        name.trim_start_matches("Current-")
            .trim_start_matches("Scope-")
            .to_owned()
    };
    all.map(|name| {
        (
            header(name),
            json!({"$ref": format!("#/components/headers/{name}")}),
        )
    })
    .collect::<Map<_, _>>()
    .into()
}

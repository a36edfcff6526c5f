//! The document: generated from the routes, then completed with what one mechanism does for all operations alike.
//!
//! A handler documents what is its own: summary, description, parameters, success, scopes, and in `x-problem-codes` the
//! refusals of its own rules. What follows from the shape of an operation – path parameters, conditional headers, the problems
//! of authentication, bodies and parameters, response headers, examples – is added here, so that it cannot be forgotten and
//! is said in one way.

#![expect(clippy::indexing_slicing, reason = "serde_json's values answer null for what is not there, and insert it")]

use serde_json::{Map, Value, json};
use strum::IntoEnumIterator as _;
use utoipa::OpenApi;

use super::problem::{MEDIA_TYPE, Problem};
use crate::{
    kernel::{Code, ids::ERP_ID_PATTERN},
    texts::{self, Lang},
};

/// What every document begins with.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Customer integration",
        description = "What the people of a business partner may see and do in the ticket portal: the back end of the tab \"Kundenintegration\".\n\n\
            * Things the ERP owns are PUT by the ERP's id, things of our own are POSTed. PATCH is a JSON merge patch.\n\
            * Every single resource answers a strong `ETag`, which is its `version`, followed by `-…` where it shows foreign state. \
            `If-Match` takes the tag or the bare version; 412 answers a lost race.\n\
            * Every failure is a problem (RFC 9457); act on its `code`.\n\
            * Titles and details follow `Accept-Language` (de, en).",
        contact(name = "customer-integration", url = "https://github.com/customer-integration"),
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0")
    ),
    servers((url = "/", description = "This service")),
    tags(
        (name = "customer-integrations", description = "The integration itself: active or not, and whether it is ready (tab \"Kundenintegration\")."),
        (name = "accesses", description = "External logins of the partner's people (Kundenzugänge)."),
        (name = "areas", description = "Areas in which accesses see and create tickets (Bereiche)."),
        (name = "ticket-types", description = "Ticket types that accesses may open, with or without approval (Ticketarten)."),
        (name = "catalog", description = "What the ERP owns and tells us: business partners, areas, ticket types, plan boards.")
    ),
    components(schemas(Problem))
)]
pub struct Base;

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
            json!({"type": "string", "format": "uuid"}),
            "019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e60",
        ),
    };
    json!({"name": name, "in": "path", "required": true, "description": description, "schema": schema, "example": example})
}

fn header_parameter(name: &str, description: &str) -> Value {
    let schema = json!({"type": "string", "maxLength": 1000});
    json!({"name": name, "in": "header", "required": false, "description": description, "schema": schema})
}

/// Completes the generated document.
pub fn finish(api: &utoipa::openapi::OpenApi) -> serde_json::Result<Value> {
    let text = serde_json::to_string(api)?;
    // generic lists are named by their items, as people would
    let lists = [
        "Access",
        "AreaGrant",
        "TicketTypeGrant",
        "BusinessPartner",
        "Area",
        "TicketType",
        "PlanBoard",
        "CustomerIntegrationSummary",
    ];
    let text = lists.iter().fold(text, |text, item| text.replace(&format!("List_{item}\""), &format!("{item}List\"")));
    let mut document: Value = serde_json::from_str(&text)?;
    document["info"]["version"] = json!(env!("CARGO_PKG_VERSION"));
    let schemas = document["components"]["schemas"].clone();
    for (path, item) in document["paths"].as_object_mut().into_iter().flatten() {
        for (method, operation) in item.as_object_mut().into_iter().flatten() {
            complete(path, method, operation, &schemas);
        }
    }
    let components = &mut document["components"];
    components["securitySchemes"]["bearer"] = json!({"type": "http", "scheme": "bearer", "bearerFormat": "JWT",
        "description": "A JWT (RFC 9068). Its `scope` must hold the scope an operation asks for; a write scope does not imply its read scope. \
            With `business_partner_id` it is limited to that partner, and all others are not found."});
    components["headers"] = headers();
    components["responses"]["NotModified"] =
        json!({"description": "What the caller has is still current.", "headers": response_headers(&["ETag"])});
    components["schemas"]["Problem"]["properties"]["code"]["examples"] =
        Code::iter().filter(|code| !code.is_field_code()).map(Code::as_str).collect();
    Ok(document)
}

fn headers() -> Value {
    let header = |description: &str, example: &str| json!({"description": description, "schema": {"type": "string"}, "example": example});
    json!({
        "ETag": header("Tag of what was answered; send it in If-Match or If-None-Match.", "\"3\""),
        "Location": header("Where the new resource is.", "/api/v1/customer-integrations/K-1001/areas/netz"),
        "X-Request-Id": header("Id of the request, also in the service's log.", "019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e60"),
        "WWW-Authenticate": header("What token is needed.", "Bearer realm=\"customer-integration\", error=\"invalid_token\""),
        "Retry-After": header("Seconds after which trying again may help.", "1")
    })
}

fn response_headers(names: &[&str]) -> Value {
    let all = names.iter().chain(&["X-Request-Id"]);
    all.map(|name| ((*name).to_owned(), json!({"$ref": format!("#/components/headers/{name}")})))
        .collect::<Map<_, _>>()
        .into()
}

fn complete(path: &str, method: &str, operation: &mut Value, schemas: &Value) {
    let Some(operation) = operation.as_object_mut() else { return };
    let own: Vec<Code> = operation
        .remove("x-problem-codes")
        .and_then(|codes| serde_json::from_value::<Vec<String>>(codes).ok())
        .map(|codes| codes.iter().filter_map(|code| code.parse().ok()).collect())
        .unwrap_or_default();
    let single = path.ends_with('}');
    let writes = method != "get";
    let parameters = operation.entry("parameters").or_insert_with(|| json!([]));
    complete_parameters(parameters, path, method, single);
    let problems = problems(path, method, operation.contains_key("requestBody"), single, own);
    if let Some(body) = operation.get_mut("requestBody") {
        complete_request(body, method, schemas);
    }
    let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) else { return };
    for (status, response) in responses.iter_mut() {
        let names: &[&str] = if status == "201" {
            &["ETag", "Location"]
        } else if status == "200" {
            &["ETag"]
        } else {
            &[]
        };
        response["headers"] = response_headers(names);
        if let Some(media) = response.pointer_mut("/content/application~1json") {
            add_example(media, schemas);
        }
    }
    if !writes {
        responses.insert("304".to_owned(), json!({"$ref": "#/components/responses/NotModified"}));
    }
    for (status, codes) in problems {
        responses.insert(status, problem_response(path, &codes));
    }
    responses.sort_keys();
}

fn complete_parameters(parameters: &mut Value, path: &str, method: &str, single: bool) {
    let Some(parameters) = parameters.as_array_mut() else { return };
    let names = path.split('{').skip(1).filter_map(|rest| rest.split('}').next());
    let mut all: Vec<_> = names.map(path_parameter).collect();
    all.append(parameters);
    if method == "get" {
        all.push(header_parameter("If-None-Match", "Tags the caller has; 304 when one of them is current."));
    } else if single {
        all.push(header_parameter(
            "If-Match",
            "Act only if the resource has one of these tags (or bare versions); else 412.",
        ));
    }
    if method == "put" {
        all.push(header_parameter("If-None-Match", "`*`: only create, never replace; else 412."));
    }
    all.push(header_parameter("Accept-Language", "Language of problems: de or en."));
    *parameters = all;
}

/// PATCH bodies may also be named by what they are; every body has an example.
fn complete_request(body: &mut Value, method: &str, schemas: &Value) {
    let Some(media) = body.pointer_mut("/content/application~1json") else { return };
    add_example(media, schemas);
    let media = media.clone();
    if method == "patch" {
        body["content"]["application/merge-patch+json"] = media;
    }
}

/// Gives a media type the example of its schema; a list's is made of its item's.
fn add_example(media: &mut Value, schemas: &Value) {
    let found = media.pointer("/schema").and_then(|schema| example_of(schema, schemas));
    if let Some(example) = found {
        media["example"] = example;
    }
}

fn example_of(schema: &Value, schemas: &Value) -> Option<Value> {
    let reference =
        schema["$ref"].as_str().or_else(|| schema["oneOf"].as_array()?.iter().find_map(|it| it["$ref"].as_str()))?;
    let schema = &schemas[reference.rsplit('/').next()?];
    if let Some(example) = schema.get("example") {
        return Some(example.clone());
    }
    let item = example_of(schema.pointer("/properties/items/items")?, schemas)?;
    Some(json!({"items": [item], "next_cursor": null}))
}

/// The problems an operation can answer with, by status.
fn problems(path: &str, method: &str, has_body: bool, single: bool, own: Vec<Code>) -> Vec<(String, Vec<Code>)> {
    let mut codes = vec![
        Code::InvalidParameter,
        Code::UnknownParameter,
        Code::MissingToken,
        Code::InvalidToken,
        Code::InsufficientScope,
        Code::InternalError,
        Code::Unavailable,
    ];
    let catalog_put = path.contains("/catalog/") && method == "put";
    if path.contains('{') && !catalog_put
        || path.ends_with("/catalog/areas")
        || path.ends_with("/ticket-types")
        || path.ends_with("/plan-boards")
    {
        codes.push(Code::NotFound);
    }
    if method == "get" && !single {
        codes.push(Code::InvalidCursor);
    }
    if has_body || method == "put" {
        codes.extend([Code::BadRequest, Code::MalformedJson, Code::UnknownMember, Code::WrongType]);
        codes.extend([Code::BodyTooLarge, Code::UnsupportedMediaType]);
    }
    if has_body {
        codes.push(Code::ValidationFailed);
    }
    if method != "get" && single {
        codes.push(Code::PreconditionFailed);
    }
    codes.extend(own);
    let mut by_status = std::collections::BTreeMap::<String, Vec<Code>>::new();
    for code in codes {
        by_status.entry(code.status().as_str().to_owned()).or_default().push(code);
    }
    by_status.into_iter().collect()
}

fn problem_response(path: &str, codes: &[Code]) -> Value {
    let status = codes.first().map_or_else(Default::default, |code| code.status());
    let names: &[&str] = match status.as_u16() {
        401 | 403 => &["WWW-Authenticate"],
        412 => &["ETag"],
        503 => &["Retry-After"],
        _ => &[],
    };
    let listed: Vec<_> = codes.iter().map(|code| format!("`{}`", code.as_str())).collect();
    let examples = codes.iter().map(|code| {
        let (title, _) = texts::explain(Lang::De, *code, &[]);
        (code.as_str().to_owned(), json!({"summary": title, "value": example_problem(path, *code)}))
    });
    json!({
        "description": format!("{}: {}.", status.canonical_reason().unwrap_or("Problem"), listed.join(", ")),
        "headers": response_headers(names),
        "content": {MEDIA_TYPE: {
            "schema": {"$ref": "#/components/schemas/Problem"},
            "examples": examples.collect::<Map<_, _>>()
        }}
    })
}

/// A problem as a German caller would see it.
fn example_problem(path: &str, code: Code) -> Value {
    let facts = [
        ("reason", "expired"),
        ("member", "emial"),
        ("name", "farbe"),
        ("scope", "integration:write"),
        ("allowed", "GET"),
        ("active_accesses", "2"),
        ("max", "20000"),
        ("role", "observer"),
        ("id", "netz"),
        ("merge_patch", "no"),
        ("request_id", "019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e60"),
    ]
    .map(|(name, value)| (name.into(), value.to_owned()));
    let (title, detail) = texts::explain(Lang::De, code, &facts);
    let instance = ["business_partner_id", "area_id", "ticket_type_id", "access_id", "plan_board_id"].iter().fold(
        path.to_owned(),
        |path, name| {
            let example = path_parameter(name);
            path.replace(&format!("{{{name}}}"), example["example"].as_str().unwrap_or_default())
        },
    );
    let field = match code {
        Code::ValidationFailed => Some(("/name", Code::Required)),
        Code::DuplicateEmail => Some(("/email", code)),
        Code::DuplicateContact => Some(("/contact_id", code)),
        Code::IntegrationIncomplete => Some(("/active", Code::NoArea)),
        Code::ApproverRole => Some(("/approver", code)),
        _ => None,
    };
    let errors: Vec<_> = field
        .map(|(pointer, code)| {
            json!({"pointer": pointer, "code": code.as_str(), "detail": texts::explain(Lang::De, code, &facts).1})
        })
        .into_iter()
        .collect();
    json!({"type": super::problem::uri(code), "title": title, "status": code.status().as_u16(), "detail": detail, "instance": instance,
        "code": code.as_str(), "request_id": "019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e60", "errors": errors})
}

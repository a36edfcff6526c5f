//! The OpenAPI document: generated from the attributes of the handlers, then completed.
//!
//! A handler documents what is specific to it: summary, description, parameters, successful
//! responses, scopes, and in `x-problem-codes` the problems that its own rules can cause. This
//! module adds everything that follows from the shape of an operation: path parameters,
//! conditional headers, the problems of authentication, bodies and parameters, response headers,
//! links and examples. They cannot be forgotten, and they are described in one place.

#![expect(
    clippy::indexing_slicing,
    reason = "indexing a serde_json::Value yields null or inserts the member"
)]

mod headers;
mod links;
mod operations;
mod parameters;
mod problems;
mod schema_limits;
mod schemas;

use serde_json::{Value, json};
use strum::IntoEnumIterator as _;
use utoipa::OpenApi;

use crate::{common::Code, http::problem::Problem};

/// The part of the document that no handler describes.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Customer integration",
        description = "Manages what the users of a business partner may see and do in the ticket \
            portal. Back end of the tab \"Kundenintegration\".\n\n\
            * Resources owned by the ERP are created by PUT with the ERP's id; resources owned by \
            this service are created by POST. PATCH takes a JSON merge patch (RFC 7396).\n\
            * Every single resource has a strong `ETag`: its `version` (for a customer integration \
            its `revision`), followed by `-…` if the response also contains the state of other \
            resources. `If-Match` and, for writes, `If-None-Match` accept the ETag or the bare \
            number. A failed precondition returns 412. POST ignores both headers.\n\
            * Every operation that supports GET also supports HEAD.\n\
            * Every error response is a problem document (RFC 9457). Clients should act on its \
            `code`.\n\
            * Titles, details, summaries and labels are localized by `Accept-Language` (de, en). \
            The ETag of a response with localized text ends with `+` and the language; writes \
            accept the ETag of any language.",
        contact(name = "The team of customer-integration"),
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0")
    ),
    servers((
        url = "/",
        description = "The service that served this document (production, staging or local)"
    )),
    tags(
        (
            name = "me",
            description = "The caller: claims and permissions of its token."
        ),
        (
            name = "customer-integrations",
            description = "Status and readiness of an integration (tab \"Kundenintegration\")."
        ),
        (
            name = "accesses",
            description = "Logins of the partner's contacts to the ticket portal (Kundenzugänge)."
        ),
        (
            name = "areas",
            description = "Areas in which accesses see and create tickets (Bereiche)."
        ),
        (
            name = "ticket-types",
            description = "Ticket types that accesses can create (Ticketarten)."
        ),
        (
            name = "plan-boards",
            description = "Plan boards shared with the partner (Plan Boards)."
        ),
        (
            name = "tags",
            description = "Tags available for tickets (Tags)."
        ),
        (
            name = "queries",
            description = "Saved ticket filters with columns (Ticket Board Abfragen)."
        ),
        (
            name = "exclusion-rules",
            description = "Rules that hide tickets from the partner's accesses (Ausschlussregeln)."
        ),
        (
            name = "global-exclusion-rules",
            description = "Rules that hide tickets from the accesses of all partners \
                (kundenübergreifende Ausschlussregeln)."
        ),
        (
            name = "ticket-fields",
            description = "Ticket fields and operators available in filters."
        ),
        (
            name = "labels",
            description = "Labels of the values of enumerations."
        ),
        (
            name = "decisions",
            description = "Whether an access may see or create a ticket, and why."
        ),
        (
            name = "history",
            description = "Change history of a customer integration, and of the whole system."
        ),
        (
            name = "catalog",
            description = "Business partners, areas, ticket types and plan boards, owned by the ERP."
        )
    ),
    components(schemas(Problem))
)]
pub struct Base;

/// One of Spectral's rules searches it for "RFC8725", without a space.
const BEARER_DESCRIPTION: &str = "A JWT (RFC 9068), validated as recommended by RFC8725: the \
    service chooses the accepted algorithms and requires issuer, audience and expiry. Its `scope` \
    must contain the scope of the operation (`x-required-scopes`); a write scope does not include \
    the read scope. A token with the claim `business_partner_id` is restricted to that partner; \
    requests for other partners return 404.";

/// Completes the generated document.
///
/// # Errors
/// If a handler declares a problem code that does not exist, or if two different problem responses
/// would get the same name.
pub fn finish(api: &utoipa::openapi::OpenApi) -> serde_json::Result<Value> {
    let mut document = rename_lists(serde_json::to_value(api)?)?;
    document["info"]["version"] = json!(env!("CARGO_PKG_VERSION"));
    // The OWASP rules of Spectral require the intended audience and environment of each server.
    document["servers"][0]["x-internal"] = json!(false);
    schemas::complete(&mut document);
    let schemas = document["components"]["schemas"].clone();
    let mut responses = problems::SharedResponses::default();
    for (path, item) in document["paths"].as_object_mut().into_iter().flatten() {
        for (method, operation) in item.as_object_mut().into_iter().flatten() {
            operations::complete(path, method, operation, &schemas, &mut responses)?;
        }
    }
    links::complete(&mut document["paths"]);
    complete_components(&mut document["components"], responses);
    Ok(document)
}

/// utoipa calls a list of `Access` `List_Access`; the document calls it `AccessList`.
fn rename_lists(document: Value) -> serde_json::Result<Value> {
    let schemas = document["components"]["schemas"].as_object();
    let items: Vec<_> = schemas
        .into_iter()
        .flatten()
        .filter_map(|(name, _)| name.strip_prefix("List_"))
        .collect();
    let text = items.iter().fold(document.to_string(), |text, item| {
        text.replace(&format!("List_{item}\""), &format!("{item}List\""))
    });
    serde_json::from_str(&text)
}

fn complete_components(components: &mut Value, problem_responses: problems::SharedResponses) {
    components["securitySchemes"]["bearer"] = json!({
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": BEARER_DESCRIPTION
    });
    components["headers"] = headers::components();
    components["examples"] = problems::examples(&problem_responses);
    components["responses"] = problem_responses.into_components();
    components["responses"]["NotModified"] = json!({
        "description": "The client's copy is current.",
        "headers": headers::of_response(&["ETag"])
    });
    add_problem_codes(&mut components["schemas"]);
}

/// Makes the code of a problem an enumeration that clients must expect to grow: `anyOf` of the known
/// codes and any other one. Generated clients accept both.
fn add_problem_codes(schemas: &mut Value) {
    let codes = Code::iter().filter(|code| !code.is_field_code());
    let any_code = schemas["Problem"]["properties"]["code"].take();
    schemas["KnownProblemCode"] = json!({
        "type": "string",
        "description": "The problem codes of this version.",
        "enum": codes.map(Code::as_str).collect::<Vec<_>>()
    });
    schemas["Problem"]["properties"]["code"] = json!({
        "description": "Stable, machine-readable code. New codes can be added at any time; handle an \
            unknown one by its `status`.",
        "anyOf": [
            {"$ref": "#/components/schemas/KnownProblemCode"},
            {
                "type": "string",
                "description": "A code that a later version added.",
                "pattern": any_code["pattern"],
                "maxLength": any_code["maxLength"]
            }
        ]
    });
}

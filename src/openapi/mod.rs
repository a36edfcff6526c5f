//! The document: generated from the routes, then completed with what one mechanism does for all operations alike.
//!
//! A handler documents what is its own: summary, description, parameters, success, scopes, and in `x-problem-codes` the
//! refusals of its own rules. What follows from the shape of an operation – path parameters, conditional headers, the problems
//! of authentication, bodies and parameters, response headers, examples – is added here, so that it cannot be forgotten and
//! is said in one way.

#![expect(
    clippy::indexing_slicing,
    reason = "serde_json's values answer null for what is not there, and insert it"
)]

mod limits;
mod links;
mod operations;
mod problems;
mod schemas;

use serde_json::{Value, json};
use strum::IntoEnumIterator as _;
use utoipa::OpenApi;

use crate::{common::Code, http::problem::Problem};

/// What every document begins with.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Customer integration",
        description = "What the people of a business partner may see and do in the ticket portal: the back end of the tab \"Kundenintegration\".\n\n\
            * Things the ERP owns are PUT by the ERP's id, things of our own are POSTed. PATCH is a JSON merge patch.\n\
            * Every single resource answers a strong `ETag`, which is its `version` (a customer integration's: its `revision`), \
            followed by `-…` where it shows foreign state. `If-Match` and, with writes, `If-None-Match` take the tag or the bare \
            number; 412 answers a lost race. POST takes no conditions.\n\
            * Whatever takes GET takes HEAD.\n\
            * Every failure is a problem (RFC 9457); act on its `code`.\n\
            * Titles, details, summaries and labels follow `Accept-Language` (de, en). The tag of an answer that holds such words \
            ends with `+` and the language; a write takes the tag of either.",
        contact(name = "The team of customer-integration"),
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0")
    ),
    servers((url = "/", description = "The service that answered with this document, in production, staging or local")),
    tags(
        (name = "customer-integrations", description = "The integration itself: active or not, and whether it is ready (tab \"Kundenintegration\")."),
        (name = "accesses", description = "External logins of the partner's people (Kundenzugänge)."),
        (name = "areas", description = "Areas in which accesses see and create tickets (Bereiche)."),
        (name = "ticket-types", description = "Ticket types that accesses may open, with or without approval (Ticketarten)."),
        (name = "plan-boards", description = "Plan boards shared with the partner (Plan Boards)."),
        (name = "tags", description = "Tags that tickets may bear (Tags)."),
        (name = "queries", description = "Saved ticket filters with columns and an order (Ticket Board Abfragen)."),
        (name = "exclusion-rules", description = "Rules that hide tickets from the partner's accesses (Ausschlussregeln)."),
        (name = "global-exclusion-rules", description = "Rules that hide tickets from the accesses of all partners (kundenübergreifende Ausschlussregeln)."),
        (name = "ticket-fields", description = "What filters can ask for."),
        (name = "decisions", description = "May this access see this ticket, may it create that one, and why."),
        (name = "history", description = "Who changed what, and when."),
        (name = "catalog", description = "What the ERP owns and tells us: business partners, areas, ticket types, plan boards.")
    ),
    components(schemas(Problem))
)]
pub struct Base;

/// What the lists of the document hold. utoipa names a list of `Access` `List_Access`; with a line here it is named
/// `AccessList`, and the schema of its items is a reference.
const LISTED: [&str; 14] = [
    "Access",
    "Area",
    "AreaGrant",
    "BusinessPartner",
    "CustomerIntegrationSummary",
    "ExclusionRule",
    "HistoryEntry",
    "PlanBoard",
    "PlanBoardGrant",
    "Tag",
    "TicketField",
    "TicketQuery",
    "TicketType",
    "TicketTypeGrant",
];

/// Completes the generated document.
pub fn finish(api: &utoipa::openapi::OpenApi) -> serde_json::Result<Value> {
    let text = serde_json::to_string(api)?;
    let text = LISTED.iter().fold(text, |text, it| {
        text.replace(&format!("List_{it}\""), &format!("{it}List\""))
    });
    let mut document: Value = serde_json::from_str(&text)?;
    document["info"]["version"] = json!(env!("CARGO_PKG_VERSION"));
    // whoever reads this from a running service is where it says; callers are people and programs outside of its team
    document["servers"][0]["x-internal"] = json!(false);
    schemas::complete(&mut document);
    let schemas = document["components"]["schemas"].clone();
    for (path, item) in document["paths"].as_object_mut().into_iter().flatten() {
        for (method, operation) in item.as_object_mut().into_iter().flatten() {
            operations::complete(path, method, operation, &schemas);
        }
    }
    links::complete(&mut document["paths"]);
    let paths = document["paths"].to_string();
    let components = &mut document["components"];
    components["securitySchemes"]["bearer"] = json!({"type": "http", "scheme": "bearer", "bearerFormat": "JWT",
        "description": "A JWT (RFC 9068), validated as RFC8725 recommends: its algorithm is the service's to choose, its \
            issuer, audience and expiry are demanded. Its `scope` must hold the scope an operation asks for (`x-required-scopes`); a write \
            scope does not imply its read scope. With `business_partner_id` it is limited to that partner, and all others \
            are not found."});
    components["headers"] = operations::headers();
    components["examples"] = problems::examples(&paths);
    let headers = operations::response_headers(&["ETag"]);
    components["responses"]["NotModified"] =
        json!({"description": "What the caller has is still current.", "headers": headers});
    components["schemas"]["Problem"]["properties"]["code"]["examples"] = Code::iter()
        .filter(|code| !code.is_field_code())
        .map(Code::as_str)
        .collect();
    Ok(document)
}

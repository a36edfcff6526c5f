//! Every route on one page. Registering a route is documenting it: the document is made from this list.

use actix_web::{
    HttpResponse, get,
    http::header,
    web::{self, Bytes, Data},
};
use serde_json::Value;
use utoipa::OpenApi as _;
use utoipa_actix_web::{AppExt as _, scope, service_config::ServiceConfig};
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::{
    accesses, areas, catalog, decisions, exclusion_rules, history,
    http::{API_BASE, health, problem_page},
    openapi, overview, plan_boards, queries, tags, ticket_filter, ticket_types,
};

/// Where everything configured for one partner is.
const PARTNER_BASE: &str = "/api/v1/customer-integrations/{business_partner_id}";
/// Paths outside the API; all of them take GET (and HEAD) only and need no token.
pub const PUBLIC_PATHS: [&str; 6] = [
    "/health/live",
    "/health/ready",
    "/openapi.json",
    "/docs",
    "/docs/{page:.*}",
    "/problems/{code}",
];

/// The operations of the API, in the document's order. Decisions, asked most often, are compared with first. All else is a tree, so
/// that a request is compared with the few routes of its branch only; a flat one, since each level has futures of its own.
pub fn api(config: &mut ServiceConfig) {
    use exclusion_rules::global_routes::{
        create_global_exclusion_rule, delete_global_exclusion_rule, get_global_exclusion_rule,
        list_global_exclusion_rules, update_global_exclusion_rule,
    };
    config
        .service(decisions::routes::decide_ticket_visibility)
        .service(decisions::routes::decide_ticket_creation)
        .service(decisions::routes::preview_exclusion_rule)
        .service(overview::routes::list_customer_integrations)
        .service(scope(PARTNER_BASE).configure(partner))
        .service(
            scope(API_BASE)
                .service(
                    scope("/exclusion-rules")
                        .service(list_global_exclusion_rules)
                        .service(create_global_exclusion_rule)
                        .service(get_global_exclusion_rule)
                        .service(update_global_exclusion_rule)
                        .service(delete_global_exclusion_rule),
                )
                .service(scope("/catalog").configure(catalog_entries))
                .service(ticket_filter::routes::list_ticket_fields),
        );
}

/// Everything configured for one partner.
fn partner(config: &mut ServiceConfig) {
    config
        .service(overview::routes::get_customer_integration)
        .service(overview::routes::update_customer_integration)
        .service(
            scope("/accesses")
                .service(accesses::routes::list_accesses)
                .service(accesses::routes::create_access)
                .service(accesses::routes::get_access)
                .service(accesses::routes::update_access)
                .service(decisions::routes::get_access_capabilities),
        )
        .service(
            scope("/areas")
                .service(areas::routes::list_areas)
                .service(areas::routes::get_area)
                .service(areas::routes::put_area)
                .service(areas::routes::delete_area),
        )
        .service(
            scope("/ticket-types")
                .service(ticket_types::routes::list_ticket_types)
                .service(ticket_types::routes::get_ticket_type)
                .service(ticket_types::routes::put_ticket_type)
                .service(ticket_types::routes::delete_ticket_type),
        )
        .service(
            scope("/plan-boards")
                .service(plan_boards::routes::list_plan_boards)
                .service(plan_boards::routes::get_plan_board)
                .service(plan_boards::routes::put_plan_board)
                .service(plan_boards::routes::delete_plan_board),
        )
        .configure(ticket_settings)
        .service(history::routes::list_history);
}

fn ticket_settings(config: &mut ServiceConfig) {
    config
        .service(
            scope("/tags")
                .service(tags::routes::list_tags)
                .service(tags::routes::create_tag)
                .service(tags::routes::get_tag)
                .service(tags::routes::update_tag)
                .service(tags::routes::delete_tag),
        )
        .service(
            scope("/queries")
                .service(queries::routes::list_queries)
                .service(queries::routes::create_query)
                .service(queries::routes::get_query)
                .service(queries::routes::update_query)
                .service(queries::routes::delete_query),
        )
        .service(
            scope("/exclusion-rules")
                .service(exclusion_rules::routes::list_exclusion_rules)
                .service(exclusion_rules::routes::create_exclusion_rule)
                .service(exclusion_rules::routes::get_exclusion_rule)
                .service(exclusion_rules::routes::update_exclusion_rule)
                .service(exclusion_rules::routes::delete_exclusion_rule),
        );
}

fn catalog_entries(config: &mut ServiceConfig) {
    config
        .service(catalog::routes::list_catalog_business_partners)
        .service(catalog::routes::get_catalog_business_partner)
        .service(catalog::routes::put_catalog_business_partner)
        .service(catalog::routes::list_catalog_areas)
        .service(catalog::routes::get_catalog_area)
        .service(catalog::routes::put_catalog_area)
        .service(catalog::routes::list_catalog_ticket_types)
        .service(catalog::routes::get_catalog_ticket_type)
        .service(catalog::routes::put_catalog_ticket_type)
        .service(catalog::routes::list_catalog_plan_boards)
        .service(catalog::routes::get_catalog_plan_board)
        .service(catalog::routes::put_catalog_plan_board);
}

/// What is served beside the API.
pub fn public(config: &mut web::ServiceConfig) {
    config
        .service(health::live)
        .service(health::ready)
        .service(document_json)
        .service(problem_page::explain)
        .service(docs)
        .service(
            SwaggerUi::new("/docs/{_:.*}").config(
                Config::from("/openapi.json")
                    .persist_authorization(true)
                    .display_operation_id(true)
                    .validator_url("none"),
            ),
        );
}

/// The OpenAPI document of this version.
pub fn document() -> serde_json::Result<Value> {
    let app = actix_web::App::new()
        .into_utoipa_app()
        .openapi(openapi::Base::openapi());
    let (_, api) = app.configure(api).split_for_parts();
    openapi::finish(&api)
}

/// The document as it is served.
pub struct Document(pub Bytes);

/// The interactive pages are at `/docs/`, where their relative links work.
#[get("/docs")]
async fn docs() -> HttpResponse {
    HttpResponse::PermanentRedirect()
        .insert_header((header::LOCATION, "/docs/"))
        .finish()
}

#[get("/openapi.json")]
async fn document_json(document: Data<Document>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/json")
        .body(document.0.clone())
}

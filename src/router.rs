//! All routes. The OpenAPI document is generated from them.

use actix_web::web;
use serde_json::Value;
use utoipa::OpenApi as _;
use utoipa_actix_web::{AppExt as _, scope, service_config::ServiceConfig};

use crate::{
    accesses, areas, catalog, decisions, exclusion_rules, history,
    http::{
        API_BASE, docs, health, index_page, problem_page, protected_resource,
        route_guard::handle_unrouted,
    },
    labels, me, openapi, overview, plan_boards, queries, tags, ticket_filter, ticket_types,
};

/// Path prefix of everything that belongs to one business partner.
const PARTNER_BASE: &str = "/api/v1/customer-integrations/{business_partner_id}";
/// Paths outside the API. They only support GET and HEAD, and need no token.
pub const PUBLIC_PATHS: [&str; 9] = [
    "/",
    protected_resource::METADATA_PATH,
    "/health/live",
    "/health/ready",
    "/openapi.json",
    "/docs",
    "/docs/{file:.*}",
    "/problems",
    "/problems/{code}",
];

/// The operations of the API, in the order of the document.
///
/// Hot decision routes are registered first. The rest is nested one level to limit regex matching
/// and future size.
pub fn api(config: &mut ServiceConfig) {
    config
        .service(decisions::routes::decide_ticket_visibility)
        .service(decisions::routes::decide_ticket_creation)
        .service(decisions::routes::decide_ticket_approval)
        .service(decisions::routes::preview_exclusion_rule)
        .service(overview::routes::list_customer_integrations)
        .service(scope(PARTNER_BASE).configure(partner))
        .service(
            scope(API_BASE)
                .service(me::routes::get_me)
                .service(accesses::global_routes::list_all_accesses)
                .service(scope("/exclusion-rules").configure(global_exclusion_rules))
                .service(scope("/catalog").configure(catalog))
                .service(history::routes::list_system_history)
                .service(ticket_filter::routes::list_ticket_fields)
                .service(labels::routes::get_labels),
        );
}

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
                .service(queries::routes::put_query_order)
                // otherwise other methods would be requests to the query with the id `order`
                .route("/order", web::to(handle_unrouted))
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

fn global_exclusion_rules(config: &mut ServiceConfig) {
    config
        .service(exclusion_rules::global_routes::list_global_exclusion_rules)
        .service(exclusion_rules::global_routes::create_global_exclusion_rule)
        .service(exclusion_rules::global_routes::get_global_exclusion_rule)
        .service(exclusion_rules::global_routes::update_global_exclusion_rule)
        .service(exclusion_rules::global_routes::delete_global_exclusion_rule);
}

fn catalog(config: &mut ServiceConfig) {
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

/// The index page, health checks, the OpenAPI document and its interactive documentation, and
/// problem pages.
pub fn public(config: &mut web::ServiceConfig) {
    config
        .service(index_page::index)
        .service(health::live)
        .service(health::ready)
        .service(protected_resource::metadata)
        .service(docs::document)
        .service(docs::redirect)
        .service(docs::static_file)
        .service(problem_page::index)
        .service(problem_page::explain);
}

/// Generates the OpenAPI document.
pub fn document() -> serde_json::Result<Value> {
    let app = actix_web::App::new()
        .into_utoipa_app()
        .openapi(openapi::Base::openapi());
    let (_, api) = app.configure(api).split_for_parts();
    openapi::finish(&api)
}

//! Routes of the sub-tab "Abfragen".

use actix_web::{HttpResponse, delete, get, patch, post, put};

use super::{
    TicketQuery,
    dto::{QueryOrder, QueryOrderPut, TicketQueryCreate, TicketQueryListQuery, TicketQueryPatch},
    service,
};
use crate::{
    common::{Result, ids::QueryId},
    crud::handlers,
    http::{
        auth::{
            AuthorizedPartner,
            permission::{IntegrationRead, IntegrationWrite},
        },
        body::Body,
        call_context::CallContext,
        list_query::{ListQuery, ListSort, PageParams, SelectionParams},
        path_params::PathParam,
        response::{self, List},
    },
    integration::ConfigurationLock,
};

/// List ticket board queries
///
/// The saved queries of the partner, sorted by position by default.
#[utoipa::path(
    tag = "queries",
    params(PageParams, ListSort::<TicketQueryListQuery>, SelectionParams, TicketQueryListQuery),
    responses((status = 200, description = "A page of queries.", body = List<TicketQuery>)),
    security(("bearer" = ["integration:read"]))
)]
#[get("")]
pub async fn list_queries(
    auth: AuthorizedPartner<IntegrationRead>,
    query: ListQuery<TicketQueryListQuery>,
    call: CallContext,
) -> Result<HttpResponse> {
    handlers::list::<TicketQuery, _>(&call, ConfigurationLock(auth.partner), &query).await
}

/// Create a ticket board query
///
/// A saved filter with the columns and the sort order of the board. A query never extends what an
/// access may see. Its name must be unique within the partner, ignoring case. Catalog entries used
/// in the filter must exist. A partner can have up to 500 queries.
#[utoipa::path(
    tag = "queries",
    request_body = TicketQueryCreate,
    responses((status = 201, description = "The new query.", body = TicketQuery)),
    security(("bearer" = ["integration:write"])),
    extensions(("x-problem-codes" = json!([
        "integration_inactive", "unknown_reference", "unknown_access", "duplicate_name",
        "limit_reached"
    ])))
)]
#[post("")]
pub async fn create_query(
    auth: AuthorizedPartner<IntegrationWrite>,
    body: Body<TicketQueryCreate>,
    call: CallContext,
) -> Result<HttpResponse> {
    handlers::create::<TicketQuery, _>(&call, auth.actor(), ConfigurationLock(auth.partner), body.0)
        .await
}

/// Set the order of the ticket board queries
///
/// Must contain the ids of all queries of the partner. Their positions become 1, 2, 3, … in one
/// change with one history entry; the version of each query that moves grows by one. Rejected if
/// another query has been created meanwhile. Takes no conditions.
#[utoipa::path(
    tag = "queries",
    request_body = QueryOrderPut,
    responses((status = 200, description = "The new order.", body = QueryOrder)),
    security(("bearer" = ["integration:write"])),
    extensions(("x-problem-codes" = json!([
        "integration_inactive", "incomplete_order", "unknown_reference"
    ])))
)]
#[put("/order")]
pub async fn put_query_order(
    auth: AuthorizedPartner<IntegrationWrite>,
    body: Body<QueryOrderPut>,
    call: CallContext,
) -> Result<HttpResponse> {
    let actor = auth.actor();
    let done = service::put_order(&call.db, actor, auth.partner, body.0).await?;
    Ok(response::put_result(&call.request, &done))
}

/// Get a ticket board query
///
/// Includes a summary of the filter as text.
#[utoipa::path(
    tag = "queries",
    responses((status = 200, description = "The query.", body = TicketQuery)),
    security(("bearer" = ["integration:read"]))
)]
#[get("/{query_id}")]
pub async fn get_query(
    auth: AuthorizedPartner<IntegrationRead>,
    id: PathParam<QueryId>,
    call: CallContext,
) -> Result<HttpResponse> {
    handlers::get::<TicketQuery, _>(&call, ConfigurationLock(auth.partner), id.0).await
}

/// Update a ticket board query
///
/// JSON merge patch: absent members are unchanged, `null` clears a member. A filter is replaced as
/// a whole.
#[utoipa::path(
    tag = "queries",
    request_body = TicketQueryPatch,
    responses((status = 200, description = "The updated query.", body = TicketQuery)),
    security(("bearer" = ["integration:write"])),
    extensions(("x-problem-codes" = json!([
        "integration_inactive", "unknown_reference", "unknown_access", "duplicate_name"
    ])))
)]
#[patch("/{query_id}")]
pub async fn update_query(
    auth: AuthorizedPartner<IntegrationWrite>,
    id: PathParam<QueryId>,
    body: Body<TicketQueryPatch>,
    call: CallContext,
) -> Result<HttpResponse> {
    handlers::update::<TicketQuery, _>(
        call,
        auth.actor(),
        ConfigurationLock(auth.partner),
        id.0,
        body.0,
    )
    .await
}

/// Delete a ticket board query
///
/// No other resource depends on a query.
#[utoipa::path(
    tag = "queries",
    responses((status = 204, description = "Deleted.")),
    security(("bearer" = ["integration:write"])),
    extensions(("x-problem-codes" = json!(["integration_inactive"])))
)]
#[delete("/{query_id}")]
pub async fn delete_query(
    auth: AuthorizedPartner<IntegrationWrite>,
    id: PathParam<QueryId>,
    call: CallContext,
) -> Result<HttpResponse> {
    handlers::delete::<TicketQuery, _>(call, auth.actor(), ConfigurationLock(auth.partner), id.0)
        .await
}

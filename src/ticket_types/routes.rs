//! Routes of the sub-tab "Ticketarten".

use actix_web::{HttpResponse, delete, get, put};

use super::{TicketTypeGrant, dto::TicketTypeGrantPut};
use crate::{
    common::{Result, ids::TicketTypeId},
    grants::handlers,
    http::{
        auth::{
            AuthorizedPartner,
            permission::{IntegrationRead, IntegrationWrite},
        },
        body::OptionalBody,
        call_context::CallContext,
        list_query::{ListQuery, ListSort, NoFilter, PageParams, SelectionParams},
        path_params::PathParam,
        response::List,
    },
};

/// List granted ticket types
///
/// The ticket types that the partner's accesses can create, with or without approval. Ticket types
/// retired by the ERP have `available: false`.
#[utoipa::path(
    tag = "ticket-types",
    params(PageParams, ListSort::<NoFilter>, SelectionParams),
    responses((
        status = 200,
        description = "A page of granted ticket types.",
        body = List<TicketTypeGrant>
    )),
    security(("bearer" = ["integration:read"]))
)]
#[get("")]
pub async fn list_ticket_types(
    auth: AuthorizedPartner<IntegrationRead>,
    query: ListQuery<NoFilter>,
    call: CallContext,
) -> Result<HttpResponse> {
    handlers::list::<TicketTypeGrant>(&call, &auth.partner, &query).await
}

/// Get a granted ticket type
///
/// Returns 404 if the ticket type is not granted, even if it exists in the catalog.
#[utoipa::path(
    tag = "ticket-types",
    responses((status = 200, description = "The granted ticket type.", body = TicketTypeGrant)),
    security(("bearer" = ["integration:read"]))
)]
#[get("/{ticket_type_id}")]
pub async fn get_ticket_type(
    auth: AuthorizedPartner<IntegrationRead>,
    id: PathParam<TicketTypeId>,
    call: CallContext,
) -> Result<HttpResponse> {
    handlers::get::<TicketTypeGrant>(&call, &auth.partner, &id.0).await
}

/// Grant a ticket type or replace its grant
///
/// The partner's accesses can then create tickets of this type, with or without approval. A body
/// replaces the options of the grant. Without a body, an existing grant is unchanged, and a new one
/// requires no approval. The ticket type must exist in the catalog and must not be retired.
#[utoipa::path(
    tag = "ticket-types",
    request_body = Option<TicketTypeGrantPut>,
    responses(
        (status = 200, description = "The grant, replaced or unchanged.", body = TicketTypeGrant),
        (status = 201, description = "The new grant.", body = TicketTypeGrant)
    ),
    security(("bearer" = ["integration:write"])),
    extensions(("x-problem-codes" = json!([
        "integration_inactive", "unknown_reference", "retired_reference"
    ])))
)]
#[put("/{ticket_type_id}")]
pub async fn put_ticket_type(
    auth: AuthorizedPartner<IntegrationWrite>,
    id: PathParam<TicketTypeId>,
    body: OptionalBody<TicketTypeGrantPut>,
    call: CallContext,
) -> Result<HttpResponse> {
    handlers::put::<TicketTypeGrant>(call, auth.actor(), auth.partner, id.0, body.0).await
}

/// Revoke a ticket type
///
/// The last available ticket type cannot be revoked while the partner has an active access. One that
/// the ERP has retired can always be revoked.
#[utoipa::path(
    tag = "ticket-types",
    responses((status = 204, description = "Revoked.")),
    security(("bearer" = ["integration:write"])),
    extensions(("x-problem-codes" = json!(["integration_inactive", "last_ticket_type"])))
)]
#[delete("/{ticket_type_id}")]
pub async fn delete_ticket_type(
    auth: AuthorizedPartner<IntegrationWrite>,
    id: PathParam<TicketTypeId>,
    call: CallContext,
) -> Result<HttpResponse> {
    handlers::delete::<TicketTypeGrant>(call, auth.actor(), auth.partner, id.0).await
}

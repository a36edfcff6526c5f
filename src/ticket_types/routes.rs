//! Routes of the sub-tab "Ticketarten".

use actix_web::{HttpResponse, delete, get, put};

use super::{TicketTypeGrant, dto::TicketTypeGrantPut};
use crate::{
    common::{Result, ids::TicketTypeId},
    grants::handlers,
    http::{
        auth::{
            AuthorizedPartner,
            scope::{IntegrationRead, IntegrationWrite},
        },
        body::OptionalBody,
        call_context::CallContext,
        list_query::{ListQuery, NameParams, NoFilter, PageParams},
        path_params::PathParam,
        response::List,
    },
};

/// List granted ticket types
///
/// The ticket types that the partner's accesses may open, with or without approval. Entries the ERP has retired are shown with `available: false`.
#[utoipa::path(
    tag = "ticket-types",
    params(PageParams, NameParams),
    responses((status = 200, description = "A page of granted ticket types.", body = List<TicketTypeGrant>)),
    security(("bearer" = ["integration:read"]))
)]
#[get("")]
pub async fn list_ticket_types(
    at: AuthorizedPartner<IntegrationRead>,
    query: ListQuery<NoFilter>,
    call: CallContext,
) -> Result<HttpResponse> {
    handlers::list::<TicketTypeGrant>(&call, &at.partner, &query).await
}

/// Get a granted ticket type
///
/// Not found when it is not granted, whether or not the catalogue has it.
#[utoipa::path(
    tag = "ticket-types",
    responses((status = 200, description = "The granted ticket type.", body = TicketTypeGrant)),
    security(("bearer" = ["integration:read"]))
)]
#[get("/{ticket_type_id}")]
pub async fn get_ticket_type(
    at: AuthorizedPartner<IntegrationRead>,
    id: PathParam<TicketTypeId>,
    call: CallContext,
) -> Result<HttpResponse> {
    handlers::get::<TicketTypeGrant>(&call, &at.partner, &id.0).await
}

/// Grant a ticket type, or change how it is granted
///
/// The partner's accesses may then open such tickets, with or without approval. The body may be left out, which means without.
/// Only ticket types that the catalogue knows and that are not retired can be granted.
#[utoipa::path(
    tag = "ticket-types",
    request_body = Option<TicketTypeGrantPut>,
    responses(
        (status = 200, description = "Replaced, or nothing changed.", body = TicketTypeGrant),
        (status = 201, description = "Granted.", body = TicketTypeGrant)
    ),
    security(("bearer" = ["integration:write"])),
    extensions(("x-problem-codes" = json!(["integration_inactive", "unknown_reference", "retired_reference"])))
)]
#[put("/{ticket_type_id}")]
pub async fn put_ticket_type(
    at: AuthorizedPartner<IntegrationWrite>,
    id: PathParam<TicketTypeId>,
    body: OptionalBody<TicketTypeGrantPut>,
    call: CallContext,
) -> Result<HttpResponse> {
    handlers::put::<TicketTypeGrant>(call, at.actor(), at.partner, id.0, body.0).await
}

/// Take a ticket type back
///
/// The last ticket type stays while an access of the partner is active.
#[utoipa::path(
    tag = "ticket-types",
    responses((status = 204, description = "Taken back.")),
    security(("bearer" = ["integration:write"])),
    extensions(("x-problem-codes" = json!(["integration_inactive", "last_ticket_type"])))
)]
#[delete("/{ticket_type_id}")]
pub async fn delete_ticket_type(
    at: AuthorizedPartner<IntegrationWrite>,
    id: PathParam<TicketTypeId>,
    call: CallContext,
) -> Result<HttpResponse> {
    handlers::delete::<TicketTypeGrant>(call, at.actor(), at.partner, id.0).await
}

//! Routes of the sub-tab "Ticketarten".

use actix_web::{HttpRequest, HttpResponse, delete, get, put, web::Data};

use super::{TicketTypeGrant, dto::TicketTypeGrantPut};
use crate::{
    catalog::TicketTypeId,
    db::Db,
    grants,
    http::{
        auth::{
            InPartner,
            scope::{IntegrationRead, IntegrationWrite},
        },
        body::OptionalBody,
        conditions::Conditions,
        params::{InPath, ListQuery, NameParams, NoFilter, PageParams},
        reply::{self, List},
    },
    integration,
    kernel::Result,
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
#[get("/customer-integrations/{business_partner_id}/ticket-types")]
pub async fn list_ticket_types(
    at: InPartner<IntegrationRead>,
    query: ListQuery<NoFilter>,
    conditions: Conditions,
    db: Data<Db>,
) -> Result<HttpResponse> {
    integration::routes::below(&db, &at.partner, &conditions, async |conn, _| {
        grants::service::list::<TicketTypeGrant>(conn, &at.partner, &query.page).await
    })
    .await
}

/// Get a granted ticket type
///
/// Not found when it is not granted, whether or not the catalogue has it.
#[utoipa::path(
    tag = "ticket-types",
    responses((status = 200, description = "The granted ticket type.", body = TicketTypeGrant)),
    security(("bearer" = ["integration:read"]))
)]
#[get("/customer-integrations/{business_partner_id}/ticket-types/{ticket_type_id}")]
pub async fn get_ticket_type(
    at: InPartner<IntegrationRead>,
    id: InPath<TicketTypeId>,
    conditions: Conditions,
    db: Data<Db>,
) -> Result<HttpResponse> {
    Ok(reply::resource(&grants::service::get::<TicketTypeGrant>(&db, &at.partner, &id.0).await?, &conditions))
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
#[put("/customer-integrations/{business_partner_id}/ticket-types/{ticket_type_id}")]
pub async fn put_ticket_type(
    at: InPartner<IntegrationWrite>,
    id: InPath<TicketTypeId>,
    conditions: Conditions,
    body: OptionalBody<TicketTypeGrantPut>,
    request: HttpRequest,
    db: Data<Db>,
) -> Result<HttpResponse> {
    let done =
        grants::service::put::<TicketTypeGrant>(&db, at.actor, at.partner, id.0, body.0, conditions.precondition)
            .await?;
    Ok(reply::put(&request, &done))
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
#[delete("/customer-integrations/{business_partner_id}/ticket-types/{ticket_type_id}")]
pub async fn delete_ticket_type(
    at: InPartner<IntegrationWrite>,
    id: InPath<TicketTypeId>,
    conditions: Conditions,
    db: Data<Db>,
) -> Result<HttpResponse> {
    grants::service::delete::<TicketTypeGrant>(&db, at.actor, at.partner, id.0, conditions.precondition).await?;
    Ok(reply::deleted())
}

//! Routes of the sub-tab "Bereiche".

use actix_web::{HttpResponse, delete, get, put};

use super::AreaGrant;
use crate::{
    common::{EmptyBody, Result, ids::AreaId},
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

/// List granted areas
///
/// The areas in which the partner's accesses see and create tickets. Areas retired by the ERP have
/// `available: false`.
#[utoipa::path(
    tag = "areas",
    params(PageParams, ListSort::<NoFilter>, SelectionParams),
    responses((status = 200, description = "A page of granted areas.", body = List<AreaGrant>)),
    security(("bearer" = ["integration:read"]))
)]
#[get("")]
pub async fn list_areas(
    auth: AuthorizedPartner<IntegrationRead>,
    query: ListQuery<NoFilter>,
    call: CallContext,
) -> Result<HttpResponse> {
    handlers::list::<AreaGrant>(&call, &auth.partner, &query).await
}

/// Get a granted area
///
/// Returns 404 if the area is not granted, even if it exists in the catalog.
#[utoipa::path(
    tag = "areas",
    responses((status = 200, description = "The granted area.", body = AreaGrant)),
    security(("bearer" = ["integration:read"]))
)]
#[get("/{area_id}")]
pub async fn get_area(
    auth: AuthorizedPartner<IntegrationRead>,
    id: PathParam<AreaId>,
    call: CallContext,
) -> Result<HttpResponse> {
    handlers::get::<AreaGrant>(&call, &auth.partner, &id.0).await
}

/// Grant an area
///
/// The partner's accesses can then see and create tickets in this area. A grant has no editable
/// members, so the request is idempotent. The area must exist in the catalog and must not be
/// retired.
#[utoipa::path(
    tag = "areas",
    responses(
        (
            status = 200,
            description = "The area was already granted; nothing changed.",
            body = AreaGrant
        ),
        (status = 201, description = "The new grant.", body = AreaGrant)
    ),
    security(("bearer" = ["integration:write"])),
    extensions(("x-problem-codes" = json!([
        "integration_inactive", "unknown_reference", "retired_reference"
    ])))
)]
#[put("/{area_id}")]
pub async fn put_area(
    auth: AuthorizedPartner<IntegrationWrite>,
    id: PathParam<AreaId>,
    body: OptionalBody<EmptyBody>,
    call: CallContext,
) -> Result<HttpResponse> {
    handlers::put::<AreaGrant>(call, auth.actor(), auth.partner, id.0, body.0).await
}

/// Revoke an area
///
/// The last available area cannot be revoked while the partner has an active access. An area that
/// the ERP has retired can always be revoked, unless tags are limited to it.
#[utoipa::path(
    tag = "areas",
    responses((status = 204, description = "Revoked.")),
    security(("bearer" = ["integration:write"])),
    extensions(("x-problem-codes" = json!(["integration_inactive", "area_in_use", "last_area"])))
)]
#[delete("/{area_id}")]
pub async fn delete_area(
    auth: AuthorizedPartner<IntegrationWrite>,
    id: PathParam<AreaId>,
    call: CallContext,
) -> Result<HttpResponse> {
    handlers::delete::<AreaGrant>(call, auth.actor(), auth.partner, id.0).await
}

//! Routes of the sub-tab "Bereiche".

use actix_web::{HttpRequest, HttpResponse, delete, get, put, web::Data};

use super::AreaGrant;
use crate::{
    catalog::AreaId,
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
    kernel::{Nothing, Result},
};

/// List granted areas
///
/// The areas in which the partner's accesses may see and create tickets. Entries the ERP has retired are shown with `available: false`.
#[utoipa::path(
    tag = "areas",
    params(PageParams, NameParams),
    responses((status = 200, description = "A page of granted areas.", body = List<AreaGrant>)),
    security(("bearer" = ["integration:read"]))
)]
#[get("/customer-integrations/{business_partner_id}/areas")]
pub async fn list_areas(
    at: InPartner<IntegrationRead>,
    query: ListQuery<NoFilter>,
    conditions: Conditions,
    db: Data<Db>,
) -> Result<HttpResponse> {
    integration::routes::below(&db, &at.partner, &conditions, async |conn, _| {
        grants::service::list::<AreaGrant>(conn, &at.partner, &query.page).await
    })
    .await
}

/// Get a granted area
///
/// Not found when it is not granted, whether or not the catalogue has it.
#[utoipa::path(
    tag = "areas",
    responses((status = 200, description = "The granted area.", body = AreaGrant)),
    security(("bearer" = ["integration:read"]))
)]
#[get("/customer-integrations/{business_partner_id}/areas/{area_id}")]
pub async fn get_area(
    at: InPartner<IntegrationRead>,
    id: InPath<AreaId>,
    conditions: Conditions,
    db: Data<Db>,
) -> Result<HttpResponse> {
    Ok(reply::resource(&grants::service::get::<AreaGrant>(&db, &at.partner, &id.0).await?, &conditions))
}

/// Grant an area
///
/// The partner's accesses may then see and create tickets there. There is nothing to edit about it: granting it again changes
/// nothing. Only areas that the catalogue knows and that are not retired can be granted.
#[utoipa::path(
    tag = "areas",
    responses(
        (status = 200, description = "It was granted already; nothing changed.", body = AreaGrant),
        (status = 201, description = "Granted.", body = AreaGrant)
    ),
    security(("bearer" = ["integration:write"])),
    extensions(("x-problem-codes" = json!(["integration_inactive", "unknown_reference", "retired_reference"])))
)]
#[put("/customer-integrations/{business_partner_id}/areas/{area_id}")]
pub async fn put_area(
    at: InPartner<IntegrationWrite>,
    id: InPath<AreaId>,
    conditions: Conditions,
    body: OptionalBody<Nothing>,
    request: HttpRequest,
    db: Data<Db>,
) -> Result<HttpResponse> {
    let done =
        grants::service::put::<AreaGrant>(&db, at.actor, at.partner, id.0, body.0, conditions.precondition).await?;
    Ok(reply::put(&request, &done))
}

/// Take an area back
///
/// The last area stays while an access of the partner is active.
#[utoipa::path(
    tag = "areas",
    responses((status = 204, description = "Taken back.")),
    security(("bearer" = ["integration:write"])),
    extensions(("x-problem-codes" = json!(["integration_inactive", "area_in_use", "last_area"])))
)]
#[delete("/customer-integrations/{business_partner_id}/areas/{area_id}")]
pub async fn delete_area(
    at: InPartner<IntegrationWrite>,
    id: InPath<AreaId>,
    conditions: Conditions,
    db: Data<Db>,
) -> Result<HttpResponse> {
    grants::service::delete::<AreaGrant>(&db, at.actor, at.partner, id.0, conditions.precondition).await?;
    Ok(reply::deleted())
}

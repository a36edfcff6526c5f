//! Routes of the sub-tab "Plan Boards".

use actix_web::{HttpRequest, HttpResponse, delete, get, put, web::Data};

use super::PlanBoardGrant;
use crate::{
    catalog::PlanBoardId,
    db::Db,
    grants,
    http::{
        auth::{
            InPartner,
            scope::{CatalogWrite, IntegrationRead},
        },
        body::OptionalBody,
        conditions::Conditions,
        params::{InPath, ListQuery, NameParams, NoFilter, PageParams},
        reply::{self, List},
    },
    integration,
    kernel::{Nothing, Result},
};

/// List shared plan boards
///
/// The planning boards that the ERP has shared with the partner. Entries the ERP has retired are shown with `available: false`.
#[utoipa::path(
    tag = "plan-boards",
    params(PageParams, NameParams),
    responses((status = 200, description = "A page of shared plan boards.", body = List<PlanBoardGrant>)),
    security(("bearer" = ["integration:read"]))
)]
#[get("/customer-integrations/{business_partner_id}/plan-boards")]
pub async fn list_plan_boards(
    at: InPartner<IntegrationRead>,
    query: ListQuery<NoFilter>,
    conditions: Conditions,
    db: Data<Db>,
) -> Result<HttpResponse> {
    integration::routes::below(&db, &at.partner, &conditions, async |conn, _| {
        grants::service::list::<PlanBoardGrant>(conn, &at.partner, &query.page).await
    })
    .await
}

/// Get a shared plan board
///
/// Not found when it is not shared, whether or not the catalogue has it.
#[utoipa::path(
    tag = "plan-boards",
    responses((status = 200, description = "The shared plan board.", body = PlanBoardGrant)),
    security(("bearer" = ["integration:read"]))
)]
#[get("/customer-integrations/{business_partner_id}/plan-boards/{plan_board_id}")]
pub async fn get_plan_board(
    at: InPartner<IntegrationRead>,
    id: InPath<PlanBoardId>,
    conditions: Conditions,
    db: Data<Db>,
) -> Result<HttpResponse> {
    Ok(reply::resource(&grants::service::get::<PlanBoardGrant>(&db, &at.partner, &id.0).await?, &conditions))
}

/// Share a plan board
///
/// Written by the ERP; the tab only shows what was shared. There is nothing to edit about it: sharing it again changes nothing.
/// Only plan boards that the catalogue knows and that are not retired can be shared.
#[utoipa::path(
    tag = "plan-boards",
    responses(
        (status = 200, description = "It was shared already; nothing changed.", body = PlanBoardGrant),
        (status = 201, description = "Shared.", body = PlanBoardGrant)
    ),
    security(("bearer" = ["catalog:write"])),
    extensions(("x-problem-codes" = json!(["integration_inactive", "unknown_reference", "retired_reference"])))
)]
#[put("/customer-integrations/{business_partner_id}/plan-boards/{plan_board_id}")]
pub async fn put_plan_board(
    at: InPartner<CatalogWrite>,
    id: InPath<PlanBoardId>,
    conditions: Conditions,
    body: OptionalBody<Nothing>,
    request: HttpRequest,
    db: Data<Db>,
) -> Result<HttpResponse> {
    let done = grants::service::put::<PlanBoardGrant>(&db, at.actor, at.partner, id.0, body.0, conditions.precondition)
        .await?;
    Ok(reply::put(&request, &done))
}

/// Stop sharing a plan board
///
/// Written by the ERP.
#[utoipa::path(
    tag = "plan-boards",
    responses((status = 204, description = "Not shared any more.")),
    security(("bearer" = ["catalog:write"])),
    extensions(("x-problem-codes" = json!(["integration_inactive"])))
)]
#[delete("/customer-integrations/{business_partner_id}/plan-boards/{plan_board_id}")]
pub async fn delete_plan_board(
    at: InPartner<CatalogWrite>,
    id: InPath<PlanBoardId>,
    conditions: Conditions,
    db: Data<Db>,
) -> Result<HttpResponse> {
    grants::service::delete::<PlanBoardGrant>(&db, at.actor, at.partner, id.0, conditions.precondition).await?;
    Ok(reply::deleted())
}

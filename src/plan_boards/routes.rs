//! Routes of the sub-tab "Plan Boards".

use actix_web::{HttpResponse, delete, get, put};

use super::PlanBoardGrant;
use crate::{
    common::{EmptyBody, Result, ids::PlanBoardId},
    grants::handlers,
    http::{
        auth::{
            AuthorizedPartner,
            scope::{CatalogWrite, IntegrationRead},
        },
        body::OptionalBody,
        call_context::CallContext,
        list_query::{ListQuery, NameParams, NoFilter, PageParams},
        path_params::PathParam,
        response::List,
    },
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
#[get("")]
pub async fn list_plan_boards(
    at: AuthorizedPartner<IntegrationRead>,
    query: ListQuery<NoFilter>,
    call: CallContext,
) -> Result<HttpResponse> {
    handlers::list::<PlanBoardGrant>(&call, &at.partner, &query).await
}

/// Get a shared plan board
///
/// Not found when it is not shared, whether or not the catalogue has it.
#[utoipa::path(
    tag = "plan-boards",
    responses((status = 200, description = "The shared plan board.", body = PlanBoardGrant)),
    security(("bearer" = ["integration:read"]))
)]
#[get("/{plan_board_id}")]
pub async fn get_plan_board(
    at: AuthorizedPartner<IntegrationRead>,
    id: PathParam<PlanBoardId>,
    call: CallContext,
) -> Result<HttpResponse> {
    handlers::get::<PlanBoardGrant>(&call, &at.partner, &id.0).await
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
#[put("/{plan_board_id}")]
pub async fn put_plan_board(
    at: AuthorizedPartner<CatalogWrite>,
    id: PathParam<PlanBoardId>,
    body: OptionalBody<EmptyBody>,
    call: CallContext,
) -> Result<HttpResponse> {
    handlers::put::<PlanBoardGrant>(call, at.actor(), at.partner, id.0, body.0).await
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
#[delete("/{plan_board_id}")]
pub async fn delete_plan_board(
    at: AuthorizedPartner<CatalogWrite>,
    id: PathParam<PlanBoardId>,
    call: CallContext,
) -> Result<HttpResponse> {
    handlers::delete::<PlanBoardGrant>(call, at.actor(), at.partner, id.0).await
}

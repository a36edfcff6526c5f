//! Routes of the sub-tab "Plan Boards".

use actix_web::{HttpResponse, delete, get, put};

use super::PlanBoardGrant;
use crate::{
    common::{EmptyBody, Result, ids::PlanBoardId},
    grants::handlers,
    http::{
        auth::{
            AuthorizedPartner,
            permission::{IntegrationRead, PlanBoardsShare},
        },
        body::OptionalBody,
        call_context::CallContext,
        list_query::{ListQuery, ListSort, NoFilter, PageParams, SelectionParams},
        path_params::PathParam,
        response::List,
    },
};

/// List shared plan boards
///
/// The plan boards that the ERP has shared with the partner. Plan boards retired by the ERP have
/// `available: false`.
#[utoipa::path(
    tag = "plan-boards",
    params(PageParams, ListSort::<NoFilter>, SelectionParams),
    responses((
        status = 200,
        description = "A page of shared plan boards.",
        body = List<PlanBoardGrant>
    )),
    security(("bearer" = ["integration:read"]))
)]
#[get("")]
pub async fn list_plan_boards(
    auth: AuthorizedPartner<IntegrationRead>,
    query: ListQuery<NoFilter>,
    call: CallContext,
) -> Result<HttpResponse> {
    handlers::list::<PlanBoardGrant>(&call, &auth.partner, &query).await
}

/// Get a shared plan board
///
/// Returns 404 if the plan board is not shared, even if it exists in the catalog.
#[utoipa::path(
    tag = "plan-boards",
    responses((status = 200, description = "The shared plan board.", body = PlanBoardGrant)),
    security(("bearer" = ["integration:read"]))
)]
#[get("/{plan_board_id}")]
pub async fn get_plan_board(
    auth: AuthorizedPartner<IntegrationRead>,
    id: PathParam<PlanBoardId>,
    call: CallContext,
) -> Result<HttpResponse> {
    handlers::get::<PlanBoardGrant>(&call, &auth.partner, &id.0).await
}

/// Share a plan board
///
/// Called by the ERP; the tab shows shared plan boards read-only. A share has no editable members,
/// so the request is idempotent. Possible before the integration is active. The plan board must
/// exist in the catalog and must not be retired.
#[utoipa::path(
    tag = "plan-boards",
    responses(
        (
            status = 200,
            description = "The plan board was already shared; nothing changed.",
            body = PlanBoardGrant
        ),
        (status = 201, description = "The new share.", body = PlanBoardGrant)
    ),
    security(("bearer" = ["catalog:write"])),
    extensions(("x-problem-codes" = json!(["unknown_reference", "retired_reference"])))
)]
#[put("/{plan_board_id}")]
pub async fn put_plan_board(
    auth: AuthorizedPartner<PlanBoardsShare>,
    id: PathParam<PlanBoardId>,
    body: OptionalBody<EmptyBody>,
    call: CallContext,
) -> Result<HttpResponse> {
    handlers::put::<PlanBoardGrant>(call, auth.actor(), auth.partner, id.0, body.0).await
}

/// Stop sharing a plan board
///
/// Called by the ERP. The plan board is no longer shown to the partner.
#[utoipa::path(
    tag = "plan-boards",
    responses((status = 204, description = "No longer shared.")),
    security(("bearer" = ["catalog:write"]))
)]
#[delete("/{plan_board_id}")]
pub async fn delete_plan_board(
    auth: AuthorizedPartner<PlanBoardsShare>,
    id: PathParam<PlanBoardId>,
    call: CallContext,
) -> Result<HttpResponse> {
    handlers::delete::<PlanBoardGrant>(call, auth.actor(), auth.partner, id.0).await
}

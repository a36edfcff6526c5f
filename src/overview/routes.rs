//! Routes of the customer integration itself.

use actix_web::{HttpResponse, get, patch, web::Data};

use super::{
    dto::{
        CustomerIntegration, CustomerIntegrationListQuery, CustomerIntegrationPatch,
        CustomerIntegrationSummary,
    },
    service,
};
use crate::{
    common::Result,
    db::{Conn, Db, ReadCost},
    http::{
        auth::{
            Authorized, AuthorizedPartner,
            scope::{IntegrationRead, IntegrationWrite},
        },
        body::Body,
        call_context::CallContext,
        conditional::Conditions,
        params::{ListQuery, NameParams, PageParams},
        response::{self, List},
    },
    integration::{self, cached_read},
};

/// List customer integrations
///
/// One for every business partner the ERP told us of, with its revision and whether it is usable. A token limited to one
/// partner sees that one only.
#[utoipa::path(
    tag = "customer-integrations",
    params(PageParams, NameParams, CustomerIntegrationListQuery),
    responses((status = 200, description = "A page of customer integrations.", body = List<CustomerIntegrationSummary>)),
    security(("bearer" = ["integration:read"]))
)]
#[get("/api/v1/customer-integrations")]
pub async fn list_customer_integrations(
    permit: Authorized<IntegrationRead>,
    query: ListQuery<CustomerIntegrationListQuery>,
    conditions: Conditions,
    db: Data<Db>,
) -> Result<HttpResponse> {
    let (tag, page) = service::list(&db, permit.limited_to(), &query.filter, &query.page).await?;
    if conditions.matches_if_none_match(&tag) {
        return Ok(response::not_modified(&tag));
    }
    Ok(response::list(page, &tag))
}

/// Get a customer integration
///
/// With how much is configured on each sub-tab, and whether that is enough (readiness): what blocks the creation of tickets
/// and what should be looked at.
#[utoipa::path(
    tag = "customer-integrations",
    responses((status = 200, description = "The customer integration.", body = CustomerIntegration)),
    security(("bearer" = ["integration:read"]))
)]
#[get("")]
pub async fn get_customer_integration(
    at: AuthorizedPartner<IntegrationRead>,
    call: CallContext,
) -> Result<HttpResponse> {
    let read = async |conn: &mut Conn| {
        let state = integration::service::load_state(conn, &at.partner).await?;
        service::describe(conn, state).await
    };
    cached_read::resource(&call, &at.partner, ReadCost::Scan, read).await
}

/// Activate or deactivate a customer integration
///
/// Deactivation keeps everything and makes every access ineffective; activation restores it. Both are idempotent. While the
/// integration is inactive, this is the only change possible.
#[utoipa::path(
    tag = "customer-integrations",
    request_body = CustomerIntegrationPatch,
    responses((status = 200, description = "The customer integration as it is now.", body = CustomerIntegration)),
    security(("bearer" = ["integration:write"]))
)]
#[patch("")]
pub async fn update_customer_integration(
    at: AuthorizedPartner<IntegrationWrite>,
    conditions: Conditions,
    body: Body<CustomerIntegrationPatch>,
    db: Data<Db>,
) -> Result<HttpResponse> {
    let done =
        service::update(&db, at.actor(), at.partner, body.0, conditions.precondition).await?;
    Ok(response::updated(&done))
}

//! Routes of the customer integration itself.

use actix_web::{HttpResponse, get, patch};

use super::{
    dto::{
        CustomerIntegration, CustomerIntegrationListQuery, CustomerIntegrationPatch,
        CustomerIntegrationSummary,
    },
    service,
};
use crate::{
    common::Result,
    http::{
        auth::{
            Authorized, AuthorizedPartner,
            scope::{IntegrationRead, IntegrationWrite},
        },
        body::Body,
        cached_read::{PartnerEtag, cached_read},
        call_context::CallContext,
        list_query::{ListQuery, NameParams, PageParams},
        response::{self, List},
    },
    integration,
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
    call: CallContext,
) -> Result<HttpResponse> {
    let (etag, page) =
        service::list(&call.db, permit.limited_to(), &query.filter, &query.page).await?;
    Ok(response::list(page, &etag, &call.conditions))
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
    cached_read(&call, &PartnerEtag(&at.partner), async |conn| {
        let state = integration::service::load_state(conn, &at.partner).await?;
        service::describe(conn, state).await
    })
    .await
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
    call: CallContext,
    body: Body<CustomerIntegrationPatch>,
) -> Result<HttpResponse> {
    let precondition = call.conditions.precondition;
    let done = service::update(&call.db, at.actor(), at.partner, body.0, precondition).await?;
    Ok(response::updated(&done))
}

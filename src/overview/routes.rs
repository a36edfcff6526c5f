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
            permission::{IntegrationRead, IntegrationWrite},
        },
        body::Body,
        cached_read::{PartnerEtag, cached_list_of_many, cached_read},
        call_context::CallContext,
        list_query::{ListQuery, ListSort, PageParams, SelectionParams},
        response::{self, List},
    },
    integration,
};

/// List customer integrations
///
/// One for each business partner in the catalog, with its revision and whether it is usable. A
/// token restricted to one partner returns only that partner's integration.
#[utoipa::path(
    tag = "customer-integrations",
    params(PageParams, ListSort::<CustomerIntegrationListQuery>, SelectionParams, CustomerIntegrationListQuery),
    responses((
        status = 200,
        description = "A page of customer integrations.",
        body = List<CustomerIntegrationSummary>
    )),
    security(("bearer" = ["integration:read"]))
)]
#[get("/api/v1/customer-integrations")]
pub async fn list_customer_integrations(
    auth: Authorized<IntegrationRead>,
    query: ListQuery<CustomerIntegrationListQuery>,
    call: CallContext,
) -> Result<HttpResponse> {
    let limited_to = auth.limited_to();
    cached_list_of_many(&call, limited_to, None, async |conn| {
        service::list(conn, limited_to, &query.filter, &query.page).await
    })
    .await
}

/// Get a customer integration
///
/// Includes the number of resources on each sub-tab and the readiness: what prevents accesses from
/// creating tickets, and what should be reviewed.
#[utoipa::path(
    tag = "customer-integrations",
    responses((
        status = 200,
        description = "The customer integration.",
        body = CustomerIntegration
    )),
    security(("bearer" = ["integration:read"]))
)]
#[get("")]
pub async fn get_customer_integration(
    auth: AuthorizedPartner<IntegrationRead>,
    call: CallContext,
) -> Result<HttpResponse> {
    let lang = call.lang;
    cached_read(
        &call,
        &PartnerEtag(&auth.partner),
        Some(lang),
        async |conn| {
            let state = integration::service::load_state(conn, &auth.partner).await?;
            Ok(service::describe(conn, state).await?.localize(lang))
        },
    )
    .await
}

/// Activate or deactivate a customer integration
///
/// Deactivation makes all accesses ineffective but deletes nothing; activation restores them. Both
/// are idempotent. While the integration is inactive, no other change is possible.
#[utoipa::path(
    tag = "customer-integrations",
    request_body = CustomerIntegrationPatch,
    responses((
        status = 200,
        description = "The updated customer integration.",
        body = CustomerIntegration
    )),
    security(("bearer" = ["integration:write"]))
)]
#[patch("")]
pub async fn update_customer_integration(
    auth: AuthorizedPartner<IntegrationWrite>,
    call: CallContext,
    body: Body<CustomerIntegrationPatch>,
) -> Result<HttpResponse> {
    let body = body.0.into_valid()?;
    let precondition = call.conditions.precondition;
    let done = service::update(&call.db, auth.actor(), auth.partner, body, precondition).await?;
    let done = done.map(|integration| integration.localize(call.lang));
    Ok(response::updated(&done))
}

//! Routes of the customer integration itself.

use actix_web::{HttpResponse, get, patch, web::Data};
use serde::Serialize;

use super::{
    dto::{
        CustomerIntegration, CustomerIntegrationListQuery, CustomerIntegrationPatch,
        CustomerIntegrationSummary,
    },
    service,
};
use crate::{
    common::{Result, ids::BusinessPartnerId, page::Page},
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
};

/// List customer integrations
///
/// One for each business partner in the catalog, with its revision and whether it is usable. A
/// token restricted to one partner returns only that partner's integration.
#[utoipa::path(
    tag = "customer-integrations",
    params(PageParams, NameParams, CustomerIntegrationListQuery),
    responses((
        status = 200,
        description = "A page of customer integrations.",
        body = List<CustomerIntegrationSummary>
    )),
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
    at: AuthorizedPartner<IntegrationRead>,
    call: CallContext,
) -> Result<HttpResponse> {
    let read = async |conn: &mut Conn| {
        let state = service::load_state(conn, &at.partner).await?;
        service::describe(conn, state).await
    };
    cached_read(&call, &at.partner, ReadCost::Scan, read).await
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
    at: AuthorizedPartner<IntegrationWrite>,
    conditions: Conditions,
    body: Body<CustomerIntegrationPatch>,
    db: Data<Db>,
) -> Result<HttpResponse> {
    let done =
        service::update(&db, at.actor(), at.partner, body.0, conditions.precondition).await?;
    Ok(response::updated(&done))
}

/// Answers with a list below an integration. Whether the partner exists and whether the caller has the list already is asked
/// first; only if not it is read.
pub async fn list_response<T: Serialize>(
    call: &CallContext,
    partner: &BusinessPartnerId,
    reach: ReadCost,
    read: impl AsyncFn(&mut Conn) -> Result<Page<T>>,
) -> Result<HttpResponse> {
    let read = async |conn: &mut Conn| read(conn).await.map(List::from);
    cached_read(call, partner, reach, read).await
}

async fn cached_read<T: Serialize>(
    call: &CallContext,
    partner: &BusinessPartnerId,
    reach: ReadCost,
    read: impl AsyncFn(&mut Conn) -> Result<T>,
) -> Result<HttpResponse> {
    let current_etag = async || call.current.tag(partner).await;
    let tag_in = async |conn: &mut Conn| {
        service::load_state(conn, partner)
            .await
            .map(|state| state.etag())
    };
    response::cached_read(call, Some(&call.pages), reach, current_etag, tag_in, read).await
}

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
    catalog::BusinessPartnerId,
    db::{Conn, Db, Reach},
    http::{
        auth::{
            InPartner, Permit,
            scope::{IntegrationRead, IntegrationWrite},
        },
        body::Body,
        call::Call,
        conditions::Conditions,
        params::{ListQuery, NameParams, PageParams},
        reply::{self, List},
    },
    kernel::{Result, page::Page},
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
    permit: Permit<IntegrationRead>,
    query: ListQuery<CustomerIntegrationListQuery>,
    conditions: Conditions,
    db: Data<Db>,
) -> Result<HttpResponse> {
    let (tag, page) = service::list(&db, permit.limited_to(), &query.filter, &query.page).await?;
    if conditions.has(&tag) {
        return Ok(reply::not_modified(&tag));
    }
    Ok(reply::list(page, &tag))
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
    at: InPartner<IntegrationRead>,
    call: Call,
) -> Result<HttpResponse> {
    let read = async |conn: &mut Conn| {
        let standing = service::standing(conn, &at.partner).await?;
        service::describe(conn, standing).await
    };
    tag_first(&call, &at.partner, Reach::Much, read).await
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
    at: InPartner<IntegrationWrite>,
    conditions: Conditions,
    body: Body<CustomerIntegrationPatch>,
    db: Data<Db>,
) -> Result<HttpResponse> {
    let done =
        service::update(&db, at.actor(), at.partner, body.0, conditions.precondition).await?;
    Ok(reply::patched(&done))
}

/// Answers with a list below an integration. Whether the partner exists and whether the caller has the list already is asked
/// first; only if not it is read.
pub async fn below<T: Serialize>(
    call: &Call,
    partner: &BusinessPartnerId,
    reach: Reach,
    read: impl AsyncFn(&mut Conn) -> Result<Page<T>>,
) -> Result<HttpResponse> {
    let read = async |conn: &mut Conn| read(conn).await.map(List::from);
    tag_first(call, partner, reach, read).await
}

async fn tag_first<T: Serialize>(
    call: &Call,
    partner: &BusinessPartnerId,
    reach: Reach,
    read: impl AsyncFn(&mut Conn) -> Result<T>,
) -> Result<HttpResponse> {
    let tag_now = async || call.current.tag(partner).await;
    let tag_in = async |conn: &mut Conn| {
        service::standing(conn, partner)
            .await
            .map(|standing| standing.etag())
    };
    reply::tag_first(call, Some(&call.pages), reach, tag_now, tag_in, read).await
}

//! Generic handlers of grants. Each kind's `routes` documents them and calls them.

use actix_web::HttpResponse;

use super::{Grant, service};
use crate::{
    catalog::CatalogEntry,
    common::{
        Actor, Draft, Result,
        ids::{BusinessPartnerId, ErpId},
    },
    http::{
        cached_read::{PartnerEtag, cached_page},
        call_context::CallContext,
        list_query::{ListQuery, NoFilter},
        response,
    },
};

/// Responds with a page of a partner's grants.
pub async fn list<G: Grant>(
    call: &CallContext,
    partner: &BusinessPartnerId,
    query: &ListQuery<NoFilter>,
) -> Result<HttpResponse> {
    cached_page(call, &PartnerEtag(partner), &query.page, async |conn| {
        service::list::<G>(conn, partner, &query.page).await
    })
    .await
}

/// Responds with one grant.
pub async fn get<G: Grant>(
    call: &CallContext,
    partner: &BusinessPartnerId,
    id: &ErpId<<G::Entry as CatalogEntry>::Kind>,
) -> Result<HttpResponse> {
    let grant = service::get::<G>(&call.db, partner, id).await?;
    Ok(response::resource(&grant, &call.conditions))
}

/// Grants a catalog entry, or replaces the grant.
pub async fn put<G: Grant>(
    call: CallContext,
    actor: Actor,
    partner: BusinessPartnerId,
    id: ErpId<<G::Entry as CatalogEntry>::Kind>,
    body: Option<Draft<G::Put>>,
) -> Result<HttpResponse> {
    let precondition = call.conditions.precondition;
    let done = service::put::<G>(&call.db, actor, partner, id, body, precondition).await?;
    Ok(response::put_result(&call.request, &done))
}

/// Revokes a grant.
pub async fn delete<G: Grant>(
    call: CallContext,
    actor: Actor,
    partner: BusinessPartnerId,
    id: ErpId<<G::Entry as CatalogEntry>::Kind>,
) -> Result<HttpResponse> {
    let precondition = call.conditions.precondition;
    service::delete::<G>(&call.db, actor, partner, id, precondition).await?;
    Ok(response::no_content())
}

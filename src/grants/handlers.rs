//! The handlers of every room with grants, but for their documentation.

use actix_web::HttpResponse;

use super::{Grant, service};
use crate::{
    catalog::CatalogEntry,
    common::{
        Actor, Result,
        ids::{BusinessPartnerId, ErpId},
    },
    db::ReadCost,
    http::{
        call_context::CallContext,
        params::{ListQuery, NoFilter},
        response,
    },
    integration,
};

/// A page of what was granted; whether the caller has it already is asked first.
pub async fn list<G: Grant>(
    call: &CallContext,
    partner: &BusinessPartnerId,
    query: &ListQuery<NoFilter>,
) -> Result<HttpResponse> {
    integration::cached_read::list(call, partner, ReadCost::of(&query.page), async |conn| {
        service::list::<G>(conn, partner, &query.page).await
    })
    .await
}

/// One grant.
pub async fn get<G: Grant>(
    call: &CallContext,
    partner: &BusinessPartnerId,
    id: &ErpId<<G::Entry as CatalogEntry>::Kind>,
) -> Result<HttpResponse> {
    Ok(response::resource(
        &service::get::<G>(&call.db, partner, id).await?,
        &call.conditions,
    ))
}

/// Grants, or changes how it is granted.
pub async fn put<G: Grant>(
    call: CallContext,
    actor: Actor,
    partner: BusinessPartnerId,
    id: ErpId<<G::Entry as CatalogEntry>::Kind>,
    body: G::Put,
) -> Result<HttpResponse> {
    let done = service::put::<G>(
        &call.db,
        actor,
        partner,
        id,
        body,
        call.conditions.precondition,
    )
    .await?;
    Ok(response::put_result(&call.request, &done))
}

/// Takes a grant back.
pub async fn delete<G: Grant>(
    call: CallContext,
    actor: Actor,
    partner: BusinessPartnerId,
    id: ErpId<<G::Entry as CatalogEntry>::Kind>,
) -> Result<HttpResponse> {
    service::delete::<G>(&call.db, actor, partner, id, call.conditions.precondition).await?;
    Ok(response::no_content())
}

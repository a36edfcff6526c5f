//! The handlers of every room with grants, but for their documentation.

use actix_web::HttpResponse;

use super::{Grant, service};
use crate::{
    catalog::BusinessPartnerId,
    db::Reach,
    http::{
        call::Call,
        params::{ListQuery, NoFilter},
        reply,
    },
    integration,
    kernel::{Actor, Result, ids::ErpId},
};

/// A page of what was granted; whether the caller has it already is asked first.
pub async fn list<G: Grant>(
    call: &Call,
    partner: &BusinessPartnerId,
    query: &ListQuery<NoFilter>,
) -> Result<HttpResponse> {
    integration::routes::below(call, partner, Reach::of(&query.page), async |conn| {
        service::list::<G>(conn, partner, &query.page).await
    })
    .await
}

/// One grant.
pub async fn get<G: Grant>(
    call: &Call,
    partner: &BusinessPartnerId,
    id: &ErpId<G::Entry>,
) -> Result<HttpResponse> {
    Ok(reply::resource(
        &service::get::<G>(&call.db, partner, id).await?,
        &call.conditions,
    ))
}

/// Grants, or changes how it is granted.
pub async fn put<G: Grant>(
    call: Call,
    actor: Actor,
    partner: BusinessPartnerId,
    id: ErpId<G::Entry>,
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
    Ok(reply::put(&call.request, &done))
}

/// Takes a grant back.
pub async fn delete<G: Grant>(
    call: Call,
    actor: Actor,
    partner: BusinessPartnerId,
    id: ErpId<G::Entry>,
) -> Result<HttpResponse> {
    service::delete::<G>(&call.db, actor, partner, id, call.conditions.precondition).await?;
    Ok(reply::deleted())
}

//! Responses to reads below an integration, whose ETag is cheaper than their body.

use actix_web::HttpResponse;
use serde::Serialize;

use super::service;
use crate::{
    common::{Result, ids::BusinessPartnerId, page::Page},
    db::{Conn, ReadCost},
    http::{
        call_context::CallContext,
        response::{self, List},
    },
};

/// A list below an integration. It is read only if the client's copy and the cached page are
/// outdated.
pub async fn list<T: Serialize>(
    call: &CallContext,
    partner: &BusinessPartnerId,
    cost: ReadCost,
    read: impl AsyncFn(&mut Conn) -> Result<Page<T>>,
) -> Result<HttpResponse> {
    let read = async |conn: &mut Conn| read(conn).await.map(List::from);
    resource(call, partner, cost, read).await
}

/// A resource below an integration. It is read only if the client's copy and the cached one are
/// outdated.
pub async fn resource<T: Serialize>(
    call: &CallContext,
    partner: &BusinessPartnerId,
    cost: ReadCost,
    read: impl AsyncFn(&mut Conn) -> Result<T>,
) -> Result<HttpResponse> {
    let current_etag = async || call.current.etag(partner).await;
    let etag_in = async |conn: &mut Conn| {
        let state = service::load_state(conn, partner).await?;
        Ok(state.etag())
    };
    response::cached_read(call, Some(&call.pages), cost, current_etag, etag_in, read).await
}

//! The route of the caller.

use actix_web::{HttpResponse, get};

use super::dto::Me;
use crate::{
    common::{Result, etag::EntityTag},
    http::{
        auth::{Authorized, permission::AnyToken},
        call_context::CallContext,
        response,
    },
};

/// Get the caller
///
/// Claims and permissions of the caller's token, so that a front end can hide controls that would
/// be refused. The permissions are those that the operations check.
#[utoipa::path(
    tag = "me",
    responses((status = 200, description = "The caller.", body = Me)),
    security(("bearer" = []))
)]
#[get("/me")]
pub async fn get_me(auth: Authorized<AnyToken>, call: CallContext) -> Result<HttpResponse> {
    let me = Me::new(auth.claims(), call.lang);
    let json = serde_json::to_vec(&me).map_err(anyhow::Error::from)?;
    let etag = EntityTag::hashed(&json);
    let response = response::json(json, &etag, &call.conditions);
    Ok(response::in_language(response, call.lang.code()))
}

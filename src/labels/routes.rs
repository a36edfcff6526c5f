//! The route of the labels.

use actix_web::{HttpResponse, get};

use super::dto::Labels;
use crate::{
    common::{Result, etag::EntityTag},
    http::{
        auth::{Authorized, permission::IntegrationRead},
        call_context::CallContext,
        response,
    },
};

/// Get labels
///
/// The labels of the values of all enumerations, in the language of the request. Enumerations and
/// values may be added. The labels of ticket fields and operators are part of
/// `GET /ticket-fields`, and `/problems/{code}` explains problem codes.
#[utoipa::path(
    tag = "labels",
    responses((status = 200, description = "The labels, by enumeration.", body = Labels)),
    security(("bearer" = ["integration:read"]))
)]
#[get("/labels")]
pub async fn get_labels(
    _auth: Authorized<IntegrationRead>,
    call: CallContext,
) -> Result<HttpResponse> {
    let labels = Labels::new(call.lang);
    let etag = EntityTag::hashed(&labels).in_language(call.lang.content_hash());
    let json = serde_json::to_vec(&labels).map_err(anyhow::Error::from)?;
    let response = response::json(json, &etag, &call.conditions);
    Ok(response::in_language(response, call.lang.code()))
}

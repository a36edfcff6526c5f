//! Rejects requests that are too large or exceed the concurrency limit.

use actix_web::{
    Error as ActixError, HttpMessage as _,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    middleware::Next,
    web::Data,
};

use super::head;
use crate::{
    common::{Code, Error, Result},
    http::{app_context::AppContext, request_slot::RequestSlot},
};

/// Maximum length of a request's path and query, in bytes.
pub const MAX_URI: usize = 8 * 1024;
/// Maximum total length of all header names and values, in bytes. Tokens have up to 8 KiB, and
/// cookies may be sent along.
pub const MAX_HEADERS: usize = 32 * 1024;

/// Path prefix of the health checks, which the concurrency limit does not apply to.
const HEALTH_CHECKS: &str = "/health/";

/// The innermost middleware: admits or rejects a request. It runs inside CORS, so that browsers
/// can read rejections.
pub async fn admit(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, ActixError> {
    let admitted = check_size(&request).and_then(|()| occupy_slot(&request));
    head::route_as_get(&mut request);
    if let Err(rejection) = admitted {
        return Ok(request.error_response(rejection));
    }
    let response = next.call(request).await?.map_into_boxed_body();
    response.request().extensions_mut().remove::<RequestSlot>();
    Ok(response)
}

fn check_size(request: &ServiceRequest) -> Result<()> {
    let uri_length = request
        .uri()
        .path_and_query()
        .map_or(0, |target| target.as_str().len());
    if uri_length > MAX_URI {
        return Err(Error::client(Code::UriTooLong).with("max", MAX_URI));
    }
    let headers_length: usize = request
        .headers()
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len())
        .sum();
    if headers_length > MAX_HEADERS {
        return Err(Error::client(Code::HeadersTooLarge).with("max", MAX_HEADERS));
    }
    Ok(())
}

/// Stores the slot in the request's extensions, for extractors that wait without it.
fn occupy_slot(request: &ServiceRequest) -> Result<()> {
    match request.app_data::<Data<AppContext>>() {
        Some(app) if !request.path().starts_with(HEALTH_CHECKS) => {
            let slot = RequestSlot::occupy(&app.concurrency_limit, &app.subject_limits)?;
            request.extensions_mut().insert(slot);
            Ok(())
        }
        _ => Ok(()),
    }
}

//! Rejects requests that are too large or exceed the concurrency limit.

use actix_web::{
    Error as ActixError,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    middleware::Next,
    web::Data,
};
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::head;
use crate::{
    common::{Code, Error, Result},
    http::app_context::AppContext,
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
    let admitted = check_size(&request).and_then(|()| check_concurrency(&request));
    head::route_as_get(&mut request);
    match admitted {
        Ok(_token) => Ok(next.call(request).await?.map_into_boxed_body()),
        Err(rejection) => Ok(request.error_response(rejection)),
    }
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

/// The returned token must be held while the request is in progress.
fn check_concurrency(request: &ServiceRequest) -> Result<Option<TaskTrackerToken>> {
    match request.app_data::<Data<AppContext>>() {
        Some(context) if !request.path().starts_with(HEALTH_CHECKS) => {
            context.concurrency_limit.admit().map(Some)
        }
        _ => Ok(None),
    }
}

//! HEAD requests (RFC 9110 section 9.3.2).

use actix_web::{dev::ServiceRequest, http::Method};

/// Routes HEAD like GET. actix-http still sees the original method and omits the content.
pub(super) fn route_as_get(request: &mut ServiceRequest) {
    if request.method() == Method::HEAD {
        request.head_mut().method = Method::GET;
    }
}

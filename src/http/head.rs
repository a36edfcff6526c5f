//! HEAD: what GET would answer, without its content (RFC 9110 section 9.3.2).

use actix_web::{dev::ServiceRequest, http::Method};

/// Lets the routes of GET answer HEAD. actix-http remembers how the client asked: it writes the content's length and leaves out the
/// content.
pub fn as_get(request: &mut ServiceRequest) {
    if request.method() == Method::HEAD {
        request.head_mut().method = Method::GET;
    }
}

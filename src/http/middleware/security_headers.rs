//! Headers of every response: request id, caching, rate limit and browser security (OWASP REST
//! security cheat sheet).

use actix_web::{
    body::BoxBody,
    dev::ServiceResponse,
    http::{
        StatusCode,
        header::{self, HeaderName, HeaderValue},
    },
};

use crate::http::{problem::ProblemContext, rate_limit, request_context::REQUEST_ID};

const API: &str = "/api/";
const DOCS: &str = "/docs";
const PROBLEMS: &str = "/problems";

const SECURITY: [(HeaderName, HeaderValue); 3] = [
    (
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    ),
    (
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    ),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
];

/// The content security policy of API responses: nothing may be loaded, run or framed.
const API_POLICY: HeaderValue =
    HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");

/// The content security policy of the interactive documentation, which calls this service.
const DOCS_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
     img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; \
     form-action 'none'; frame-ancestors 'none'",
);

/// The content security policy of the pages that explain problems.
const PAGES_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'",
);

/// Responses depend on the caller and may change at any time: caches must revalidate.
const REVALIDATE: HeaderValue = HeaderValue::from_static("private, no-cache");

/// Adds the headers of every response. Content headers are omitted on 304 (RFC 9110 section
/// 15.4.5).
pub fn add_headers(response: &mut ServiceResponse<BoxBody>, context: &ProblemContext) {
    let rate_limit = rate_limit::headers(response.request());
    let not_modified = response.status() == StatusCode::NOT_MODIFIED;
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&context.request_id) {
        headers.insert(REQUEST_ID, id);
    }
    if context.path.starts_with(API) && !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, REVALIDATE);
    }
    for (name, value) in rate_limit {
        headers.insert(name, value);
    }
    if not_modified {
        return;
    }
    let policy = if context.path.starts_with(DOCS) {
        DOCS_POLICY
    } else if context.path.starts_with(PROBLEMS) {
        PAGES_POLICY
    } else {
        API_POLICY
    };
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    for (name, value) in SECURITY {
        headers.insert(name, value);
    }
}

/// The security headers of an API response.
pub fn of_api() -> impl Iterator<Item = (HeaderName, HeaderValue)> {
    SECURITY
        .into_iter()
        .chain([(header::CONTENT_SECURITY_POLICY, API_POLICY)])
}

//! Cross-origin requests from browsers (CORS, Fetch standard).

use actix_cors::Cors;
use actix_web::{
    Error as ActixError,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::{
        Method,
        header::{self, HeaderMap, HeaderName, HeaderValue},
    },
    middleware::Next,
};

use super::request_context::REQUEST_ID;
use crate::{common::normalize::truncate_untrusted, config::ANY_LOCALHOST_PORT};

/// Methods that scripts may use.
const METHODS: [Method; 6] = [
    Method::GET,
    Method::HEAD,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
];

/// Request headers that scripts may send. The service ignores `Idempotency-Key`, but clients and
/// gateways add it.
const REQUEST_HEADERS: [HeaderName; 9] = [
    header::AUTHORIZATION,
    header::CONTENT_TYPE,
    header::ACCEPT_LANGUAGE,
    header::IF_MATCH,
    header::IF_NONE_MATCH,
    REQUEST_ID,
    HeaderName::from_static("traceparent"),
    HeaderName::from_static("tracestate"),
    HeaderName::from_static("idempotency-key"),
];

/// Response headers that scripts may read.
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "accept-patch, allow, etag, link, location, ratelimit, ratelimit-policy, retry-after, \
     www-authenticate, x-request-id",
);

/// How long browsers may cache the result of a preflight request, in seconds.
const MAX_AGE: usize = 3600;

/// Maximum length of a header of a refused request in the log.
const MAX_LOGGED: usize = 200;

/// The CORS middleware for the allowed origins.
pub fn cors(origins: &[String]) -> Cors {
    let origins = origins.to_vec();
    Cors::default()
        .allowed_methods(METHODS)
        .allowed_headers(REQUEST_HEADERS)
        .max_age(MAX_AGE)
        .allowed_origin_fn(move |origin, _| is_allowed(origin, &origins))
}

/// Middleware around [`cors`] that exposes response headers. `Cors` can do this itself, but
/// lists them in a different order in each worker, so equal responses would differ.
pub async fn expose_headers(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, ActixError> {
    let mut response = next.call(request).await?;
    let headers = response.headers_mut();
    if headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN) {
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    }
    Ok(response)
}

/// Logs why a preflight request is refused: browsers do not show the reason.
pub(super) fn log_refused_preflight(method: &Method, headers: &HeaderMap, allowed: &[String]) {
    if method != Method::OPTIONS {
        return;
    }
    if let Some(reason) = refusal(headers, allowed) {
        let logged = |name| truncate_untrusted(&text(headers, &name), MAX_LOGGED);
        tracing::info!(
            reason,
            origin = logged(header::ORIGIN),
            requested_method = logged(header::ACCESS_CONTROL_REQUEST_METHOD),
            requested_headers = logged(header::ACCESS_CONTROL_REQUEST_HEADERS),
            "preflight request refused"
        );
    }
}

/// Why a preflight request is refused; `None` if it is accepted, or is none.
fn refusal(headers: &HeaderMap, allowed: &[String]) -> Option<&'static str> {
    let origin = headers.get(header::ORIGIN)?;
    headers.get(header::ACCESS_CONTROL_REQUEST_METHOD)?;
    let method = text(headers, &header::ACCESS_CONTROL_REQUEST_METHOD);
    let names = text(headers, &header::ACCESS_CONTROL_REQUEST_HEADERS);
    let is_allowed_header = |name: &str| {
        let name = name.trim();
        name.is_empty()
            || REQUEST_HEADERS
                .iter()
                .any(|allowed| name.eq_ignore_ascii_case(allowed.as_str()))
    };
    if allowed.is_empty() {
        Some("CORS_ALLOWED_ORIGINS is not set")
    } else if !is_allowed(origin, allowed) {
        Some("CORS_ALLOWED_ORIGINS does not contain the origin")
    } else if !METHODS.iter().any(|allowed| allowed.as_str() == method) {
        Some("the method is not allowed")
    } else if !names.split(',').all(is_allowed_header) {
        Some("a request header is not allowed")
    } else {
        None
    }
}

/// All values of a header, separated by commas.
fn text(headers: &HeaderMap, name: &HeaderName) -> String {
    let values: Vec<_> = headers
        .get_all(name)
        .map(|value| String::from_utf8_lossy(value.as_bytes()))
        .collect();
    values.join(",")
}

/// The origin of a request, if it is allowed.
pub(super) fn allowed_origin(headers: &HeaderMap, allowed: &[String]) -> Option<HeaderValue> {
    let origin = headers.get(header::ORIGIN)?;
    is_allowed(origin, allowed).then(|| origin.clone())
}

fn is_allowed(origin: &HeaderValue, allowed: &[String]) -> bool {
    allowed.iter().any(|allowed| {
        if allowed == ANY_LOCALHOST_PORT {
            is_localhost_with_port(origin.as_bytes())
        } else {
            allowed.as_bytes() == origin.as_bytes()
        }
    })
}

/// Whether an origin matches [`ANY_LOCALHOST_PORT`].
fn is_localhost_with_port(origin: &[u8]) -> bool {
    origin
        .strip_prefix(b"http://localhost:")
        .is_some_and(|port| (1..=5).contains(&port.len()) && port.iter().all(u8::is_ascii_digit))
}

/// CORS headers for a response that bypasses the middleware.
pub(super) fn headers_for(origin: HeaderValue) -> [(HeaderName, HeaderValue); 3] {
    [
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, origin),
        (header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED),
        (header::VARY, HeaderValue::from_static("origin")),
    ]
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("https://portal.example", true)]
    #[case("https://portal.example:8443", false)]
    #[case("http://localhost:5173", true)]
    #[case("http://localhost", false)]
    #[case("https://localhost:5173", false)]
    #[case("http://localhost:*", false)]
    #[case("http://localhost:", false)]
    #[case("http://localhost:80.evil.example", false)]
    #[case("http://localhost.evil.example:80", false)]
    #[case("null", false)]
    fn origins_are_compared_exactly_except_for_ports_of_localhost(
        #[case] origin: &'static str,
        #[case] expected: bool,
    ) {
        let allowed = [
            "https://portal.example".to_owned(),
            ANY_LOCALHOST_PORT.to_owned(),
        ];
        assert_eq!(
            is_allowed(&HeaderValue::from_static(origin), &allowed),
            expected
        );
    }

    #[rstest]
    #[case::accepted(
        "https://a.example",
        "PATCH",
        "authorization, If-Match,traceparent",
        None
    )]
    #[case::other_origin(
        "https://b.example",
        "GET",
        "",
        Some("CORS_ALLOWED_ORIGINS does not contain the origin")
    )]
    #[case::method("https://a.example", "TRACE", "", Some("the method is not allowed"))]
    #[case::header(
        "https://a.example",
        "GET",
        "authorization,x-other",
        Some("a request header is not allowed")
    )]
    fn reason_of_refused_preflight(
        #[case] origin: &'static str,
        #[case] method: &'static str,
        #[case] names: &'static str,
        #[case] expected: Option<&str>,
    ) {
        let headers = [
            (header::ORIGIN, origin),
            (header::ACCESS_CONTROL_REQUEST_METHOD, method),
            (header::ACCESS_CONTROL_REQUEST_HEADERS, names),
        ]
        .into_iter()
        .map(|(name, value)| (name, HeaderValue::from_static(value)))
        .collect();
        let allowed = ["https://a.example".to_owned()];
        assert_eq!(refusal(&headers, &allowed), expected);
        assert_eq!(
            refusal(&headers, &[]),
            Some("CORS_ALLOWED_ORIGINS is not set")
        );
        assert_eq!(refusal(&HeaderMap::new(), &allowed), None);
    }
}

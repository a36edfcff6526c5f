//! Problem responses that no middleware completes: for requests whose task was abandoned, and for
//! those that actix rejects before or outside of the service.

use actix_web::{
    HttpResponse, ResponseError as _,
    body::MessageBody as _,
    http::header::{self, HeaderValue, HttpDate},
    web::Data,
};

use super::{
    app_context::AppContext,
    cors,
    middleware::security_headers,
    problem::{self, Problem, ProblemContext},
    request_context::REQUEST_ID,
    response::NO_STORE,
};
use crate::common::{Code, Error};

/// A complete problem response that closes the connection. `origin` is the browser origin that may
/// read it.
pub(super) fn response(
    error: &Error,
    context: &ProblemContext,
    origin: Option<HeaderValue>,
) -> HttpResponse {
    let mut response = HttpResponse::build(error.status_code());
    response
        .insert_header((header::CONTENT_TYPE, problem::MEDIA_TYPE))
        .insert_header((header::CONTENT_LANGUAGE, context.lang.code()))
        .insert_header((header::CACHE_CONTROL, NO_STORE))
        .insert_header((REQUEST_ID, context.request_id.as_str()))
        .force_close();
    for header in security_headers::of_api() {
        response.insert_header(header);
    }
    for header in problem::headers_of(error, None) {
        response.insert_header(header);
    }
    for header in origin.into_iter().flat_map(cors::headers_for) {
        response.insert_header(header);
    }
    response.json(Problem::new(error, context))
}

/// Serializes a response of [`response`] as HTTP/1.1.
fn serialize(response: HttpResponse) -> Vec<u8> {
    let status = response.status();
    let (response, body) = response.into_parts();
    let body = body.try_into_bytes().unwrap_or_default();
    let mut bytes = format!(
        "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\ndate: {}\r\n",
        body.len(),
        HttpDate::from(std::time::SystemTime::now()),
    )
    .into_bytes();
    for (name, value) in response.headers() {
        bytes.extend_from_slice(name.as_str().as_bytes());
        bytes.extend_from_slice(b": ");
        bytes.extend_from_slice(value.as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(&body);
    bytes
}

/// The serialized response to a request that cannot be parsed, of which neither the path nor the
/// language is known.
pub fn to_malformed_request(error: &Error) -> Vec<u8> {
    let context = ProblemContext {
        lang: crate::i18n::Lang::default(),
        path: String::new(),
        request_id: uuid::Uuid::now_v7().to_string(),
    };
    log_rejection(error, &context);
    serialize(response(error, &context, None))
}

/// A request whose body may turn out to be malformed while it is processed.
pub struct ChunkedRequest {
    pub context: ProblemContext,
    pub origin: Option<HeaderValue>,
    pub app: Option<Data<AppContext>>,
}

impl ChunkedRequest {
    /// The serialized response to a malformed chunk. `None` during a shutdown, which may close the
    /// connection too.
    pub fn into_rejection(self) -> Option<Vec<u8>> {
        if self.app.is_some_and(|app| app.is_shutting_down()) {
            return None;
        }
        let error = Error::client(Code::BadRequest);
        log_rejection(&error, &self.context);
        Some(serialize(response(&error, &self.context, self.origin)))
    }
}

fn log_rejection(error: &Error, context: &ProblemContext) {
    tracing::info!(
        request_id = context.request_id,
        status = error.status_code().as_u16(),
        code = error.code().as_str(),
        "malformed request rejected"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn malformed_request_gets_a_complete_response() {
        let response = to_malformed_request(&Error::client(Code::BadRequest));

        let response = String::from_utf8(response).unwrap();
        let (headers, body) = response.split_once("\r\n\r\n").unwrap();
        assert!(
            headers.starts_with("HTTP/1.1 400 Bad Request\r\n"),
            "{headers}"
        );
        for header in [
            "connection: close",
            "content-type: application/problem+json",
            "x-content-type-options: nosniff",
            &format!("content-length: {}", body.len()),
        ] {
            assert!(headers.lines().any(|line| line == header), "{headers}");
        }
        let problem: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!(problem["code"], "bad_request");
        let id = format!("x-request-id: {}", problem["request_id"].as_str().unwrap());
        assert!(headers.contains(&id), "{headers}");
    }
}

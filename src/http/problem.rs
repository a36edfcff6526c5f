//! Problem details (RFC 9457): the format of every error response, including those of actix.

use actix_web::{
    HttpMessage as _, HttpResponse, ResponseError,
    body::BoxBody,
    dev::ServiceResponse,
    http::{
        StatusCode,
        header::{self, HeaderName, HeaderValue},
    },
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    body::HeldPayload,
    protected_resource,
    response::NO_STORE,
    route_guard::{ACCEPT_PATCH, PATCH_MEDIA_TYPES},
};
use crate::{
    common::{
        Audit, Code, Error, FieldError,
        error::{ClientError, Kind, MessageArg, Reference},
        timestamp::Timestamp,
    },
    i18n::{self, Lang},
};

/// Media type of problem details.
pub const MEDIA_TYPE: &str = "application/problem+json";
/// `Retry-After` of an unavailable or overloaded service, in seconds.
const RETRY_AFTER: &str = "1";

/// A problem (RFC 9457). Programs evaluate `code`; `title` and `detail` are for users, in German or
/// English.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"type": "/problems/last_area", "title": "Letzter Bereich", "status": 409,
    "detail": "Der letzte Bereich kann nicht entzogen werden, solange Kundenzugänge aktiv sind (2).",
    "instance": "/api/v1/customer-integrations/K-1001/areas/netz", "code": "last_area",
    "request_id": "019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e60", "errors": [], "references": [],
    "current": null}))]
pub struct Problem {
    /// URI of a page that explains the problem type.
    #[serde(rename = "type")]
    #[schema(format = "uri-reference", max_length = 200)]
    pub kind: String,
    /// Short summary, the same for every problem with this code.
    #[schema(max_length = 200)]
    pub title: String,
    /// HTTP status code.
    #[schema(minimum = 400, maximum = 599)]
    pub status: u16,
    /// Explanation of this occurrence.
    #[schema(max_length = 10_000)]
    pub detail: String,
    /// Path of the request.
    #[schema(format = "uri-reference", max_length = 65_534)]
    pub instance: String,
    /// Stable, machine-readable code. The document lists the known ones.
    #[schema(pattern = "^[a-z_]+$", max_length = 64)]
    pub code: &'static str,
    /// Request id, as in `X-Request-Id` and the log of the service.
    #[schema(max_length = 128)]
    pub request_id: String,
    /// All invalid parts of the request.
    #[schema(max_items = 200)]
    pub errors: Vec<FieldErrorBody>,
    /// The resources that prevent the operation; only the first ones if there are many.
    #[schema(max_items = 20)]
    pub references: Vec<Reference>,
    /// With `precondition_failed`: the current state of the resource, if it exists; otherwise `null`.
    pub current: Option<CurrentState>,
}

/// The state that a write with a failed precondition would have overwritten.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "version": 4, "updated_at": "2026-11-23T08:00:00.000000Z", "updated_by": "anna.admin",
    "updated_by_name": "Anna Admin"
}))]
pub struct CurrentState {
    /// Current version.
    #[schema(minimum = 1)]
    pub version: i64,
    /// When it was last changed (UTC).
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
    /// Subject of the token that last changed it.
    #[schema(max_length = 255)]
    pub updated_by: String,
    /// Display name of `updated_by` at that time; `null` if unknown.
    #[schema(max_length = 255)]
    pub updated_by_name: Option<String>,
}

impl From<&Audit> for CurrentState {
    fn from(audit: &Audit) -> Self {
        Self {
            version: audit.version,
            updated_at: audit.updated_at,
            updated_by: audit.updated_by.clone(),
            updated_by_name: audit.updated_by_name.clone(),
        }
    }
}

/// An invalid part of the request.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FieldError)]
pub struct FieldErrorBody {
    /// JSON pointer into the body (RFC 6901), or the name of a parameter.
    #[schema(example = "/email", max_length = 1000)]
    pub pointer: String,
    /// Stable, machine-readable code.
    #[schema(example = "invalid_email", pattern = "^[a-z_]+$", max_length = 64)]
    pub code: &'static str,
    /// Explanation of the error.
    #[schema(max_length = 10_000)]
    pub detail: String,
}

/// What a problem contains about its request.
#[derive(Debug, Clone)]
pub struct ProblemContext {
    pub lang: Lang,
    pub path: String,
    pub request_id: String,
}

impl Code {
    /// The HTTP status of a code.
    pub fn status(self) -> StatusCode {
        match self.kind() {
            Kind::Unreadable => StatusCode::BAD_REQUEST,
            Kind::Unauthenticated => StatusCode::UNAUTHORIZED,
            Kind::Forbidden => StatusCode::FORBIDDEN,
            Kind::NotFound => StatusCode::NOT_FOUND,
            Kind::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Kind::Conflict => StatusCode::CONFLICT,
            Kind::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
            Kind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Kind::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Kind::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Kind::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
            Kind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Kind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Kind::UriTooLong => StatusCode::URI_TOO_LONG,
            Kind::HeadersTooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Kind::TooMany => StatusCode::TOO_MANY_REQUESTS,
            Kind::StorageFull => StatusCode::INSUFFICIENT_STORAGE,
        }
    }

    /// The code of an error response of actix.
    fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::NOT_FOUND => Self::UnknownRoute,
            StatusCode::METHOD_NOT_ALLOWED => Self::MethodNotAllowed,
            StatusCode::PAYLOAD_TOO_LARGE => Self::BodyTooLarge,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::UnsupportedMediaType,
            StatusCode::REQUEST_TIMEOUT => Self::RequestTimeout,
            StatusCode::SERVICE_UNAVAILABLE => Self::Unavailable,
            status if status.is_client_error() => Self::BadRequest,
            _ => Self::InternalError,
        }
    }
}

/// Lets extractors and handlers return [`Error`]. The response stays empty until [`render`] adds
/// the problem, which depends on the request.
impl ResponseError for Error {
    fn status_code(&self) -> StatusCode {
        self.code().status()
    }

    fn error_response(&self) -> HttpResponse {
        HttpResponse::new(self.status_code())
    }
}

impl Problem {
    /// Renders an error in the caller's language.
    pub fn new(error: &Error, context: &ProblemContext) -> Self {
        match error {
            Error::Client(error) => Self::from_client_error(error, context),
            other => Self::from_client_error(&ClientError::from(other.code()), context),
        }
    }

    fn from_client_error(error: &ClientError, context: &ProblemContext) -> Self {
        let mut args = error.args.clone();
        args.push(("request_id".into(), context.request_id.clone()));
        let (title, detail) = i18n::problem_text(context.lang, error.code, &args);
        Self {
            kind: uri(error.code),
            title,
            status: error.code.status().as_u16(),
            detail,
            instance: context.path.clone(),
            code: error.code.as_str(),
            request_id: context.request_id.clone(),
            errors: error
                .field_errors
                .iter()
                .map(|field_error| FieldErrorBody::new(field_error, context.lang))
                .collect(),
            references: error.references.clone(),
            current: error
                .current
                .as_ref()
                .and_then(|current| current.audit.as_ref())
                .map(CurrentState::from),
        }
    }
}

impl FieldErrorBody {
    /// Renders a field error in a language.
    pub fn new(field_error: &FieldError, lang: Lang) -> Self {
        let (_, detail) = i18n::problem_text(lang, field_error.code, &field_error.args);
        Self {
            pointer: field_error.pointer.clone(),
            code: field_error.code.as_str(),
            detail,
        }
    }
}

/// URI of the page that explains a code.
pub fn uri(code: Code) -> String {
    format!("/problems/{}", code.as_str())
}

/// Turns an error response into a problem; other responses stay unchanged.
pub fn render(
    response: ServiceResponse<BoxBody>,
    context: &ProblemContext,
) -> ServiceResponse<BoxBody> {
    let status = response.status();
    if !(status.is_client_error() || status.is_server_error()) || is_problem(&response) {
        return response;
    }
    let (request, response) = response.into_parts();
    let of_status = Error::client(Code::of_status(status));
    let error = response
        .error()
        .and_then(|error| error.as_error::<Error>())
        .unwrap_or(&of_status);
    let metadata_url = protected_resource::metadata_url(&request, status);
    let error_headers = headers_of(error, metadata_url.as_deref());
    let body = serde_json::to_vec(&Problem::new(error, context)).unwrap_or_default();
    let payload = request.extensions_mut().remove::<HeldPayload>();
    let mut response = response.set_body(match payload {
        None => BoxBody::new(body),
        Some(payload) => payload.held_by(body),
    });
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    headers.insert(
        header::CONTENT_LANGUAGE,
        HeaderValue::from_static(context.lang.code()),
    );
    headers.insert(header::CACHE_CONTROL, NO_STORE);
    headers.append(header::VARY, HeaderValue::from_static("accept-language"));
    for (name, value) in error_headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
    ServiceResponse::new(request, response)
}

fn is_problem(response: &ServiceResponse<BoxBody>) -> bool {
    response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|media_type| media_type.as_bytes() == MEDIA_TYPE.as_bytes())
}

/// Additional headers of some errors. Challenges contain the URL of the resource's metadata (RFC 9728
/// section 5.1), if there is one.
pub(super) fn headers_of(error: &Error, metadata_url: Option<&str>) -> Vec<(HeaderName, String)> {
    let retry_later = || vec![(header::RETRY_AFTER, RETRY_AFTER.to_owned())];
    let Error::Client(error) = error else {
        return match error.code() {
            Code::InternalError => vec![],
            _ => retry_later(),
        };
    };
    match error.code {
        Code::MissingToken => vec![challenge("", metadata_url)],
        Code::InvalidToken | Code::TokenExpired => {
            let description = error_description(error);
            let error = format!(r#", error="invalid_token", error_description="{description}""#);
            vec![challenge(&error, metadata_url)]
        }
        Code::InsufficientScope => {
            let scope = argument(&error.args, "scope");
            let error = format!(r#", error="insufficient_scope", scope="{scope}""#);
            vec![challenge(&error, metadata_url)]
        }
        Code::Overloaded | Code::TooManyConcurrentRequests => retry_later(),
        Code::TooManyRequests => {
            let seconds = argument(&error.args, "seconds");
            vec![(header::RETRY_AFTER, seconds.to_owned())]
        }
        Code::UnsupportedMediaType => {
            let mut headers = vec![(header::ACCEPT_ENCODING, "identity".to_owned())];
            if argument(&error.args, "merge_patch") == "yes" {
                headers.push((ACCEPT_PATCH, PATCH_MEDIA_TYPES.to_owned()));
            }
            headers
        }
        Code::MethodNotAllowed => {
            let allowed = argument(&error.args, "allowed");
            vec![(header::ALLOW, allowed.to_owned())]
        }
        Code::PreconditionFailed => error
            .current
            .iter()
            .map(|current| (header::ETAG, current.etag.quoted()))
            .collect(),
        _ => vec![],
    }
}

fn challenge(error: &str, metadata_url: Option<&str>) -> (HeaderName, String) {
    let metadata = metadata_url
        .map(|url| format!(r#", resource_metadata="{url}""#))
        .unwrap_or_default();
    let challenge = format!(r#"Bearer realm="customer-integration"{error}{metadata}"#);
    (header::WWW_AUTHENTICATE, challenge)
}

/// The English explanation of an error, limited to the characters that RFC 6750 section 3 allows.
fn error_description(error: &ClientError) -> String {
    let (_, detail) = i18n::problem_text(Lang::En, error.code, &error.args);
    detail
        .chars()
        .filter(|c| matches!(c, ' '..='~') && !matches!(c, '"' | '\\'))
        .collect()
}

fn argument<'a>(args: &'a [MessageArg], name: &str) -> &'a str {
    args.iter()
        .find(|(other, _)| other == name)
        .map_or("", |(_, value)| value)
}

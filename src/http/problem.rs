//! Problem details (RFC 9457): the one form of every answer that is not a success, the framework's
//! own included.

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

use super::{body::HeldPayload, response::NO_STORE};
use crate::{
    common::{
        Code, Error, FieldError,
        error::{ClientError, Kind, MessageArg, Reference},
    },
    i18n::{self, Lang},
};

/// Media type of problems.
pub const MEDIA_TYPE: &str = "application/problem+json";
/// Seconds after which a caller may try again when the service is unavailable.
const RETRY_AFTER: &str = "1";

/// An error response (RFC 9457). Programs should act on `code`; `title` and `detail` are localized
/// texts for users.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"type": "/problems/last_area", "title": "Letzter Bereich", "status": 409,
    "detail": "Der letzte Bereich kann nicht entfernt werden, solange Zugänge aktiv sind (2).",
    "instance": "/api/v1/customer-integrations/K-1001/areas/netz", "code": "last_area",
    "request_id": "019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e60", "errors": [], "references": []}))]
pub struct Problem {
    /// Path of a page that explains the code.
    #[serde(rename = "type")]
    #[schema(format = "uri-reference", max_length = 200)]
    pub kind: String,
    /// Short text, the same for all problems with this code.
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
    /// Stable, machine-readable code.
    #[schema(max_length = 64, pattern = "^[a-z_]+$")]
    pub code: &'static str,
    /// Id of the request, as in the header `X-Request-Id` and in the service's log.
    #[schema(max_length = 128)]
    pub request_id: String,
    /// The invalid parts of the request.
    #[schema(max_items = 200)]
    pub errors: Vec<FieldErrorBody>,
    /// Resources that prevent the request; only the first ones if there are many.
    #[schema(max_items = 20)]
    pub references: Vec<Reference>,
}

/// One invalid part of a request.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FieldError)]
pub struct FieldErrorBody {
    /// JSON pointer into the body (RFC 6901), or the name of a parameter.
    #[schema(example = "/email", max_length = 1000)]
    pub pointer: String,
    /// Stable, machine-readable code.
    #[schema(example = "invalid_email", max_length = 64, pattern = "^[a-z_]+$")]
    pub code: &'static str,
    /// Localized explanation of the error.
    #[schema(max_length = 10_000)]
    pub detail: String,
}

/// What a problem says about the request it answers.
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

    /// The code of an answer that the framework gave without one.
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

/// Lets extractors and handlers fail with our error. The answer is completed by [`render`], which
/// knows the request.
impl ResponseError for Error {
    fn status_code(&self) -> StatusCode {
        self.code().status()
    }

    fn error_response(&self) -> HttpResponse {
        HttpResponse::new(self.status_code())
    }
}

impl Problem {
    /// The problem of an error, in the caller's language.
    pub fn new(error: &Error, context: &ProblemContext) -> Self {
        match error {
            Error::Client(refusal) => Self::of_refusal(refusal, context),
            other => Self::of_refusal(&ClientError::from(other.code()), context),
        }
    }

    fn of_refusal(refusal: &ClientError, context: &ProblemContext) -> Self {
        let mut facts = refusal.facts.clone();
        facts.push(("request_id".into(), context.request_id.clone()));
        let (title, detail) = i18n::problem_text(context.lang, refusal.code, &facts);
        Self {
            kind: uri(refusal.code),
            title,
            status: refusal.code.status().as_u16(),
            detail,
            instance: context.path.clone(),
            code: refusal.code.as_str(),
            request_id: context.request_id.clone(),
            errors: refusal
                .field_errors
                .iter()
                .map(|field_error| FieldErrorBody::new(field_error, context.lang))
                .collect(),
            references: refusal.references.clone(),
        }
    }
}

impl FieldErrorBody {
    /// What is wrong, in a language.
    pub fn new(field_error: &FieldError, lang: Lang) -> Self {
        let (_, detail) = i18n::problem_text(lang, field_error.code, &field_error.facts);
        Self {
            pointer: field_error.pointer.clone(),
            code: field_error.code.as_str(),
            detail,
        }
    }
}

/// Where a code is explained.
pub fn uri(code: Code) -> String {
    format!("/problems/{}", code.as_str())
}

/// Turns every answer that is an error into a problem; others pass unchanged.
pub fn render(
    response: ServiceResponse<BoxBody>,
    context: &ProblemContext,
) -> ServiceResponse<BoxBody> {
    let status = response.status();
    let is_problem = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|it| it.as_bytes() == MEDIA_TYPE.as_bytes());
    if is_problem || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let (request, response) = response.into_parts();
    let framework = Error::client(Code::of_status(status));
    let error = response
        .error()
        .and_then(|error| error.as_error::<Error>())
        .unwrap_or(&framework);
    let problem = Problem::new(error, context);
    let extra = headers_of(error);
    let body = serde_json::to_vec(&problem).unwrap_or_default();
    let unread = request.extensions_mut().remove::<HeldPayload>();
    let mut response = response.set_body(match unread {
        None => BoxBody::new(body),
        Some(unread) => unread.held_by(body),
    });
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    headers.insert(
        header::CONTENT_LANGUAGE,
        HeaderValue::from_static(context.lang.code()),
    );
    headers.insert(header::CACHE_CONTROL, NO_STORE);
    headers.append(header::VARY, HeaderValue::from_static("accept-language"));
    for (name, value) in extra {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
    ServiceResponse::new(request, response)
}

/// The headers that belong to some problems.
pub(super) fn headers_of(error: &Error) -> Vec<(HeaderName, String)> {
    let Error::Client(refusal) = error else {
        let retry = (header::RETRY_AFTER, RETRY_AFTER.to_owned());
        return if error.code() == Code::InternalError {
            vec![]
        } else {
            vec![retry]
        };
    };
    let fact = |name: &str| fact(&refusal.facts, name);
    match refusal.code {
        Code::MissingToken => vec![(header::WWW_AUTHENTICATE, challenge(""))],
        Code::InvalidToken => vec![(
            header::WWW_AUTHENTICATE,
            challenge(r#", error="invalid_token""#),
        )],
        Code::InsufficientScope => {
            let challenge = challenge(&format!(
                r#", error="insufficient_scope", scope="{}""#,
                fact("scope")
            ));
            vec![(header::WWW_AUTHENTICATE, challenge)]
        }
        Code::Overloaded => vec![(header::RETRY_AFTER, RETRY_AFTER.to_owned())],
        Code::TooManyRequests => vec![(header::RETRY_AFTER, fact("seconds").to_owned())],
        Code::UnsupportedMediaType => vec![(header::ACCEPT_ENCODING, "identity".to_owned())],
        Code::MethodNotAllowed => vec![(header::ALLOW, fact("allowed").to_owned())],
        Code::PreconditionFailed => refusal
            .current
            .iter()
            .map(|tag| (header::ETAG, tag.quoted()))
            .collect(),
        _ => vec![],
    }
}

fn challenge(error: &str) -> String {
    format!(r#"Bearer realm="customer-integration"{error}"#)
}

fn fact<'a>(facts: &'a [MessageArg], name: &str) -> &'a str {
    facts
        .iter()
        .find(|(known, _)| known == name)
        .map_or("", |(_, value)| value)
}

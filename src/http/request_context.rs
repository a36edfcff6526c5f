//! Id, language, route and caller of a request.

use std::{
    future::{Ready, ready},
    sync::Arc,
};

use actix_web::{
    FromRequest, HttpMessage as _, HttpRequest,
    dev::{Payload, ServiceRequest},
    http::header::{AcceptLanguage, Header as _, HeaderName, Quality},
};
use strum::IntoEnumIterator as _;

use crate::{
    common::{Error, Result},
    i18n::Lang,
    tokens::Claims,
};

/// The header with the request id.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Maximum length of a request id accepted from a client.
const MAX_REQUEST_ID: usize = 128;

/// Id and language of a request, stored in its extensions.
#[derive(Debug)]
pub struct RequestContext {
    pub request_id: String,
    pub lang: Lang,
}

impl RequestContext {
    /// The context of an incoming request.
    pub fn new(request: &ServiceRequest) -> Self {
        Self {
            request_id: request_id(request),
            lang: preferred_language(request),
        }
    }

    /// The caller's language.
    pub fn lang_of(request: &HttpRequest) -> Lang {
        request
            .extensions()
            .get::<Self>()
            .map(|context| context.lang)
            .unwrap_or_default()
    }

    /// The request id.
    pub fn id_of(request: &HttpRequest) -> String {
        request
            .extensions()
            .get::<Self>()
            .map(|context| context.request_id.clone())
            .unwrap_or_default()
    }
}

/// The claims of a verified token, stored in the request's extensions for the access log.
#[derive(Debug, Clone)]
pub struct AuthenticatedClaims(pub Arc<Claims>);

/// The route of a request, cached in its extensions.
struct Route(Arc<str>);

/// The path pattern that a request matches, as in the OpenAPI document; `None` if it is not
/// routed yet or matches no route.
pub fn route(request: &HttpRequest) -> Option<Arc<str>> {
    if let Some(Route(route)) = request.extensions().get() {
        return Some(Arc::clone(route));
    }
    let pattern = Arc::<str>::from(request.match_pattern()?);
    request.extensions_mut().insert(Route(Arc::clone(&pattern)));
    Some(pattern)
}

/// Extracts the caller's language.
impl FromRequest for Lang {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(RequestContext::lang_of(request)))
    }
}

/// The client's request id if it is valid, else a new one.
fn request_id(request: &ServiceRequest) -> String {
    request
        .headers()
        .get(REQUEST_ID)
        .and_then(|id| id.to_str().ok())
        .filter(|id| is_valid_request_id(id))
        .map_or_else(|| uuid::Uuid::now_v7().to_string(), ToOwned::to_owned)
}

fn is_valid_request_id(id: &str) -> bool {
    (1..=MAX_REQUEST_ID).contains(&id.len())
        && id
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"._~:/+=@-".contains(&b))
}

/// The supported language that the client prefers; English if it accepts none.
fn preferred_language(request: &ServiceRequest) -> Lang {
    let accepted = AcceptLanguage::parse(request)
        .map(|accepted| accepted.0)
        .unwrap_or_default();
    let mut candidates: Vec<_> = accepted
        .iter()
        .filter_map(|item| Some((Lang::from_code(item.item.item()?.as_str())?, item.quality)))
        .collect();
    // `*` matches all languages that are not listed.
    if let Some(any) = accepted.iter().find(|item| item.item.item().is_none()) {
        let unlisted: Vec<_> = Lang::iter()
            .filter(|lang| candidates.iter().all(|(listed, _)| listed != lang))
            .collect();
        candidates.extend(unlisted.into_iter().map(|lang| (lang, any.quality)));
    }
    candidates
        .into_iter()
        .filter(|(_, quality)| *quality > Quality::ZERO)
        // Ties are resolved in the client's order.
        .reduce(|best, next| if next.1 > best.1 { next } else { best })
        .map(|(lang, _)| lang)
        .unwrap_or_default()
}

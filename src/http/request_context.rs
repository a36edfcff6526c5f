//! Id and language of a request, and who sent it.

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

/// The header that carries a request's id.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Longest request id taken over from a caller.
const MAX_REQUEST_ID: usize = 128;

/// Id and language of a request, for those who handle it.
#[derive(Debug)]
pub struct RequestContext {
    pub request_id: String,
    pub lang: Lang,
}

impl RequestContext {
    /// The context of a request that comes in.
    pub fn new(request: &ServiceRequest) -> Self {
        Self {
            request_id: request_id(request),
            lang: language(request),
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

    /// The id of a request.
    pub fn id_of(request: &HttpRequest) -> String {
        request
            .extensions()
            .get::<Self>()
            .map(|context| context.request_id.clone())
            .unwrap_or_default()
    }
}

/// Whom a verified token names, for the log.
#[derive(Debug, Clone)]
pub struct AuthenticatedClaims(pub Arc<Claims>);

/// The route of a request, looked up once.
struct Route(Arc<str>);

/// The pattern of the path that a request matched, as the document has it; `None` before it is routed, and where no route takes it.
pub fn route(request: &HttpRequest) -> Option<Arc<str>> {
    if let Some(Route(known)) = request.extensions().get() {
        return Some(Arc::clone(known));
    }
    let pattern = Arc::<str>::from(request.match_pattern()?);
    request.extensions_mut().insert(Route(Arc::clone(&pattern)));
    Some(pattern)
}

/// The caller's language.
impl FromRequest for Lang {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(RequestContext::lang_of(request)))
    }
}

/// The caller's request id when it is sane, else a new one.
fn request_id(request: &ServiceRequest) -> String {
    let sane = |id: &&str| {
        (1..=MAX_REQUEST_ID).contains(&id.len())
            && id
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"._~:/+=@-".contains(&b))
    };
    let sent = request
        .headers()
        .get(REQUEST_ID)
        .and_then(|id| id.to_str().ok());
    sent.filter(sane)
        .map_or_else(|| uuid::Uuid::now_v7().to_string(), ToOwned::to_owned)
}

/// The best of the languages a caller accepts that we speak; English otherwise.
fn language(request: &ServiceRequest) -> Lang {
    let accepted = AcceptLanguage::parse(request)
        .map(|accepted| accepted.0)
        .unwrap_or_default();
    let named = accepted
        .iter()
        .filter_map(|item| Some((Lang::from_code(item.item.item()?.as_str())?, item.quality)));
    let mut wishes: Vec<_> = named.collect();
    // `*` stands for every language that is not named
    if let Some(any) = accepted.iter().find(|item| item.item.item().is_none()) {
        let unnamed: Vec<_> = Lang::iter()
            .filter(|lang| wishes.iter().all(|(named, _)| named != lang))
            .collect();
        wishes.extend(unnamed.into_iter().map(|lang| (lang, any.quality)));
    }
    let wanted = wishes
        .into_iter()
        .filter(|(_, quality)| *quality > Quality::ZERO);
    // of equal wishes the first one counts
    let best = wanted.reduce(|best, next| if next.1 > best.1 { next } else { best });
    best.map(|(lang, _)| lang).unwrap_or_default()
}

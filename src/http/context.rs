//! What surrounds every request: its id, its language, its line in the log, and the form of its failures.

use std::time::Instant;

use actix_web::{
    Error as ActixError, HttpMessage as _, HttpRequest,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::header::{AcceptLanguage, Header as _, HeaderName, HeaderValue, Quality},
    middleware::Next,
};
use tracing::Instrument as _;

use super::problem::{self, Asked};
use crate::{kernel::Error, texts::Lang};

/// The header that carries a request's id.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Longest request id taken over from a caller.
const MAX_REQUEST_ID: usize = 128;

/// Id and language of a request, for those who handle it.
#[derive(Debug, Clone)]
pub struct RequestContext {
    pub request_id: String,
    pub lang: Lang,
}

impl RequestContext {
    /// The context of a request.
    pub fn of(request: &HttpRequest) -> Self {
        let known = request.extensions().get::<Self>().cloned();
        known.unwrap_or_else(|| Self { request_id: String::new(), lang: Lang::default() })
    }
}

/// The outermost middleware.
pub async fn surround(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, ActixError> {
    let context = RequestContext { request_id: request_id(&request), lang: language(&request) };
    let asked = Asked { lang: context.lang, path: request.path().to_owned(), request_id: context.request_id.clone() };
    let method = request.method().clone();
    let span = tracing::info_span!("request", request_id = %context.request_id);
    request.extensions_mut().insert(context);
    let started = Instant::now();
    let response = next.call(request).instrument(span.clone()).await?.map_into_boxed_body();
    let entered = span.enter();
    report_failure(&response);
    let mut response = problem::render(response, &asked);
    if let Ok(id) = HeaderValue::from_str(&asked.request_id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    let route = response.request().match_pattern().unwrap_or_else(|| "unknown".to_owned());
    let micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
    tracing::info!(%method, route, status = response.status().as_u16(), micros, "answered");
    drop(entered);
    Ok(response)
}

/// A failure of ours is told to the log in full, since the caller learns nothing but the request's id.
fn report_failure(response: &ServiceResponse<BoxBody>) {
    match response.response().error().and_then(|error| error.as_error::<Error>()) {
        Some(Error::Internal(error)) => tracing::error!(error = format!("{error:#}"), "internal error"),
        Some(error @ (Error::Unavailable(_) | Error::Aborted(_) | Error::ConnectionLost(_))) => {
            tracing::warn!(%error, "unavailable");
        }
        _ => {}
    }
}

/// The caller's request id when it is sane, else a new one.
fn request_id(request: &ServiceRequest) -> String {
    let sane = |id: &&str| {
        (1..=MAX_REQUEST_ID).contains(&id.len())
            && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"._~:/+=@-".contains(&b))
    };
    let sent = request.headers().get(REQUEST_ID).and_then(|id| id.to_str().ok());
    sent.filter(sane).map_or_else(|| uuid::Uuid::now_v7().to_string(), ToOwned::to_owned)
}

/// The best of the languages a caller accepts that we speak; English otherwise.
fn language(request: &ServiceRequest) -> Lang {
    let accepted = AcceptLanguage::parse(request).map(|accepted| accepted.0).unwrap_or_default();
    let spoken = accepted
        .iter()
        .filter(|item| item.quality > Quality::ZERO)
        .filter_map(|item| Lang::of_tag(item.item.item()?.as_str()).map(|lang| (item.quality, lang)));
    // of equal wishes the first one counts
    let best = spoken.reduce(|best, next| if next.0 > best.0 { next } else { best });
    best.map(|(_, lang)| lang).unwrap_or_default()
}

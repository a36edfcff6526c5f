//! What surrounds every request: its id, its language, its line in the log, and the form of its failures.
//!
//! Every request is answered in a task of its own. actix drops what it awaits when a client hangs up; a statement on
//! SQLite must not be dropped half-way (its driver then panics, and its connection with it), so nothing here ever is: not
//! a handler, not an extractor. What a client leaves behind ends by itself, because statements are limited in time and a
//! body whose connection is gone ends with an error.

use std::{
    future::{Ready, ready},
    time::Instant,
};

use actix_web::{
    Error as ActixError, FromRequest, HttpMessage as _, HttpRequest, HttpResponse,
    body::{BoxBody, MessageBody},
    dev::{Payload, ServiceRequest, ServiceResponse},
    error::InternalError,
    http::{
        ConnectionType,
        header::{self, AcceptLanguage, Header as _, HeaderName, HeaderValue, Quality},
    },
    middleware::Next,
    rt::task::JoinError,
};
use strum::IntoEnumIterator as _;
use tracing::Instrument as _;

use super::problem::{self, Asked, Problem};
use crate::{
    kernel::{Error, Result},
    texts::Lang,
};

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

/// The caller's language.
impl FromRequest for Lang {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let known = request.extensions().get::<RequestContext>().map(|context| context.lang);
        ready(Ok(known.unwrap_or_default()))
    }
}

/// The outermost middleware.
pub async fn surround(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, ActixError> {
    let context = RequestContext { request_id: request_id(&request), lang: language(&request) };
    let asked = Asked { lang: context.lang, path: request.path().to_owned(), request_id: context.request_id.clone() };
    let span = tracing::info_span!("request", request_id = %context.request_id);
    request.extensions_mut().insert(context);
    let task = actix_web::rt::spawn(answer(request, next, asked.clone()).instrument(span.clone()));
    task.await.unwrap_or_else(|panic| span.in_scope(|| Err(crashed(&asked, &panic))))
}

async fn answer(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
    asked: Asked,
) -> Result<ServiceResponse<BoxBody>, ActixError> {
    let (method, started) = (request.method().clone(), Instant::now());
    let upgrade = request.head().upgrade();
    let response = next.call(request).await?.map_into_boxed_body();
    report_failure(&response);
    let mut response = problem::render(response, &asked);
    if upgrade {
        // Java's client offers HTTP/2 like this. The offer is not taken; actix closes such a connection, and has to say so
        response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
    }
    if let Ok(id) = HeaderValue::from_str(&asked.request_id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    let route = response.request().match_pattern().unwrap_or_else(|| "unknown".to_owned());
    let micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
    tracing::info!(%method, route, status = response.status().as_u16(), micros, "answered");
    Ok(response)
}

/// The answer to a request whose task panicked. The request went down with it, so the problem is written here in full.
fn crashed(asked: &Asked, panic: &JoinError) -> ActixError {
    tracing::error!(%panic, path = asked.path, "the request's task ended without an answer");
    let problem = Problem::new(&Error::Internal(anyhow::anyhow!("panic")), asked);
    let answer = HttpResponse::InternalServerError()
        .insert_header((header::CONTENT_TYPE, problem::MEDIA_TYPE))
        .insert_header((header::CONTENT_LANGUAGE, asked.lang.tag()))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((REQUEST_ID, asked.request_id.as_str()))
        .json(problem);
    InternalError::from_response("panic", answer).into()
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
    let named = accepted.iter().filter_map(|item| Some((Lang::of_tag(item.item.item()?.as_str())?, item.quality)));
    let mut wishes: Vec<_> = named.collect();
    // `*` stands for every language that is not named
    if let Some(any) = accepted.iter().find(|item| item.item.item().is_none()) {
        let unnamed: Vec<_> = Lang::iter().filter(|lang| wishes.iter().all(|(named, _)| named != lang)).collect();
        wishes.extend(unnamed.into_iter().map(|lang| (lang, any.quality)));
    }
    let wanted = wishes.into_iter().filter(|(_, quality)| *quality > Quality::ZERO);
    // of equal wishes the first one counts
    let best = wanted.reduce(|best, next| if next.1 > best.1 { next } else { best });
    best.map(|(lang, _)| lang).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use actix_web::{App, middleware::from_fn, test, web};

    use super::*;

    async fn falls() -> HttpResponse {
        panic!("on purpose")
    }

    #[actix_web::test]
    async fn a_panic_is_answered_with_a_problem() {
        let app = test::init_service(App::new().wrap(from_fn(surround)).route("/falls", web::get().to(falls))).await;
        let request = test::TestRequest::get().uri("/falls").insert_header((REQUEST_ID, "r-1")).to_request();
        let Err(error) = test::try_call_service(&app, request).await else { panic!("it fell") };
        let answer = error.error_response();
        assert_eq!(answer.status(), 500);
        assert_eq!(answer.headers().get(header::CONTENT_TYPE).unwrap(), problem::MEDIA_TYPE);
        assert_eq!(answer.headers().get(REQUEST_ID).unwrap(), "r-1");
        let problem = actix_web::body::to_bytes(answer.into_body()).await.unwrap();
        let problem: serde_json::Value = serde_json::from_slice(&problem).unwrap();
        assert_eq!((&problem["code"], &problem["request_id"]), (&"internal_error".into(), &"r-1".into()));
    }
}

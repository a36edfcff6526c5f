//! What surrounds every request: its limits, its line in the log, its metrics, and the form of its failures.
//!
//! Every request is answered in a task of its own. actix drops what it awaits when a client hangs up; a statement on
//! SQLite must not be dropped half-way (its driver then panics, and its connection with it), so nothing here ever is: not
//! a handler, not an extractor, not what has taken too long and was answered without it. What a client leaves behind ends by
//! itself, because statements are limited in time and a body whose connection is gone ends with an error.

use std::{
    cell::Cell,
    rc::Rc,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use actix_web::{
    Error as ActixError, HttpMessage as _, HttpResponse, ResponseError as _,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    error::InternalError,
    http::{
        ConnectionType, StatusCode,
        header::{self, HeaderName, HeaderValue},
    },
    middleware::Next,
    web::Data,
};
use tokio::time::timeout;
use tracing::Instrument as _;

use super::{
    connection::ConnectionActivity,
    cors, head,
    limits::{self, Gate},
    problem::{self, Problem, ProblemContext},
    request_context::{AuthenticatedClaims, REQUEST_ID, RequestContext, route},
    response::NO_STORE,
};
use crate::{
    common::{Error, Result, ids::ErpId},
    db::query_time,
    telemetry::{metrics::Metrics, traces},
};

/// Paths of the platform's probes, which are answered also when the service is busy.
const PROBES: &str = "/health/";

/// Headers of every answer that make browsers careful with it (OWASP REST security cheat sheet).
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

/// For all answers but pages: nothing in them is to be run, loaded or framed.
const NOTHING: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
/// For the interactive pages: their own scripts and styles, and requests to this service.
const DOCS_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; \
     connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);
const API: &str = "/api/";
const DOCS: &str = "/docs";
/// Answers are one caller's, and change at any time: who keeps them asks again, with their tag.
const REVALIDATE: HeaderValue = HeaderValue::from_static("private, no-cache");
/// The route of what no route takes, and of what was answered without its task.
const UNKNOWN: &str = "unknown";

/// What all requests of the service share.
pub struct AppContext {
    pub gate: Gate,
    pub metrics: Metrics,
    /// How long a request may take to be answered.
    pub request_timeout: Duration,
    /// Origins of browsers' pages that may call.
    pub origins: Vec<String>,
    /// Whether the service was told to stop.
    pub stopping: AtomicBool,
}

impl AppContext {
    /// Whether the service was told to stop.
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }
}

/// How a request goes, as it is known in its task and outside.
struct RequestProgress {
    started: Instant,
    /// Whether it was answered without its task.
    abandoned_flag: Cell<bool>,
}

impl RequestProgress {
    fn begin() -> Self {
        Self {
            started: Instant::now(),
            abandoned_flag: Cell::new(false),
        }
    }
}

/// The outermost middleware.
pub async fn surround(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, ActixError> {
    let context = RequestContext::new(&request);
    let problem_context = ProblemContext {
        lang: context.lang,
        path: request.path().to_owned(),
        request_id: context.request_id.clone(),
    };
    let span = traces::span(request.headers(), &context.request_id);
    let _busy = request
        .conn_data::<ConnectionActivity>()
        .map(ConnectionActivity::begin);
    let app_context = request.app_data::<Data<AppContext>>().cloned();
    let page = app_context
        .as_ref()
        .and_then(|it| cors::page(request.headers(), &it.origins));
    let limit = app_context
        .as_ref()
        .map_or(Duration::MAX, |it| it.request_timeout);
    let (method, progress) = (request.method().clone(), Rc::new(RequestProgress::begin()));
    request.extensions_mut().insert(context);
    let answered = answer(
        request,
        next,
        problem_context.clone(),
        app_context.clone(),
        progress.clone(),
    );
    let task = actix_web::rt::spawn(query_time::track(answered).instrument(span.clone()));
    let error = match timeout(limit, task).await {
        Ok(Ok(answered)) => return answered,
        Ok(Err(panic)) => Error::Internal(anyhow::anyhow!(
            "the request's task ended without an answer: {panic}"
        )),
        Err(_) => {
            progress.abandoned_flag.set(true);
            Error::Unavailable(format!(
                "the request took longer than {limit:?}; its task goes on"
            ))
        }
    };
    let _entered = span.enter();
    tracing::error!(%error, path = problem_context.path, "answered without a result");
    if let Some(app_context) = app_context {
        let (route, status) = (UNKNOWN.into(), error.status_code().as_u16());
        app_context.metrics.answered(
            &method,
            route,
            status,
            progress.started.elapsed(),
            Duration::ZERO,
        );
    }
    Err(abandoned(&error, &problem_context, page))
}

async fn answer(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
    problem_context: ProblemContext,
    app_context: Option<Data<AppContext>>,
    progress: Rc<RequestProgress>,
) -> Result<ServiceResponse<BoxBody>, ActixError> {
    let upgrade = request.head().upgrade();
    let response = next.call(request).await?.map_into_boxed_body();
    report_failure(&response);
    let mut response = problem::render(response, &problem_context);
    if upgrade || app_context.as_ref().is_some_and(|it| it.is_stopping()) {
        // Java's client offers HTTP/2 by `Upgrade`. The offer is not taken; actix closes such a connection, and has to say so
        response
            .response_mut()
            .head_mut()
            .set_connection_type(ConnectionType::Close);
    }
    complete(&mut response, &problem_context);
    if progress.abandoned_flag.get() {
        // its caller was told, and it was counted, when that was done
        let (status, micros) = (
            response.status().as_u16(),
            micros(progress.started.elapsed()),
        );
        tracing::warn!(status, micros, "finished after it was given up");
    } else {
        report(
            &response,
            progress.started,
            app_context.as_ref().map(|it| &it.metrics),
        );
    }
    Ok(response)
}

/// The innermost middleware: lets a request in, or refuses it; inside of what tells pages that they may read the refusal.
pub async fn admit(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, ActixError> {
    let allowed =
        limits::check_head(&request).and_then(|()| match request.app_data::<Data<AppContext>>() {
            Some(it) if !request.path().starts_with(PROBES) => it.gate.enter().map(Some),
            _ => Ok(None),
        });
    head::as_get(&mut request);
    match allowed {
        Ok(_inside) => Ok(next.call(request).await?.map_into_boxed_body()),
        Err(refused) => Ok(request.error_response(refused)),
    }
}

/// The headers of every answer. Those that guard content are left out where there is none to guard: a 304 tells what is news about
/// what its caller keeps (RFC 9110 section 15.4.5), and these headers never are.
fn complete(response: &mut ServiceResponse<BoxBody>, problem_context: &ProblemContext) {
    let (api, docs) = (
        problem_context.path.starts_with(API),
        problem_context.path.starts_with(DOCS),
    );
    let allowance = limits::allowance(response.request());
    let unchanged = response.status() == StatusCode::NOT_MODIFIED;
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&problem_context.request_id) {
        headers.insert(REQUEST_ID, id);
    }
    if api && !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, REVALIDATE);
    }
    for (name, value) in allowance {
        headers.insert(name, value);
    }
    if unchanged {
        return;
    }
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        if docs { DOCS_POLICY } else { NOTHING },
    );
    for (name, value) in SECURITY {
        headers.insert(name, value);
    }
}

/// Tells log, metrics and traces how a request ended.
fn report(response: &ServiceResponse<BoxBody>, started: Instant, metrics: Option<&Metrics>) {
    let (request, status) = (response.request(), response.status().as_u16());
    let (method, elapsed, database) = (request.method(), started.elapsed(), query_time::so_far());
    let route = route(request).unwrap_or_else(|| UNKNOWN.into());
    if tracing::enabled!(tracing::Level::INFO) {
        let extensions = request.extensions();
        let claims = extensions
            .get::<AuthenticatedClaims>()
            .map(|caller| &caller.0);
        let limit = claims
            .and_then(|claims| claims.business_partner_id.as_ref())
            .map(ErpId::as_str);
        tracing::info!(
            %method,
            %route,
            status,
            micros = micros(elapsed),
            database_micros = micros(database),
            subject = claims.map(|claims| claims.sub.as_str()),
            client = claims.and_then(|claims| claims.client_id.as_deref()),
            partner = request.match_info().get("business_partner_id").or(limit),
            "answered"
        );
    }
    traces::record(method.as_str(), &route, status);
    if let Some(metrics) = metrics {
        metrics.answered(method, route, status, elapsed, database);
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// The answer to a request without its task: that panicked, or goes on by itself. The request is not at hand any more, so the
/// problem is written here in full, and a connection that may hold the rest of a body is closed. `page`: the origin of the browser's
/// page that may read it.
fn abandoned(
    error: &Error,
    problem_context: &ProblemContext,
    page: Option<HeaderValue>,
) -> ActixError {
    let mut answer = HttpResponse::build(error.status_code());
    answer
        .insert_header((header::CONTENT_TYPE, problem::MEDIA_TYPE))
        .insert_header((header::CONTENT_LANGUAGE, problem_context.lang.code()))
        .insert_header((header::CACHE_CONTROL, NO_STORE))
        .insert_header((REQUEST_ID, problem_context.request_id.as_str()))
        .force_close();
    for header in problem::headers_of(error) {
        answer.insert_header(header);
    }
    for header in page.into_iter().flat_map(cors::readable_by) {
        answer.insert_header(header);
    }
    InternalError::from_response(
        "abandoned",
        answer.json(Problem::new(error, problem_context)),
    )
    .into()
}

/// A failure of ours is told to the log in full, since the caller learns nothing but the request's id.
fn report_failure(response: &ServiceResponse<BoxBody>) {
    match response
        .response()
        .error()
        .and_then(|error| error.as_error::<Error>())
    {
        Some(Error::Internal(error)) => {
            tracing::error!(error = format!("{error:#}"), "internal error")
        }
        Some(error @ Error::StorageFull(_)) => tracing::error!(%error, "storage full"),
        Some(error @ (Error::Unavailable(_) | Error::Aborted(_) | Error::ConnectionLost(_))) => {
            tracing::warn!(%error, "unavailable");
        }
        _ => {}
    }
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
        let app = test::init_service(
            App::new()
                .wrap(from_fn(surround))
                .route("/falls", web::get().to(falls)),
        )
        .await;
        let request = test::TestRequest::get()
            .uri("/falls")
            .insert_header((REQUEST_ID, "r-1"))
            .to_request();
        let Err(error) = test::try_call_service(&app, request).await else {
            panic!("it fell")
        };
        let answer = error.error_response();
        assert_eq!(answer.status(), 500);
        assert_eq!(
            answer.headers().get(header::CONTENT_TYPE).unwrap(),
            problem::MEDIA_TYPE
        );
        assert_eq!(answer.headers().get(REQUEST_ID).unwrap(), "r-1");
        let problem = actix_web::body::to_bytes(answer.into_body()).await.unwrap();
        let problem: serde_json::Value = serde_json::from_slice(&problem).unwrap();
        assert_eq!(
            (&problem["code"], &problem["request_id"]),
            (&"internal_error".into(), &"r-1".into())
        );
    }
}

//! Runs every request in its own task, with a timeout.
//!
//! actix drops the futures of a request when its client disconnects. A running SQLite statement
//! must not be dropped (its driver panics and poisons the connection), so handlers and extractors
//! run in a task that always finishes, even after a disconnect or a timeout. Abandoned tasks end
//! soon: statements have timeouts, and reading the body of a closed connection fails.

use std::{
    cell::Cell,
    rc::Rc,
    time::{Duration, Instant},
};

use actix_web::{
    Error as ActixError, HttpMessage as _, HttpResponse, ResponseError as _,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    error::InternalError,
    http::{
        ConnectionType,
        header::{self, HeaderValue},
    },
    middleware::Next,
    web::Data,
};
use tokio::time::timeout;
use tracing::Instrument as _;

use super::{
    access_log::{log_abandoned, log_access, log_failure, microseconds},
    security_headers::add_headers,
};
use crate::{
    common::{Error, Result},
    db::query_time,
    http::{
        app_context::AppContext,
        connection_activity::ConnectionActivity,
        cors,
        problem::{self, Problem, ProblemContext},
        request_context::{REQUEST_ID, RequestContext},
        response::NO_STORE,
    },
    telemetry::traces,
};

/// The progress of a request, shared by its task and the middleware that waits for it.
struct RequestProgress {
    started: Instant,
    /// Whether the middleware has responded without waiting for the task.
    abandoned: Cell<bool>,
}

impl RequestProgress {
    fn start() -> Self {
        Self {
            started: Instant::now(),
            abandoned: Cell::new(false),
        }
    }
}

/// The outermost middleware.
pub async fn run_request(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, ActixError> {
    let request_context = RequestContext::new(&request);
    let problem_context = ProblemContext {
        lang: request_context.lang,
        path: request.path().to_owned(),
        request_id: request_context.request_id.clone(),
    };
    let span = traces::span(request.headers(), &request_context.request_id);
    let _active = request
        .conn_data::<ConnectionActivity>()
        .map(ConnectionActivity::begin_request);
    let app_context = request.app_data::<Data<AppContext>>().cloned();
    let origin = app_context
        .as_ref()
        .and_then(|app| cors::allowed_origin(request.headers(), &app.allowed_origins));
    let limit = app_context
        .as_ref()
        .map_or(Duration::MAX, |app| app.request_timeout);
    let method = request.method().clone();
    let progress = Rc::new(RequestProgress::start());
    request.extensions_mut().insert(request_context);

    let response = respond(
        request,
        next,
        problem_context.clone(),
        app_context.clone(),
        progress.clone(),
    );
    let task = actix_web::rt::spawn(query_time::track(response).instrument(span.clone()));
    let error = match timeout(limit, task).await {
        Ok(Ok(response)) => return response,
        Ok(Err(panic)) => Error::Internal(anyhow::anyhow!("the request task failed: {panic}")),
        Err(_) => {
            progress.abandoned.set(true);
            Error::Unavailable(format!("the request timed out after {limit:?}"))
        }
    };

    let _entered = span.enter();
    log_abandoned(
        &error,
        &method,
        &problem_context.path,
        progress.started,
        app_context.as_ref().map(|app| &app.metrics),
    );
    Err(abandoned_response(&error, &problem_context, origin))
}

/// Calls the service and completes its response. Runs in the request's task.
async fn respond(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
    problem_context: ProblemContext,
    app_context: Option<Data<AppContext>>,
    progress: Rc<RequestProgress>,
) -> Result<ServiceResponse<BoxBody>, ActixError> {
    let upgrade = request.head().upgrade();
    let response = next.call(request).await?.map_into_boxed_body();
    log_failure(&response);
    let mut response = problem::render(response, &problem_context);
    let shutting_down = app_context
        .as_ref()
        .is_some_and(|app| app.is_shutting_down());
    // Java's client offers HTTP/2 by `Upgrade`. The offer is declined, but actix closes such a
    // connection anyway, so the response must announce it.
    if upgrade || shutting_down {
        response
            .response_mut()
            .head_mut()
            .set_connection_type(ConnectionType::Close);
    }
    add_headers(&mut response, &problem_context);
    if progress.abandoned.get() {
        // The middleware has already responded, and counted the request.
        tracing::warn!(
            status = response.status().as_u16(),
            duration_us = microseconds(progress.started.elapsed()),
            "abandoned request finished"
        );
    } else {
        let metrics = app_context.as_ref().map(|app| &app.metrics);
        log_access(&response, progress.started, metrics);
    }
    Ok(response)
}

/// The response to a request whose task panicked or timed out.
///
/// The task owns the request, so the outer middleware cannot complete this response: it is
/// rendered in full here. The connection is closed because it may hold the rest of a body.
/// `origin` is the browser origin that may read the response.
fn abandoned_response(
    error: &Error,
    context: &ProblemContext,
    origin: Option<HeaderValue>,
) -> ActixError {
    let mut response = HttpResponse::build(error.status_code());
    response
        .insert_header((header::CONTENT_TYPE, problem::MEDIA_TYPE))
        .insert_header((header::CONTENT_LANGUAGE, context.lang.code()))
        .insert_header((header::CACHE_CONTROL, NO_STORE))
        .insert_header((REQUEST_ID, context.request_id.as_str()))
        .force_close();
    for header in problem::headers_of(error, None) {
        response.insert_header(header);
    }
    for header in origin.into_iter().flat_map(cors::headers_for) {
        response.insert_header(header);
    }
    let response = response.json(Problem::new(error, context));
    InternalError::from_response("abandoned", response).into()
}

#[cfg(test)]
mod tests {
    use actix_web::{
        App,
        middleware::from_fn,
        test::{TestRequest, init_service, try_call_service},
        web,
    };

    use super::*;

    async fn panicking() -> HttpResponse {
        panic!("on purpose")
    }

    #[actix_web::test]
    async fn panicking_handler_returns_500_problem() {
        let app = init_service(
            App::new()
                .wrap(from_fn(run_request))
                .route("/panic", web::get().to(panicking)),
        )
        .await;
        let request = TestRequest::get()
            .uri("/panic")
            .insert_header((REQUEST_ID, "r-1"))
            .to_request();

        let Err(error) = try_call_service(&app, request).await else {
            panic!("the request succeeded")
        };

        let response = error.error_response();
        assert_eq!(response.status(), 500);
        assert_eq!(
            response.headers().get(header::CONTENT_TYPE).unwrap(),
            problem::MEDIA_TYPE
        );
        assert_eq!(response.headers().get(REQUEST_ID).unwrap(), "r-1");
        let body = actix_web::body::to_bytes(response.into_body())
            .await
            .unwrap();
        let problem: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(problem["code"], "internal_error");
        assert_eq!(problem["request_id"], "r-1");
    }
}

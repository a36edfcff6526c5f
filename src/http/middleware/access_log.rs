//! Reports every finished request to the log, the metrics and the trace.

use std::time::{Duration, Instant};

use actix_web::{
    HttpMessage as _, ResponseError as _, body::BoxBody, dev::ServiceResponse, http::Method,
};

use crate::{
    common::{Error, ids::ErpId},
    db::query_time,
    http::request_context::{AuthenticatedClaims, route},
    telemetry::{metrics::Metrics, traces},
};

/// Label for unmatched or abandoned requests.
const UNKNOWN_ROUTE: &str = "unknown";

/// Reports a finished request.
pub fn log_access(
    response: &ServiceResponse<BoxBody>,
    started: Instant,
    metrics: Option<&Metrics>,
) {
    let request = response.request();
    let status = response.status().as_u16();
    let method = request.method();
    let elapsed = started.elapsed();
    let db_time = query_time::so_far();
    let route = route(request).unwrap_or_else(|| UNKNOWN_ROUTE.into());
    if tracing::enabled!(tracing::Level::INFO) {
        let extensions = request.extensions();
        let claims = extensions
            .get::<AuthenticatedClaims>()
            .map(|authenticated| &authenticated.0);
        let limited_to = claims
            .and_then(|claims| claims.business_partner_id.as_ref())
            .map(ErpId::as_str);
        tracing::info!(
            %method,
            %route,
            status,
            duration_us = microseconds(elapsed),
            db_duration_us = microseconds(db_time),
            subject = claims.map(|claims| claims.sub.as_str()),
            actor = claims.and_then(|claims| Some(claims.act.as_ref()?.sub.as_str())),
            client_id = claims.and_then(|claims| claims.client_id.as_deref()),
            business_partner_id = request
                .match_info()
                .get("business_partner_id")
                .or(limited_to),
            "request completed"
        );
    }
    traces::record(method.as_str(), &route, status);
    if let Some(metrics) = metrics {
        metrics.record_response(method, route, status, elapsed, db_time);
    }
}

/// Reports a request whose response was sent without waiting for its task.
pub(super) fn log_abandoned(
    error: &Error,
    method: &Method,
    path: &str,
    started: Instant,
    metrics: Option<&Metrics>,
) {
    tracing::error!(%error, path, "request abandoned: timeout or panic");
    if let Some(metrics) = metrics {
        let status = error.status_code().as_u16();
        let route = UNKNOWN_ROUTE.into();
        metrics.record_response(method, route, status, started.elapsed(), Duration::ZERO);
    }
}

/// Logs server errors in full; the caller only gets the request id.
pub(super) fn log_failure(response: &ServiceResponse<BoxBody>) {
    let error = response
        .response()
        .error()
        .and_then(|error| error.as_error::<Error>());
    match error {
        Some(Error::Internal(error)) => {
            tracing::error!(error = format!("{error:#}"), "internal error");
        }
        Some(error @ Error::StorageFull(_)) => tracing::error!(%error, "storage full"),
        Some(
            error @ (Error::Unavailable(_)
            | Error::MigrationsPending(_)
            | Error::Aborted(_)
            | Error::ConnectionLost(_)),
        ) => tracing::warn!(%error, "unavailable"),
        _ => {}
    }
}

pub(super) fn microseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

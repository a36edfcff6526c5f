//! Traces: a request belongs to the trace of its caller (W3C Trace Context), and is told to a collector (OTLP over HTTP) where
//! one is configured. The log names the trace either way.

use std::sync::atomic::{AtomicBool, Ordering};

use actix_web::http::header::HeaderMap;
use anyhow::Context as _;
use opentelemetry::{
    Context, KeyValue,
    propagation::{Extractor, TextMapPropagator as _},
    trace::{TraceContextExt as _, TracerProvider as _},
};
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::{Resource, propagation::TraceContextPropagator, trace::SdkTracerProvider};
use reqwest::Url;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::{Layer, filter::filter_fn, registry::LookupSpan};

/// Where OTLP over HTTP takes traces, below an endpoint.
const PATH: &str = "v1/traces";
/// Whether spans are sent anywhere.
static EXPORTED: AtomicBool = AtomicBool::new(false);

/// Traces being sent.
pub struct Traces(SdkTracerProvider);

/// Begins to send spans.
pub fn begin(endpoint: &Url) -> anyhow::Result<Traces> {
    let url = format!("{}/{PATH}", endpoint.as_str().trim_end_matches('/'));
    let exporter = SpanExporter::builder()
        .with_http()
        .with_endpoint(url)
        .build()
        .context("OTEL_EXPORTER_OTLP_ENDPOINT cannot be used")?;
    let name = env!("CARGO_PKG_NAME");
    let resource = Resource::builder()
        .with_service_name(name)
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .build();
    let provider = SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_resource(resource)
        .build();
    EXPORTED.store(true, Ordering::Relaxed);
    Ok(Traces(provider))
}

impl Traces {
    /// What hands spans of requests over.
    pub fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: tracing::Subscriber + for<'s> LookupSpan<'s>,
    {
        let tracer = self.0.tracer(env!("CARGO_PKG_NAME"));
        // spans of our own: the exporter's client makes some too, and would report on itself for ever
        let ours = filter_fn(|metadata| {
            metadata.is_span() && metadata.target().starts_with(env!("CARGO_CRATE_NAME"))
        });
        tracing_opentelemetry::layer()
            .with_tracer(tracer)
            .with_filter(ours)
    }

    /// Sends what is left.
    pub fn finish(self) {
        if let Err(error) = self.0.shutdown() {
            tracing::warn!(%error, "the last traces could not be sent");
        }
    }
}

struct Headers<'h>(&'h HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0
            .keys()
            .map(actix_web::http::header::HeaderName::as_str)
            .collect()
    }
}

/// The span of a request, in the trace of its caller if that has one.
pub fn span(headers: &HeaderMap, request_id: &str) -> Span {
    let exported = EXPORTED.load(Ordering::Relaxed);
    let parent = headers
        .contains_key("traceparent")
        .then(|| {
            TraceContextPropagator::new().extract_with_context(&Context::new(), &Headers(headers))
        })
        .filter(|parent| parent.span().span_context().is_valid());
    if parent.is_none() && !exported {
        return tracing::info_span!("request", request_id);
    }
    let span = tracing::info_span!(
        "request",
        request_id,
        trace_id = tracing::field::Empty,
        otel.kind = "server"
    );
    if let Some(parent) = parent {
        span.record(
            "trace_id",
            parent.span().span_context().trace_id().to_string(),
        );
        // an error means that nobody collects spans
        let _ = span.set_parent(parent);
    } else {
        span.record(
            "trace_id",
            span.context().span().span_context().trace_id().to_string(),
        );
    }
    span
}

/// Tells how a request ended, in the words of OpenTelemetry's semantic conventions.
pub fn record(method: &str, route: &str, status: u16) {
    if !EXPORTED.load(Ordering::Relaxed) {
        return;
    }
    let span = Span::current();
    span.context()
        .span()
        .update_name(format!("{method} {route}"));
    span.set_attribute("http.request.method", method.to_owned());
    span.set_attribute("http.route", route.to_owned());
    span.set_attribute("http.response.status_code", i64::from(status));
    if status >= 500 {
        span.set_status(opentelemetry::trace::Status::error(""));
    }
}

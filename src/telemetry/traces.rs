//! Traces. A request joins its caller's trace (W3C Trace Context), and its span is exported over
//! OTLP/HTTP if a collector is configured. The log contains the trace id in both cases.

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

/// Path of OTLP over HTTP for traces, relative to the endpoint.
const TRACES_PATH: &str = "v1/traces";
/// Whether spans are exported.
static EXPORTED: AtomicBool = AtomicBool::new(false);

/// The exporter of traces.
pub struct Traces(SdkTracerProvider);

/// Creates the exporter. It owns a blocking HTTP client, so this must not be called inside an async
/// runtime.
pub fn init(endpoint: &Url) -> anyhow::Result<Traces> {
    let url = format!("{}/{TRACES_PATH}", endpoint.as_str().trim_end_matches('/'));
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
    /// The layer that exports request spans.
    pub fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: tracing::Subscriber + for<'s> LookupSpan<'s>,
    {
        let tracer = self.0.tracer(env!("CARGO_PKG_NAME"));
        // Spans of the exporter's own HTTP client would be exported too, and cause new ones.
        let own_spans = filter_fn(|metadata| {
            metadata.is_span() && metadata.target().starts_with(env!("CARGO_CRATE_NAME"))
        });
        tracing_opentelemetry::layer()
            .with_tracer(tracer)
            .with_filter(own_spans)
    }

    /// Exports the remaining spans.
    pub fn shutdown(self) {
        if let Err(error) = self.0.shutdown() {
            tracing::warn!(%error, "cannot export the last traces");
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

/// The span of a request. Joins the caller's trace if there is one.
pub fn span(headers: &HeaderMap, request_id: &str) -> Span {
    let parent = headers
        .contains_key("traceparent")
        .then(|| {
            TraceContextPropagator::new().extract_with_context(&Context::new(), &Headers(headers))
        })
        .filter(|parent| parent.span().span_context().is_valid());
    if parent.is_none() && !EXPORTED.load(Ordering::Relaxed) {
        return tracing::info_span!("request", request_id);
    }
    let span = tracing::info_span!(
        "request",
        request_id,
        trace_id = tracing::field::Empty,
        otel.kind = "server"
    );
    let trace_id = match parent {
        Some(parent) => {
            let trace_id = parent.span().span_context().trace_id();
            // Fails only without an OpenTelemetry layer, when nothing is exported.
            let _ = span.set_parent(parent);
            trace_id
        }
        None => span.context().span().span_context().trace_id(),
    };
    span.record("trace_id", trace_id.to_string());
    span
}

/// Records the outcome of the current request, following `OpenTelemetry`'s semantic conventions.
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

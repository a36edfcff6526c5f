//! Prometheus metrics of one instance.
//!
//! `prometheus_client` has no global registry, so several instances in one process do not share
//! metrics. The size of the histograms is fixed: it does not depend on how often they are scraped.

mod sources;
mod writer;

use std::{fmt, sync::Arc, time::Duration};

use actix_web::http::Method;
use prometheus_client::{
    encoding::{EncodeLabelSet, text},
    metrics::{family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

pub use sources::{CacheSample, DecisionsSample, LookupsSample, PoolSample, Source, Sources};

use self::sources::SourceCollector;

/// Upper bounds of the histogram buckets, in seconds: from a cache hit to the longest timeout.
const BUCKETS: [f64; 14] = [
    0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 15.0,
];

/// Labels of `http_request_duration_seconds`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: &'static str,
    route: Arc<str>,
    status: u16,
}

/// The metrics of one instance.
pub struct Metrics {
    registry: Registry,
    request_duration: Family<RequestLabels, Histogram, fn() -> Histogram>,
    db_time: Histogram,
    ready: Gauge,
}

fn histogram() -> Histogram {
    Histogram::new(BUCKETS)
}

impl Metrics {
    /// Creates the metrics of a new instance. Sets its start time to now.
    pub fn new(sources: Sources) -> Self {
        let mut registry = Registry::default();
        let request_duration = Family::new_with_constructor(histogram as fn() -> Histogram);
        let db_time = histogram();
        registry.register(
            "http_request_duration_seconds",
            "Response times",
            request_duration.clone(),
        );
        registry.register(
            "db_time_per_request_seconds",
            "Time that requests waited for the database; excludes requests without database access",
            db_time.clone(),
        );
        let ready = Gauge::default();
        registry.register(
            "ready",
            "Whether the instance can serve requests: 1, otherwise 0",
            ready.clone(),
        );
        registry.register_collector(Box::new(SourceCollector::new(sources)));
        Self {
            registry,
            request_duration,
            db_time,
            ready,
        }
    }

    /// Records a response.
    pub fn record_response(
        &self,
        method: &Method,
        route: Arc<str>,
        status: u16,
        duration: Duration,
        db_time: Duration,
    ) {
        let labels = RequestLabels {
            method: method_label(method),
            route,
            status,
        };
        self.request_duration
            .get_or_create(&labels)
            .observe(duration.as_secs_f64());
        if !db_time.is_zero() {
            self.db_time.observe(db_time.as_secs_f64());
        }
    }

    /// All metrics in the `OpenMetrics` text format. `ready`: whether the instance can serve
    /// requests.
    pub fn text(&self, ready: bool) -> Result<String, fmt::Error> {
        self.ready.set(ready.into());
        let mut text = String::new();
        text::encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

/// Unknown methods share one label, so that callers cannot create any number of time series.
fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

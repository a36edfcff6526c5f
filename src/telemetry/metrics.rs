//! Prometheus metrics of one instance.
//!
//! `prometheus_client` has no global registry, so several instances in one process do not share
//! metrics. The size of the histograms is fixed: it does not depend on how often they are scraped.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use actix_web::http::Method;
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric as _, text},
    metrics::{
        MetricType,
        counter::ConstCounter,
        family::Family,
        gauge::{ConstGauge, Gauge},
        histogram::Histogram,
    },
    registry::Registry,
};

use super::{
    build_info::{REVISION, VERSION},
    process::ProcessSample,
};

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

/// Reads the current value of a metric.
pub type Source<T> = Box<dyn Fn() -> T + Send + Sync>;

/// The sources of all values that are read when metrics are scraped.
pub struct Sources {
    /// The name of the database system.
    pub database: &'static str,
    pub requests_in_progress: Source<u64>,
    pub db_pool: Source<PoolSample>,
    pub decisions: Source<DecisionsSample>,
    pub policy_cache: Source<CacheSample>,
    pub page_cache: Source<CacheSample>,
    pub token_cache: Source<LookupsSample>,
    /// Number of requests rejected with 401, by reason.
    pub token_rejections: Source<Vec<(&'static str, u64)>>,
    /// Time since the keys of each issuer were last read.
    pub jwks_ages: Source<Vec<(String, Duration)>>,
}

/// Connections to the database.
#[derive(Debug, Clone, Copy)]
pub struct PoolSample {
    pub idle: u64,
    pub used: u64,
    /// Maximum number of connections.
    pub size: u64,
    /// Requests waiting for a connection.
    pub pending: u64,
}

/// Decisions since the start.
#[derive(Debug, Clone, Copy)]
pub struct DecisionsSample {
    pub visible_tickets: u64,
    pub hidden_tickets: u64,
    pub invalid_tickets: u64,
    pub allowed_creations: u64,
    pub refused_creations: u64,
    pub allowed_approvals: u64,
    pub refused_approvals: u64,
}

/// Cache lookups since the start.
#[derive(Debug, Clone, Copy)]
pub struct LookupsSample {
    pub hit: u64,
    /// Cached, but outdated.
    pub stale: u64,
    pub miss: u64,
}

/// State of a cache.
#[derive(Debug, Clone, Copy)]
pub struct CacheSample {
    pub lookups: LookupsSample,
    /// Approximate memory.
    pub bytes: u64,
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
        registry.register_collector(Box::new(SourceCollector {
            sources,
            started: SystemTime::now(),
        }));
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

/// Reads the sources when metrics are scraped.
struct SourceCollector {
    sources: Sources,
    started: SystemTime,
}

impl fmt::Debug for SourceCollector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SourceCollector").finish_non_exhaustive()
    }
}

impl Collector for SourceCollector {
    fn encode(&self, encoder: DescriptorEncoder) -> fmt::Result {
        let mut writer = Writer(encoder);
        self.encode_build(&mut writer)?;
        self.encode_process(&mut writer)?;
        self.encode_pool(&mut writer)?;
        self.encode_decisions(&mut writer)?;
        self.encode_caches(&mut writer)?;
        self.encode_tokens(&mut writer)
    }
}

impl SourceCollector {
    fn encode_build(&self, writer: &mut Writer<'_>) -> fmt::Result {
        let labels = [
            ("version", VERSION),
            ("revision", REVISION),
            ("database", self.sources.database),
        ];
        let mut family = writer.0.encode_descriptor(
            "build_info",
            "Version of the program; always 1",
            None,
            MetricType::Gauge,
        )?;
        gauge(1).encode(family.encode_family(&labels)?)
    }

    fn encode_process(&self, writer: &mut Writer<'_>) -> fmt::Result {
        let started = self.started.duration_since(UNIX_EPOCH).unwrap_or_default();
        writer.gauge(
            "process_start_time_seconds",
            "Start time, Unix epoch",
            started.as_secs(),
        )?;
        let process = ProcessSample::read();
        if let Some(seconds) = process.cpu_seconds {
            writer.cpu_time(seconds)?;
        }
        for (name, help, value) in [
            (
                "process_resident_memory_bytes",
                "Memory in use",
                process.resident_memory_bytes,
            ),
            (
                "process_virtual_memory_bytes",
                "Reserved address space",
                process.virtual_memory_bytes,
            ),
            (
                "process_open_fds",
                "Open files and connections",
                process.open_fds,
            ),
            (
                "process_max_fds",
                "Maximum number of open files and connections",
                process.max_fds,
            ),
            ("process_threads", "Threads", process.threads),
        ] {
            if let Some(value) = value {
                writer.gauge(name, help, value)?;
            }
        }
        writer.gauge(
            "http_requests_in_progress",
            "Requests being handled; probes excluded",
            (self.sources.requests_in_progress)(),
        )
    }

    fn encode_pool(&self, writer: &mut Writer<'_>) -> fmt::Result {
        let pool = (self.sources.db_pool)();
        writer.gauges(
            "database_pool_connections",
            "Open database connections",
            "state",
            [("idle", pool.idle), ("used", pool.used)],
        )?;
        writer.gauge(
            "database_pool_size",
            "Maximum number of database connections",
            pool.size,
        )?;
        writer.gauge(
            "db_pool_pending",
            "Requests waiting for a database connection",
            pool.pending,
        )
    }

    fn encode_decisions(&self, writer: &mut Writer<'_>) -> fmt::Result {
        let decisions = (self.sources.decisions)();
        writer.counters(
            "ticket_visibility_decisions",
            "Decisions on tickets",
            "outcome",
            [
                ("visible", decisions.visible_tickets),
                ("hidden", decisions.hidden_tickets),
                ("invalid", decisions.invalid_tickets),
            ],
        )?;
        writer.counters(
            "ticket_creation_decisions",
            "Decisions on new tickets",
            "outcome",
            [
                ("allowed", decisions.allowed_creations),
                ("refused", decisions.refused_creations),
            ],
        )?;
        writer.counters(
            "ticket_approval_decisions",
            "Decisions on releasing tickets",
            "outcome",
            [
                ("allowed", decisions.allowed_approvals),
                ("refused", decisions.refused_approvals),
            ],
        )
    }

    fn encode_caches(&self, writer: &mut Writer<'_>) -> fmt::Result {
        let policies = (self.sources.policy_cache)();
        writer.lookups(
            "policy_cache_lookups",
            "Lookups of compiled policies",
            policies.lookups,
        )?;
        writer.gauge(
            "decisions_policies_bytes",
            "Approximate memory of compiled policies",
            policies.bytes,
        )?;
        let pages = (self.sources.page_cache)();
        writer.lookups("page_cache_lookups", "Lookups of pages", pages.lookups)?;
        writer.gauge(
            "http_pages_bytes",
            "Approximate memory of cached pages",
            pages.bytes,
        )
    }

    fn encode_tokens(&self, writer: &mut Writer<'_>) -> fmt::Result {
        writer.lookups(
            "token_cache_lookups",
            "Lookups of verified tokens",
            (self.sources.token_cache)(),
        )?;
        writer.counters(
            "tokens_rejected",
            "Requests rejected with 401",
            "reason",
            (self.sources.token_rejections)(),
        )?;
        let ages = (self.sources.jwks_ages)();
        writer.gauges(
            "jwks_age_seconds",
            "Time since the keys of an issuer were last read",
            "issuer",
            ages.iter()
                .map(|(issuer, age)| (issuer.as_str(), age.as_secs())),
        )
    }
}

struct Writer<'e>(DescriptorEncoder<'e>);

impl Writer<'_> {
    fn gauge(&mut self, name: &str, help: &str, value: u64) -> fmt::Result {
        let encoder = self
            .0
            .encode_descriptor(name, help, None, MetricType::Gauge)?;
        gauge(value).encode(encoder)
    }

    fn cpu_time(&mut self, seconds: f64) -> fmt::Result {
        let encoder = self.0.encode_descriptor(
            "process_cpu_seconds",
            "Processor time used",
            None,
            MetricType::Counter,
        )?;
        ConstCounter::new(seconds).encode(encoder)
    }

    fn gauges<'v>(
        &mut self,
        name: &str,
        help: &str,
        label: &str,
        values: impl IntoIterator<Item = (&'v str, u64)>,
    ) -> fmt::Result {
        let mut family = self
            .0
            .encode_descriptor(name, help, None, MetricType::Gauge)?;
        for (label_value, value) in values {
            gauge(value).encode(family.encode_family(&[(label, label_value)])?)?;
        }
        Ok(())
    }

    fn counters<'v>(
        &mut self,
        name: &str,
        help: &str,
        label: &str,
        values: impl IntoIterator<Item = (&'v str, u64)>,
    ) -> fmt::Result {
        let mut family = self
            .0
            .encode_descriptor(name, help, None, MetricType::Counter)?;
        for (label_value, value) in values {
            ConstCounter::new(value).encode(family.encode_family(&[(label, label_value)])?)?;
        }
        Ok(())
    }

    fn lookups(&mut self, name: &str, help: &str, lookups: LookupsSample) -> fmt::Result {
        self.counters(
            name,
            help,
            "result",
            [
                ("hit", lookups.hit),
                ("stale", lookups.stale),
                ("miss", lookups.miss),
            ],
        )
    }
}

fn gauge(value: u64) -> ConstGauge {
    ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX))
}

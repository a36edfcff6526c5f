//! Metrics for Prometheus, told on a listener of their own.
//!
//! prometheus-client has no global registry, so each instance in a process has its own numbers, and its histograms are of fixed
//! size, whether anybody fetches them or not.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use actix_web::http::Method;
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric as _, text},
    metrics::{
        MetricType, counter::ConstCounter, family::Family, gauge::ConstGauge, histogram::Histogram,
    },
    registry::Registry,
};

use crate::{
    common::counters::Count,
    db::Db,
    decisions::{DecisionStats, PolicyCache},
    http::{limits::Gate, page_cache::PageCache},
    tokens::Verifier,
};

/// Upper ends of the classes of durations, in seconds: from an answer from memory to the longest time-out.
const SECONDS: [f64; 14] = [
    0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 15.0,
];

/// What tells requests apart.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    method: &'static str,
    route: Arc<str>,
    status: u16,
}

/// The metrics of one instance.
pub struct Metrics {
    registry: Registry,
    requests: Family<Answered, Histogram, fn() -> Histogram>,
    database: Histogram,
}

/// What is looked at when metrics are fetched.
#[derive(Clone)]
pub struct Sources {
    pub db: Db,
    pub policy_cache: Arc<PolicyCache>,
    pub pages: Arc<PageCache>,
    pub verifier: Arc<Verifier>,
    pub gate: Gate,
}

fn histogram() -> Histogram {
    Histogram::new(SECONDS)
}

impl Metrics {
    /// Nothing has been counted yet.
    pub fn new(sources: Sources) -> Self {
        let mut registry = Registry::default();
        let requests = Family::new_with_constructor(histogram as fn() -> Histogram);
        let database = histogram();
        registry.register(
            "http_request_duration_seconds",
            "Time until requests were answered",
            requests.clone(),
        );
        registry.register(
            "database_request_duration_seconds",
            "Time that requests waited for the database, those that did not left out",
            database.clone(),
        );
        registry.register_collector(Box::new(Scraped {
            sources,
            started: Instant::now(),
        }));
        Self {
            registry,
            requests,
            database,
        }
    }

    /// A request was answered.
    pub fn answered(
        &self,
        method: &Method,
        route: Arc<str>,
        status: u16,
        elapsed: Duration,
        database: Duration,
    ) {
        let method = known(method);
        self.requests
            .get_or_create(&Answered {
                method,
                route,
                status,
            })
            .observe(elapsed.as_secs_f64());
        if !database.is_zero() {
            self.database.observe(database.as_secs_f64());
        }
    }

    /// All metrics, in the text format of `OpenMetrics`.
    pub fn text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        text::encode(&mut text, &self.registry).map(|()| text)
    }
}

/// Callers may make up methods, but no new series with them.
fn known(method: &Method) -> &'static str {
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

/// Sources, and since when they have been there.
struct Scraped {
    sources: Sources,
    started: Instant,
}

impl fmt::Debug for Scraped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scraped").finish_non_exhaustive()
    }
}

impl Collector for Scraped {
    fn encode(&self, encoder: DescriptorEncoder) -> fmt::Result {
        let Sources {
            db,
            policy_cache,
            pages,
            verifier,
            gate,
        } = &self.sources;
        let mut out = Out(encoder);
        out.gauge(
            "uptime_seconds",
            "Time since the start",
            self.started.elapsed().as_secs(),
        )?;
        out.gauge(
            "http_requests_in_progress",
            "Requests being handled, probes left out",
            gate.inside() as u64,
        )?;
        let pool = db.pool();
        let (help, values) = (
            "Connections to the database",
            [("idle", pool.idle), ("used", pool.used)],
        );
        out.gauges("database_pool_connections", help, "state", values)?;
        out.gauge(
            "database_pool_size",
            "Most connections to the database",
            pool.most,
        )?;
        out.gauge(
            "database_pool_waiting",
            "Requests that wait for a connection",
            pool.waiting,
        )?;
        let DecisionStats {
            visible,
            hidden,
            invalid,
            allowed,
            denied,
            policy_lookups,
        } = &policy_cache.stats;
        let outcomes = [("visible", visible), ("hidden", hidden), ("wrong", invalid)];
        out.counters(
            "decisions_tickets",
            "Tickets decided on",
            "outcome",
            outcomes,
        )?;
        let outcomes = [("allowed", allowed), ("refused", denied)];
        out.counters(
            "decisions_creations",
            "Creations decided on",
            "outcome",
            outcomes,
        )?;
        let help = "Compiled policies asked for; stale: kept, but not of the revision in force";
        out.counters("decisions_policies", help, "found", policy_lookups.named())?;
        out.gauge(
            "decisions_policies_bytes",
            "Memory of compiled policies, roughly",
            policy_cache.bytes(),
        )?;
        let help = "Pages that may be kept, asked for; stale: kept, but not as it is now";
        out.counters("http_pages", help, "found", pages.lookups.named())?;
        out.gauge(
            "http_pages_bytes",
            "Memory of pages that are kept, roughly",
            pages.bytes(),
        )?;
        let found = [
            ("remembered", &verifier.remembered),
            ("judged", &verifier.judged),
        ];
        out.counters("tokens_accepted", "Good tokens", "found", found)?;
        let help = "Time since the keys of an issuer of tokens were read";
        let ages = verifier
            .ages_of_keys()
            .map(|(issuer, age)| (issuer, age.as_secs()));
        out.gauges("tokens_keys_age_seconds", help, "issuer", ages)
    }
}

/// Writes metrics.
struct Out<'e>(DescriptorEncoder<'e>);

impl Out<'_> {
    fn gauge(&mut self, name: &str, help: &str, value: u64) -> fmt::Result {
        gauge(value).encode(
            self.0
                .encode_descriptor(name, help, None, MetricType::Gauge)?,
        )
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
        values
            .into_iter()
            .try_for_each(|(of, value)| gauge(value).encode(family.encode_family(&[(label, of)])?))
    }

    fn counters<'v>(
        &mut self,
        name: &str,
        help: &str,
        label: &str,
        values: impl IntoIterator<Item = (&'v str, &'v Count)>,
    ) -> fmt::Result {
        let mut family = self
            .0
            .encode_descriptor(name, help, None, MetricType::Counter)?;
        values.into_iter().try_for_each(|(of, count)| {
            ConstCounter::new(count.now()).encode(family.encode_family(&[(label, of)])?)
        })
    }
}

fn gauge(value: u64) -> ConstGauge {
    ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX))
}

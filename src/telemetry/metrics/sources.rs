//! Values that are read when metrics are scraped.

use std::{
    fmt,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use prometheus_client::{collector::Collector, encoding::DescriptorEncoder};

use super::writer::Writer;
use crate::telemetry::{
    build_info::{REVISION, VERSION},
    process::ProcessSample,
};

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

/// Reads the sources when metrics are scraped.
pub(super) struct SourceCollector {
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
        let mut writer = Writer::new(encoder);
        self.encode_build(&mut writer)?;
        self.encode_process(&mut writer)?;
        self.encode_requests(&mut writer)?;
        self.encode_pool(&mut writer)?;
        self.encode_decisions(&mut writer)?;
        self.encode_caches(&mut writer)?;
        self.encode_tokens(&mut writer)
    }
}

impl SourceCollector {
    /// Sets the start time of the instance to now.
    pub(super) fn new(sources: Sources) -> Self {
        Self {
            sources,
            started: SystemTime::now(),
        }
    }

    fn encode_build(&self, writer: &mut Writer<'_>) -> fmt::Result {
        writer.info(
            "build_info",
            "Version of the program; always 1",
            &[
                ("version", VERSION),
                ("revision", REVISION),
                ("database", self.sources.database),
            ],
        )
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
        Ok(())
    }

    fn encode_requests(&self, writer: &mut Writer<'_>) -> fmt::Result {
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

//! Configuration. Every setting is an environment variable and an argument of the same name.
//!
//! clap would stop at the first malformed value. Arguments are therefore parsed as text and
//! validated here, so that all configuration errors are reported together ([`errors`]).

mod claims;
mod database;
mod demo;
mod errors;
mod issuers;
mod limits;
mod log;
mod server;
mod tokens;

use std::{fmt::Display, time::Duration};

use reqwest::Url;

pub use database::DatabaseArgs;
pub use demo::DemoKey;
pub use errors::ConfigErrors;
use errors::non_empty;
pub use limits::{BODY_TIMEOUT, Limits, RateLimit};
pub use log::LogArgs;
pub use server::{ANY_LOCALHOST_PORT, ServerArgs, ShutdownConfig};
use server::{validate_address, validate_endpoint, validate_origins, validate_public_url};
pub use tokens::TokenArgs;

use crate::{
    db::{DatabaseUrl, DbOptions},
    telemetry::logging::LogSettings,
    tokens::TokenSettings,
};

/// Default of `BIND_ADDRESS`.
pub const DEFAULT_BIND_ADDRESS: &str = "127.0.0.1:8080";

/// Configuration of the service.
#[derive(Debug, Clone)]
pub struct Config {
    pub bind_address: String,
    pub database: DatabaseUrl,
    pub database_options: DbOptions,
    pub tokens: TokenSettings,
    /// URL at which clients reach the service; `None`: as in each request.
    pub public_url: Option<Url>,
    /// Browser origins that may call the API.
    pub cors_allowed_origins: Vec<String>,
    pub worker_threads: usize,
    pub migrate_on_start: bool,
    /// Approximate cache size for compiled policies and accesses.
    pub decision_cache_bytes: u64,
    /// Approximate cache size for pages of lists; 0 disables the cache.
    pub page_cache_bytes: u64,
    pub limits: Limits,
    pub stopping: ShutdownConfig,
    /// Address of the metrics listener; `None`: no metrics are served.
    pub metrics_bind_address: Option<String>,
    /// Trace collector; `None`: no traces are sent.
    pub otlp_endpoint: Option<Url>,
}

impl Config {
    /// Validates the arguments of `serve`. `demo` provides defaults for the database and tokens.
    pub fn new(
        server: ServerArgs,
        database: DatabaseArgs,
        tokens: TokenArgs,
        log: &LogArgs,
        demo: bool,
    ) -> Result<(LogSettings, Self), ConfigErrors> {
        let mut errors = ConfigErrors::default();
        let log = log.validate(&mut errors);
        let config = Self::validate(server, database, tokens, demo, &mut errors);
        errors.finish(log.zip(config))
    }

    /// `None` if a required setting is missing or invalid.
    fn validate(
        server: ServerArgs,
        database: DatabaseArgs,
        tokens: TokenArgs,
        demo: bool,
        errors: &mut ConfigErrors,
    ) -> Option<Self> {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let (database, database_options) = database.validate(demo, errors);
        let tokens = tokens.validate(demo.then_some(DemoKey::CreateIfMissing), errors);
        // Required settings are unwrapped last, so that the errors of all others are collected.
        Some(Self {
            stopping: server.shutdown(errors),
            decision_cache_bytes: server.decision_cache_bytes(errors),
            page_cache_bytes: server.page_cache_bytes(errors),
            public_url: validate_public_url(server.public_url, errors),
            bind_address: validate_address("BIND_ADDRESS", server.bind_address, errors),
            worker_threads: errors.number("WORKER_THREADS", server.worker_threads, 1..=1024, cores),
            migrate_on_start: errors.bool("MIGRATE_ON_START", server.migrate_on_start, true),
            cors_allowed_origins: validate_origins(server.cors_allowed_origins, demo, errors),
            limits: server.limits.validate(errors),
            metrics_bind_address: non_empty(server.metrics_bind_address)
                .map(|address| validate_address("METRICS_BIND_ADDRESS", address, errors)),
            otlp_endpoint: validate_endpoint(server.otel_exporter_otlp_endpoint, errors),
            database_options,
            database: database?,
            tokens: tokens?,
        })
    }
}

/// Help text of an argument with its default.
fn help(text: &str, default: impl Display) -> String {
    format!("{text} [default: {default}]")
}

/// Help text of an argument with its default duration.
fn help_duration(text: &str, default: Duration) -> String {
    help(text, humantime::format_duration(default))
}

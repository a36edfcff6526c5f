//! Settings: every one is an environment variable and an argument of the same name. What comes out is typed and valid; what is
//! wrong is told all at once ([`errors`]). So arguments are taken as texts and judged here: clap would stop at the first
//! wrong one.

mod demo;
mod errors;
mod limits;
mod tokens;

use std::time::Duration;

use clap::Args;
use reqwest::Url;
use tracing_subscriber::EnvFilter;

pub use errors::ConfigErrors;
use errors::non_empty;
use limits::LimitArgs;
pub use limits::{Limits, RateLimit};
pub use tokens::TokenArgs;

use crate::{
    db::{DatabaseUrl, DbOptions},
    tokens::TokenSettings,
};

/// The database.
#[derive(Debug, Clone, Args)]
pub struct DatabaseArgs {
    /// Where the data is: `sqlite://path/to/file.db`, or `postgres://user:password@host/database`
    #[arg(long, env, hide_env_values = true)]
    database_url: Option<String>,
    /// File with that URL
    #[arg(long, env)]
    database_url_file: Option<String>,
    /// Connections to PostgreSQL, or SQLite connections for reading [default: 16]
    #[arg(long, env)]
    database_pool_size: Option<String>,
}

/// The server.
#[derive(Debug, Clone, Args)]
pub struct ServerArgs {
    /// Address to listen on; port 0 takes a free one
    #[arg(long, env, default_value = "127.0.0.1:8080")]
    bind_address: String,
    /// Origins of browsers' pages that may call, separated by commas
    #[arg(long, env, value_delimiter = ',')]
    cors_allowed_origins: Vec<String>,
    /// Threads that handle requests [default: one per core]
    #[arg(long, env)]
    worker_threads: Option<String>,
    /// Memory for what decisions are made from, in MiB [default: 64]
    #[arg(long, env)]
    decision_cache_mib: Option<String>,
    /// Memory for pages of lists that were read before, in MiB; 0 keeps none [default: 16]
    #[arg(long, env)]
    page_cache_mib: Option<String>,
    /// Bring the schema up to date before serving; several instances may do so at once [default: true]
    #[arg(long, env)]
    migrate_on_start: Option<String>,
    #[command(flatten)]
    limits: LimitArgs,
    /// Address of the listener for metrics (Prometheus), apart from the API
    #[arg(long, env)]
    metrics_bind_address: Option<String>,
    /// Collector of traces (OTLP over HTTP), such as `http://collector:4318`
    #[arg(long, env)]
    otel_exporter_otlp_endpoint: Option<String>,
    /// After SIGTERM: how long readiness says no while requests are still taken [default: 0s]
    #[arg(long, env)]
    shutdown_delay: Option<String>,
    /// How long running requests may take to finish after that [default: 20s]
    #[arg(long, env)]
    shutdown_timeout: Option<String>,
}

/// The log.
#[derive(Debug, Clone, Args)]
pub struct LogArgs {
    /// Form of the log's lines: `pretty` or `json`
    #[arg(long, env, default_value = "pretty")]
    log_format: String,
    /// What to log, as a filter of tracing; `actix_http` tells every bad request of any client as an error of its own
    /// [default: `info,actix_http=off`]
    #[arg(long, env)]
    rust_log: Option<String>,
}

/// What is logged where nothing else is said.
const LOGGED: &str = "info,actix_http=off";

/// How the log is written.
#[derive(Debug)]
pub struct LogSettings {
    pub json: bool,
    pub filter: EnvFilter,
}

/// How the service stops.
#[derive(Debug, Clone, Copy)]
pub struct ShutdownConfig {
    /// How long readiness says no while requests are still taken.
    pub delay: Duration,
    /// How long running requests may take to finish after that.
    pub timeout: Duration,
}

impl Default for ShutdownConfig {
    fn default() -> Self {
        Self {
            delay: Duration::ZERO,
            timeout: Duration::from_secs(20),
        }
    }
}

/// Bytes of a mebibyte.
const MEBIBYTE: u64 = 1024 * 1024;

/// Everything [`crate::app::App::build`] needs.
#[derive(Debug, Clone)]
pub struct Config {
    pub bind_address: String,
    pub database: DatabaseUrl,
    pub database_options: DbOptions,
    pub tokens: TokenSettings,
    pub cors_allowed_origins: Vec<String>,
    pub worker_threads: usize,
    pub migrate_on_start: bool,
    /// Memory for compiled policies and the accesses that ask, in bytes.
    pub decision_cache_bytes: u64,
    /// Memory for pages that were read before, in bytes.
    pub page_cache_bytes: u64,
    pub limits: Limits,
    pub stopping: ShutdownConfig,
    /// Where metrics are told.
    pub metrics_bind_address: Option<String>,
    /// Where traces are sent.
    pub otlp_endpoint: Option<Url>,
}

impl Config {
    /// Judges the arguments of `serve`.
    pub fn new(
        server: ServerArgs,
        database: DatabaseArgs,
        tokens: TokenArgs,
        log: &LogArgs,
        demo: bool,
    ) -> Result<(LogSettings, Self), ConfigErrors> {
        let mut errors = ConfigErrors::default();
        let log = log.settings(&mut errors);
        let config = Self::judged(server, database, tokens, demo, &mut errors);
        errors.finish(log.zip(config))
    }

    fn judged(
        server: ServerArgs,
        database: DatabaseArgs,
        tokens: TokenArgs,
        demo: bool,
        errors: &mut ConfigErrors,
    ) -> Option<Self> {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let (database, database_options) = database.settings(demo, errors);
        let tokens = tokens.settings(demo, errors);
        let decisions: u64 = errors.number(
            "DECISION_CACHE_MIB",
            server.decision_cache_mib,
            1..=65_536,
            64,
        );
        let pages: u64 = errors.number("PAGE_CACHE_MIB", server.page_cache_mib, 0..=65_536, 16);
        let (minute, hour) = (Duration::from_mins(1), Duration::from_hours(1));
        let stopping = ShutdownConfig::default();
        let endpoint = non_empty(server.otel_exporter_otlp_endpoint).map(|text| {
            text.parse()
                .map_err(|error| format!("OTEL_EXPORTER_OTLP_ENDPOINT is not a URL: {error}"))
        });
        Some(Self {
            bind_address: address("BIND_ADDRESS", server.bind_address, errors),
            worker_threads: errors.number("WORKER_THREADS", server.worker_threads, 1..=1024, cores),
            migrate_on_start: errors.bool("MIGRATE_ON_START", server.migrate_on_start, true),
            decision_cache_bytes: decisions * MEBIBYTE,
            page_cache_bytes: pages * MEBIBYTE,
            cors_allowed_origins: origins(server.cors_allowed_origins, errors),
            limits: server.limits.judged(errors),
            stopping: ShutdownConfig {
                delay: errors.duration(
                    "SHUTDOWN_DELAY",
                    server.shutdown_delay,
                    Duration::ZERO..=hour,
                    stopping.delay,
                ),
                timeout: errors.duration(
                    "SHUTDOWN_TIMEOUT",
                    server.shutdown_timeout,
                    Duration::from_secs(1)..=minute * 10,
                    stopping.timeout,
                ),
            },
            metrics_bind_address: non_empty(server.metrics_bind_address)
                .map(|it| address("METRICS_BIND_ADDRESS", it, errors)),
            otlp_endpoint: endpoint.and_then(|it: Result<Url, String>| errors.collect(it)),
            database_options,
            database: database?,
            tokens: tokens?,
        })
    }
}

impl DatabaseArgs {
    /// Which database; the demo has one of its own when none is named.
    pub fn settings(
        self,
        demo: bool,
        errors: &mut ConfigErrors,
    ) -> (Option<DatabaseUrl>, DbOptions) {
        let default = DbOptions::default();
        let pool_size = errors.number(
            "DATABASE_POOL_SIZE",
            self.database_pool_size,
            1..=1000,
            default.pool_size,
        );
        let options = DbOptions {
            pool_size,
            ..default
        };
        let named = non_empty(self.database_url.clone())
            .or(non_empty(self.database_url_file.clone()))
            .is_some();
        let url = errors.text_or_file("DATABASE_URL", self.database_url, self.database_url_file);
        let Some(url) = url.or_else(|| (demo && !named).then(demo::database_url)) else {
            if !named {
                errors
                    .add("DATABASE_URL is not set: name a database, such as sqlite://data/customer-integration.db");
            }
            return (None, options);
        };
        let url = errors.collect(url.parse());
        if let (true, Some(DatabaseUrl::Sqlite(_))) = (demo, &url) {
            errors.collect(demo::make_directory());
        }
        (url, options)
    }
}

impl LogArgs {
    /// How the log is to be written.
    pub fn settings(&self, errors: &mut ConfigErrors) -> Option<LogSettings> {
        let filter = non_empty(self.rust_log.clone()).unwrap_or_else(|| LOGGED.to_owned());
        let filter =
            EnvFilter::try_new(filter).map_err(|error| format!("RUST_LOG cannot be used: {error}"));
        let json = match self.log_format.as_str() {
            "json" => true,
            "pretty" | "" => false,
            other => {
                errors.add(format!("LOG_FORMAT must be pretty or json: {other}"));
                false
            }
        };
        errors
            .collect(filter)
            .map(|filter| LogSettings { json, filter })
    }
}

/// An address as it is written: a host and a port.
fn address(name: &str, given: String, errors: &mut ConfigErrors) -> String {
    if given
        .rsplit_once(':')
        .is_none_or(|(host, port)| host.is_empty() || port.parse::<u16>().is_err())
    {
        errors.add(format!("{name} is written host:port: {given}"));
    }
    given
}

/// Origins of browsers' pages: scheme, host and perhaps a port, as browsers send them. Empty ones are left out, because an
/// environment file sets empty variables easily.
fn origins(given: Vec<String>, errors: &mut ConfigErrors) -> Vec<String> {
    let given: Vec<_> = given
        .into_iter()
        .map(|origin| origin.trim().to_owned())
        .filter(|it| !it.is_empty())
        .collect();
    for origin in &given {
        // as browsers send it, with which it is compared: in lower case, without the usual port, and nothing after it
        let sent = Url::parse(origin)
            .ok()
            .filter(|url| ["http", "https"].contains(&url.scheme()));
        if sent.is_none_or(|url| url.origin().ascii_serialization() != *origin) {
            errors.add(format!(
                "CORS_ALLOWED_ORIGINS: not an origin such as https://portal.example: {origin}"
            ));
        }
    }
    given
}

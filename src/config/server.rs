//! Settings of the server.

use std::time::Duration;

use clap::Args;
use reqwest::Url;

use super::{
    DEFAULT_BIND_ADDRESS,
    errors::{ConfigErrors, non_empty},
    help, help_duration,
    limits::LimitArgs,
};

const DECISION_CACHE_MIB: u64 = 64;
const PAGE_CACHE_MIB: u64 = 16;
const SHUTDOWN_DELAY: Duration = Duration::ZERO;
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(20);
pub(super) const BYTES_PER_MIB: u64 = 1024 * 1024;

/// Settings of the server.
#[derive(Debug, Clone, Args)]
pub struct ServerArgs {
    /// Address and port of the API; port 0 picks a free one
    #[arg(long, env, default_value = DEFAULT_BIND_ADDRESS)]
    pub(super) bind_address: String,
    /// URL at which clients reach the service, for `/.well-known/oauth-protected-resource`
    /// [default: as in each request]
    #[arg(long, env)]
    pub(super) public_url: Option<String>,
    /// Comma-separated browser origins that may call the API; if unset, no CORS headers are sent;
    /// `http://localhost:*` allows every port of localhost
    #[arg(long, env, value_delimiter = ',')]
    pub(super) cors_allowed_origins: Vec<String>,
    /// Threads that handle requests [default: one per core]
    #[arg(long, env)]
    pub(super) worker_threads: Option<String>,
    #[arg(long, env, help = help(
        "Approximate cache size for compiled policies and accesses, in MiB", DECISION_CACHE_MIB
    ))]
    decision_cache_mib: Option<String>,
    #[arg(long, env, help = help(
        "Approximate cache size for pages of lists, in MiB; 0 disables the cache", PAGE_CACHE_MIB
    ))]
    page_cache_mib: Option<String>,
    /// Apply pending migrations before serving; safe with several instances [default: true]
    #[arg(long, env)]
    pub(super) migrate_on_start: Option<String>,
    #[command(flatten)]
    pub(super) limits: LimitArgs,
    /// Address of a separate listener for `/metrics` (Prometheus)
    #[arg(long, env)]
    pub(super) metrics_bind_address: Option<String>,
    /// Trace collector (OTLP over HTTP), such as `http://collector:4318`
    #[arg(long, env)]
    pub(super) otel_exporter_otlp_endpoint: Option<String>,
    #[arg(long, env, help = help_duration(
        "After SIGTERM: how long readiness fails while requests are still accepted", SHUTDOWN_DELAY
    ))]
    shutdown_delay: Option<String>,
    #[arg(long, env, help = help_duration(
        "How long running requests may take to finish after that", SHUTDOWN_TIMEOUT
    ))]
    shutdown_timeout: Option<String>,
}

/// Timing of the graceful shutdown.
#[derive(Debug, Clone, Copy)]
pub struct ShutdownConfig {
    /// How long readiness fails while requests are still accepted.
    pub delay: Duration,
    /// How long running requests may take to finish after that.
    pub timeout: Duration,
}

impl Default for ShutdownConfig {
    fn default() -> Self {
        Self {
            delay: SHUTDOWN_DELAY,
            timeout: SHUTDOWN_TIMEOUT,
        }
    }
}

impl ServerArgs {
    pub(super) fn shutdown(&self, errors: &mut ConfigErrors) -> ShutdownConfig {
        ShutdownConfig {
            delay: errors.duration(
                "SHUTDOWN_DELAY",
                self.shutdown_delay.clone(),
                Duration::ZERO..=Duration::from_hours(1),
                SHUTDOWN_DELAY,
            ),
            timeout: errors.duration(
                "SHUTDOWN_TIMEOUT",
                self.shutdown_timeout.clone(),
                Duration::from_secs(1)..=Duration::from_mins(10),
                SHUTDOWN_TIMEOUT,
            ),
        }
    }

    pub(super) fn decision_cache_bytes(&self, errors: &mut ConfigErrors) -> u64 {
        let mib = errors.number(
            "DECISION_CACHE_MIB",
            self.decision_cache_mib.clone(),
            1..=65_536,
            DECISION_CACHE_MIB,
        );
        mib * BYTES_PER_MIB
    }

    pub(super) fn page_cache_bytes(&self, errors: &mut ConfigErrors) -> u64 {
        let mib = errors.number(
            "PAGE_CACHE_MIB",
            self.page_cache_mib.clone(),
            0..=65_536,
            PAGE_CACHE_MIB,
        );
        mib * BYTES_PER_MIB
    }
}

/// Validates an address, written as host and port.
pub(super) fn validate_address(name: &str, address: String, errors: &mut ConfigErrors) -> String {
    let valid = address
        .rsplit_once(':')
        .is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
    if !valid {
        errors.add(format!("{name} must be host:port: {address}"));
    }
    address
}

/// Validates the URL at which clients reach the service.
pub(super) fn validate_public_url(url: Option<String>, errors: &mut ConfigErrors) -> Option<Url> {
    let text = non_empty(url)?;
    let url = text.parse::<Url>().ok().filter(|url| {
        ["http", "https"].contains(&url.scheme())
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none()
    });
    if url.is_none() {
        errors.add("PUBLIC_URL must be a URL such as https://customer-integration.example");
    }
    url
}

/// Validates the URL of the trace collector.
pub(super) fn validate_endpoint(
    endpoint: Option<String>,
    errors: &mut ConfigErrors,
) -> Option<Url> {
    let url = non_empty(endpoint)?
        .parse::<Url>()
        .map_err(|error| format!("OTEL_EXPORTER_OTLP_ENDPOINT is not a URL: {error}"));
    errors.collect(url)
}

/// The origin that stands for every port of localhost, where front ends are developed.
pub const ANY_LOCALHOST_PORT: &str = "http://localhost:*";

/// Validates origins, written as browsers send them: scheme, host and optional port. Empty items
/// are ignored, because environment files easily set empty variables. Without origins, the demo
/// allows front ends on localhost.
pub(super) fn validate_origins(
    origins: Vec<String>,
    demo: bool,
    errors: &mut ConfigErrors,
) -> Vec<String> {
    let origins: Vec<_> = origins
        .into_iter()
        .map(|origin| origin.trim().to_owned())
        .filter(|origin| !origin.is_empty())
        .collect();
    if origins.is_empty() && demo {
        return vec![ANY_LOCALHOST_PORT.to_owned()];
    }
    for origin in &origins {
        if origin == ANY_LOCALHOST_PORT {
            continue;
        }
        // Compared byte by byte with the `Origin` header, so it must be in canonical form: lower
        // case, without the default port, without a path.
        let canonical = Url::parse(origin)
            .ok()
            .filter(|url| ["http", "https"].contains(&url.scheme()))
            .map(|url| url.origin().ascii_serialization());
        if canonical.as_ref() != Some(origin) {
            errors.add(format!(
                "CORS_ALLOWED_ORIGINS: not an origin such as https://portal.example: {origin}"
            ));
        }
    }
    origins
}

//! Settings of the log.

use clap::Args;
use tracing_subscriber::EnvFilter;

use super::{
    errors::{ConfigErrors, non_empty},
    help,
};
use crate::telemetry::logging::LogSettings;

/// `actix_http` would log every malformed request as an error, `actix_server` its worker threads, and
/// `tokio_postgres` every notice of the server.
const DEFAULT_FILTER: &str = "info,actix_http=off,actix_server=warn,tokio_postgres=warn";

/// Settings of the log.
#[derive(Debug, Clone, Args)]
pub struct LogArgs {
    /// Format of the log: `pretty` or `json`
    #[arg(long, env, default_value = "pretty")]
    log_format: String,
    #[arg(long, env, help = help(
        "Log filter, such as `info` or `customer_integration=debug`", DEFAULT_FILTER
    ))]
    rust_log: Option<String>,
}

impl LogArgs {
    /// Validates the arguments.
    pub fn validate(&self, errors: &mut ConfigErrors) -> Option<LogSettings> {
        let json = match self.log_format.as_str() {
            "json" => true,
            "pretty" | "" => false,
            other => {
                errors.add(format!("LOG_FORMAT must be pretty or json: {other}"));
                false
            }
        };
        let filter = non_empty(self.rust_log.clone()).unwrap_or_else(|| DEFAULT_FILTER.to_owned());
        let filter =
            EnvFilter::try_new(filter).map_err(|error| format!("RUST_LOG cannot be used: {error}"));
        let filter = errors.collect(filter)?;
        Some(LogSettings { json, filter })
    }
}

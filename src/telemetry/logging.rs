//! Sets up the log on standard error, and the export of traces.

use std::io::IsTerminal as _;

use reqwest::Url;
use tracing_subscriber::{
    EnvFilter, Layer as _, Registry, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

use super::traces::{self, Traces};

/// Format and filter of the log.
#[derive(Debug)]
pub struct LogSettings {
    /// JSON lines instead of readable lines.
    pub json: bool,
    pub filter: EnvFilter,
}

/// Installs the global subscriber. The caller must keep the returned exporter until the end, and
/// then shut it down.
pub fn init(settings: LogSettings, otlp_endpoint: Option<&Url>) -> anyhow::Result<Option<Traces>> {
    let lines = tracing_subscriber::fmt::layer::<Registry>()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        // A closed standard error must not fail requests.
        .log_internal_errors(false);
    let lines = if settings.json {
        lines.json().flatten_event(true).boxed()
    } else {
        lines.boxed()
    };
    let Some(endpoint) = otlp_endpoint else {
        // A global filter disables call sites for good; a filter per layer is evaluated each time.
        tracing_subscriber::registry()
            .with(lines)
            .with(settings.filter)
            .try_init()?;
        return Ok(None);
    };
    let traces = traces::init(endpoint)?;
    tracing_subscriber::registry()
        .with(lines.with_filter(settings.filter))
        .with(traces.layer())
        .try_init()?;
    Ok(Some(traces))
}

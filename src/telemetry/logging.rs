//! The log: lines on standard error, for people or for machines; and where traces are wanted, the same spans to their collector.

use std::io::IsTerminal as _;

use reqwest::Url;
use tracing_subscriber::{
    Layer as _, Registry, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

use super::traces::{self, Traces};
use crate::config::LogSettings;

/// Begins to log. What is returned must be kept until the end, and then finished.
pub fn begin(settings: LogSettings, otlp_endpoint: Option<&Url>) -> anyhow::Result<Option<Traces>> {
    let lines = tracing_subscriber::fmt::layer::<Registry>()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        // a log that nobody reads any more must not fail requests
        .log_internal_errors(false);
    let lines = if settings.json {
        lines.json().flatten_event(true).boxed()
    } else {
        lines.boxed()
    };
    let Some(endpoint) = otlp_endpoint else {
        // one filter for everything: what it does not want costs nothing, since it is not even asked again
        tracing_subscriber::registry()
            .with(lines)
            .with(settings.filter)
            .try_init()?;
        return Ok(None);
    };
    let traces = traces::begin(endpoint)?;
    tracing_subscriber::registry()
        .with(lines.with_filter(settings.filter))
        .with(traces.layer())
        .try_init()?;
    Ok(Some(traces))
}

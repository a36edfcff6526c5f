//! Sets up the log on standard error, and the export of traces.

use std::io::IsTerminal as _;

use reqwest::Url;
use tracing::{Level, Metadata};
use tracing_subscriber::{
    EnvFilter, Layer as _, Registry, filter::filter_fn, layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
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
        // Without the list of spans, which repeats the current span and its request id.
        lines
            .json()
            .flatten_event(true)
            .with_span_list(false)
            .boxed()
    } else {
        lines.boxed()
    };
    let Some(endpoint) = otlp_endpoint else {
        // A global filter disables call sites for good; a filter per layer is evaluated each time.
        tracing_subscriber::registry()
            .with(lines)
            .with(settings.filter)
            .with(filter_fn(may_be_logged))
            .try_init()?;
        return Ok(None);
    };
    let traces = traces::init(endpoint)?;
    tracing_subscriber::registry()
        .with(lines.with_filter(settings.filter))
        .with(traces.layer())
        .with(filter_fn(may_be_logged))
        .try_init()?;
    Ok(Some(traces))
}

/// Whether the log may contain an event, with any `RUST_LOG`. On the levels `debug` and `trace`, the
/// PostgreSQL driver logs statements with their parameters, which are the users' data.
fn may_be_logged(metadata: &Metadata<'_>) -> bool {
    let is_driver = metadata.target().starts_with("tokio_postgres");
    !(is_driver && *metadata.level() > Level::INFO)
}

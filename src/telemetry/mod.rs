//! Observability: the log ([`logging`]), traces ([`traces`]) and metrics ([`metrics`]). Bodies,
//! tokens and secrets never appear in them.

pub mod logging;
pub mod metrics;
pub mod traces;

//! Observability: the log ([`logging`]), traces ([`traces`]) and metrics ([`metrics`]). Bodies,
//! tokens and secrets never appear in them.

pub mod build_info;
pub mod logging;
pub mod metrics;
mod process;
pub mod traces;

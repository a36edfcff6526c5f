//! What operators see: the log ([`log`]), traces ([`traces`]), and metrics ([`metrics`]). Never bodies, tokens or secrets.

pub mod log;
pub mod metrics;
pub mod traces;

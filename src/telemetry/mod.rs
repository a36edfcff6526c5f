//! What operators see: the log ([`log`]), traces ([`traces`]), and metrics ([`metrics`]). Never bodies, tokens or secrets.

pub mod logging;
pub mod metrics;
pub mod traces;

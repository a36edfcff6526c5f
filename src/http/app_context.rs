//! State of one service instance that every request shares.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use super::{
    concurrency_limit::ConcurrencyLimit, protected_resource::ProtectedResource,
    subject_limits::SubjectLimits,
};
use crate::{config::Limits, telemetry::metrics::Metrics};

/// Limits, metrics and lifecycle of one service instance.
pub struct AppContext {
    pub concurrency_limit: ConcurrencyLimit,
    pub subject_limits: Arc<SubjectLimits>,
    pub metrics: Metrics,
    /// Maximum duration of a request.
    pub request_timeout: Duration,
    /// Maximum time for a request body to arrive.
    pub body_timeout: Duration,
    /// Origins that may call from a browser.
    pub allowed_origins: Vec<String>,
    pub protected_resource: ProtectedResource,
    /// Set once the service starts to shut down.
    shutting_down: AtomicBool,
}

impl AppContext {
    /// Creates the context of an instance that has not received a request yet.
    pub fn new(
        concurrency_limit: ConcurrencyLimit,
        metrics: Metrics,
        limits: &Limits,
        allowed_origins: Vec<String>,
        protected_resource: ProtectedResource,
    ) -> Self {
        Self {
            concurrency_limit,
            subject_limits: Arc::new(SubjectLimits::new(
                limits.concurrent_requests_per_subject,
                limits.body_memory_bytes,
            )),
            metrics,
            request_timeout: limits.request_timeout,
            body_timeout: limits.body_timeout,
            allowed_origins,
            protected_resource,
            shutting_down: AtomicBool::new(false),
        }
    }

    /// Whether the service is shutting down.
    pub fn is_shutting_down(&self) -> bool {
        self.shutting_down.load(Ordering::Relaxed)
    }

    /// Makes readiness fail and closes connections after their next response.
    pub fn start_shutdown(&self) {
        self.shutting_down.store(true, Ordering::Relaxed);
    }
}

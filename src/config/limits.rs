//! The settings of what callers may do at most.

use std::{num::NonZeroU32, time::Duration};

use clap::Args;

use super::errors::ConfigErrors;

/// What callers may do at most.
#[derive(Debug, Clone, Args)]
pub(super) struct LimitArgs {
    /// How long a request may take before it is answered with 503 [default: 30s]
    #[arg(long, env)]
    request_timeout: Option<String>,
    /// How long a connection may be without a whole request [default: 10s]
    #[arg(long, env)]
    header_timeout: Option<String>,
    /// Requests that are handled at once; more are answered with 503 [default: 512]
    #[arg(long, env)]
    max_concurrent_requests: Option<String>,
    /// Requests per second of one subject of tokens; more are answered with 429; 0: any number [default: 0]
    #[arg(long, env)]
    rate_limit_per_second: Option<String>,
    /// How many requests of a subject may come at once [default: twice the rate]
    #[arg(long, env)]
    rate_limit_burst: Option<String>,
}

/// Default time for a body to arrive: the largest one at 70 kB/s.
const BODY_TIMEOUT: Duration = Duration::from_secs(15);

/// How many requests one token subject may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    pub per_second: NonZeroU32,
    pub burst: NonZeroU32,
}

impl RateLimit {
    /// Creates a limit, or `None` (unlimited) if either number is zero.
    pub fn new(per_second: u32, burst: u32) -> Option<Self> {
        Some(Self {
            per_second: NonZeroU32::new(per_second)?,
            burst: NonZeroU32::new(burst)?,
        })
    }
}

/// What callers may do at most.
#[derive(Debug, Clone)]
pub struct Limits {
    /// How long a request may take to be answered.
    pub request_timeout: Duration,
    /// How long a connection may be without a whole request.
    pub header_timeout: Duration,
    /// How long a request's body may take to arrive; no setting, only tests are less patient.
    pub body_timeout: Duration,
    /// Requests that are handled at once.
    pub concurrent_requests: usize,
    pub rate: Option<RateLimit>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            request_timeout: Duration::from_secs(30),
            header_timeout: Duration::from_secs(10),
            body_timeout: BODY_TIMEOUT,
            concurrent_requests: 512,
            rate: None,
        }
    }
}

impl LimitArgs {
    /// Judges them.
    pub(super) fn judged(self, errors: &mut ConfigErrors) -> Limits {
        let limits = Limits::default();
        let (second, hour) = (Duration::from_secs(1), Duration::from_hours(1));
        let per_second = errors.number(
            "RATE_LIMIT_PER_SECOND",
            self.rate_limit_per_second,
            0..=1_000_000,
            0_u32,
        );
        let burst = errors.number(
            "RATE_LIMIT_BURST",
            self.rate_limit_burst,
            1..=1_000_000,
            per_second.saturating_mul(2),
        );
        Limits {
            request_timeout: errors.duration(
                "REQUEST_TIMEOUT",
                self.request_timeout,
                second..=hour,
                limits.request_timeout,
            ),
            header_timeout: errors.duration(
                "HEADER_TIMEOUT",
                self.header_timeout,
                second..=hour,
                limits.header_timeout,
            ),
            concurrent_requests: errors.number(
                "MAX_CONCURRENT_REQUESTS",
                self.max_concurrent_requests,
                1..=1_000_000,
                limits.concurrent_requests,
            ),
            rate: RateLimit::new(per_second, burst),
            ..limits
        }
    }
}

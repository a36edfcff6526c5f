//! Limits on requests.

use std::{num::NonZeroU32, time::Duration};

use clap::Args;

use super::{errors::ConfigErrors, help, help_duration};

const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// Default time for a request body to arrive: the largest one at 70 kB/s.
pub const BODY_TIMEOUT: Duration = Duration::from_secs(15);
const CONCURRENT_REQUESTS: usize = 512;

/// Arguments for [`Limits`], not validated yet.
#[derive(Debug, Clone, Args)]
pub(super) struct LimitArgs {
    #[arg(long, env, help = help_duration(
        "Maximum duration of a request; then 503", REQUEST_TIMEOUT
    ))]
    request_timeout: Option<String>,
    #[arg(long, env, help = help_duration(
        "How long a connection may stay open without a complete request", HEADER_TIMEOUT
    ))]
    header_timeout: Option<String>,
    #[arg(long, env, help = help(
        "Requests handled at the same time; more are rejected with 503", CONCURRENT_REQUESTS
    ))]
    max_concurrent_requests: Option<String>,
    /// Requests per second of one token subject; more are rejected with 429; 0: unlimited
    /// [default: 0]
    #[arg(long, env)]
    rate_limit_per_second: Option<String>,
    /// Requests of one token subject that may arrive at once [default: twice the rate]
    #[arg(long, env)]
    rate_limit_burst: Option<String>,
}

/// Limits on requests.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Maximum duration of a request.
    pub request_timeout: Duration,
    /// How long a connection may stay open without a complete request.
    pub header_timeout: Duration,
    /// Maximum time for a request body to arrive. Not a setting; tests shorten it.
    pub body_timeout: Duration,
    /// Requests handled at the same time.
    pub concurrent_requests: usize,
    /// Request rate of one token subject; `None`: unlimited.
    pub rate: Option<RateLimit>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            request_timeout: REQUEST_TIMEOUT,
            header_timeout: HEADER_TIMEOUT,
            body_timeout: BODY_TIMEOUT,
            concurrent_requests: CONCURRENT_REQUESTS,
            rate: None,
        }
    }
}

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

impl LimitArgs {
    /// Validates the arguments.
    pub(super) fn validate(self, errors: &mut ConfigErrors) -> Limits {
        let timeouts = Duration::from_secs(1)..=Duration::from_hours(1);
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
                timeouts.clone(),
                REQUEST_TIMEOUT,
            ),
            header_timeout: errors.duration(
                "HEADER_TIMEOUT",
                self.header_timeout,
                timeouts,
                HEADER_TIMEOUT,
            ),
            concurrent_requests: errors.number(
                "MAX_CONCURRENT_REQUESTS",
                self.max_concurrent_requests,
                1..=1_000_000,
                CONCURRENT_REQUESTS,
            ),
            rate: RateLimit::new(per_second, burst),
            ..Limits::default()
        }
    }
}

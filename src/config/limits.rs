//! Limits on requests.

use std::{num::NonZeroU32, time::Duration};

use clap::Args;

use super::{errors::ConfigErrors, help, help_duration, server::BYTES_PER_MIB};

const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// Default time for a request body to arrive: the largest one at 70 kB/s.
pub const BODY_TIMEOUT: Duration = Duration::from_secs(15);
const CONCURRENT_REQUESTS: usize = 512;
/// The part of the concurrent requests that one subject may have, by default: one half.
const SUBJECT_PART: usize = 2;
const BODY_MEMORY_MIB: u64 = 64;
/// Half of this, the part of one subject, exceeds the largest body.
const MIN_BODY_MEMORY_MIB: u64 = 10;

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
    /// Requests of one token subject that may be in progress at the same time, including those
    /// whose body is still arriving; more are rejected with 429 [default: half of all]
    #[arg(long, env)]
    max_concurrent_requests_per_subject: Option<String>,
    #[arg(long, env, help = help(
        "Memory for the bodies of all requests in progress, in MiB; one token subject may use half \
         of it", BODY_MEMORY_MIB
    ))]
    body_memory_mib: Option<String>,
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
    /// Requests processed at the same time.
    pub concurrent_requests: usize,
    /// Requests of one token subject that may be in progress at the same time, including those
    /// whose body is still arriving.
    pub concurrent_requests_per_subject: usize,
    /// Memory for the bodies of all requests in progress.
    pub body_memory_bytes: usize,
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
            concurrent_requests_per_subject: CONCURRENT_REQUESTS / SUBJECT_PART,
            body_memory_bytes: body_memory_bytes(BODY_MEMORY_MIB),
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
        let concurrent_requests: usize = errors.number(
            "MAX_CONCURRENT_REQUESTS",
            self.max_concurrent_requests,
            1..=1_000_000,
            CONCURRENT_REQUESTS,
        );
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
            concurrent_requests,
            concurrent_requests_per_subject: errors.number(
                "MAX_CONCURRENT_REQUESTS_PER_SUBJECT",
                self.max_concurrent_requests_per_subject,
                1..=1_000_000,
                concurrent_requests.div_ceil(SUBJECT_PART),
            ),
            body_memory_bytes: body_memory_bytes(errors.number(
                "BODY_MEMORY_MIB",
                self.body_memory_mib,
                MIN_BODY_MEMORY_MIB..=65_536,
                BODY_MEMORY_MIB,
            )),
            rate: RateLimit::new(per_second, burst),
            ..Limits::default()
        }
    }
}

fn body_memory_bytes(mib: u64) -> usize {
    usize::try_from(mib * BYTES_PER_MIB).unwrap_or(usize::MAX)
}

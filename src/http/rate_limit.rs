//! Limits the request rate of each token subject, and reports it in `RateLimit` headers.

use std::{hash::BuildHasher as _, time::Duration};

use actix_web::{
    HttpMessage as _, HttpRequest,
    http::header::{HeaderName, HeaderValue},
};
use foldhash::fast::RandomState;
use governor::{
    DefaultKeyedRateLimiter, Quota,
    clock::{Clock as _, DefaultClock},
    middleware::StateInformationMiddleware,
};

use crate::{
    common::{Code, Error, Result},
    config::RateLimit,
    tokens::Claims,
};

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Counts the requests of each subject (GCRA, by governor).
pub struct RateLimiter {
    limiter: DefaultKeyedRateLimiter<u64, StateInformationMiddleware>,
    hasher: RandomState,
    policy: HeaderValue,
    limit: RateLimit,
    clock: DefaultClock,
}

/// What remains of a subject's quota after a request.
#[derive(Debug, Clone)]
struct Allowance {
    policy: HeaderValue,
    remaining: u32,
    /// Time until the quota grows: is full, or admits one more request if none remains.
    reset: Duration,
}

impl RateLimiter {
    /// Creates a limiter in which every subject has its full quota.
    pub fn new(limit: RateLimit) -> anyhow::Result<Self> {
        let RateLimit { per_second, burst } = limit;
        let quota = Quota::per_second(per_second).allow_burst(burst);
        let window = burst.get().div_ceil(per_second.get());
        Ok(Self {
            limiter: DefaultKeyedRateLimiter::keyed(quota).with_middleware(),
            hasher: RandomState::default(),
            policy: HeaderValue::from_str(&format!(r#""subject";q={burst};w={window}"#))?,
            limit,
            clock: DefaultClock::default(),
        })
    }

    /// Counts a request, and fails with [`Code::TooManyRequests`] if the quota is exhausted.
    pub fn check(&self, request: &HttpRequest, claims: &Claims) -> Result<()> {
        let subject = self.hasher.hash_one((&claims.iss, &claims.sub));
        let (outcome, remaining, reset) = match self.limiter.check_key(&subject) {
            Ok(state) => {
                let remaining = state.remaining_burst_capacity();
                (Ok(()), remaining, self.time_until_full(remaining))
            }
            Err(not_until) => {
                let reset = not_until.wait_time_from(self.clock.now());
                let error =
                    Error::client(Code::TooManyRequests).with("seconds", whole_seconds(reset));
                (Err(error), 0, reset)
            }
        };
        request.extensions_mut().insert(Allowance {
            policy: self.policy.clone(),
            remaining,
            reset,
        });
        outcome
    }

    fn time_until_full(&self, remaining: u32) -> Duration {
        let missing = self.limit.burst.get().saturating_sub(remaining);
        Duration::from_secs_f64(f64::from(missing) / f64::from(self.limit.per_second.get()))
    }

    /// Evicts subjects with a full quota.
    pub fn evict_idle(&self) {
        self.limiter.retain_recent();
        self.limiter.shrink_to_fit();
    }
}

/// Rounds up to whole seconds, at least one.
fn whole_seconds(duration: Duration) -> u64 {
    duration
        .as_millis()
        .div_ceil(1000)
        .max(1)
        .try_into()
        .unwrap_or(u64::MAX)
}

/// The rate limit headers of a response (draft-ietf-httpapi-ratelimit-headers-10); none if the
/// request was not counted.
pub fn headers(request: &HttpRequest) -> impl Iterator<Item = (HeaderName, HeaderValue)> + use<> {
    let allowance = request.extensions_mut().remove::<Allowance>();
    allowance.into_iter().flat_map(Allowance::into_headers)
}

impl Allowance {
    fn into_headers(self) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
        let remaining = self.remaining;
        let seconds = whole_seconds(self.reset);
        let limit = HeaderValue::from_str(&format!(r#""subject";r={remaining};t={seconds}"#));
        [
            Some((RATE_LIMIT_POLICY, self.policy)),
            limit.ok().map(|limit| (RATE_LIMIT, limit)),
        ]
        .into_iter()
        .flatten()
    }
}

//! What callers may do at most: how large a head may be, how many requests are handled at once, and how many a subject may make.
//!
//! What is too much is told at once instead of being queued: a caller that waits in vain makes things worse.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use actix_web::{
    HttpMessage as _, HttpRequest,
    dev::ServiceRequest,
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

/// Longest path and query of a request, in bytes.
pub const MAX_URI: usize = 8 * 1024;
/// Largest names and values of all headers of a request together, in bytes. A token has up to 8 KiB, and may come with cookies.
pub const MAX_HEADERS: usize = 32 * 1024;

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Refuses a request whose head is too large.
pub fn check_head(request: &ServiceRequest) -> Result<()> {
    let uri = request
        .uri()
        .path_and_query()
        .map_or(0, |it| it.as_str().len());
    if uri > MAX_URI {
        return Err(Error::client(Code::UriTooLong).with("max", MAX_URI));
    }
    let headers: usize = request
        .headers()
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len())
        .sum();
    if headers > MAX_HEADERS {
        return Err(Error::client(Code::HeadersTooLarge).with("max", MAX_HEADERS));
    }
    Ok(())
}

/// How many requests are handled at once.
#[derive(Debug, Clone)]
pub struct Gate {
    inside: Arc<AtomicUsize>,
    most: usize,
}

/// A request inside, until it is dropped.
#[derive(Debug)]
pub struct Pass(Arc<AtomicUsize>);

impl Gate {
    /// Lets in `most` at once.
    pub fn new(most: usize) -> Self {
        Self {
            inside: Arc::default(),
            most,
        }
    }

    /// How many are inside.
    pub fn inside(&self) -> usize {
        self.inside.load(Ordering::Relaxed)
    }

    /// Waits until nobody is inside; looks now and then, so that those who leave need not tell.
    pub async fn emptied(&self) {
        while self.inside() > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Lets one more in, or refuses it.
    pub fn enter(&self) -> Result<Pass> {
        let pass = Pass(Arc::clone(&self.inside));
        if self.inside.fetch_add(1, Ordering::Relaxed) < self.most {
            return Ok(pass);
        }
        Err(Error::client(Code::Overloaded))
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Counts the requests of each subject (GCRA, by governor).
pub struct RateLimiter {
    limiter: DefaultKeyedRateLimiter<u64, StateInformationMiddleware>,
    hasher: RandomState,
    policy: HeaderValue,
    limit: RateLimit,
    clock: DefaultClock,
}

/// What is left to a subject after a request of it.
#[derive(Debug, Clone)]
struct Allowance {
    policy: HeaderValue,
    remaining: u32,
    /// When there will be more.
    reset: Duration,
}

impl RateLimiter {
    /// Nobody has made a request yet.
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

    /// Counts a request, and refuses it when it is one too many.
    pub fn check(&self, request: &HttpRequest, claims: &Claims) -> Result<()> {
        use std::hash::BuildHasher as _;
        let subject = self.hasher.hash_one((&claims.iss, &claims.sub));
        let (outcome, remaining, reset) = match self.limiter.check_key(&subject) {
            Ok(state) => {
                let remaining = state.remaining_burst_capacity();
                let missing = self.limit.burst.get().saturating_sub(remaining);
                (
                    Ok(()),
                    remaining,
                    Duration::from_secs_f64(
                        f64::from(missing) / f64::from(self.limit.per_second.get()),
                    ),
                )
            }
            Err(not_until) => {
                let reset = not_until.wait_time_from(self.clock.now());
                (
                    Err(Error::client(Code::TooManyRequests).with("seconds", seconds(reset))),
                    0,
                    reset,
                )
            }
        };
        request.extensions_mut().insert(Allowance {
            policy: self.policy.clone(),
            remaining,
            reset,
        });
        outcome
    }

    /// Forgets the subjects that are as free as new ones.
    pub fn evict_idle(&self) {
        self.limiter.retain_recent();
        self.limiter.shrink_to_fit();
    }
}

/// Whole seconds, at least one.
fn seconds(duration: Duration) -> u64 {
    duration
        .as_millis()
        .div_ceil(1000)
        .max(1)
        .try_into()
        .unwrap_or(u64::MAX)
}

/// The headers that tell a caller what is left to it (draft-ietf-httpapi-ratelimit-headers-10), where its requests are counted.
pub fn allowance(request: &HttpRequest) -> impl Iterator<Item = (HeaderName, HeaderValue)> + use<> {
    let allowance = request.extensions_mut().remove::<Allowance>();
    allowance.into_iter().flat_map(
        |Allowance {
             policy,
             remaining,
             reset,
         }| {
            let left =
                HeaderValue::from_str(&format!(r#""subject";r={remaining};t={}"#, seconds(reset)));
            [
                Some((RATE_LIMIT_POLICY, policy)),
                left.ok().map(|left| (RATE_LIMIT, left)),
            ]
            .into_iter()
            .flatten()
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gate_is_as_wide_as_told_and_opens_again() {
        let gate = Gate::new(2);
        let (first, _second) = (gate.enter().unwrap(), gate.enter().unwrap());
        for _ in 0..3 {
            assert_eq!(gate.enter().unwrap_err().code(), Code::Overloaded);
        }
        assert_eq!(gate.inside(), 2);
        drop(first);
        gate.enter().unwrap();
    }
}

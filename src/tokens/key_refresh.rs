//! The current keys of an issuer, refreshed in the background.
//!
//! One task per issuer reads its keys: at every refresh interval, and when a token names an unknown
//! key, but for this reason at most once per minimum refresh interval. Concurrent requests share a
//! refresh. A failed refresh leaves the keys unchanged; a set that was read replaces them, even if it
//! has no usable key. If the issuer's metadata names the JWK set, both are read in each refresh.

use std::{
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, Weak},
    time::Duration,
};

use futures_util::StreamExt as _;
use reqwest::{Client, Url, redirect::Policy};
use tokio::{
    sync::{Notify, watch},
    time::{Instant, sleep, timeout},
};

use super::{
    IssuerUrl, KeySource,
    jwks::{KeySet, MAX_SET_BYTES},
};
use crate::common::{Error, Result};

/// Maximum duration of a refresh.
const REFRESH_TIMEOUT: Duration = Duration::from_secs(5);
/// Maximum time for each document with the metadata of an issuer. Both documents may time out in a
/// refresh.
const METADATA_TIMEOUT: Duration = Duration::from_secs(2);
/// Pause after a failed refresh.
const RETRY_INTERVAL: Duration = Duration::from_secs(5);
/// Redirects may not leave the origin.
const MAX_REDIRECTS: usize = 3;

/// The keys of an issuer.
pub struct Keys {
    current: RwLock<Arc<KeySet>>,
    /// `None` if the keys never change.
    refresher: Option<Refresher>,
}

/// Coordinates the refresh task and the requests that wait for it.
struct Refresher {
    request: Mutex<RefreshRequest>,
    /// Wakes the refresh task.
    wake: Notify,
    count: watch::Sender<RefreshCount>,
    min_interval: Duration,
    last_success: Mutex<Option<Instant>>,
}

/// The last refresh that was requested because of an unknown key.
struct RefreshRequest {
    requested_at: Option<Instant>,
    /// The number of the refresh that fulfils the request.
    number: u64,
}

/// Whether keys were refreshed on behalf of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefreshOutcome {
    /// The refresh was rate limited or timed out.
    NotRefreshed,
    /// A refresh began after the request, and ended.
    Refreshed,
    /// Another refresh ended since the caller read the keys. It may have begun too early to
    /// include the key.
    AlreadyRefreshed,
}

/// Number of refreshes, including failed ones.
#[derive(Debug, Default)]
struct RefreshCount {
    started: u64,
    finished: u64,
}

impl Keys {
    /// Keys that never change.
    pub fn fixed(set: KeySet) -> Self {
        Self {
            current: RwLock::new(Arc::new(set)),
            refresher: None,
        }
    }

    /// Keys that [`refresh_loop`] will load.
    pub fn refreshed(min_interval: Duration) -> Self {
        let (count, _) = watch::channel(RefreshCount::default());
        Self {
            current: RwLock::default(),
            refresher: Some(Refresher {
                // The first refresh starts without a request.
                request: Mutex::new(RefreshRequest {
                    requested_at: None,
                    number: 1,
                }),
                wake: Notify::new(),
                count,
                min_interval,
                last_success: Mutex::default(),
            }),
        }
    }

    /// The current keys.
    pub fn current(&self) -> Arc<KeySet> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether the keys were read, so that tokens can be verified.
    pub fn are_loaded(&self) -> bool {
        match &self.refresher {
            Some(refresher) => lock(&refresher.last_success).is_some(),
            None => true,
        }
    }

    /// Time since the last successful refresh; `None` if there was none.
    pub fn age(&self) -> Option<Duration> {
        let last_success = *lock(&self.refresher.as_ref()?.last_success);
        last_success.map(|at| at.elapsed())
    }

    /// Whether the keys can change.
    pub fn can_change(&self) -> bool {
        self.refresher.is_some()
    }

    /// Number of finished refreshes.
    pub fn refresh_count(&self) -> u64 {
        self.refresher
            .as_ref()
            .map_or(0, |refresher| refresher.count.borrow().finished)
    }

    /// Waits for a refresh that starts after this call. Returns at once if none is allowed yet, or
    /// if more than `seen` refreshes have finished: the caller must then try the new keys first.
    pub async fn refresh(&self, seen: u64) -> RefreshOutcome {
        let Some(refresher) = &self.refresher else {
            return RefreshOutcome::NotRefreshed;
        };
        let number = match refresher.request(seen) {
            Ok(number) => number,
            Err(outcome) => return outcome,
        };
        let mut count = refresher.count.subscribe();
        let finished = count.wait_for(|count| count.finished >= number);
        match timeout(REFRESH_TIMEOUT * 2, finished).await {
            Ok(Ok(_)) => RefreshOutcome::Refreshed,
            _ => RefreshOutcome::NotRefreshed,
        }
    }

    fn replace(&self, set: KeySet) {
        let next = Arc::new(set);
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        // From here on, cached tokens of withdrawn keys are rejected.
        current.withdraw_missing_from(&next);
        *current = next;
    }
}

impl Refresher {
    /// Requests a refresh and returns its number, or why none is started.
    fn request(&self, seen: u64) -> Result<u64, RefreshOutcome> {
        let mut request = lock(&self.request);
        let (started, finished) = {
            let count = self.count.borrow();
            (count.started, count.finished)
        };
        if finished > seen {
            return Err(RefreshOutcome::AlreadyRefreshed);
        }
        if finished < request.number {
            return Ok(request.number);
        }
        let now = Instant::now();
        if request
            .requested_at
            .is_some_and(|at| now - at < self.min_interval)
        {
            return Err(RefreshOutcome::NotRefreshed);
        }
        *request = RefreshRequest {
            requested_at: Some(now),
            number: started + 1,
        };
        self.wake.notify_one();
        Ok(request.number)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Refreshes the keys now and at every interval, until they are dropped.
pub async fn refresh_loop(keys: Weak<Keys>, source: KeySource, interval: Duration) {
    let client = match &source {
        KeySource::Url(_) | KeySource::Metadata(_) => Some(client()),
        _ => None,
    };
    while let Some(keys) = keys.upgrade() {
        let Some(refresher) = &keys.refresher else {
            return;
        };
        refresher.count.send_modify(|count| count.started += 1);
        let pause = match read(&source, client.as_ref(), &keys.current()).await {
            Ok(set) => {
                keys.replace(set);
                *lock(&refresher.last_success) = Some(Instant::now());
                interval
            }
            Err(error) => {
                tracing::warn!(
                    source = source.name(),
                    error,
                    "JWKS refresh failed; keeping current keys"
                );
                RETRY_INTERVAL.min(interval)
            }
        };
        refresher.count.send_modify(|count| count.finished += 1);
        tokio::select! {
            () = sleep(pause) => {}
            () = refresher.wake.notified() => {}
        }
    }
}

impl KeySource {
    /// The source's name in the log. Omits user, password and query of a URL, which may be secret.
    pub fn name(&self) -> String {
        match self {
            Self::Secret(_) => "secret".to_owned(),
            Self::File(path) => path.display().to_string(),
            Self::Url(url) => log_name(url),
            Self::Metadata(issuer) => {
                let [metadata, _] = issuer.metadata_urls();
                log_name(&metadata)
            }
        }
    }
}

/// A URL without user, password and query, which may be secret.
fn log_name(url: &Url) -> String {
    format!("{}{}", url.origin().ascii_serialization(), url.path())
}

async fn read(
    source: &KeySource,
    client: Option<&reqwest::Result<Client>>,
    current: &KeySet,
) -> Result<KeySet, String> {
    let json = match (source, client) {
        (KeySource::File(path), _) => read_file(path),
        (KeySource::Url(url), Some(Ok(client))) => timeout(REFRESH_TIMEOUT, fetch(client, url))
            .await
            .unwrap_or_else(|_| Err("timeout".to_owned())),
        (KeySource::Metadata(issuer), Some(Ok(client))) => {
            timeout(REFRESH_TIMEOUT, fetch_by_metadata(client, issuer))
                .await
                .unwrap_or_else(|_| Err("timeout".to_owned()))
        }
        (_, Some(Err(error))) => Err(error.to_string()),
        _ => Err("the source has no JWK set".to_owned()),
    };
    let parsed = KeySet::parse(&json?, current)?;
    for reason in parsed.skipped {
        tracing::warn!(source = source.name(), reason, "unusable key in JWK set");
    }
    if parsed.set.is_empty() {
        tracing::error!(
            source = source.name(),
            "JWK set has no usable key; all tokens of its issuer are rejected"
        );
    }
    Ok(parsed.set)
}

/// Checks that a file contains a usable JWK set.
pub fn check_jwks_file(path: &Path) -> Result<(), String> {
    let parsed = KeySet::parse(&read_file(path)?, &KeySet::default())?;
    if parsed.set.is_empty() {
        return Err(format!(
            "it has no usable key; {}",
            parsed.skipped.join("; ")
        ));
    }
    Ok(())
}

fn read_file(path: &Path) -> Result<Vec<u8>, String> {
    use std::io::Read as _;
    let mut content = Vec::new();
    let file = std::fs::File::open(path).map_err(|error| error.to_string())?;
    // One byte more than allowed, so that the parser rejects larger files.
    file.take(MAX_SET_BYTES as u64 + 1)
        .read_to_end(&mut content)
        .map_err(|error| error.to_string())?;
    Ok(content)
}

/// A client that follows redirects only within the origin of a request, and reuses no connection.
fn client() -> reqwest::Result<Client> {
    let policy = Policy::custom(|attempt| {
        let requested = attempt.previous().first().map(Url::origin);
        if requested != Some(attempt.url().origin()) {
            attempt.error("redirected to another origin")
        } else if attempt.previous().len() > MAX_REDIRECTS {
            attempt.error("too many redirects")
        } else {
            attempt.follow()
        }
    });
    Client::builder()
        .redirect(policy)
        .timeout(REFRESH_TIMEOUT)
        .pool_max_idle_per_host(0)
        .build()
}

/// Fetches the JWK set that the metadata of the issuer names.
async fn fetch_by_metadata(client: &Client, issuer: &IssuerUrl) -> Result<Vec<u8>, String> {
    let mut errors = Vec::new();
    for url in issuer.metadata_urls() {
        let metadata = timeout(METADATA_TIMEOUT, fetch(client, &url))
            .await
            .unwrap_or_else(|_| Err("timeout".to_owned()));
        match metadata.and_then(|metadata| issuer.jwks_url(&metadata)) {
            Ok(jwks_url) => {
                let jwks = fetch(client, &jwks_url).await;
                return jwks.map_err(|error| format!("{}: {error}", log_name(&jwks_url)));
            }
            Err(error) => errors.push(format!("{}: {error}", log_name(&url))),
        }
    }
    Err(errors.join("; "))
}

async fn fetch(client: &Client, url: &Url) -> Result<Vec<u8>, String> {
    let response = client
        .get(url.clone())
        .send()
        .await
        .and_then(reqwest::Response::error_for_status)
        .map_err(describe)?;
    let mut chunks = response.bytes_stream();
    let mut content = Vec::new();
    while let Some(chunk) = chunks.next().await {
        content.extend_from_slice(&chunk.map_err(describe)?);
        if content.len() > MAX_SET_BYTES {
            return Err(format!("more than {MAX_SET_BYTES} bytes"));
        }
    }
    Ok(content)
}

/// The error with its causes, without the URL, whose query may contain a secret.
fn describe(error: reqwest::Error) -> String {
    format!("{:#}", anyhow::Error::new(error.without_url()))
}

/// The error for tokens that cannot be verified because no keys were loaded yet.
pub fn keys_unavailable() -> Error {
    Error::Unavailable("no token keys have been loaded yet".to_owned())
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    fn set_count(refresher: &Refresher, number: u64) {
        refresher.count.send_modify(|count| {
            *count = RefreshCount {
                started: number,
                finished: number,
            };
        });
    }

    #[tokio::test]
    async fn refresh_is_not_requested_before_new_keys_were_seen() {
        let keys = Keys::refreshed(Duration::ZERO);
        let refresher = keys.refresher.as_ref().unwrap();
        let seen = keys.refresh_count();
        set_count(refresher, 1);
        assert_eq!(keys.refresh(seen).await, RefreshOutcome::AlreadyRefreshed);
        assert!(
            refresher.wake.notified().now_or_never().is_none(),
            "a refresh was requested"
        );

        let refresh = async {
            refresher.wake.notified().await;
            set_count(refresher, 2);
        };
        let (outcome, ()) = tokio::join!(keys.refresh(keys.refresh_count()), refresh);
        assert_eq!(outcome, RefreshOutcome::Refreshed);
    }
}

//! An issuer's keys as they are now, and how they are kept so.
//!
//! One task per issuer reads them: regularly, and when a token names a key that is not known, but for this at most once in the
//! settings' cooldown. Those who wait for a reading share it. A reading that fails leaves the keys as they are.

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError, RwLock, Weak},
    time::Duration,
};

use futures_util::StreamExt as _;
use reqwest::{Client, Url, redirect::Policy};
use tokio::{
    sync::{Notify, watch},
    time::{Instant, sleep, timeout},
};

use super::{
    KeySource,
    jwks::{KeySet, MAX_BYTES},
};
use crate::common::{Error, Result};

/// How long reading keys may take.
const READING: Duration = Duration::from_secs(5);
/// How long after a failed reading the next one begins.
const AGAIN: Duration = Duration::from_secs(5);
/// Most redirects that are followed, all within the same origin.
const REDIRECTS: usize = 3;

/// An issuer's keys.
pub struct Keys {
    current: RwLock<Arc<KeySet>>,
    /// `None`: they are never read.
    reading: Option<Reading>,
}

/// How keys are read.
struct Reading {
    /// The last time somebody asked for it, and the number of the reading that answers.
    asked: Mutex<(Option<Instant>, u64)>,
    wanted: Notify,
    readings: watch::Sender<RefreshCount>,
    cooldown: Duration,
    /// When keys were read, the last time.
    last: Mutex<Option<Instant>>,
}

/// Whether keys were read again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefreshOutcome {
    No,
    Yes,
    /// Without being asked for, and it may have begun too early for what is looked for.
    Meanwhile,
}

/// How many readings have begun and ended.
#[derive(Debug, Default)]
struct RefreshCount {
    begun: u64,
    ended: u64,
}

impl Keys {
    /// Keys that are there already and never change.
    pub fn fixed(set: KeySet) -> Self {
        Self {
            current: RwLock::new(Arc::new(set)),
            reading: None,
        }
    }

    /// Keys that are still to be read.
    pub fn unread(cooldown: Duration) -> Self {
        let (readings, _) = watch::channel(RefreshCount::default());
        // the first reading begins without being asked for
        let reading = Reading {
            asked: Mutex::new((None, 1)),
            wanted: Notify::new(),
            readings,
            cooldown,
            last: Mutex::default(),
        };
        Self {
            current: RwLock::default(),
            reading: Some(reading),
        }
    }

    /// The keys as they are now.
    pub fn current(&self) -> Arc<KeySet> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether there are any, so that tokens can be judged.
    pub fn are_known(&self) -> bool {
        !self.current().is_empty()
    }

    /// How long ago they were read; `None` where they never were.
    pub fn age(&self) -> Option<Duration> {
        let last = *self
            .reading
            .as_ref()?
            .last
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        last.map(|last| last.elapsed())
    }

    /// Whether they can become others.
    pub fn may_change(&self) -> bool {
        self.reading.is_some()
    }

    /// How often they have been read.
    pub fn readings(&self) -> u64 {
        self.reading
            .as_ref()
            .map_or(0, |reading| reading.readings.borrow().ended)
    }

    /// Waits for a reading that begins after this was called, or for the last one allowed; not if there have been more readings than
    /// the caller has `seen`, who then has keys to look at first.
    pub async fn read_again(&self, seen: u64) -> RefreshOutcome {
        let Some(reading) = &self.reading else {
            return RefreshOutcome::No;
        };
        let number = match reading.ask(seen) {
            Ok(number) => number,
            Err(none) => return none,
        };
        let mut readings = reading.readings.subscribe();
        let ended = readings.wait_for(|readings| readings.ended >= number);
        if timeout(READING * 2, ended)
            .await
            .is_ok_and(|ended| ended.is_ok())
        {
            RefreshOutcome::Yes
        } else {
            RefreshOutcome::No
        }
    }

    fn replace(&self, set: KeySet) {
        let next = Arc::new(set);
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        // no token of a withdrawn key is remembered from here on
        current.withdraw_missing_from(&next);
        *current = next;
    }
}

impl Reading {
    /// Asks for a reading: its number. `No`: the last one that was asked for is too recent.
    fn ask(&self, seen: u64) -> Result<u64, RefreshOutcome> {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let (begun, ended) = {
            let readings = self.readings.borrow();
            (readings.begun, readings.ended)
        };
        let (last, number) = *asked;
        if ended > seen {
            return Err(RefreshOutcome::Meanwhile);
        }
        if ended < number {
            return Ok(number);
        }
        let now = Instant::now();
        if last.is_some_and(|last| now - last < self.cooldown) {
            return Err(RefreshOutcome::No);
        }
        *asked = (Some(now), begun + 1);
        self.wanted.notify_one();
        Ok(begun + 1)
    }
}

/// Reads the keys of a source now and from time to time, as long as somebody has them.
pub async fn keep(keys: Weak<Keys>, source: KeySource, refresh: Duration) {
    let client = match &source {
        KeySource::Url(url) => Some(client(url)),
        _ => None,
    };
    while let Some(held) = keys.upgrade() {
        let Some(reading) = &held.reading else { return };
        reading.readings.send_modify(|readings| readings.begun += 1);
        let pause = match read(&source, client.as_ref(), &held.current()).await {
            Ok(set) => {
                held.replace(set);
                *reading.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
                refresh
            }
            Err(error) => {
                tracing::warn!(
                    source = source.name(),
                    error,
                    "cannot read keys of tokens; those that are known stay"
                );
                AGAIN.min(refresh)
            }
        };
        reading.readings.send_modify(|readings| readings.ended += 1);
        tokio::select! {
            () = sleep(pause) => {}
            () = reading.wanted.notified() => {}
        }
    }
}

impl KeySource {
    /// The source as the log names it; without what a URL may hold beside its path.
    fn name(&self) -> String {
        match self {
            Self::Secret(_) => "secret".to_owned(),
            Self::File(path) => path.display().to_string(),
            Self::Url(url) => format!("{}{}", url.origin().ascii_serialization(), url.path()),
        }
    }
}

async fn read(
    source: &KeySource,
    client: Option<&reqwest::Result<Client>>,
    known: &KeySet,
) -> Result<KeySet, String> {
    let text = match (source, client) {
        (KeySource::File(path), _) => read_file(path),
        (KeySource::Url(url), Some(Ok(client))) => timeout(READING, fetch(client, url))
            .await
            .unwrap_or_else(|_| Err("no answer in time".to_owned())),
        (_, Some(Err(error))) => Err(error.to_string()),
        _ => Err("there is nothing to read".to_owned()),
    };
    let parsed = KeySet::parse(&text?, known)?;
    for reason in parsed.left_out {
        tracing::warn!(
            source = source.name(),
            reason,
            "a key of tokens cannot be used"
        );
    }
    Ok(parsed.set)
}

/// Reads a file of keys, and judges it.
pub fn check_file(path: &Path) -> Result<(), String> {
    KeySet::parse(&read_file(path)?, &KeySet::default()).map(drop)
}

fn read_file(path: &Path) -> Result<Vec<u8>, String> {
    use std::io::Read as _;
    let mut text = Vec::new();
    let file = std::fs::File::open(path).map_err(|error| error.to_string())?;
    // one byte more than a set may have, which then is too many
    file.take(MAX_BYTES as u64 + 1)
        .read_to_end(&mut text)
        .map_err(|error| error.to_string())?;
    Ok(text)
}

/// A client for one URL: it follows redirects within its origin only, and keeps no connection.
fn client(url: &Url) -> reqwest::Result<Client> {
    let origin = url.origin();
    let policy = Policy::custom(move |attempt| {
        if attempt.url().origin() != origin {
            attempt.error("redirected to another origin")
        } else if attempt.previous().len() > REDIRECTS {
            attempt.error("redirected too often")
        } else {
            attempt.follow()
        }
    });
    Client::builder()
        .redirect(policy)
        .timeout(READING)
        .pool_max_idle_per_host(0)
        .build()
}

async fn fetch(client: &Client, url: &Url) -> Result<Vec<u8>, String> {
    // the error's own text names the URL, whose query may hold a secret
    let told = |error: reqwest::Error| format!("{:#}", anyhow::Error::new(error.without_url()));
    let answer = client
        .get(url.clone())
        .send()
        .await
        .map_err(told)?
        .error_for_status()
        .map_err(told)?;
    let (mut parts, mut text) = (answer.bytes_stream(), Vec::new());
    while let Some(part) = parts.next().await {
        text.extend_from_slice(&part.map_err(told)?);
        if text.len() > MAX_BYTES {
            return Err(format!("more than {MAX_BYTES} bytes"));
        }
    }
    Ok(text)
}

/// That nobody can be judged, since no key was ever read.
pub fn unknown() -> Error {
    Error::Unavailable("no key of tokens could be read yet".to_owned())
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn who_has_not_seen_the_last_reading_causes_none() {
        let keys = Keys::unread(Duration::ZERO);
        let reading = keys.reading.as_ref().unwrap();
        let seen = keys.readings();
        reading
            .readings
            .send_modify(|readings| *readings = RefreshCount { begun: 1, ended: 1 });
        assert_eq!(keys.read_again(seen).await, RefreshOutcome::Meanwhile);
        assert!(
            reading.wanted.notified().now_or_never().is_none(),
            "nobody was asked to read"
        );
        let again = async {
            reading.wanted.notified().await;
            reading
                .readings
                .send_modify(|readings| *readings = RefreshCount { begun: 2, ended: 2 });
        };
        let (read, ()) = tokio::join!(keys.read_again(keys.readings()), again);
        assert_eq!(read, RefreshOutcome::Yes);
    }
}

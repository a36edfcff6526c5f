//! Verifies tokens, and caches verified ones.

use std::{sync::Arc, time::Duration};

use aws_lc_rs::digest;
use jsonwebtoken::{Algorithm, Validation, errors::ErrorKind};
use quick_cache::sync::Cache;
use secrecy::ExposeSecret as _;

use super::{
    Claims, IssuerSettings, KeySource, TokenSettings,
    header::UnverifiedToken,
    jwks::{Key, KeySet},
    key_refresh::{Keys, RefreshOutcome, keys_unavailable, refresh_loop},
};
use crate::common::{Code, Error, Result, counters::CacheStats, timestamp::Timestamp};

/// Tolerated clock difference, in seconds.
const LEEWAY: u64 = 60;
/// Maximum length of a token.
const MAX_TOKEN_BYTES: usize = 8 * 1024;
/// Maximum number of cached tokens.
const CACHE_CAPACITY: usize = 10_000;
const ALGORITHMS: [Algorithm; 5] = [
    Algorithm::HS256,
    Algorithm::RS256,
    Algorithm::PS256,
    Algorithm::ES256,
    Algorithm::EdDSA,
];

/// SHA-256 of a token.
type Hash = [u8; digest::SHA256_OUTPUT_LEN];

/// Verifies tokens.
pub struct Verifier {
    issuers: Vec<Issuer>,
    allowed_types: Vec<String>,
    cache: Cache<Hash, Arc<Verified>>,
    /// Lookups of the cache of verified tokens.
    pub lookups: CacheStats,
}

struct Issuer {
    name: String,
    validations: Vec<(Algorithm, Validation)>,
    keys: Arc<Keys>,
}

/// A verified token.
struct Verified {
    claims: Arc<Claims>,
    key: Arc<Key>,
}

/// Why a token was not verified.
pub enum Unverified {
    Refused(Error),
    /// No loaded key fits the token. It may be valid after a refresh of the keys.
    UnknownKey(UnknownKey),
}

/// The keys of the token's issuer, none of which fits the token.
pub struct UnknownKey {
    keys: Arc<Keys>,
    /// The number of refreshes when the keys were read.
    seen: u64,
}

impl From<&'static str> for Unverified {
    fn from(reason: &'static str) -> Self {
        Self::Refused(invalid_token(reason))
    }
}

fn invalid_token(reason: &'static str) -> Error {
    Error::client(Code::InvalidToken).with("reason", reason)
}

impl Verifier {
    /// Creates a verifier and spawns the tasks that refresh its keys while it exists. Requires a
    /// tokio runtime.
    pub fn start(settings: &TokenSettings) -> Self {
        Self {
            issuers: settings
                .issuers
                .iter()
                .map(|issuer| Issuer::start(issuer, settings))
                .collect(),
            allowed_types: settings.allowed_types.clone(),
            cache: Cache::new(CACHE_CAPACITY),
            lookups: CacheStats::default(),
        }
    }

    /// Whether the keys of every issuer were loaded.
    pub fn is_ready(&self) -> bool {
        self.issuers.iter().all(|issuer| issuer.keys.are_loaded())
    }

    /// Issuers with the time since their keys were last read. Issuers with a secret are omitted.
    pub fn jwks_ages(&self) -> impl Iterator<Item = (&str, Duration)> {
        self.issuers
            .iter()
            .filter_map(|issuer| Some((issuer.name.as_str(), issuer.keys.age()?)))
    }

    /// Verifies a token and returns its claims.
    pub fn verify(&self, token: &str) -> Result<Arc<Claims>, Unverified> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err("other".into());
        }
        let hash = hash(token);
        let cached = self
            .lookups
            .record(self.cache.get(&hash), |verified| verified.is_valid());
        if let Some(verified) = cached {
            return Ok(Arc::clone(&verified.claims));
        }
        let verified = self.verify_uncached(token)?;
        let claims = Arc::clone(&verified.claims);
        self.cache.insert(hash, Arc::new(verified));
        Ok(claims)
    }

    /// Refreshes the keys and verifies the token again.
    pub async fn verify_again(&self, token: &str, mut unknown: UnknownKey) -> Result<Arc<Claims>> {
        loop {
            let outcome = unknown.keys.refresh(unknown.seen).await;
            match self.verify(token) {
                Ok(claims) => return Ok(claims),
                Err(Unverified::Refused(error)) => return Err(error),
                Err(Unverified::UnknownKey(still_unknown))
                    if outcome == RefreshOutcome::AlreadyRefreshed =>
                {
                    unknown = still_unknown;
                }
                Err(Unverified::UnknownKey(UnknownKey { keys, .. })) if !keys.are_loaded() => {
                    tracing::warn!(?outcome, "token cannot be verified: no keys loaded");
                    return Err(keys_unavailable());
                }
                Err(Unverified::UnknownKey(_)) => return Err(invalid_token("other")),
            }
        }
    }

    fn verify_uncached(&self, token: &str) -> Result<Verified, Unverified> {
        let unverified = UnverifiedToken::decode(token).ok_or("other")?;
        let header = &unverified.header;
        // Without `typ`, a token counts as a generic JWT (RFC 7519 section 5.1).
        let typ = unverified.typ().unwrap_or_else(|| "jwt".to_owned());
        if header.crit.is_some()
            || unverified.is_sender_constrained
            || !self.allowed_types.contains(&typ)
        {
            return Err("other".into());
        }
        let issuer = self
            .issuers
            .iter()
            .find(|issuer| issuer.name == unverified.issuer)
            .ok_or("issuer")?;
        let algorithm = header.alg.parse::<Algorithm>().map_err(|_| "other")?;
        issuer.verify(token, algorithm, header.kid.as_deref())
    }
}

impl Issuer {
    fn start(issuer: &IssuerSettings, settings: &TokenSettings) -> Self {
        Self {
            name: issuer.issuer.clone(),
            validations: ALGORITHMS
                .map(|algorithm| (algorithm, validation(algorithm, issuer)))
                .into(),
            keys: start_keys(&issuer.keys, settings),
        }
    }

    fn verify(
        &self,
        token: &str,
        algorithm: Algorithm,
        kid: Option<&str>,
    ) -> Result<Verified, Unverified> {
        let (_, validation) = self
            .validations
            .iter()
            .find(|(supported, _)| *supported == algorithm)
            .ok_or("other")?;
        // The count is read before the keys: a refresh in between is then not missed.
        let seen = self.keys.refresh_count();
        let set = self.keys.current();
        let mut failure = Unverified::UnknownKey(UnknownKey {
            keys: Arc::clone(&self.keys),
            seen,
        });
        for key in set.candidates(algorithm, kid) {
            let error = match jsonwebtoken::decode::<Claims>(token, key.decoding(), validation) {
                Ok(token) => {
                    return Ok(Verified {
                        claims: Arc::new(token.claims.normalized().ok_or("other")?),
                        key: Arc::clone(key),
                    });
                }
                Err(error) => error,
            };
            let Some(reason) = claim_error(error.kind()) else {
                // The signature does not match. Unless `kid` named exactly this key, or keys never
                // change, a refresh may find the right one.
                if key.has_id() && kid.is_some() || !self.keys.can_change() {
                    failure = "other".into();
                }
                continue;
            };
            return Err(reason.into());
        }
        Err(failure)
    }
}

/// The reason that the caller gets; `None` if the signature does not match the key.
fn claim_error(error: &ErrorKind) -> Option<&'static str> {
    match error {
        ErrorKind::InvalidSignature => None,
        ErrorKind::ExpiredSignature => Some("expired"),
        ErrorKind::ImmatureSignature => Some("not_yet_valid"),
        ErrorKind::InvalidAudience => Some("audience"),
        _ => Some("other"),
    }
}

/// Loads a secret, or spawns the task that loads and refreshes a JWK set.
fn start_keys(source: &KeySource, settings: &TokenSettings) -> Arc<Keys> {
    if let KeySource::Secret(secret) = source {
        let secret = secret.expose_secret().as_bytes();
        return Arc::new(Keys::fixed(KeySet::from_secret(secret)));
    }
    let keys = Arc::new(Keys::refreshed(settings.min_refresh_interval));
    tokio::spawn(refresh_loop(
        Arc::downgrade(&keys),
        source.clone(),
        settings.refresh_interval,
    ));
    keys
}

impl Verified {
    /// Whether the token has not expired and its key is not withdrawn.
    fn is_valid(&self) -> bool {
        let now = Timestamp::now().unix_micros() / 1_000_000;
        now < self.claims.exp && !self.key.is_withdrawn()
    }
}

fn validation(algorithm: Algorithm, issuer: &IssuerSettings) -> Validation {
    let mut validation = Validation::new(algorithm);
    validation.leeway = LEEWAY;
    validation.validate_nbf = true;
    validation.set_issuer(&[&issuer.issuer]);
    validation.set_audience(&[&issuer.audience]);
    // Without this, jsonwebtoken accepts tokens that lack one of these claims.
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    validation
}

fn hash(token: &str) -> Hash {
    let mut hash = Hash::default();
    hash.copy_from_slice(digest::digest(&digest::SHA256, token.as_bytes()).as_ref());
    hash
}

//! Judges tokens, and remembers the good ones.

use std::{sync::Arc, time::Duration};

use aws_lc_rs::digest;
use jsonwebtoken::{Algorithm, Validation, errors::ErrorKind};
use quick_cache::sync::Cache;
use secrecy::ExposeSecret as _;

use super::{
    Claims, IssuerSettings, KeySource, TokenSettings,
    header::Parts,
    jwks::{Key, KeySet},
    key_refresh::{self, Keys, RefreshOutcome},
};
use crate::common::{Code, Error, Result, counters::Counter, timestamp::Timestamp};

/// Clocks may differ by this many seconds.
const LEEWAY: u64 = 60;
/// Longest token that is looked at.
const MAX_TOKEN: usize = 8 * 1024;
/// Most keys that are tried for one token.
const MAX_TRIED: usize = 8;
/// Most tokens that are remembered.
const REMEMBERED: usize = 10_000;
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
    types: Vec<String>,
    verified: Cache<Hash, Arc<Verified>>,
    /// Good tokens that were remembered.
    pub remembered: Counter,
    /// Good tokens that were judged.
    pub judged: Counter,
}

struct Issuer {
    name: String,
    validations: Vec<(Algorithm, Validation)>,
    keys: Arc<Keys>,
}

/// A good token.
struct Verified {
    claims: Arc<Claims>,
    key: Arc<Key>,
}

/// Why a token does not pass.
pub enum Unverified {
    Refused(Error),
    /// It names a key that is not known, or none is; it may pass once the keys have been read again.
    UnknownKey(Unknown),
}

/// Keys among which that of a token was not.
pub struct Unknown {
    keys: Arc<Keys>,
    /// How often they had been read before they were looked at.
    seen: u64,
}

impl From<&'static str> for Unverified {
    fn from(reason: &'static str) -> Self {
        Self::Refused(refused(reason))
    }
}

/// Why a bad token is bad is told in one word.
fn refused(reason: &'static str) -> Error {
    Error::client(Code::InvalidToken).with("reason", reason)
}

impl Verifier {
    /// A verifier, and the tasks that keep its keys current as long as it lives; they begin at once. Needs tokio.
    pub fn start(settings: &TokenSettings) -> Self {
        let issuer = |it: &IssuerSettings| Issuer::start(it, settings.refresh, settings.cooldown);
        Self {
            issuers: settings.issuers.iter().map(issuer).collect(),
            types: settings.types.clone(),
            verified: Cache::new(REMEMBERED),
            remembered: Counter::default(),
            judged: Counter::default(),
        }
    }

    /// Whether the tokens of every issuer can be judged.
    pub fn is_ready(&self) -> bool {
        self.issuers.iter().all(|issuer| issuer.keys.are_known())
    }

    /// How long ago the keys of each issuer were read, where they are read.
    pub fn ages_of_keys(&self) -> impl Iterator<Item = (&str, Duration)> {
        self.issuers
            .iter()
            .filter_map(|issuer| Some((issuer.name.as_str(), issuer.keys.age()?)))
    }

    /// The claims of a good token.
    pub fn verify(&self, token: &str) -> Result<Arc<Claims>, Unverified> {
        if token.len() > MAX_TOKEN {
            return Err("other".into());
        }
        let hash = hash(token);
        let known = self.verified.get(&hash).filter(|known| known.is_good());
        if let Some(known) = known {
            self.remembered.inc();
            return Ok(Arc::clone(&known.claims));
        }
        let verified = self.judge(token)?;
        self.judged.inc();
        let claims = Arc::clone(&verified.claims);
        self.verified.insert(hash, Arc::new(verified));
        Ok(claims)
    }

    /// The same after the keys have been read again, for a token whose key was not known.
    pub async fn verify_again(&self, token: &str, mut unknown: Unknown) -> Result<Arc<Claims>> {
        loop {
            let read = unknown.keys.read_again(unknown.seen).await;
            match self.verify(token) {
                Ok(claims) => return Ok(claims),
                Err(Unverified::Refused(error)) => return Err(error),
                Err(Unverified::UnknownKey(again)) if read == RefreshOutcome::Meanwhile => {
                    unknown = again
                }
                Err(Unverified::UnknownKey(Unknown { keys, .. })) if !keys.are_known() => {
                    tracing::warn!(?read, "a token cannot be judged");
                    return Err(key_refresh::unknown());
                }
                Err(Unverified::UnknownKey(_)) => return Err(refused("other")),
            }
        }
    }

    fn judge(&self, token: &str) -> Result<Verified, Unverified> {
        let parts = Parts::of(token).ok_or("other")?;
        let kind = parts.kind();
        // a token without a type is a JWT of some kind (RFC 7519 section 5.1)
        let typed = self
            .types
            .iter()
            .any(|it| it == kind.as_deref().unwrap_or("jwt"));
        if parts.header.crit.is_some() || !typed {
            return Err("other".into());
        }
        let issuer = self
            .issuers
            .iter()
            .find(|issuer| issuer.name == parts.issuer)
            .ok_or("issuer")?;
        let named = parts.header.alg.parse::<Algorithm>().map_err(|_| "other")?;
        let (algorithm, validation) = issuer
            .validations
            .iter()
            .find(|(it, _)| *it == named)
            .ok_or("other")?;
        issuer.judge(token, *algorithm, validation, parts.header.kid.as_deref())
    }
}

impl Issuer {
    fn start(settings: &IssuerSettings, refresh: Duration, cooldown: Duration) -> Self {
        let keys = match &settings.keys {
            KeySource::Secret(secret) => Arc::new(Keys::fixed(KeySet::of_secret(
                secret.expose_secret().as_bytes(),
            ))),
            published => {
                let keys = Arc::new(Keys::unread(cooldown));
                tokio::spawn(key_refresh::keep(
                    Arc::downgrade(&keys),
                    published.clone(),
                    refresh,
                ));
                keys
            }
        };
        let validations = ALGORITHMS
            .map(|algorithm| (algorithm, validation(algorithm, settings)))
            .into();
        Self {
            name: settings.issuer.clone(),
            validations,
            keys,
        }
    }

    fn judge(
        &self,
        token: &str,
        algorithm: Algorithm,
        validation: &Validation,
        kid: Option<&str>,
    ) -> Result<Verified, Unverified> {
        let seen = self.keys.readings();
        let set = self.keys.current();
        let mut outcome = Err(Unverified::UnknownKey(Unknown {
            keys: Arc::clone(&self.keys),
            seen,
        }));
        for key in set.candidates(algorithm, kid).take(MAX_TRIED) {
            let error = match jsonwebtoken::decode::<Claims>(token, key.decoding(), validation) {
                Ok(token) if token.claims.are_sane() => {
                    return Ok(Verified {
                        claims: Arc::new(token.claims),
                        key: Arc::clone(key),
                    });
                }
                Ok(_) => return Err("other".into()),
                Err(error) => error,
            };
            let reason = match error.kind() {
                ErrorKind::InvalidSignature => {
                    // whose key it is was a guess when one of the two has no name
                    if key.is_named() && kid.is_some() || !self.keys.may_change() {
                        outcome = Err("other".into());
                    }
                    continue;
                }
                ErrorKind::ExpiredSignature => "expired",
                ErrorKind::ImmatureSignature => "not_yet_valid",
                ErrorKind::InvalidAudience => "audience",
                _ => "other",
            };
            return Err(reason.into());
        }
        outcome
    }
}

impl Verified {
    /// Whether neither the token nor its key has ended.
    fn is_good(&self) -> bool {
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
    // a token without one of these would pass otherwise
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    validation
}

fn hash(token: &str) -> Hash {
    let mut hash = Hash::default();
    hash.copy_from_slice(digest::digest(&digest::SHA256, token.as_bytes()).as_ref());
    hash
}

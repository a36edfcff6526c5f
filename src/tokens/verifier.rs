//! Verifies tokens, and caches verified ones.

use std::{sync::Arc, time::Duration};

use aws_lc_rs::digest;
use jsonwebtoken::{Algorithm, Validation, errors::ErrorKind};
use quick_cache::sync::Cache;
use secrecy::ExposeSecret as _;

use super::{
    ClaimNames, Claims, IssuerSettings, KeySource, RejectionReason, TokenSettings,
    claim_reader::RawClaims,
    header::UnverifiedToken,
    jwks::{Key, KeySet},
    key_refresh::{Keys, RefreshOutcome, keys_unavailable, refresh_loop},
    rejection::{self, RejectedToken, Rejection, RejectionCounters},
};
use crate::common::{Error, Result, counters::CacheStats, timestamp::Timestamp};

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
    /// Requests rejected with 401.
    pub rejections: RejectionCounters,
}

struct Issuer {
    name: String,
    key_source: String,
    claim_names: ClaimNames,
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
    Rejected(Error),
    /// No loaded key fits the token. It may be valid after a refresh of the keys.
    UnknownKey(UnknownKey),
}

/// The keys of the token's issuer, none of which fits the token.
pub struct UnknownKey {
    keys: Arc<Keys>,
    /// The number of refreshes when the keys were read.
    seen: u64,
    /// The reason if the keys do not change.
    reason: RejectionReason,
}

/// The outcome of a verification that is not reported yet.
enum Failure {
    Rejected(Rejection),
    UnknownKey(UnknownKey),
}

impl From<Rejection> for Failure {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}

impl From<RejectionReason> for Failure {
    fn from(reason: RejectionReason) -> Self {
        Self::Rejected(reason.into())
    }
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
            rejections: RejectionCounters::default(),
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
            return Err(Unverified::Rejected(
                self.reject(RejectionReason::Malformed),
            ));
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
                Err(Unverified::Rejected(error)) => return Err(error),
                Err(Unverified::UnknownKey(still_unknown))
                    if outcome == RefreshOutcome::AlreadyRefreshed =>
                {
                    unknown = still_unknown;
                }
                Err(Unverified::UnknownKey(UnknownKey { keys, .. })) if !keys.are_loaded() => {
                    tracing::warn!(?outcome, "token cannot be verified: no keys loaded");
                    return Err(keys_unavailable());
                }
                Err(Unverified::UnknownKey(UnknownKey { reason, .. })) => {
                    let unverified = UnverifiedToken::decode(token);
                    return Err(self.reject_token(reason.into(), unverified.as_ref()));
                }
            }
        }
    }

    /// Rejects a request without a token that could be decoded: logs and counts the reason, and
    /// returns the error for the caller.
    pub fn reject(&self, reason: RejectionReason) -> Error {
        self.reject_token(reason.into(), None)
    }

    fn reject_token(&self, rejection: Rejection, token: Option<&UnverifiedToken>) -> Error {
        let description = token.map_or_else(RejectedToken::default, |token| RejectedToken {
            issuer: token.issuer.as_deref(),
            kid: token.header.kid.as_deref(),
            typ: token.header.typ.as_deref(),
            algorithm: Some(&token.header.alg),
            key_source: self
                .issuer_of(token)
                .map(|issuer| issuer.key_source.as_str()),
        });
        rejection::log(&rejection, &description);
        self.rejections.increment(rejection.reason);
        rejection.into()
    }

    fn issuer_of(&self, token: &UnverifiedToken) -> Option<&Issuer> {
        let name = token.issuer.as_ref()?;
        self.issuers.iter().find(|issuer| issuer.name == *name)
    }

    fn verify_uncached(&self, token: &str) -> Result<Verified, Unverified> {
        let Some(unverified) = UnverifiedToken::decode(token) else {
            return Err(Unverified::Rejected(
                self.reject(RejectionReason::Malformed),
            ));
        };
        self.verify_decoded(token, &unverified)
            .map_err(|failure| match failure {
                Failure::UnknownKey(key) => Unverified::UnknownKey(key),
                Failure::Rejected(rejection) => {
                    Unverified::Rejected(self.reject_token(rejection, Some(&unverified)))
                }
            })
    }

    fn verify_decoded(
        &self,
        token: &str,
        unverified: &UnverifiedToken,
    ) -> Result<Verified, Failure> {
        let header = &unverified.header;
        // Without `typ`, a token counts as a generic JWT (RFC 7519 section 5.1).
        let typ = unverified.typ().unwrap_or_else(|| "jwt".to_owned());
        if header.crit.is_some() {
            return Err(RejectionReason::CriticalExtension.into());
        }
        if unverified.is_sender_constrained {
            return Err(RejectionReason::SenderConstrained.into());
        }
        if !self.allowed_types.contains(&typ) {
            return Err(RejectionReason::Type.into());
        }
        if unverified.issuer.is_none() {
            return Err(Rejection::missing_claim("iss").into());
        }
        let issuer = self.issuer_of(unverified).ok_or(RejectionReason::Issuer)?;
        let algorithm = header
            .alg
            .parse::<Algorithm>()
            .map_err(|_| RejectionReason::Algorithm)?;
        issuer.verify(token, algorithm, header.kid.as_deref())
    }
}

impl Issuer {
    fn start(issuer: &IssuerSettings, settings: &TokenSettings) -> Self {
        Self {
            name: issuer.issuer.clone(),
            key_source: issuer.keys.name(),
            claim_names: issuer.claim_names.clone(),
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
    ) -> Result<Verified, Failure> {
        let (_, validation) = self
            .validations
            .iter()
            .find(|(supported, _)| *supported == algorithm)
            .ok_or(RejectionReason::Algorithm)?;
        // The count is read before the keys: a refresh in between is then not missed.
        let seen = self.keys.refresh_count();
        let set = self.keys.current();
        let mut reason = RejectionReason::UnknownKey;
        let mut is_final = false;
        for key in set.candidates(algorithm, kid) {
            match jsonwebtoken::decode::<RawClaims>(token, key.decoding(), validation) {
                Ok(token) => {
                    return Ok(Verified {
                        claims: Arc::new(self.claim_names.read(&token.claims)?),
                        key: Arc::clone(key),
                    });
                }
                Err(error) if *error.kind() == ErrorKind::InvalidSignature => {
                    // Unless `kid` named exactly this key, or keys never change, a refresh may find
                    // the right one.
                    reason = RejectionReason::Signature;
                    is_final |= key.has_id() && kid.is_some() || !self.keys.can_change();
                }
                Err(error) => return Err(claim_rejection(error.kind()).into()),
            }
        }
        if is_final {
            return Err(reason.into());
        }
        Err(Failure::UnknownKey(UnknownKey {
            keys: Arc::clone(&self.keys),
            seen,
            reason,
        }))
    }
}

/// The rejection of a token with a valid signature.
fn claim_rejection(error: &ErrorKind) -> Rejection {
    match error {
        ErrorKind::ExpiredSignature => RejectionReason::Expired.into(),
        ErrorKind::ImmatureSignature => RejectionReason::NotYetValid.into(),
        ErrorKind::InvalidAudience => RejectionReason::Audience.into(),
        ErrorKind::InvalidIssuer => RejectionReason::Issuer.into(),
        ErrorKind::MissingRequiredClaim(name) => Rejection::missing_claim(name),
        ErrorKind::InvalidClaimFormat(name) => Rejection::invalid_claim(name),
        _ => RejectionReason::Malformed.into(),
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
    validation.set_required_spec_claims(&["exp", "iss", "aud"]);
    validation
}

fn hash(token: &str) -> Hash {
    let mut hash = Hash::default();
    hash.copy_from_slice(digest::digest(&digest::SHA256, token.as_bytes()).as_ref());
    hash
}

//! Whom to trust.

use std::{path::PathBuf, time::Duration};

use reqwest::Url;
use secrecy::SecretString;

/// Shortest key for HS256 (RFC 7518 section 3.2): as long as the hash.
pub const MIN_SECRET: usize = 32;
/// The media type of access tokens (RFC 9068 section 2.1), without `application/`.
const ACCESS_TOKEN: &str = "at+jwt";
const REFRESH: Duration = Duration::from_mins(5);
const COOLDOWN: Duration = Duration::from_secs(10);

/// Which tokens are accepted.
#[derive(Debug, Clone)]
pub struct TokenSettings {
    pub issuers: Vec<IssuerSettings>,
    /// Acceptable values of the header `typ`, in lower case and without `application/`. RFC 9068 wants `at+jwt` alone, so that no
    /// other kind of token that an issuer signs passes as an access token; not all issuers can do so.
    pub types: Vec<String>,
    /// How often published keys are read again.
    pub refresh: Duration,
    /// Tokens with unknown keys make the keys be read once in this time at most.
    pub cooldown: Duration,
}

/// One issuer.
#[derive(Debug, Clone)]
pub struct IssuerSettings {
    /// `iss` of its tokens.
    pub issuer: String,
    /// `aud` that its tokens must name.
    pub audience: String,
    pub keys: KeySource,
}

/// Where an issuer's keys come from.
#[derive(Debug, Clone)]
pub enum KeySource {
    /// A secret shared with the issuer, for HS256.
    Secret(SecretString),
    /// A file with a JWK set.
    File(PathBuf),
    /// Where the issuer publishes its JWK set.
    Url(Url),
}

impl TokenSettings {
    /// These issuers, and the standard's way with all else.
    pub fn of(issuers: Vec<IssuerSettings>) -> Self {
        Self {
            issuers,
            types: vec![ACCESS_TOKEN.to_owned()],
            refresh: REFRESH,
            cooldown: COOLDOWN,
        }
    }

    /// One issuer with a shared secret.
    pub fn hs256(issuer: &str, audience: &str, secret: &str) -> Self {
        let (issuer, audience) = (issuer.to_owned(), audience.to_owned());
        Self::of(vec![IssuerSettings {
            issuer,
            audience,
            keys: KeySource::Secret(secret.into()),
        }])
    }
}

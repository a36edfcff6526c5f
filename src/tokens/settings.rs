//! Settings of token verification: trusted issuers and their keys.

use std::{path::PathBuf, time::Duration};

use reqwest::Url;
use secrecy::SecretString;

use super::{ClaimNames, IssuerUrl};

/// Minimum length of an HS256 secret: that of the hash (RFC 7518 section 3.2).
pub const MIN_SECRET_BYTES: usize = 32;
/// Media type of access tokens without `application/` (RFC 9068 section 2.1).
pub const ACCESS_TOKEN_TYPE: &str = "at+jwt";
/// Default of [`TokenSettings::refresh_interval`].
pub const REFRESH_INTERVAL: Duration = Duration::from_mins(5);
/// Default of [`TokenSettings::min_refresh_interval`].
pub const MIN_REFRESH_INTERVAL: Duration = Duration::from_secs(10);

/// Settings of token verification.
#[derive(Debug, Clone)]
pub struct TokenSettings {
    pub issuers: Vec<IssuerSettings>,
    /// Accepted values of the header `typ`, in lower case and without `application/`. RFC 9068
    /// requires `at+jwt`, so that no other token of the issuer passes as an access token. Not all
    /// issuers set it.
    pub allowed_types: Vec<String>,
    /// How often JWK sets are read.
    pub refresh_interval: Duration,
    /// Minimum interval between refreshes triggered by unknown key ids.
    pub min_refresh_interval: Duration,
}

/// A trusted issuer.
#[derive(Debug, Clone)]
pub struct IssuerSettings {
    /// Required `iss`.
    pub issuer: String,
    /// Required `aud`.
    pub audience: String,
    pub keys: KeySource,
    pub claim_names: ClaimNames,
}

/// Where an issuer's keys come from.
#[derive(Debug, Clone)]
pub enum KeySource {
    /// A secret shared with the issuer (HS256).
    Secret(SecretString),
    /// A file with a JWK set.
    File(PathBuf),
    /// The URL where the issuer publishes its JWK set.
    Url(Url),
    /// The URL that the metadata of the issuer names.
    Metadata(IssuerUrl),
}

impl TokenSettings {
    /// Trusts these issuers. All other settings have their defaults.
    pub fn new(issuers: Vec<IssuerSettings>) -> Self {
        Self {
            issuers,
            allowed_types: vec![ACCESS_TOKEN_TYPE.to_owned()],
            refresh_interval: REFRESH_INTERVAL,
            min_refresh_interval: MIN_REFRESH_INTERVAL,
        }
    }

    /// Trusts one issuer with a shared secret.
    pub fn hs256(issuer: &str, audience: &str, secret: &str) -> Self {
        Self::new(vec![IssuerSettings {
            issuer: issuer.to_owned(),
            audience: audience.to_owned(),
            keys: KeySource::Secret(secret.into()),
            claim_names: ClaimNames::default(),
        }])
    }
}

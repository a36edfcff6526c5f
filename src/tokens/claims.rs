//! Claims of a token, and signing of development tokens.

use std::time::Duration;

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Deserializer, Serialize};
use unicode_normalization::UnicodeNormalization as _;

use super::{KeySource, TokenSettings};
use crate::common::{
    ids::BusinessPartnerId,
    merge_patch,
    text::{SelfCheck as _, is_invisible},
    timestamp::Timestamp,
};

/// Maximum length of `sub` and `client_id`, in characters.
const MAX_NAME_CHARS: usize = 255;

/// Error message if no issuer has a secret to sign with.
pub const NO_SIGNER: &str =
    "tokens can only be signed with an HS256 secret; get a token from your identity provider";

/// The claims of a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    pub iss: String,
    pub aud: Audience,
    /// Expiry, in seconds since 1970. A fraction is rounded down.
    #[serde(deserialize_with = "numeric_date")]
    pub exp: i64,
    /// The token is invalid before this time, in seconds since 1970. A fraction is rounded down.
    #[serde(
        default,
        deserialize_with = "optional_numeric_date",
        skip_serializing_if = "Option::is_none"
    )]
    pub nbf: Option<i64>,
    pub sub: String,
    /// Granted scopes, separated by spaces.
    #[serde(default)]
    pub scope: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// Limits the token to one business partner. `null` is rejected: a malformed limit must not
    /// become an unlimited token.
    #[serde(
        default,
        deserialize_with = "merge_patch::present",
        skip_serializing_if = "Option::is_none"
    )]
    pub business_partner_id: Option<BusinessPartnerId>,
}

/// One audience or several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Audience {
    One(String),
    Several(Vec<String>),
}

impl Claims {
    /// Whether the token grants a scope.
    pub fn has_scope(&self, scope: &str) -> bool {
        // Splitting bytes instead of characters saves a thousand instructions per request.
        self.scope
            .as_bytes()
            .split(|byte| *byte == b' ')
            .any(|granted| granted == scope.as_bytes())
    }

    /// The claims with `sub` and `client_id` in normalization form C, as the history stores and
    /// compares them. `None` if they are not well-formed.
    pub fn normalized(mut self) -> Option<Self> {
        self.sub = self.sub.nfc().collect();
        self.client_id = self.client_id.map(|client| client.nfc().collect());
        self.are_well_formed().then_some(self)
    }

    /// Whether names and business partner id are well-formed.
    fn are_well_formed(&self) -> bool {
        is_name(&self.sub)
            && self.client_id.as_deref().is_none_or(is_name)
            && self
                .business_partner_id
                .as_ref()
                .is_none_or(|id| id.check().is_ok())
    }
}

/// Whether the text can be stored in the history, found there and shown in logs. `PostgreSQL`
/// rejects NUL. Surrounding white space and invisible characters are rejected instead of removed,
/// because removing them would give two subjects the same name.
fn is_name(text: &str) -> bool {
    (1..=MAX_NAME_CHARS).contains(&text.chars().count())
        && text.trim() == text
        && !text.chars().any(|c| c.is_control() || is_invisible(c))
}

/// Deserializes a `NumericDate`, which may have a fraction (RFC 7519 section 2).
#[expect(
    clippy::cast_possible_truncation,
    reason = "dates that are too large saturate"
)]
fn numeric_date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    Ok(f64::deserialize(deserializer)?.floor() as i64)
}

fn optional_numeric_date<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<i64>, D::Error> {
    numeric_date(deserializer).map(Some)
}

/// Claims of a development token of the first issuer that has a secret. `None` if none has one.
pub fn dev_claims(
    settings: &TokenSettings,
    subject: &str,
    scope: &str,
    lifetime: Duration,
) -> Option<Claims> {
    let signer = settings
        .issuers
        .iter()
        .find(|issuer| matches!(issuer.keys, KeySource::Secret(_)))?;
    let now = Timestamp::now().unix_micros() / 1_000_000;
    let seconds = i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX);
    Some(Claims {
        iss: signer.issuer.clone(),
        aud: Audience::One(signer.audience.clone()),
        exp: now.saturating_add(seconds),
        nbf: None,
        sub: subject.to_owned(),
        scope: scope.to_owned(),
        client_id: None,
        business_partner_id: None,
    })
}

/// Signs a token for development and smoke tests. Fails unless its issuer has a shared secret.
pub fn sign(settings: &TokenSettings, claims: &Claims) -> anyhow::Result<String> {
    let issuer = settings
        .issuers
        .iter()
        .find(|issuer| issuer.issuer == claims.iss);
    let Some(KeySource::Secret(secret)) = issuer.map(|issuer| &issuer.keys) else {
        anyhow::bail!(NO_SIGNER)
    };
    let key = EncodingKey::from_secret(secret.expose_secret().as_bytes());
    let header = Header {
        typ: Some("at+jwt".to_owned()),
        ..Header::new(Algorithm::HS256)
    };
    Ok(jsonwebtoken::encode(&header, claims, &key)?)
}

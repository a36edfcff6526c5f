//! What a token says, and how one is signed for development.

use std::time::Duration;

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};

use super::{KeySource, TokenSettings};
use crate::common::{
    ids::BusinessPartnerId, merge_patch, text::SelfCheck as _, timestamp::Timestamp,
};

/// Longest `sub` and `client_id`, in characters.
const MAX_NAME: usize = 255;

/// Why no token can be made.
pub const NO_SIGNER: &str =
    "tokens can only be signed with an HS256 secret; ask your identity provider for one";

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    pub iss: String,
    pub aud: Audience,
    pub exp: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nbf: Option<i64>,
    pub sub: String,
    /// Space-separated.
    #[serde(default)]
    pub scope: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// Limits the token to one partner. `null` is refused: what looks like a limit must not lift it.
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
    /// Whether the token carries a scope.
    pub fn has_scope(&self, scope: &str) -> bool {
        // by bytes: to look for characters took a thousand instructions of each request
        self.scope
            .as_bytes()
            .split(|byte| *byte == b' ')
            .any(|granted| granted == scope.as_bytes())
    }

    /// Whether its names and its limit can be what they claim to be.
    pub(super) fn are_sane(&self) -> bool {
        is_name(&self.sub)
            && self.client_id.as_deref().is_none_or(is_name)
            && self
                .business_partner_id
                .as_ref()
                .is_none_or(|id| id.check().is_ok())
    }
}

/// Whether the history can name someone by this text: PostgreSQL stores no NUL, and people read it in logs and lists.
fn is_name(text: &str) -> bool {
    (1..=MAX_NAME).contains(&text.chars().count()) && !text.chars().any(char::is_control)
}

/// Claims of a token that [`sign`] can sign, of the first issuer that has a secret. `None`: no issuer has one.
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
    let seconds = i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX);
    Some(Claims {
        iss: signer.issuer.clone(),
        aud: Audience::One(signer.audience.clone()),
        exp: Timestamp::now().plus_seconds(seconds).unix_micros() / 1_000_000,
        nbf: None,
        sub: subject.to_owned(),
        scope: scope.to_owned(),
        client_id: None,
        business_partner_id: None,
    })
}

/// Signs a token, for development and smoke tests. Only an issuer with a shared secret is a signer too.
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

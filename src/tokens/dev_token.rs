//! Signs tokens for development and smoke tests.

use std::time::Duration;

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use secrecy::ExposeSecret as _;

use super::{Audience, Claims, KeySource, TokenSettings};
use crate::common::timestamp::Timestamp;

/// Error message if no issuer has a secret to sign with.
pub const NO_SIGNER: &str =
    "tokens can only be signed with an HS256 secret; get a token from your identity provider";

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
        name: None,
        act: None,
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

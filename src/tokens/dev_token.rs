//! Signs tokens for development and smoke tests.

use std::time::Duration;

use anyhow::Context as _;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use secrecy::ExposeSecret as _;
use strum::VariantNames as _;

use super::{Audience, Claims, KeySource, Scope, TokenSettings, claims::normalize_name};
use crate::common::timestamp::Timestamp;

/// Error message if no issuer has a secret to sign with.
pub const NO_SIGNER: &str =
    "tokens can only be signed with an HS256 secret; get a token from your identity provider";

/// Maximum lifetime of a development token: 100 years.
const MAX_LIFETIME: Duration = Duration::from_hours(24 * 36_525);

/// Claims of a development token of the first issuer that has a secret.
///
/// # Errors
/// If no issuer has a secret, or if the service would refuse the token: the subject is no name, a
/// scope is unknown, or the lifetime is not 1 second to 100 years.
pub fn dev_claims(
    settings: &TokenSettings,
    subject: &str,
    scope: &str,
    lifetime: Duration,
) -> anyhow::Result<Claims> {
    let signer = settings
        .issuers
        .iter()
        .find(|issuer| matches!(issuer.keys, KeySource::Secret(_)))
        .context(NO_SIGNER)?;
    let subject = normalize_name("sub", subject).map_err(|_| {
        anyhow::anyhow!(
            "the subject must have 1 to 255 characters, no surrounding white space and no \
             invisible characters"
        )
    })?;
    for scope in scope.split_whitespace() {
        let known = Scope::VARIANTS.join(", ");
        scope
            .parse::<Scope>()
            .with_context(|| format!("unknown scope {scope}; the scopes are {known}"))?;
    }
    anyhow::ensure!(
        (Duration::from_secs(1)..=MAX_LIFETIME).contains(&lifetime),
        "the lifetime must be 1 second to 100 years"
    );
    let expires_at = Timestamp::now().plus_seconds(i64::try_from(lifetime.as_secs())?);
    Ok(Claims {
        iss: signer.issuer.clone(),
        aud: Audience::One(signer.audience.clone()),
        exp: expires_at.unix_micros() / 1_000_000,
        nbf: None,
        sub: subject,
        scope: scope.split_whitespace().collect::<Vec<_>>().join(" "),
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

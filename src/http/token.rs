//! Bearer tokens: JWTs (RFC 9068) verified against keys and algorithms that come from configuration, never from the token.

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, errors::ErrorKind};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use crate::{
    catalog::BusinessPartnerId,
    kernel::{Code, Error, Result, patch, text::Check as _},
};

/// Clocks may differ by this many seconds.
const LEEWAY: u64 = 60;
/// Longest token that is looked at.
const MAX_TOKEN: usize = 8 * 1024;
/// Longest `sub` and `client_id`, in characters.
const MAX_NAME: usize = 255;
/// Shortest key for HS256 (RFC 7518 section 3.2): as long as the hash.
pub const MIN_SECRET: usize = 32;

/// Who may ask: issuer, audience and key of acceptable tokens.
#[derive(Debug, Clone)]
pub struct TokenSettings {
    pub issuer: String,
    pub audience: String,
    pub secret: SecretString,
}

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
    #[serde(default, deserialize_with = "patch::given", skip_serializing_if = "Option::is_none")]
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
        self.scope.split(' ').any(|granted| granted == scope)
    }
}

/// Verifies tokens.
pub struct Verifier {
    key: DecodingKey,
    validation: Validation,
}

impl Verifier {
    /// A verifier of HS256 tokens.
    pub fn new(settings: &TokenSettings) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.leeway = LEEWAY;
        validation.validate_nbf = true;
        validation.set_issuer(&[&settings.issuer]);
        validation.set_audience(&[&settings.audience]);
        // a token without one of these would pass otherwise
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        Self { key: DecodingKey::from_secret(settings.secret.expose_secret().as_bytes()), validation }
    }

    /// The claims of a good token; why a bad one is bad is told in one word.
    pub fn verify(&self, token: &str) -> Result<Claims> {
        let refused = |reason: &'static str| Error::refuse(Code::InvalidToken).with("reason", reason);
        if token.len() > MAX_TOKEN {
            return Err(refused("other"));
        }
        let claims = jsonwebtoken::decode::<Claims>(token, &self.key, &self.validation).map_err(|error| {
            refused(match error.kind() {
                ErrorKind::ExpiredSignature => "expired",
                ErrorKind::ImmatureSignature => "not_yet_valid",
                ErrorKind::InvalidIssuer => "issuer",
                ErrorKind::InvalidAudience => "audience",
                _ => "other",
            })
        })?;
        let limit_is_an_id = claims.claims.business_partner_id.as_ref().is_none_or(|id| id.check().is_ok());
        let names_are_sane = is_name(&claims.claims.sub) && claims.claims.client_id.as_deref().is_none_or(is_name);
        if limit_is_an_id && names_are_sane { Ok(claims.claims) } else { Err(refused("other")) }
    }
}

/// Whether the history can name someone by this text: PostgreSQL stores no NUL, and people read it in logs and lists.
fn is_name(text: &str) -> bool {
    (1..=MAX_NAME).contains(&text.chars().count()) && !text.chars().any(char::is_control)
}

/// Signs a token, for development and smoke tests.
pub fn mint(settings: &TokenSettings, claims: &Claims) -> anyhow::Result<String> {
    let key = EncodingKey::from_secret(settings.secret.expose_secret().as_bytes());
    let header = Header { typ: Some("at+jwt".to_owned()), ..Header::new(Algorithm::HS256) };
    Ok(jsonwebtoken::encode(&header, claims, &key)?)
}

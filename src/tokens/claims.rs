//! The claims of a token.

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization as _;

use super::{Scope, rejection::Rejection};
use crate::common::{ids::BusinessPartnerId, text::is_invisible};

/// Maximum length of names of callers, in characters.
const MAX_NAME_CHARS: usize = 255;

/// The claims of a token, read from the names that the issuer uses. Serialized with the names of
/// RFC 9068.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Claims {
    pub iss: String,
    pub aud: Audience,
    /// Expiry, in seconds since 1970. A fraction is rounded down.
    pub exp: i64,
    /// The token is invalid before this time, in seconds since 1970. A fraction is rounded down.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nbf: Option<i64>,
    pub sub: String,
    /// Granted scopes, separated by spaces.
    pub scope: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// Display name of the subject.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The party that acts for the subject (RFC 8693 section 4.1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub act: Option<ActingParty>,
    /// Limits the token to one business partner.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub business_partner_id: Option<BusinessPartnerId>,
}

/// The claim `act`. Only the current actor counts; earlier ones, nested in it, are ignored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ActingParty {
    pub sub: String,
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
    pub fn has_scope(&self, scope: Scope) -> bool {
        let scope = scope.as_str().as_bytes();
        // Splitting bytes instead of characters saves a thousand instructions per request.
        self.scope
            .as_bytes()
            .split(|byte| *byte == b' ')
            .any(|granted| granted == scope)
    }
}

/// The claim `name` in normalization form C, as the history stores and compares it.
///
/// # Errors
/// If it has no characters or more than 255, surrounding white space, control characters or
/// invisible ones. They are not removed, because two subjects would then have the same name.
/// `PostgreSQL` cannot store NUL.
pub(super) fn normalize_name(name: &str, text: &str) -> Result<String, Rejection> {
    let text: String = text.nfc().collect();
    let is_valid = (1..=MAX_NAME_CHARS).contains(&text.chars().count())
        && text.trim() == text
        && !text.chars().any(|c| c.is_control() || is_invisible(c));
    if is_valid {
        Ok(text)
    } else {
        Err(Rejection::invalid_claim(name))
    }
}

/// A display name in normalization form C, without surrounding white space. `None` if it could not
/// be a subject: a display name never makes a token invalid.
pub(super) fn normalize_display_name(text: &str) -> Option<String> {
    normalize_name("name", text.trim()).ok()
}

/// The id of the business partner that the claim `name` limits a token to.
///
/// # Errors
/// If it is not an id: a malformed limit must not become an unlimited token.
pub(super) fn parse_partner(name: &str, id: &str) -> Result<BusinessPartnerId, Rejection> {
    id.parse().map_err(|_| Rejection::invalid_claim(name))
}

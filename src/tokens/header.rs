//! What a token says of itself before anything of it is believed.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{
    Deserialize,
    de::{DeserializeOwned, IgnoredAny},
};

/// The members of a JOSE header that are looked at (RFC 7515 section 4.1). None of them leads to a key that is not configured.
#[derive(Debug, Deserialize)]
pub struct Header {
    pub alg: String,
    pub kid: Option<String>,
    pub typ: Option<String>,
    /// Extensions that must be understood. We understand none, so where there are any the token is refused.
    pub crit: Option<IgnoredAny>,
}

/// Whose token it says it is.
#[derive(Debug, Deserialize)]
struct Origin {
    iss: String,
}

/// A token taken apart, unverified.
#[derive(Debug)]
pub struct Parts {
    pub header: Header,
    pub issuer: String,
}

impl Parts {
    /// `None`: this is no signed token in the compact form.
    pub fn of(token: &str) -> Option<Self> {
        let mut parts = token.split('.');
        let (header, claims, _signature) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() {
            return None;
        }
        Some(Self { header: decoded(header)?, issuer: decoded::<Origin>(claims)?.iss })
    }

    /// The declared type, in lower case and without `application/` (RFC 7515 section 4.1.9).
    pub fn kind(&self) -> Option<String> {
        let kind = self.header.typ.as_ref()?.to_ascii_lowercase();
        Some(kind.strip_prefix("application/").map(ToOwned::to_owned).unwrap_or(kind))
    }
}

fn decoded<T: DeserializeOwned>(part: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

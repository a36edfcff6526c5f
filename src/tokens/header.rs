//! What a token says of itself before anything of it is believed.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{
    Deserialize,
    de::{DeserializeOwned, IgnoredAny},
};

use crate::common::merge_patch;

/// The members of a JOSE header that are looked at (RFC 7515 section 4.1). None of them leads to a key that is not configured.
#[derive(Debug, Deserialize)]
pub struct Header {
    pub alg: String,
    pub kid: Option<String>,
    pub typ: Option<String>,
    /// Extensions that must be understood. We understand none, so where there are any, or something else is in their place, the
    /// token is refused.
    #[serde(default, deserialize_with = "merge_patch::present")]
    pub crit: Option<IgnoredAny>,
}

/// Whose token it says it is.
#[derive(Debug, Deserialize)]
struct UnverifiedIssuer {
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
        Some(Self {
            header: decoded(header)?,
            issuer: decoded::<UnverifiedIssuer>(claims)?.iss,
        })
    }

    /// The declared type, in lower case and without `application/` (RFC 7515 section 4.1.9).
    pub fn kind(&self) -> Option<String> {
        self.header.typ.as_deref().map(normalize_typ)
    }
}

/// A type of tokens as types are compared.
pub fn normalize_typ(typ: &str) -> String {
    let kind = typ.to_ascii_lowercase();
    kind.strip_prefix("application/")
        .map(ToOwned::to_owned)
        .unwrap_or(kind)
}

fn decoded<T: DeserializeOwned>(part: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions_are_seen_whatever_they_are() {
        for (header, extended) in [
            (r#"{"alg": "ES256"}"#, false),
            (r#"{"alg": "ES256", "crit": ["exp"]}"#, true),
            (r#"{"alg": "ES256", "crit": []}"#, true),
            (r#"{"alg": "ES256", "crit": null}"#, true),
        ] {
            let header: Header = serde_json::from_str(header).unwrap();
            assert_eq!(header.crit.is_some(), extended, "{header:?}");
        }
        assert!(serde_json::from_str::<Header>(r#"{"alg": "ES256", "alg": "none"}"#).is_err());
    }

    #[test]
    fn only_three_parts_are_a_signed_token() {
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let (header, claims) = (
            part(r#"{"alg": "ES256", "typ": "Application/AT+JWT"}"#),
            part(r#"{"iss": "i"}"#),
        );
        let parts = Parts::of(&format!("{header}.{claims}.s")).unwrap();
        assert_eq!(
            (parts.issuer.as_str(), parts.kind().as_deref()),
            ("i", Some("at+jwt"))
        );
        for token in [
            format!("{header}.{claims}"),
            format!("{header}.{claims}.s.x"),
            format!("{claims}.{claims}.s"),
            String::new(),
        ] {
            assert!(Parts::of(&token).is_none(), "{token}");
        }
    }
}

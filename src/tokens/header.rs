//! Decodes the header and some claims of a token before its signature is verified.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{
    Deserialize,
    de::{DeserializeOwned, IgnoredAny},
};

use crate::common::merge_patch;

/// The supported members of a JOSE header (RFC 7515 section 4.1). None of them can introduce a key.
#[derive(Debug, Deserialize)]
pub struct Header {
    pub alg: String,
    pub kid: Option<String>,
    pub typ: Option<String>,
    /// Extensions that must be understood. None are supported, so any value rejects the token.
    #[serde(default, deserialize_with = "merge_patch::present")]
    pub crit: Option<IgnoredAny>,
}

/// Claims that are evaluated before the signature is verified.
#[derive(Debug, Deserialize)]
struct UnverifiedClaims {
    iss: Option<String>,
    /// Binds the token to a key of the client (RFC 7800 section 3.1).
    #[serde(default, deserialize_with = "merge_patch::present")]
    cnf: Option<IgnoredAny>,
}

/// The parts of a token that select the key or reject the token, not verified yet.
#[derive(Debug)]
pub struct UnverifiedToken {
    pub header: Header,
    pub issuer: Option<String>,
    /// Whether only the holder of a key may use the token (`cnf`). The service verifies no proof of
    /// possession, so that accepting it as a bearer token would lift the restriction.
    pub is_sender_constrained: bool,
}

impl UnverifiedToken {
    /// Decodes a token; `None` if it is not a signed JWT in compact form.
    pub fn decode(token: &str) -> Option<Self> {
        let mut parts = token.split('.');
        let header = parts.next()?;
        let claims = parts.next()?;
        let _signature = parts.next()?;
        if parts.next().is_some() {
            return None;
        }
        let claims: UnverifiedClaims = decode_part(claims)?;
        Some(Self {
            header: decode_part(header)?,
            issuer: claims.iss,
            is_sender_constrained: claims.cnf.is_some(),
        })
    }

    /// The normalized `typ` header.
    pub fn typ(&self) -> Option<String> {
        self.header.typ.as_deref().map(normalize_typ)
    }
}

/// Normalizes a token type: lower case, without `application/` (RFC 7515 section 4.1.9).
pub fn normalize_typ(typ: &str) -> String {
    let typ = typ.to_ascii_lowercase();
    typ.strip_prefix("application/")
        .map(ToOwned::to_owned)
        .unwrap_or(typ)
}

fn decode_part<T: DeserializeOwned>(part: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encode(text: &str) -> String {
        URL_SAFE_NO_PAD.encode(text)
    }

    #[test]
    fn crit_is_detected_with_any_value() {
        for (header, has_crit) in [
            (r#"{"alg": "ES256"}"#, false),
            (r#"{"alg": "ES256", "crit": ["exp"]}"#, true),
            (r#"{"alg": "ES256", "crit": []}"#, true),
            (r#"{"alg": "ES256", "crit": null}"#, true),
        ] {
            let header: Header = serde_json::from_str(header).unwrap();
            assert_eq!(header.crit.is_some(), has_crit, "{header:?}");
        }
    }

    #[test]
    fn duplicate_header_member_is_rejected() {
        assert!(serde_json::from_str::<Header>(r#"{"alg": "ES256", "alg": "none"}"#).is_err());
    }

    #[test]
    fn token_must_have_three_parts() {
        let header = encode(r#"{"alg": "ES256", "typ": "Application/AT+JWT"}"#);
        let claims = encode(r#"{"iss": "i"}"#);

        let token = UnverifiedToken::decode(&format!("{header}.{claims}.s")).unwrap();
        assert_eq!(token.issuer.as_deref(), Some("i"));
        assert_eq!(token.typ().as_deref(), Some("at+jwt"));

        for token in [
            format!("{header}.{claims}"),
            format!("{header}.{claims}.s.x"),
            format!("{claims}.{claims}.s"),
            String::new(),
        ] {
            assert!(UnverifiedToken::decode(&token).is_none(), "{token}");
        }
    }
}

//! JWK sets (RFC 7517): which keys of them are ours to use, and for what.
//!
//! A key fits the algorithms that its type and its `alg` allow, and no others, so a token cannot make one key pass for another
//! (RFC 8725 section 2.1). Keys that cannot be used are left out and told to the log; a set without any usable key is refused.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, jwk::Jwk};
use serde::Deserialize;
use serde_json::Value;

/// Largest JWK set, in bytes.
pub const MAX_BYTES: usize = 256 * 1024;
/// Most keys in a set.
const MAX_KEYS: usize = 64;
/// RSA keys: 2,048 bits at least (RFC 7518 section 3.3), and not so many that verifying takes long.
const RSA_BYTES: std::ops::RangeInclusive<usize> = 256..=1024;

/// A key and what it may verify.
pub struct Key {
    kid: Option<String>,
    algorithms: Vec<Algorithm>,
    decoding: DecodingKey,
    /// As it was published; the same key in a later set is the same.
    published: Value,
    withdrawn: AtomicBool,
}

/// The keys of one issuer.
#[derive(Default)]
pub struct KeySet {
    keys: Vec<Arc<Key>>,
}

/// A set, and why some of its keys were left out.
pub struct Parsed {
    pub set: KeySet,
    pub left_out: Vec<String>,
}

#[derive(Deserialize)]
struct Published {
    keys: Vec<Value>,
}

impl Key {
    /// What verifies signatures.
    pub fn decoding(&self) -> &DecodingKey {
        &self.decoding
    }

    /// Whether it has a `kid`.
    pub fn is_named(&self) -> bool {
        self.kid.is_some()
    }

    /// Whether its issuer has withdrawn it.
    pub fn is_withdrawn(&self) -> bool {
        self.withdrawn.load(Ordering::Relaxed)
    }

    fn parse(published: &Value) -> Result<Self, String> {
        let text = |name: &str| published.get(name).and_then(Value::as_str);
        if text("use").is_some_and(|it| it != "sig") {
            return Err("it is not meant for signatures (use)".to_owned());
        }
        let operations = published.get("key_ops").and_then(Value::as_array);
        if operations.is_some_and(|all| !all.iter().any(|it| it == "verify")) {
            return Err("it is not meant for verifying (key_ops)".to_owned());
        }
        let fits: &[(Algorithm, &[&str])] = match (text("kty"), text("crv")) {
            (Some("RSA"), _) => &[
                (Algorithm::RS256, &["RS256"]),
                (Algorithm::PS256, &["PS256"]),
            ],
            (Some("EC"), Some("P-256")) => &[(Algorithm::ES256, &["ES256"])],
            (Some("OKP"), Some("Ed25519")) => &[(Algorithm::EdDSA, &["EdDSA", "Ed25519"])],
            _ => {
                return Err(
                    "its type is none of RSA, EC with P-256, OKP with Ed25519 (kty, crv)"
                        .to_owned(),
                );
            }
        };
        let told = |names: &[&str]| text("alg").is_none_or(|alg| names.contains(&alg));
        let algorithms: Vec<_> = fits
            .iter()
            .filter(|(_, names)| told(names))
            .map(|(algorithm, _)| *algorithm)
            .collect();
        if algorithms.is_empty() {
            return Err("its algorithm is none of RS256, PS256, ES256, EdDSA (alg)".to_owned());
        }
        if text("kty") == Some("RSA") {
            let length = text("n")
                .and_then(|n| URL_SAFE_NO_PAD.decode(n).ok())
                .map_or(0, |n| n.len());
            if !RSA_BYTES.contains(&length) {
                return Err(format!(
                    "it has {} bits, and must have 2048 to 8192",
                    length * 8
                ));
            }
        }
        let jwk = Jwk::deserialize(published).map_err(|error| error.to_string())?;
        let decoding = DecodingKey::from_jwk(&jwk).map_err(|error| error.to_string())?;
        let (kid, withdrawn) = (text("kid").map(ToOwned::to_owned), AtomicBool::new(false));
        Ok(Self {
            kid,
            algorithms,
            decoding,
            published: published.clone(),
            withdrawn,
        })
    }
}

impl KeySet {
    /// A shared secret alone.
    pub fn of_secret(secret: &[u8]) -> Self {
        let decoding = DecodingKey::from_secret(secret);
        let (algorithms, withdrawn) = (vec![Algorithm::HS256], AtomicBool::new(false));
        Self {
            keys: vec![Arc::new(Key {
                kid: None,
                algorithms,
                decoding,
                published: Value::Null,
                withdrawn,
            })],
        }
    }

    /// Reads a set. Keys that `known` has too are taken from there.
    pub fn parse(text: &[u8], known: &Self) -> Result<Parsed, String> {
        if text.len() > MAX_BYTES {
            return Err(format!("it has more than {MAX_BYTES} bytes"));
        }
        let published: Published =
            serde_json::from_slice(text).map_err(|error| format!("no JWK set: {error}"))?;
        if published.keys.len() > MAX_KEYS {
            return Err(format!("it has more than {MAX_KEYS} keys"));
        }
        let (mut keys, mut left_out) = (Vec::new(), Vec::new());
        for (number, key) in published.keys.iter().enumerate() {
            let kept = known.keys.iter().find(|it| it.published == *key).cloned();
            match kept.map_or_else(|| Key::parse(key).map(Arc::new), Ok) {
                Ok(key) => keys.push(key),
                Err(reason) => left_out.push(format!("key {}: {reason}", number + 1)),
            }
        }
        if keys.is_empty() {
            return Err(format!("it has no usable key; {}", left_out.join("; ")));
        }
        Ok(Parsed {
            set: Self { keys },
            left_out,
        })
    }

    /// The keys that a token may have been signed with. One without a `kid` may be any token's, and a token without one any
    /// key's.
    pub fn candidates<'s>(
        &'s self,
        algorithm: Algorithm,
        kid: Option<&'s str>,
    ) -> impl Iterator<Item = &'s Arc<Key>> {
        let named =
            move |key: &Key| key.kid.is_none() || kid.is_none() || key.kid.as_deref() == kid;
        self.keys
            .iter()
            .filter(move |key| key.algorithms.contains(&algorithm) && named(key))
    }

    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Marks the keys that `next` does not have.
    pub fn withdraw_missing_from(&self, next: &Self) {
        let gone = self
            .keys
            .iter()
            .filter(|key| !next.keys.iter().any(|it| Arc::ptr_eq(it, key)));
        gone.for_each(|key| key.withdrawn.store(true, Ordering::Relaxed));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const N: &str = "x";

    fn parse(keys: &Value) -> Result<Parsed, String> {
        KeySet::parse(
            json!({"keys": keys}).to_string().as_bytes(),
            &KeySet::default(),
        )
    }

    fn ed25519(kid: &str) -> Value {
        json!({"kty": "OKP", "crv": "Ed25519", "kid": kid, "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})
    }

    #[test]
    fn what_cannot_be_used_is_left_out_with_a_reason() {
        let short = URL_SAFE_NO_PAD.encode([1_u8; 128]);
        for (key, reason) in [
            (json!({"kty": "oct", "k": "c2VjcmV0"}), "none of RSA"),
            (
                json!({"kty": "EC", "crv": "P-384", "x": N, "y": N}),
                "none of RSA",
            ),
            (json!({"kty": "RSA", "n": short, "e": "AQAB"}), "1024 bits"),
            (
                json!({"kty": "RSA", "alg": "RS512", "n": N, "e": "AQAB"}),
                "its algorithm",
            ),
            (
                json!({"kty": "RSA", "use": "enc", "n": N, "e": "AQAB"}),
                "(use)",
            ),
            (
                json!({"kty": "OKP", "crv": "Ed25519", "x": N, "key_ops": ["sign"]}),
                "(key_ops)",
            ),
            (json!("key"), "none of RSA"),
        ] {
            let parsed = parse(&json!([ed25519("a"), key])).unwrap();
            assert_eq!(parsed.set.keys.len(), 1);
            assert!(
                parsed.left_out[0].contains(reason),
                "{key}: {:?}",
                parsed.left_out
            );
            assert!(parse(&json!([key])).is_err());
        }
        for text in ["", "[]", "{}", r#"{"keys": {}}"#] {
            assert!(
                KeySet::parse(text.as_bytes(), &KeySet::default()).is_err(),
                "{text}"
            );
        }
        assert!(parse(&vec![ed25519("a"); MAX_KEYS + 1].into()).is_err());
    }

    #[test]
    fn a_key_stays_the_same_until_it_is_withdrawn() {
        let first = parse(&json!([ed25519("a"), ed25519("b")])).unwrap().set;
        let second = json!({"keys": [ed25519("b"), ed25519("c")]}).to_string();
        let second = KeySet::parse(second.as_bytes(), &first).unwrap().set;
        first.withdraw_missing_from(&second);
        let withdrawn = |set: &KeySet| {
            set.keys
                .iter()
                .map(|key| key.is_withdrawn())
                .collect::<Vec<_>>()
        };
        assert_eq!(
            (withdrawn(&first), withdrawn(&second)),
            (vec![true, false], vec![false, false])
        );
        let kids = |kid| {
            second
                .candidates(Algorithm::EdDSA, kid)
                .filter_map(|key| key.kid.as_deref())
                .collect::<Vec<_>>()
        };
        assert_eq!(
            (kids(Some("c")), kids(Some("a")), kids(None)),
            (vec!["c"], vec![], vec!["b", "c"])
        );
        assert_eq!(second.candidates(Algorithm::ES256, Some("c")).count(), 0);
    }
}

//! Parses JWK sets (RFC 7517).
//!
//! A key verifies only the algorithms that its type and its `alg` allow, so that a token cannot
//! choose another algorithm for it (RFC 8725 section 2.1). Unusable keys are skipped with a reason.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, jwk::Jwk};
use serde::Deserialize;
use serde_json::Value;

/// Maximum size of a JWK set, in bytes.
pub const MAX_SET_BYTES: usize = 256 * 1024;
/// Maximum number of keys in a set. Bounds the signature checks of a token without `kid`.
const MAX_KEYS: usize = 64;
/// Size of RSA keys: at least 2048 bits (RFC 7518 section 3.3), at most 8192 to bound verification
/// time.
const RSA_BYTES: std::ops::RangeInclusive<usize> = 256..=1024;

/// A key and the algorithms that it may verify.
pub struct Key {
    kid: Option<String>,
    algorithms: Vec<Algorithm>,
    decoding: DecodingKey,
    /// The JWK. A later set with an equal JWK contains the same key.
    jwk: Value,
    withdrawn: AtomicBool,
}

/// The keys of one issuer.
#[derive(Default)]
pub struct KeySet {
    keys: Vec<Arc<Key>>,
}

/// A key set, and the reasons why keys were skipped.
pub struct Parsed {
    pub set: KeySet,
    pub skipped: Vec<String>,
}

#[derive(Deserialize)]
struct JwkSet {
    keys: Vec<Value>,
}

impl Key {
    /// The key for signature verification.
    pub fn decoding(&self) -> &DecodingKey {
        &self.decoding
    }

    /// Whether the key has a `kid`.
    pub fn has_id(&self) -> bool {
        self.kid.is_some()
    }

    /// Whether the issuer has withdrawn the key.
    pub fn is_withdrawn(&self) -> bool {
        self.withdrawn.load(Ordering::Relaxed)
    }

    fn parse(jwk: &Value) -> Result<Self, String> {
        check_purpose(jwk)?;
        let algorithms = algorithms(jwk)?;
        if text(jwk, "kty") == Some("RSA") {
            check_rsa_size(jwk)?;
        }
        let parsed = Jwk::deserialize(jwk).map_err(|error| error.to_string())?;
        Ok(Self {
            kid: text(jwk, "kid").map(ToOwned::to_owned),
            algorithms,
            decoding: DecodingKey::from_jwk(&parsed).map_err(|error| error.to_string())?,
            jwk: jwk.clone(),
            withdrawn: AtomicBool::new(false),
        })
    }
}

fn text<'j>(jwk: &'j Value, member: &str) -> Option<&'j str> {
    jwk.get(member).and_then(Value::as_str)
}

/// Rejects keys that are not meant for verifying signatures.
fn check_purpose(jwk: &Value) -> Result<(), String> {
    if text(jwk, "use").is_some_and(|purpose| purpose != "sig") {
        return Err("it is not a signature key (use)".to_owned());
    }
    let operations = jwk.get("key_ops").and_then(Value::as_array);
    if operations.is_some_and(|operations| !operations.iter().any(|name| name == "verify")) {
        return Err("it does not allow verification (key_ops)".to_owned());
    }
    Ok(())
}

/// The algorithms that the key's type and its `alg` allow.
fn algorithms(jwk: &Value) -> Result<Vec<Algorithm>, String> {
    let supported: &[(Algorithm, &[&str])] = match (text(jwk, "kty"), text(jwk, "crv")) {
        (Some("RSA"), _) => &[
            (Algorithm::RS256, &["RS256"]),
            (Algorithm::PS256, &["PS256"]),
        ],
        (Some("EC"), Some("P-256")) => &[(Algorithm::ES256, &["ES256"])],
        (Some("OKP"), Some("Ed25519")) => &[(Algorithm::EdDSA, &["EdDSA", "Ed25519"])],
        _ => {
            return Err(
                "its type is none of RSA, EC with P-256, OKP with Ed25519 (kty, crv)".to_owned(),
            );
        }
    };
    let declared = text(jwk, "alg");
    let algorithms: Vec<_> = supported
        .iter()
        .filter(|(_, names)| declared.is_none_or(|alg| names.contains(&alg)))
        .map(|(algorithm, _)| *algorithm)
        .collect();
    if algorithms.is_empty() {
        return Err("its algorithm is none of RS256, PS256, ES256, EdDSA (alg)".to_owned());
    }
    Ok(algorithms)
}

fn check_rsa_size(jwk: &Value) -> Result<(), String> {
    let modulus = text(jwk, "n").and_then(|n| URL_SAFE_NO_PAD.decode(n).ok());
    let bytes = modulus.map_or(0, |n| n.len());
    if !RSA_BYTES.contains(&bytes) {
        return Err(format!("it has {} bits, not 2048 to 8192", bytes * 8));
    }
    Ok(())
}

impl KeySet {
    /// A set that contains only a shared secret.
    pub fn from_secret(secret: &[u8]) -> Self {
        Self {
            keys: vec![Arc::new(Key {
                kid: None,
                algorithms: vec![Algorithm::HS256],
                decoding: DecodingKey::from_secret(secret),
                jwk: Value::Null,
                withdrawn: AtomicBool::new(false),
            })],
        }
    }

    /// Parses a JWK set. Keys that `current` contains are reused.
    pub fn parse(json: &[u8], current: &Self) -> Result<Parsed, String> {
        if json.len() > MAX_SET_BYTES {
            return Err(format!("it has more than {MAX_SET_BYTES} bytes"));
        }
        let jwks: JwkSet =
            serde_json::from_slice(json).map_err(|error| format!("not a JWK set: {error}"))?;
        if jwks.keys.len() > MAX_KEYS {
            return Err(format!("it has more than {MAX_KEYS} keys"));
        }
        let mut keys = Vec::new();
        let mut skipped = Vec::new();
        for (index, jwk) in jwks.keys.iter().enumerate() {
            let key = match current.keys.iter().find(|key| key.jwk == *jwk) {
                Some(key) => Ok(Arc::clone(key)),
                None => Key::parse(jwk).map(Arc::new),
            };
            match key {
                Ok(key) => keys.push(key),
                Err(reason) => skipped.push(format!("key {}: {reason}", index + 1)),
            }
        }
        Ok(Parsed {
            set: Self { keys },
            skipped,
        })
    }

    /// The keys that may have signed a token. If the key or the token has no `kid`, any key with
    /// the algorithm qualifies.
    pub fn candidates<'s>(
        &'s self,
        algorithm: Algorithm,
        kid: Option<&'s str>,
    ) -> impl Iterator<Item = &'s Arc<Key>> {
        self.keys.iter().filter(move |key| {
            let id_matches = key.kid.is_none() || kid.is_none() || key.kid.as_deref() == kid;
            id_matches && key.algorithms.contains(&algorithm)
        })
    }

    /// Whether the set has no usable key.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Marks the keys that `next` does not contain as withdrawn.
    pub fn withdraw_missing_from(&self, next: &Self) {
        for key in &self.keys {
            if !next.keys.iter().any(|other| Arc::ptr_eq(other, key)) {
                key.withdrawn.store(true, Ordering::Relaxed);
            }
        }
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
        let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
        json!({"kty": "OKP", "crv": "Ed25519", "kid": kid, "x": x})
    }

    #[test]
    fn unusable_keys_are_skipped_with_a_reason() {
        let short_modulus = URL_SAFE_NO_PAD.encode([1_u8; 128]);
        for (key, reason) in [
            (json!({"kty": "oct", "k": "c2VjcmV0"}), "none of RSA"),
            (
                json!({"kty": "EC", "crv": "P-384", "x": N, "y": N}),
                "none of RSA",
            ),
            (
                json!({"kty": "RSA", "n": short_modulus, "e": "AQAB"}),
                "1024 bits",
            ),
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
                parsed.skipped[0].contains(reason),
                "{key}: {:?}",
                parsed.skipped
            );
            assert!(parse(&json!([key])).unwrap().set.is_empty());
        }
    }

    #[test]
    fn malformed_and_oversized_sets_are_rejected() {
        for json in ["", "[]", "{}", r#"{"keys": {}}"#] {
            assert!(
                KeySet::parse(json.as_bytes(), &KeySet::default()).is_err(),
                "{json}"
            );
        }
        assert!(parse(&vec![ed25519("a"); MAX_KEYS + 1].into()).is_err());
    }

    fn withdrawn(set: &KeySet) -> Vec<bool> {
        set.keys.iter().map(|key| key.is_withdrawn()).collect()
    }

    fn candidate_ids<'s>(set: &'s KeySet, kid: Option<&'s str>) -> Vec<&'s str> {
        set.candidates(Algorithm::EdDSA, kid)
            .filter_map(|key| key.kid.as_deref())
            .collect()
    }

    #[test]
    fn missing_keys_are_withdrawn_and_others_reused() {
        let first = parse(&json!([ed25519("a"), ed25519("b")])).unwrap().set;
        let second = json!({"keys": [ed25519("b"), ed25519("c")]}).to_string();
        let second = KeySet::parse(second.as_bytes(), &first).unwrap().set;
        first.withdraw_missing_from(&second);
        assert_eq!(withdrawn(&first), [true, false]);
        assert_eq!(withdrawn(&second), [false, false]);
        assert!(Arc::ptr_eq(&first.keys[1], &second.keys[0]));
    }

    #[test]
    fn candidates_match_algorithm_and_key_id() {
        let set = parse(&json!([ed25519("b"), ed25519("c")])).unwrap().set;
        assert_eq!(candidate_ids(&set, Some("c")), ["c"]);
        assert!(candidate_ids(&set, Some("a")).is_empty());
        assert_eq!(candidate_ids(&set, None), ["b", "c"]);
        assert_eq!(set.candidates(Algorithm::ES256, Some("c")).count(), 0);
    }
}

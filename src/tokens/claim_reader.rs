//! Reads the claims of a token, whose names differ between identity providers.

use std::{collections::BTreeMap, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{Error as _, MapAccess, Visitor},
};
use serde_json::{Map, Value};

use super::{
    Claims, Scope,
    claims::{ActingParty, normalize_display_name, normalize_name, parse_partner},
    rejection::Rejection,
};

/// Maximum number of roles of a token that are mapped to scopes.
const MAX_ROLES: usize = 200;

/// The claims that an issuer writes. A claim is named by its member, or by a path of members
/// separated by dots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimNames {
    pub subject: String,
    pub client: String,
    pub business_partner: String,
    /// Claims with scopes: a string of scopes separated by spaces, or an array of scopes.
    pub scopes: Vec<String>,
    /// Claim with roles, which are mapped to scopes.
    pub roles: Option<String>,
    /// The scopes that each role grants.
    pub role_scopes: BTreeMap<String, Vec<Scope>>,
}

impl Default for ClaimNames {
    /// The names of RFC 9068. Roles grant no scopes.
    fn default() -> Self {
        Self {
            subject: "sub".to_owned(),
            client: "client_id".to_owned(),
            business_partner: "business_partner_id".to_owned(),
            scopes: vec!["scope".to_owned()],
            roles: None,
            role_scopes: BTreeMap::new(),
        }
    }
}

impl ClaimNames {
    /// Reads the claims of a verified token.
    ///
    /// # Errors
    /// If a required claim is missing, or if a claim is malformed.
    pub(super) fn read(&self, claims: &RawClaims) -> Result<Claims, Rejection> {
        let subject = claims
            .text(&self.subject)?
            .ok_or_else(|| Rejection::missing_claim(&self.subject))?;
        let client = claims.text(&self.client)?;
        Ok(Claims {
            iss: claims.required("iss")?,
            aud: claims.required("aud")?,
            exp: claims
                .numeric_date("exp")?
                .ok_or_else(|| Rejection::missing_claim("exp"))?,
            nbf: claims.numeric_date("nbf")?,
            sub: normalize_name(&self.subject, subject)?,
            scope: self.scope(claims)?,
            client_id: client
                .map(|client| normalize_name(&self.client, client))
                .transpose()?,
            name: claims.display_name(),
            act: claims.acting_party()?,
            business_partner_id: claims
                .limit(&self.business_partner)?
                .map(|id| parse_partner(&self.business_partner, id))
                .transpose()?,
        })
    }

    /// The granted scopes, separated by spaces.
    fn scope(&self, claims: &RawClaims) -> Result<String, Rejection> {
        let mut scopes = Vec::new();
        for name in &self.scopes {
            scopes.extend(claims.words(name)?);
        }
        if let Some(name) = &self.roles {
            let roles = claims.list(name)?;
            for role in roles.into_iter().take(MAX_ROLES) {
                let granted = self.role_scopes.get(role).into_iter().flatten();
                scopes.extend(granted.map(|scope| scope.as_str()));
            }
        }
        Ok(scopes.join(" "))
    }
}

/// All claims of a token. A token with two claims of the same name is malformed.
pub(super) struct RawClaims(Map<String, Value>);

impl RawClaims {
    /// The claim with this name or path; `None` if it is absent.
    ///
    /// # Errors
    /// If the path leads through a value that is not an object.
    fn find(&self, name: &str) -> Result<Option<&Value>, Rejection> {
        if let Some(value) = self.0.get(name) {
            return Ok(Some(value));
        }
        let mut members = &self.0;
        let mut path = name.split('.').peekable();
        while let Some(member) = path.next() {
            let Some(value) = members.get(member) else {
                return Ok(None);
            };
            if path.peek().is_none() {
                return Ok(Some(value));
            }
            members = value
                .as_object()
                .ok_or_else(|| Rejection::invalid_claim(name))?;
        }
        Ok(None)
    }

    /// The value of a claim; `None` if it is absent or `null`.
    fn get(&self, name: &str) -> Result<Option<&Value>, Rejection> {
        Ok(self.find(name)?.filter(|value| !value.is_null()))
    }

    fn text(&self, name: &str) -> Result<Option<&str>, Rejection> {
        self.get(name)?.map(|value| text(name, value)).transpose()
    }

    /// The value of a claim that limits the token. `null` is rejected: a malformed limit must not
    /// become an unlimited token.
    fn limit(&self, name: &str) -> Result<Option<&str>, Rejection> {
        self.find(name)?.map(|value| text(name, value)).transpose()
    }

    /// The first usable display name (`OpenID` Connect Core section 5.1).
    fn display_name(&self) -> Option<String> {
        ["name", "preferred_username"]
            .iter()
            .filter_map(|name| self.0.get(*name)?.as_str())
            .find_map(normalize_display_name)
    }

    /// The current actor (RFC 8693 section 4.1), named by its subject or, if it has none, its
    /// client id. An actor without a name is rejected, because the history could not name it.
    fn acting_party(&self) -> Result<Option<ActingParty>, Rejection> {
        let Some(act) = self.get("act")? else {
            return Ok(None);
        };
        let sub = ["sub", "client_id"]
            .iter()
            .find_map(|name| act.get(name)?.as_str())
            .ok_or_else(|| Rejection::invalid_claim("act"))?;
        Ok(Some(ActingParty {
            sub: normalize_name("act", sub)?,
        }))
    }

    fn required<T: for<'de> Deserialize<'de>>(&self, name: &str) -> Result<T, Rejection> {
        let value = self
            .get(name)?
            .ok_or_else(|| Rejection::missing_claim(name))?;
        T::deserialize(value).map_err(|_| Rejection::invalid_claim(name))
    }

    /// A `NumericDate`, which may have a fraction (RFC 7519 section 2).
    #[expect(
        clippy::cast_possible_truncation,
        reason = "dates that are too large saturate"
    )]
    fn numeric_date(&self, name: &str) -> Result<Option<i64>, Rejection> {
        let Some(value) = self.get(name)? else {
            return Ok(None);
        };
        let seconds = value
            .as_f64()
            .ok_or_else(|| Rejection::invalid_claim(name))?;
        Ok(Some(seconds.floor() as i64))
    }

    /// The items of an array, or of a string separated by spaces.
    fn words(&self, name: &str) -> Result<Vec<&str>, Rejection> {
        match self.get(name)? {
            Some(Value::String(words)) => Ok(words.split(' ').collect()),
            _ => self.list(name),
        }
    }

    /// The items of an array, or a single string.
    fn list(&self, name: &str) -> Result<Vec<&str>, Rejection> {
        match self.get(name)? {
            None => Ok(vec![]),
            Some(Value::String(item)) => Ok(vec![item]),
            Some(Value::Array(items)) => items.iter().map(|item| text(name, item)).collect(),
            Some(_) => Err(Rejection::invalid_claim(name)),
        }
    }
}

fn text<'v>(name: &str, value: &'v Value) -> Result<&'v str, Rejection> {
    value.as_str().ok_or_else(|| Rejection::invalid_claim(name))
}

impl<'de> Deserialize<'de> for RawClaims {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(RawClaimsVisitor).map(Self)
    }
}

struct RawClaimsVisitor;

impl<'de> Visitor<'de> for RawClaimsVisitor {
    type Value = Map<String, Value>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object with claims")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut claims = Map::new();
        while let Some((name, value)) = map.next_entry::<String, Value>()? {
            if claims.insert(name, value).is_some() {
                return Err(A::Error::custom("two claims have the same name"));
            }
        }
        Ok(claims)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn claims(more: &Value) -> RawClaims {
        let mut claims = json!({"iss": "i", "aud": "a", "exp": 1.5, "sub": "anna"});
        let more = more.as_object().unwrap().clone();
        claims.as_object_mut().unwrap().extend(more);
        serde_json::from_value(claims).unwrap()
    }

    fn scope(names: &ClaimNames, more: &Value) -> Result<String, Rejection> {
        names.read(&claims(more)).map(|claims| claims.scope)
    }

    #[test]
    fn scopes_are_read_from_strings_and_arrays() {
        let names = ClaimNames {
            scopes: vec!["scope".to_owned(), "scp".to_owned()],
            ..ClaimNames::default()
        };
        for (more, expected) in [
            (json!({}), ""),
            (json!({"scope": null}), ""),
            (json!({"scope": "a b"}), "a b"),
            (json!({"scope": ["a", "b"]}), "a b"),
            (json!({"scope": "a", "scp": ["b"]}), "a b"),
            (json!({"scp": "b"}), "b"),
        ] {
            assert_eq!(scope(&names, &more).as_deref(), Ok(expected), "{more}");
        }
        for more in [json!({"scope": 7}), json!({"scp": ["a", 7]})] {
            assert!(scope(&names, &more).is_err(), "{more}");
        }
    }

    #[test]
    fn roles_grant_their_scopes() {
        let names = ClaimNames {
            roles: Some("realm_access.roles".to_owned()),
            role_scopes: BTreeMap::from([(
                "auditor".to_owned(),
                vec![Scope::AuditRead, Scope::CatalogRead],
            )]),
            ..ClaimNames::default()
        };
        for (more, expected) in [
            (
                json!({"realm_access": {"roles": ["auditor", "other"]}}),
                "audit:read catalog:read",
            ),
            (
                json!({"realm_access.roles": "auditor", "scope": "openid"}),
                "openid audit:read catalog:read",
            ),
            (json!({"realm_access": {}}), ""),
            (json!({"roles": ["auditor"]}), ""),
        ] {
            assert_eq!(scope(&names, &more).as_deref(), Ok(expected), "{more}");
        }
        assert_eq!(
            scope(&names, &json!({"realm_access": []})),
            Err(Rejection::invalid_claim("realm_access.roles"))
        );
    }

    #[test]
    fn malformed_partner_limit_is_rejected() {
        let names = ClaimNames {
            business_partner: "ext.partner".to_owned(),
            ..ClaimNames::default()
        };
        let partner = |more: &Value| {
            let claims = names.read(&claims(more))?;
            Ok(claims.business_partner_id.map(|id| id.to_string()))
        };
        assert_eq!(partner(&json!({})), Ok(None));
        assert_eq!(
            partner(&json!({"ext": {"partner": "K-1"}})),
            Ok(Some("K-1".to_owned()))
        );
        for more in [
            json!({"ext": null}),
            json!({"ext": "K-1"}),
            json!({"ext": {"partner": null}}),
            json!({"ext": {"partner": ["K-1"]}}),
            json!({"ext": {"partner": "K 1"}}),
        ] {
            let rejection = Rejection::invalid_claim("ext.partner");
            assert_eq!(partner(&more), Err(rejection), "{more}");
        }
    }

    #[test]
    fn display_name_is_normalized_or_ignored() {
        for (more, expected) in [
            (json!({}), None),
            (json!({"name": " Ju\u{308}rgen "}), Some("J\u{fc}rgen")),
            (json!({"preferred_username": "anna"}), Some("anna")),
            (
                json!({"name": "Anna", "preferred_username": "anna"}),
                Some("Anna"),
            ),
            (
                json!({"name": "A\u{202e}", "preferred_username": "anna"}),
                Some("anna"),
            ),
            (json!({"name": "x".repeat(256)}), None),
            (json!({"name": 7}), None),
        ] {
            let claims = ClaimNames::default().read(&claims(&more)).unwrap();
            assert_eq!(claims.name.as_deref(), expected, "{more}");
        }
    }

    #[test]
    fn actor_without_name_is_rejected() {
        let actor = |act: Value| {
            let claims = ClaimNames::default().read(&claims(&json!({"act": act})))?;
            Ok(claims.act.map(|act| act.sub))
        };
        let erp = Some("erp".to_owned());
        assert_eq!(actor(Value::Null), Ok(None));
        assert_eq!(
            actor(json!({"sub": "erp", "act": {"sub": "x"}})),
            Ok(erp.clone())
        );
        assert_eq!(actor(json!({"client_id": "erp"})), Ok(erp));
        for act in [json!({}), json!("erp"), json!({"sub": " "})] {
            assert_eq!(actor(act), Err(Rejection::invalid_claim("act")));
        }
    }

    #[test]
    fn duplicate_claim_is_malformed() {
        assert!(serde_json::from_str::<RawClaims>(r#"{"scope": "a", "scope": "b"}"#).is_err());
    }
}

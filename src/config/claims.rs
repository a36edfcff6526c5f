//! Settings of the claims of tokens.

use std::collections::{BTreeMap, BTreeSet};

use clap::Args;
use serde::Deserialize;
use strum::VariantNames as _;

use super::{
    errors::{ConfigErrors, non_empty},
    help,
};
use crate::tokens::{ClaimNames, Scope};

/// Maximum length of the name of a claim or of a role, in characters.
const MAX_NAME_CHARS: usize = 200;

/// Settings of the claims of tokens.
#[derive(Debug, Clone, Args)]
pub struct ClaimArgs {
    #[arg(long, env, help = help(
        "Comma-separated claims with scopes: strings separated by spaces, or arrays", "scope"
    ))]
    jwt_scope_claims: Option<String>,
    #[arg(long, env, help = help("Claim with the subject", "sub"))]
    jwt_subject_claim: Option<String>,
    #[arg(long, env, help = help("Claim with the id of the client", "client_id"))]
    jwt_client_claim: Option<String>,
    #[arg(long, env, help = help(
        "Claim with the business partner that the token is limited to", "business_partner_id"
    ))]
    jwt_partner_claim: Option<String>,
    /// Claim with roles, such as `roles` or `realm_access.roles`; needs `JWT_ROLE_SCOPES`
    #[arg(long, env)]
    jwt_roles_claim: Option<String>,
    /// Scopes of roles: `role=scope scope; role=scope`
    #[arg(long, env)]
    jwt_role_scopes: Option<String>,
}

/// Names of claims that are not validated yet, as in `JWT_ISSUERS_FILE`.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClaimOptions {
    #[serde(default)]
    scopes: Vec<String>,
    subject: Option<String>,
    client: Option<String>,
    partner: Option<String>,
    roles: Option<String>,
    #[serde(default)]
    role_scopes: BTreeMap<String, Vec<String>>,
}

impl ClaimArgs {
    /// The options of a single issuer.
    pub fn into_options(self, errors: &mut ConfigErrors) -> ClaimOptions {
        let scopes = non_empty(self.jwt_scope_claims).unwrap_or_default();
        let role_scopes = non_empty(self.jwt_role_scopes)
            .map(|text| errors.collect(parse_role_scopes(&text)))
            .unwrap_or_default();
        ClaimOptions {
            scopes: scopes
                .split(',')
                .map(str::trim)
                .filter(|name| !name.is_empty())
                .map(ToOwned::to_owned)
                .collect(),
            subject: non_empty(self.jwt_subject_claim),
            client: non_empty(self.jwt_client_claim),
            partner: non_empty(self.jwt_partner_claim),
            roles: non_empty(self.jwt_roles_claim),
            role_scopes: role_scopes.unwrap_or_default(),
        }
    }
}

/// Parses `role=scope scope; role=scope`.
fn parse_role_scopes(text: &str) -> Result<BTreeMap<String, Vec<String>>, String> {
    let mut roles = BTreeMap::new();
    for entry in text
        .split(';')
        .map(str::trim)
        .filter(|entry| !entry.is_empty())
    {
        let (role, scopes) = entry.rsplit_once('=').ok_or_else(|| {
            format!("JWT_ROLE_SCOPES must have the form role=scope scope: {entry}")
        })?;
        let scopes = scopes.split_whitespace().map(ToOwned::to_owned).collect();
        if roles.insert(role.trim().to_owned(), scopes).is_some() {
            return Err(format!("JWT_ROLE_SCOPES: the role {role} is listed twice"));
        }
    }
    Ok(roles)
}

impl ClaimOptions {
    /// Whether any option is set.
    pub fn is_set(&self) -> bool {
        *self != Self::default()
    }

    /// Validates the options. Error messages begin with `prefix`.
    pub fn validate(self, prefix: &str, errors: &mut ConfigErrors) -> ClaimNames {
        let defaults = ClaimNames::default();
        if self.roles.is_some() == self.role_scopes.is_empty() {
            errors.add(format!(
                "{prefix}the claim with roles and the scopes of roles must be set together"
            ));
        }
        let role_scopes = self.role_scopes.into_iter().map(|(role, scopes)| {
            let scopes = scopes
                .iter()
                .filter_map(|scope| errors.collect(parse_scope(prefix, scope)))
                .collect();
            (role, scopes)
        });
        let names = ClaimNames {
            role_scopes: role_scopes.collect(),
            subject: self.subject.unwrap_or(defaults.subject),
            client: self.client.unwrap_or(defaults.client),
            business_partner: self.partner.unwrap_or(defaults.business_partner),
            scopes: match self.scopes {
                scopes if scopes.is_empty() => defaults.scopes,
                scopes => scopes,
            },
            roles: self.roles,
        };
        check_names(prefix, &names, errors);
        names
    }
}

fn check_names(prefix: &str, names: &ClaimNames, errors: &mut ConfigErrors) {
    let claims: BTreeSet<_> = names
        .scopes
        .iter()
        .chain(&names.roles)
        .chain(names.role_scopes.keys())
        .chain([&names.subject, &names.client, &names.business_partner])
        .collect();
    for name in claims {
        if !(1..=MAX_NAME_CHARS).contains(&name.chars().count()) {
            errors.add(format!(
                "{prefix}names of claims and roles must have 1 to {MAX_NAME_CHARS} characters: {name}"
            ));
        }
    }
}

fn parse_scope(prefix: &str, scope: &str) -> Result<Scope, String> {
    scope.parse().map_err(|_| {
        let known = Scope::VARIANTS.join(", ");
        format!("{prefix}unknown scope {scope}; the scopes are {known}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn role_scopes_are_parsed_from_text() {
        let roles =
            parse_role_scopes(" ci admin = integration:read integration:write ;x=y=audit:read;")
                .unwrap();
        let expected = [
            ("ci admin", vec!["integration:read", "integration:write"]),
            ("x=y", vec!["audit:read"]),
        ];
        let roles: Vec<_> = roles
            .iter()
            .map(|(role, scopes)| (role.as_str(), scopes.iter().map(String::as_str).collect()))
            .collect();
        assert_eq!(roles, expected);
        assert!(parse_role_scopes("admin").is_err());
        assert!(parse_role_scopes("a=x;a=y").is_err());
    }

    #[test]
    fn unknown_scopes_and_incomplete_mappings_are_reported() {
        let mut errors = ConfigErrors::default();
        let options = ClaimOptions {
            roles: Some("roles".to_owned()),
            role_scopes: BTreeMap::from([("a".to_owned(), vec!["nonsense".to_owned()])]),
            ..ClaimOptions::default()
        };
        options.validate("JWT_…: ", &mut errors);
        let options = ClaimOptions {
            roles: Some("roles".to_owned()),
            ..ClaimOptions::default()
        };
        options.validate("JWT_…: ", &mut errors);
        let report = errors.finish(Some(())).unwrap_err().to_string();
        let lines: Vec<_> = report.lines().collect();
        assert_eq!(lines.len(), 2, "{report}");
        assert!(lines[0].contains("unknown scope nonsense"), "{report}");
        assert!(lines[1].contains("must be set together"), "{report}");
    }
}

//! Settings of tokens.

use std::time::Duration;

use clap::Args;

use super::{
    claims::ClaimArgs,
    demo::{self, DemoKey},
    errors::{ConfigErrors, non_empty},
    help, help_duration,
    issuers::{KeyOptions, read_issuers_file},
};
use crate::tokens::{
    ACCESS_TOKEN_TYPE, IssuerSettings, KeySource, MIN_REFRESH_INTERVAL, REFRESH_INTERVAL,
    TokenSettings, normalize_typ,
};

/// Settings of tokens.
#[derive(Debug, Clone, Args)]
pub struct TokenArgs {
    /// Required issuer (`iss`)
    #[arg(long, env)]
    jwt_issuer: Option<String>,
    /// Required audience (`aud`)
    #[arg(long, env)]
    jwt_audience: Option<String>,
    /// Secret shared with the issuer (HS256), at least 32 bytes; instead of a JWK set
    #[arg(long, env = "JWT_HS256_SECRET", hide_env_values = true)]
    jwt_hs256_secret: Option<String>,
    /// File that contains the secret
    #[arg(long, env = "JWT_HS256_SECRET_FILE")]
    jwt_hs256_secret_file: Option<String>,
    /// File with the issuer's JWK set; keys for RS256, PS256, ES256 or `EdDSA`
    #[arg(long, env)]
    jwt_jwks_file: Option<String>,
    /// URL of the issuer's JWK set: https, or http on the same machine
    #[arg(long, env, hide_env_values = true)]
    jwt_jwks_url: Option<String>,
    /// JSON file with several issuers, each with `issuer`, `audience` and optionally one of
    /// `jwks_url`, `jwks_file`, `hs256_secret_file`, and `claims`; replaces the settings of a single
    /// issuer
    #[arg(long, env)]
    jwt_issuers_file: Option<String>,
    #[command(flatten)]
    claims: ClaimArgs,
    #[arg(long, env, help = help(
        "Comma-separated token types (header `typ`) to accept", ACCESS_TOKEN_TYPE
    ))]
    jwt_allowed_types: Option<String>,
    #[arg(long, env, help = help_duration("How often JWK sets are read", REFRESH_INTERVAL))]
    jwt_jwks_refresh_interval: Option<String>,
    #[arg(long, env, help = help_duration(
        "Minimum interval between refreshes triggered by unknown key ids", MIN_REFRESH_INTERVAL
    ))]
    jwt_jwks_min_refresh_interval: Option<String>,
    #[command(flatten)]
    renamed: RenamedArgs,
}

/// Former names of settings. Setting one is an error, so that it is not silently ignored.
#[derive(Debug, Clone, Args)]
struct RenamedArgs {
    #[arg(long, env, hide = true, hide_env_values = true)]
    jwt_types: Option<String>,
    #[arg(long, env, hide = true, hide_env_values = true)]
    jwt_jwks_refresh: Option<String>,
    #[arg(long, env, hide = true, hide_env_values = true)]
    jwt_jwks_cooldown: Option<String>,
}

impl TokenArgs {
    /// Validates the arguments. `demo` provides defaults for issuer, audience and key.
    pub fn validate(
        mut self,
        demo: Option<DemoKey>,
        errors: &mut ConfigErrors,
    ) -> Option<TokenSettings> {
        self.renamed.validate(errors);
        let refresh_interval = errors.duration(
            "JWT_JWKS_REFRESH_INTERVAL",
            self.jwt_jwks_refresh_interval.take(),
            Duration::from_secs(1)..=Duration::from_hours(24),
            REFRESH_INTERVAL,
        );
        let min_refresh_interval = errors.duration(
            "JWT_JWKS_MIN_REFRESH_INTERVAL",
            self.jwt_jwks_min_refresh_interval.take(),
            Duration::from_secs(1)..=Duration::from_hours(1),
            MIN_REFRESH_INTERVAL,
        );
        let allowed_types = non_empty(self.jwt_allowed_types.take())
            .unwrap_or_else(|| ACCESS_TOKEN_TYPE.to_owned())
            .split(',')
            .map(|typ| normalize_typ(typ.trim()))
            .collect();
        Some(TokenSettings {
            issuers: self.issuers(demo, errors)?,
            allowed_types,
            refresh_interval,
            min_refresh_interval,
        })
    }

    fn issuers(
        self,
        demo: Option<DemoKey>,
        errors: &mut ConfigErrors,
    ) -> Option<Vec<IssuerSettings>> {
        let secret = errors.text_or_file(
            "JWT_HS256_SECRET",
            self.jwt_hs256_secret,
            self.jwt_hs256_secret_file,
        );
        let keys = KeyOptions {
            secret,
            file: non_empty(self.jwt_jwks_file),
            url: non_empty(self.jwt_jwks_url),
        };
        let claims = self.claims.into_options(errors);
        let issuer = non_empty(self.jwt_issuer);
        let audience = non_empty(self.jwt_audience);
        if let Some(path) = non_empty(self.jwt_issuers_file) {
            if issuer.is_some() || audience.is_some() || keys.count() > 0 || claims.is_set() {
                errors.add(
                    "JWT_ISSUERS_FILE cannot be combined with JWT_ISSUER, JWT_AUDIENCE, keys or \
                     claims",
                );
            }
            return read_issuers_file(&path, errors);
        }
        let issuer = required("JWT_ISSUER", issuer, demo.is_some(), errors);
        let audience = required("JWT_AUDIENCE", audience, demo.is_some(), errors);
        let claim_names = claims.validate("JWT_…_CLAIM, JWT_ROLE_SCOPES: ", errors);
        let keys = match demo {
            Some(demo_key) if keys.count() == 0 => errors
                .collect(demo_key.load())
                .map(|key| KeySource::Secret(key.into())),
            _ => keys.into_source("JWT_", issuer.as_deref(), errors),
        };
        Some(vec![IssuerSettings {
            issuer: issuer?,
            audience: audience?,
            keys: keys?,
            claim_names,
        }])
    }
}

impl RenamedArgs {
    fn validate(&self, errors: &mut ConfigErrors) {
        for (value, old, new) in [
            (&self.jwt_types, "JWT_TYPES", "JWT_ALLOWED_TYPES"),
            (
                &self.jwt_jwks_refresh,
                "JWT_JWKS_REFRESH",
                "JWT_JWKS_REFRESH_INTERVAL",
            ),
            (
                &self.jwt_jwks_cooldown,
                "JWT_JWKS_COOLDOWN",
                "JWT_JWKS_MIN_REFRESH_INTERVAL",
            ),
        ] {
            if value.as_ref().is_some_and(|value| !value.is_empty()) {
                errors.add(format!("{old} was renamed to {new}"));
            }
        }
    }
}

/// The value of a setting that only the demo has a default for.
fn required(
    name: &str,
    value: Option<String>,
    demo: bool,
    errors: &mut ConfigErrors,
) -> Option<String> {
    if value.is_none() && demo {
        return Some(demo::ISSUER.to_owned());
    }
    if value.is_none() {
        errors.add(format!(
            "{name} is not set; it is required to verify tokens (--demo has a default)"
        ));
    }
    value
}

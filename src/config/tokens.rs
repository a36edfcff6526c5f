//! Settings of tokens.

use std::{fs, net::IpAddr, path::PathBuf, time::Duration};

use clap::Args;
use reqwest::Url;
use secrecy::SecretString;
use serde::Deserialize;

use super::{
    demo,
    errors::{ConfigErrors, non_empty},
    help, help_duration,
};
use crate::tokens::{
    ACCESS_TOKEN_TYPE, ClaimNames, IssuerSettings, KeySource, MIN_REFRESH_INTERVAL,
    MIN_SECRET_BYTES, REFRESH_INTERVAL, TokenSettings, check_jwks_file, normalize_typ,
};

const MAX_ISSUERS: usize = 32;

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
    /// JSON file with several issuers, each with `issuer`, `audience` and one of `jwks_url`,
    /// `jwks_file`, `hs256_secret_file`; replaces all of the above
    #[arg(long, env)]
    jwt_issuers_file: Option<String>,
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

/// An entry of `JWT_ISSUERS_FILE`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct IssuerEntry {
    issuer: String,
    audience: String,
    jwks_url: Option<String>,
    jwks_file: Option<String>,
    hs256_secret_file: Option<String>,
}

/// The key sources of an issuer; exactly one must be set.
struct KeyOptions {
    secret: Option<String>,
    file: Option<String>,
    url: Option<String>,
}

impl TokenArgs {
    /// Validates the arguments. `demo` provides defaults for issuer, audience and key.
    pub fn validate(mut self, demo: bool, errors: &mut ConfigErrors) -> Option<TokenSettings> {
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

    fn issuers(self, demo: bool, errors: &mut ConfigErrors) -> Option<Vec<IssuerSettings>> {
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
        let issuer = non_empty(self.jwt_issuer);
        let audience = non_empty(self.jwt_audience);
        if let Some(path) = non_empty(self.jwt_issuers_file) {
            if issuer.is_some() || audience.is_some() || keys.count() > 0 {
                errors.add(
                    "JWT_ISSUERS_FILE cannot be combined with JWT_ISSUER, JWT_AUDIENCE or keys",
                );
            }
            return read_issuers_file(&path, errors);
        }
        let issuer = required("JWT_ISSUER", issuer, demo, errors);
        let audience = required("JWT_AUDIENCE", audience, demo, errors);
        let keys = match keys.count() {
            0 if demo => errors
                .collect(demo::load_or_create_key())
                .map(|key| KeySource::Secret(key.into())),
            0 => {
                errors.add(
                    "JWT_HS256_SECRET is not set, nor JWT_JWKS_URL or JWT_JWKS_FILE; one of them \
                     is required to verify tokens (--demo generates a key)",
                );
                None
            }
            _ => keys.into_source("JWT_", errors),
        };
        Some(vec![IssuerSettings {
            issuer: issuer?,
            audience: audience?,
            keys: keys?,
            claim_names: ClaimNames::default(),
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

/// Reads `JWT_ISSUERS_FILE`.
fn read_issuers_file(path: &str, errors: &mut ConfigErrors) -> Option<Vec<IssuerSettings>> {
    let entries =
        parse_issuers_file(path).map_err(|error| format!("JWT_ISSUERS_FILE: {path}: {error}"));
    let mut issuers = Vec::<IssuerSettings>::new();
    for (index, entry) in errors.collect(entries)?.into_iter().enumerate() {
        let prefix = format!("JWT_ISSUERS_FILE: issuer {}: ", index + 1);
        if entry.issuer.is_empty() || entry.audience.is_empty() {
            errors.add(format!("{prefix}issuer and audience must not be empty"));
        }
        if issuers.iter().any(|other| other.issuer == entry.issuer) {
            errors.add(format!("{prefix}{} is listed twice", entry.issuer));
        }
        issuers.extend(entry.validate(&prefix, errors));
    }
    if !(1..=MAX_ISSUERS).contains(&issuers.len()) {
        errors.add(format!(
            "JWT_ISSUERS_FILE must list 1 to {MAX_ISSUERS} issuers"
        ));
    }
    Some(issuers)
}

fn parse_issuers_file(path: &str) -> anyhow::Result<Vec<IssuerEntry>> {
    Ok(serde_json::from_str(&fs::read_to_string(path)?)?)
}

impl IssuerEntry {
    fn validate(self, prefix: &str, errors: &mut ConfigErrors) -> Option<IssuerSettings> {
        let secret = errors.text_or_file(
            &format!("{prefix}hs256_secret"),
            None,
            self.hs256_secret_file,
        );
        let keys = KeyOptions {
            secret,
            file: self.jwks_file,
            url: self.jwks_url,
        };
        Some(IssuerSettings {
            issuer: self.issuer,
            audience: self.audience,
            keys: keys.into_source(prefix, errors)?,
            claim_names: ClaimNames::default(),
        })
    }
}

impl KeyOptions {
    fn count(&self) -> usize {
        [&self.secret, &self.file, &self.url]
            .into_iter()
            .flatten()
            .count()
    }

    /// The source that is set. Error messages begin with `prefix`.
    fn into_source(self, prefix: &str, errors: &mut ConfigErrors) -> Option<KeySource> {
        if self.count() > 1 {
            errors.add(format!(
                "{prefix}…: secret, file and URL of keys exclude each other; set only one"
            ));
        }
        let source = if let Some(secret) = self.secret {
            secret_source(secret).map_err(|error| format!("{prefix}HS256_SECRET {error}"))
        } else if let Some(file) = self.file {
            let path = PathBuf::from(&file);
            check_jwks_file(&path)
                .map(|()| KeySource::File(path))
                .map_err(|error| format!("{prefix}JWKS_FILE: {file}: {error}"))
        } else if let Some(url) = self.url {
            parse_jwks_url(&url)
                .map(KeySource::Url)
                .map_err(|error| format!("{prefix}JWKS_URL {error}"))
        } else {
            Err(format!(
                "{prefix}one of jwks_url, jwks_file and hs256_secret_file is required"
            ))
        };
        errors.collect(source)
    }
}

fn secret_source(secret: String) -> Result<KeySource, String> {
    if secret.len() < MIN_SECRET_BYTES {
        return Err(format!(
            "is too short: it must have at least {MIN_SECRET_BYTES} bytes"
        ));
    }
    Ok(KeySource::Secret(SecretString::from(secret)))
}

/// Parses the URL of a JWK set. Only TLS and loopback are accepted, so that nobody on the network
/// can substitute keys.
fn parse_jwks_url(text: &str) -> Result<Url, &'static str> {
    let url: Url = text.parse().map_err(|_| "is not a URL")?;
    let host = url.host_str().unwrap_or_default();
    let is_loopback = host == "localhost"
        || host
            .trim_matches(['[', ']'])
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback());
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback => Ok(url),
        _ => Err("must begin with https:// (or http:// on this machine)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jwks_url_requires_tls_or_loopback() {
        for url in [
            "https://login.example/keys",
            "http://127.0.0.1:9/keys",
            "http://localhost/keys",
            "http://[::1]/keys",
        ] {
            assert!(parse_jwks_url(url).is_ok(), "{url}");
        }
        for url in [
            "http://login.example/keys",
            "http://127.0.0.1.example/keys",
            "ftp://localhost/keys",
            "keys",
            "file:///etc",
        ] {
            assert!(parse_jwks_url(url).is_err(), "{url}");
        }
    }
}

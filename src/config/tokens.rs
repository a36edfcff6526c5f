//! The settings of tokens.

use std::{fs, path::PathBuf};

use clap::Args;
use reqwest::Url;
use secrecy::SecretString;
use serde::Deserialize;

use super::{
    demo,
    errors::{ConfigErrors, non_empty},
};
use crate::tokens::{
    IssuerSettings, KeySource, MIN_SECRET, TokenSettings, key_refresh, normalize_typ,
};

/// Most issuers.
const MAX_ISSUERS: usize = 32;

/// Tokens.
#[derive(Debug, Clone, Args)]
pub struct TokenArgs {
    /// Issuer (`iss`) of acceptable tokens
    #[arg(long, env)]
    jwt_issuer: Option<String>,
    /// Audience (`aud`) that a token must be meant for
    #[arg(long, env)]
    jwt_audience: Option<String>,
    /// Secret of HS256 tokens, at least 32 bytes; instead of a JWK set
    #[arg(long, env = "JWT_HS256_SECRET", hide_env_values = true)]
    jwt_hs256_secret: Option<String>,
    /// File with that secret
    #[arg(long, env = "JWT_HS256_SECRET_FILE")]
    jwt_hs256_secret_file: Option<String>,
    /// File with the issuer's JWK set, with keys for RS256, PS256, ES256 or `EdDSA`
    #[arg(long, env)]
    jwt_jwks_file: Option<String>,
    /// Where the issuer publishes its JWK set: https, or http on this machine
    #[arg(long, env, hide_env_values = true)]
    jwt_jwks_url: Option<String>,
    /// Several issuers: a JSON file with a list of `issuer`, `audience` and one of `jwks_url`, `jwks_file`, `hs256_secret_file`
    #[arg(long, env)]
    jwt_issuers_file: Option<String>,
    /// Acceptable types (`typ`) of tokens, separated by commas [default: at+jwt]
    #[arg(long, env)]
    jwt_types: Option<String>,
    /// How often JWK sets are read again [default: 5m]
    #[arg(long, env)]
    jwt_jwks_refresh: Option<String>,
    /// Tokens with unknown keys make a JWK set be read once in this time at most [default: 10s]
    #[arg(long, env)]
    jwt_jwks_cooldown: Option<String>,
}

/// An issuer as the file of issuers has it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct IssuerEntry {
    issuer: String,
    audience: String,
    jwks_url: Option<String>,
    jwks_file: Option<String>,
    hs256_secret_file: Option<String>,
}

/// An issuer's keys as they are named, of which one must be.
struct NamedKeys {
    secret: Option<String>,
    file: Option<String>,
    url: Option<String>,
}

impl TokenArgs {
    /// Which tokens are accepted; the demo has a key of its own when none is given.
    pub fn settings(self, demo: bool, errors: &mut ConfigErrors) -> Option<TokenSettings> {
        let list = |text: String| {
            text.split(',')
                .map(|kind| normalize_typ(kind.trim()))
                .collect::<Vec<_>>()
        };
        let (types, refresh, cooldown) = (
            non_empty(self.jwt_types.clone()).map(list),
            self.jwt_jwks_refresh.clone(),
            self.jwt_jwks_cooldown.clone(),
        );
        let issuers = self.issuers(demo, errors);
        // judged also where the issuers are wrong: all that is wrong is told at once
        let mut settings = TokenSettings::of(Vec::new());
        let (second, hour) = (
            std::time::Duration::from_secs(1),
            std::time::Duration::from_hours(1),
        );
        settings.refresh = errors.duration(
            "JWT_JWKS_REFRESH",
            refresh,
            second..=hour * 24,
            settings.refresh,
        );
        settings.cooldown = errors.duration(
            "JWT_JWKS_COOLDOWN",
            cooldown,
            second..=hour,
            settings.cooldown,
        );
        Some(TokenSettings {
            issuers: issuers?,
            types: types.unwrap_or(settings.types),
            ..settings
        })
    }

    fn issuers(self, demo: bool, errors: &mut ConfigErrors) -> Option<Vec<IssuerSettings>> {
        let secret = errors.text_or_file(
            "JWT_HS256_SECRET",
            self.jwt_hs256_secret,
            self.jwt_hs256_secret_file,
        );
        let keys = NamedKeys {
            secret,
            file: non_empty(self.jwt_jwks_file),
            url: non_empty(self.jwt_jwks_url),
        };
        let (issuer, audience) = (non_empty(self.jwt_issuer), non_empty(self.jwt_audience));
        if let Some(path) = non_empty(self.jwt_issuers_file) {
            if issuer.is_some() || audience.is_some() || keys.count() > 0 {
                errors.add(
                    "JWT_ISSUERS_FILE names the issuers; JWT_ISSUER, JWT_AUDIENCE and keys beside it are too much",
                );
            }
            return issuers_of(&path, errors);
        }
        let mut name = |given: Option<String>, variable| {
            let name = given.or_else(|| demo.then(|| demo::NAME.to_owned()));
            if name.is_none() {
                errors
                    .add(format!("{variable} is not set: tokens cannot be checked without it (--demo has its own)"));
            }
            name
        };
        let (issuer, audience) = (name(issuer, "JWT_ISSUER"), name(audience, "JWT_AUDIENCE"));
        let keys = match keys.count() {
            0 if demo => errors
                .collect(demo::key())
                .map(|key| KeySource::Secret(key.into())),
            0 => {
                errors.add(
                    "JWT_HS256_SECRET is not set, nor JWT_JWKS_URL or JWT_JWKS_FILE: tokens cannot be checked without keys \
                     (--demo has its own)",
                );
                None
            }
            _ => keys.source("JWT_", errors),
        };
        Some(vec![IssuerSettings {
            issuer: issuer?,
            audience: audience?,
            keys: keys?,
        }])
    }
}

/// The issuers that a file names.
fn issuers_of(path: &str, errors: &mut ConfigErrors) -> Option<Vec<IssuerSettings>> {
    let read = fs::read_to_string(path).map_err(|error| error.to_string());
    let parsed = read.and_then(|text| {
        serde_json::from_str::<Vec<IssuerEntry>>(&text).map_err(|error| error.to_string())
    });
    let entries =
        errors.collect(parsed.map_err(|error| format!("JWT_ISSUERS_FILE: {path}: {error}")))?;
    let mut issuers = Vec::<IssuerSettings>::new();
    for (number, entry) in entries.into_iter().enumerate() {
        let place = format!("JWT_ISSUERS_FILE: issuer {}: ", number + 1);
        let secret = errors.text_or_file(
            &format!("{place}hs256_secret"),
            None,
            entry.hs256_secret_file,
        );
        let keys = NamedKeys {
            secret,
            file: entry.jwks_file,
            url: entry.jwks_url,
        }
        .source(&place, errors);
        if entry.issuer.is_empty() || entry.audience.is_empty() {
            errors.add(format!("{place}issuer and audience must not be empty"));
        }
        if issuers.iter().any(|known| known.issuer == entry.issuer) {
            errors.add(format!("{place}{} is named twice", entry.issuer));
        }
        issuers.extend(keys.map(|keys| IssuerSettings {
            issuer: entry.issuer,
            audience: entry.audience,
            keys,
        }));
    }
    if !(1..=MAX_ISSUERS).contains(&issuers.len()) {
        errors.add(format!(
            "JWT_ISSUERS_FILE must name 1 to {MAX_ISSUERS} issuers"
        ));
    }
    Some(issuers)
}

impl NamedKeys {
    fn count(&self) -> usize {
        [&self.secret, &self.file, &self.url]
            .into_iter()
            .filter(|it| it.is_some())
            .count()
    }

    /// The one source that is named; `place` begins what is complained of.
    fn source(self, place: &str, errors: &mut ConfigErrors) -> Option<KeySource> {
        if self.count() > 1 {
            errors.add(format!(
                "{place}…: a secret, a file and a URL of keys exclude each other; name one of them"
            ));
        }
        let source = match self {
            Self {
                secret: Some(secret),
                ..
            } if secret.len() < MIN_SECRET => Err(format!(
                "{place}HS256_SECRET is too short: it must have at least {MIN_SECRET} bytes"
            )),
            Self {
                secret: Some(secret),
                ..
            } => Ok(KeySource::Secret(SecretString::from(secret))),
            Self {
                file: Some(file), ..
            } => {
                let path = PathBuf::from(&file);
                let checked = key_refresh::check_file(&path)
                    .map_err(|error| format!("{place}JWKS_FILE: {file}: {error}"));
                checked.map(|()| KeySource::File(path))
            }
            Self { url: Some(url), .. } => jwks_url(&url)
                .map(KeySource::Url)
                .map_err(|why| format!("{place}JWKS_URL {why}")),
            _ => Err(format!(
                "{place}one of jwks_url, jwks_file and hs256_secret_file must be named"
            )),
        };
        errors.collect(source)
    }
}

/// A URL that nobody on the way can answer in the issuer's place.
fn jwks_url(text: &str) -> Result<Url, &'static str> {
    let url: Url = text.parse().map_err(|_| "is not a URL")?;
    let host = url.host_str().unwrap_or_default();
    let here = host == "localhost"
        || host
            .trim_matches(['[', ']'])
            .parse()
            .is_ok_and(|it: std::net::IpAddr| it.is_loopback());
    match url.scheme() {
        "https" => Ok(url),
        "http" if here => Ok(url),
        _ => Err("must begin with https:// (or http:// on this machine)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_over_tls_or_from_this_machine() {
        for url in [
            "https://login.example/keys",
            "http://127.0.0.1:9/keys",
            "http://localhost/keys",
            "http://[::1]/keys",
        ] {
            assert!(jwks_url(url).is_ok(), "{url}");
        }
        for url in [
            "http://login.example/keys",
            "http://127.0.0.1.example/keys",
            "ftp://localhost/keys",
            "keys",
            "file:///etc",
        ] {
            assert!(jwks_url(url).is_err(), "{url}");
        }
    }
}

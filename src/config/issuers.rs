//! Issuers of tokens: their keys, and the file that lists several.

use std::{fs, path::PathBuf};

use secrecy::SecretString;
use serde::Deserialize;

use super::{claims::ClaimOptions, errors::ConfigErrors};
use crate::tokens::{
    IssuerSettings, IssuerUrl, KeySource, MIN_SECRET_BYTES, check_jwks_file, parse_key_url,
};

/// Maximum number of issuers in a file.
const MAX_ISSUERS: usize = 32;

/// An entry of `JWT_ISSUERS_FILE`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct IssuerEntry {
    issuer: String,
    audience: String,
    jwks_url: Option<String>,
    jwks_file: Option<String>,
    hs256_secret_file: Option<String>,
    #[serde(default)]
    claims: ClaimOptions,
}

/// The key sources of an issuer, of which at most one may be set.
pub(super) struct KeyOptions {
    pub(super) secret: Option<String>,
    pub(super) file: Option<String>,
    pub(super) url: Option<String>,
}

/// Reads `JWT_ISSUERS_FILE`.
pub(super) fn read_issuers_file(
    path: &str,
    errors: &mut ConfigErrors,
) -> Option<Vec<IssuerSettings>> {
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
        let claim_names = self.claims.validate(&format!("{prefix}claims: "), errors);
        Some(IssuerSettings {
            keys: keys.into_source(prefix, Some(&self.issuer), errors)?,
            issuer: self.issuer,
            audience: self.audience,
            claim_names,
        })
    }
}

impl KeyOptions {
    /// How many sources are set.
    pub(super) fn count(&self) -> usize {
        [&self.secret, &self.file, &self.url]
            .into_iter()
            .flatten()
            .count()
    }

    /// The source that is set, or else the metadata of the issuer. Error messages begin with
    /// `prefix`.
    pub(super) fn into_source(
        self,
        prefix: &str,
        issuer: Option<&str>,
        errors: &mut ConfigErrors,
    ) -> Option<KeySource> {
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
            parse_key_url(&url)
                .map(KeySource::Url)
                .map_err(|error| format!("{prefix}JWKS_URL {error}"))
        } else {
            // Without an issuer, that is already an error.
            IssuerUrl::parse(issuer?)
                .map(KeySource::Metadata)
                .map_err(|error| {
                    format!(
                        "{prefix}HS256_SECRET is not set, nor {prefix}JWKS_URL or {prefix}JWKS_FILE, \
                         and the keys cannot be found by the issuer: it {error}"
                    )
                })
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

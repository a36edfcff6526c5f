//! Finds the JWK set of an issuer in its metadata (RFC 8414, `OpenID` Connect Discovery 1.0).

use std::net::IpAddr;

use reqwest::Url;
use serde::Deserialize;

/// An issuer whose metadata names its JWK set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuerUrl {
    /// The issuer as it appears in tokens and metadata.
    text: String,
    url: Url,
}

/// The members of the metadata that the service uses.
#[derive(Debug, Deserialize)]
struct Metadata {
    issuer: String,
    jwks_uri: String,
}

impl IssuerUrl {
    /// Parses an issuer.
    ///
    /// # Errors
    /// If it is no URL at which metadata can be published: `https`, or `http` on this machine,
    /// without query and fragment (RFC 8414 section 2).
    pub fn parse(issuer: &str) -> Result<Self, &'static str> {
        let url = parse_key_url(issuer)?;
        if url.query().is_some() || url.fragment().is_some() {
            return Err("must have no query and no fragment");
        }
        Ok(Self {
            text: issuer.to_owned(),
            url,
        })
    }

    /// Where the issuer may publish its metadata, in the order in which they are read.
    pub(super) fn metadata_urls(&self) -> [Url; 2] {
        let path = self.url.path().trim_end_matches('/');
        [
            // RFC 8414 section 3 inserts the well-known path before the path of the issuer.
            self.with_path(&format!("/.well-known/oauth-authorization-server{path}")),
            // OpenID Connect Discovery 1.0 section 4 appends it.
            self.with_path(&format!("{path}/.well-known/openid-configuration")),
        ]
    }

    fn with_path(&self, path: &str) -> Url {
        let mut url = self.url.clone();
        url.set_path(path);
        url
    }

    /// The URL of the JWK set that the metadata names.
    ///
    /// # Errors
    /// If the metadata is that of another issuer, or names no URL with at least the protection of
    /// the issuer's own.
    pub(super) fn jwks_url(&self, metadata: &[u8]) -> Result<Url, String> {
        let metadata: Metadata = serde_json::from_slice(metadata)
            .map_err(|error| format!("not the metadata of an issuer: {error}"))?;
        if metadata.issuer != self.text {
            return Err("it names another issuer".to_owned());
        }
        let url = parse_key_url(&metadata.jwks_uri).map_err(|error| format!("jwks_uri {error}"))?;
        if self.url.scheme() == "https" && url.scheme() != "https" {
            return Err("jwks_uri must begin with https://".to_owned());
        }
        Ok(url)
    }
}

/// Parses a URL that determines keys. Only TLS and loopback are accepted, so that nobody on the
/// network can substitute keys.
pub fn parse_key_url(text: &str) -> Result<Url, &'static str> {
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
    use serde_json::json;

    use super::*;

    #[test]
    fn key_url_requires_tls_or_loopback() {
        for url in [
            "https://login.example/keys",
            "http://127.0.0.1:9/keys",
            "http://localhost/keys",
            "http://[::1]/keys",
        ] {
            assert!(parse_key_url(url).is_ok(), "{url}");
        }
        for url in [
            "http://login.example/keys",
            "http://127.0.0.1.example/keys",
            "ftp://localhost/keys",
            "keys",
            "file:///etc",
        ] {
            assert!(parse_key_url(url).is_err(), "{url}");
        }
    }

    #[test]
    fn metadata_path_is_inserted_and_then_appended() {
        for (issuer, expected) in [
            (
                "https://login.example",
                [
                    "https://login.example/.well-known/oauth-authorization-server",
                    "https://login.example/.well-known/openid-configuration",
                ],
            ),
            (
                "https://login.example/realms/erp/",
                [
                    "https://login.example/.well-known/oauth-authorization-server/realms/erp",
                    "https://login.example/realms/erp/.well-known/openid-configuration",
                ],
            ),
        ] {
            let urls = IssuerUrl::parse(issuer).unwrap().metadata_urls();
            assert_eq!(urls.map(String::from), expected);
        }
        for issuer in [
            "https://login.example?a=b",
            "https://login.example#a",
            "erp",
        ] {
            assert!(IssuerUrl::parse(issuer).is_err(), "{issuer}");
        }
    }

    #[test]
    fn metadata_of_another_issuer_is_refused() {
        let issuer = IssuerUrl::parse("https://login.example/").unwrap();
        let jwks_url = |issuer_in_document: &str, jwks_uri: &str| {
            let metadata = json!({"issuer": issuer_in_document, "jwks_uri": jwks_uri});
            issuer.jwks_url(metadata.to_string().as_bytes())
        };
        let keys = "https://keys.example/jwks";
        assert_eq!(
            jwks_url("https://login.example/", keys).map(String::from),
            Ok(keys.to_owned())
        );
        for (other, jwks_uri) in [
            ("https://login.example", keys),
            ("https://evil.example/", keys),
            ("https://login.example/", "http://127.0.0.1/keys"),
            ("https://login.example/", "http://keys.example/jwks"),
            ("https://login.example/", "/jwks"),
        ] {
            assert!(jwks_url(other, jwks_uri).is_err(), "{other} {jwks_uri}");
        }
        assert!(
            issuer
                .jwks_url(br#"{"issuer": "https://login.example/"}"#)
                .is_err()
        );
    }
}

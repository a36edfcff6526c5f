//! Metadata of the protected resource (RFC 9728), from which clients learn where to get tokens.

use actix_web::{
    HttpRequest, HttpResponse, get,
    http::{StatusCode, header},
    web::Data,
};
use reqwest::Url;
use serde::Serialize;
use strum::IntoEnumIterator as _;

use super::app_context::AppContext;
use crate::{
    common::{Code, Error, Result},
    tokens::{IssuerUrl, Scope, TokenSettings},
};

/// Path of the metadata (RFC 9728 section 3).
pub const METADATA_PATH: &str = "/.well-known/oauth-protected-resource";
/// Maximum length of the host in a request.
const MAX_HOST: usize = 255;

/// What the metadata contains.
pub struct ProtectedResource {
    /// URL of the service without a trailing slash; `None`: that of the request.
    public_url: Option<String>,
    /// The trusted issuers that have a URL.
    authorization_servers: Vec<String>,
}

/// The metadata. Empty arrays are omitted (RFC 9728 section 2).
#[derive(Debug, Serialize)]
struct Metadata<'m> {
    resource: &'m str,
    resource_name: &'static str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    authorization_servers: &'m [String],
    scopes_supported: Vec<&'static str>,
    bearer_methods_supported: [&'static str; 1],
    resource_documentation: String,
}

impl ProtectedResource {
    /// The resource at `public_url` that accepts tokens of the issuers in `tokens`.
    pub fn new(public_url: Option<&Url>, tokens: &TokenSettings) -> Self {
        let issuers = tokens.issuers.iter().map(|issuer| &issuer.issuer);
        Self {
            public_url: public_url.map(|url| url.as_str().trim_end_matches('/').to_owned()),
            authorization_servers: issuers
                .filter(|issuer| IssuerUrl::parse(issuer).is_ok())
                .cloned()
                .collect(),
        }
    }

    /// The URL of the service: as configured, or as the client wrote it.
    fn url(&self, request: &HttpRequest) -> Option<String> {
        self.public_url.clone().or_else(|| requested_url(request))
    }
}

/// The URL of the metadata, for the challenge of a response with this status.
pub(super) fn metadata_url(request: &HttpRequest, status: StatusCode) -> Option<String> {
    if !matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
        return None;
    }
    let context = request.app_data::<Data<AppContext>>()?;
    let url = context.protected_resource.url(request)?;
    Some(url + METADATA_PATH)
}

/// Scheme and host of the request, also behind a proxy that forwards them. `None` if the host
/// contains other characters than those of names and addresses.
fn requested_url(request: &HttpRequest) -> Option<String> {
    let connection = request.connection_info();
    let host = connection.host();
    let is_valid = (1..=MAX_HOST).contains(&host.len())
        && host
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-._:[]".contains(&b));
    let scheme = match connection.scheme() {
        "https" => "https",
        _ => "http",
    };
    is_valid.then(|| format!("{scheme}://{host}"))
}

/// Serves the metadata.
#[get("/.well-known/oauth-protected-resource")]
pub async fn metadata(request: HttpRequest, context: Data<AppContext>) -> Result<HttpResponse> {
    let resource = &context.protected_resource;
    let url = resource
        .url(&request)
        .ok_or_else(|| Error::client(Code::BadRequest))?;
    let metadata = Metadata {
        resource: &url,
        resource_name: "Customer integration",
        authorization_servers: &resource.authorization_servers,
        scopes_supported: Scope::iter().map(Scope::as_str).collect(),
        bearer_methods_supported: ["header"],
        resource_documentation: format!("{url}/docs"),
    };
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .json(metadata))
}

//! Enforces the OpenAPI document: undocumented query parameters are rejected, and undocumented
//! methods get 405 with the allowed ones, which OPTIONS returns too.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use actix_web::{
    HttpRequest, HttpResponse,
    dev::ResourceDef,
    http::{
        Method,
        header::{self, HeaderMap, HeaderName},
    },
    web::Data,
};
use foldhash::fast::RandomState;
use serde_json::Value;

use super::{field_errors::MAX_NAME, request_context::route};
use crate::common::{Code, Error, FieldError, Result, normalize::truncate_untrusted};

/// Maximum length of a header that is a parameter of operations, in bytes.
pub const MAX_HEADER: usize = 1000;

/// The media types of PATCH bodies (RFC 5789 section 3.1).
pub const ACCEPT_PATCH: HeaderName = HeaderName::from_static("accept-patch");
/// The value of [`ACCEPT_PATCH`].
pub const PATCH_MEDIA_TYPES: &str = "application/merge-patch+json, application/json";

/// The headers that are parameters of operations.
const HEADERS: [(HeaderName, &str); 3] = [
    (header::IF_MATCH, "If-Match"),
    (header::IF_NONE_MATCH, "If-None-Match"),
    (header::ACCEPT_LANGUAGE, "Accept-Language"),
];

/// The query parameters of each method of a path.
type Methods = BTreeMap<String, BTreeSet<String>>;

/// Paths, methods and query parameters of the OpenAPI document.
pub struct RouteTable {
    /// All paths with their methods.
    paths: Vec<(ResourceDef, BTreeSet<String>)>,
    /// Documented operations by path.
    operations: HashMap<String, Methods, RandomState>,
}

impl RouteTable {
    /// Reads the document. `public` lists paths outside of it, which only support GET.
    pub fn new(document: &Value, public: &[&str]) -> Self {
        let operations: HashMap<_, _, _> = document["paths"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(path, item)| (path.clone(), methods_of(item)))
            .collect();
        let documented = operations.iter().map(|(path, methods)| {
            let methods = methods.keys().cloned().collect();
            (ResourceDef::new(path.as_str()), methods)
        });
        let public = public.iter().map(|path| {
            let methods = BTreeSet::from(["GET".to_owned()]);
            (ResourceDef::new(*path), methods)
        });
        Self {
            paths: documented.chain(public).collect(),
            operations,
        }
    }

    fn check_query(&self, request: &HttpRequest) -> Result<()> {
        if request.query_string().is_empty() {
            return Ok(());
        }
        let documented = route(request)
            .and_then(|route| self.operations.get(&*route))
            .and_then(|methods| methods.get(request.method().as_str()));
        let unknown = form_urlencoded::parse(request.query_string().as_bytes())
            .map(|(name, _)| name)
            .find(|name| !documented.is_some_and(|documented| documented.contains(&**name)));
        match unknown {
            None => Ok(()),
            Some(name) => {
                let name = truncate_untrusted(&name, MAX_NAME);
                let error = FieldError::new(&name, Code::UnknownParameter).with("name", &name);
                Err(Error::from_field(error))
            }
        }
    }

    /// The methods of a path; empty if there is no such path. If several patterns match, the one
    /// with the fewest parameters is the path: `/queries/order` is not a `/queries/{query_id}`.
    fn methods(&self, path: &str) -> BTreeSet<String> {
        let mut methods = self
            .paths
            .iter()
            .filter(|(definition, _)| definition.is_match(path))
            .min_by_key(|(definition, _)| parameter_count(definition))
            .map(|(_, methods)| methods.clone())
            .unwrap_or_default();
        if methods.contains("GET") {
            methods.insert("HEAD".to_owned());
        }
        if !methods.is_empty() {
            methods.insert("OPTIONS".to_owned());
        }
        methods
    }
}

fn parameter_count(definition: &ResourceDef) -> usize {
    definition
        .pattern()
        .map_or(0, |pattern| pattern.matches('{').count())
}

fn methods_of(path_item: &Value) -> Methods {
    path_item
        .as_object()
        .into_iter()
        .flatten()
        .map(|(method, operation)| (method.to_uppercase(), query_parameters(operation)))
        .collect()
}

fn query_parameters(operation: &Value) -> BTreeSet<String> {
    operation["parameters"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|parameter| parameter["in"] == "query")
        .filter_map(|parameter| parameter["name"].as_str())
        .map(ToOwned::to_owned)
        .collect()
}

/// Rejects undocumented query parameters and header parameters that are too long. The values of
/// parameters are validated by the extractors that parse them.
pub(super) fn check_parameters(request: &HttpRequest) -> Result<()> {
    let Some(routes) = request.app_data::<Data<RouteTable>>() else {
        return Ok(());
    };
    check_header_lengths(request.headers())?;
    routes.check_query(request)
}

fn check_header_lengths(headers: &HeaderMap) -> Result<()> {
    for (header, name) in HEADERS {
        if headers
            .get_all(header)
            .any(|value| value.len() > MAX_HEADER)
        {
            let error = FieldError::new(name, Code::TooLong).with("max", MAX_HEADER);
            return Err(Error::field_errors(Code::InvalidParameter, vec![error]));
        }
    }
    Ok(())
}

/// Handles requests that match no route: 404 unless the path exists, 204 for OPTIONS, else 405.
pub async fn handle_unrouted(request: HttpRequest) -> Result<HttpResponse> {
    let methods = request
        .app_data::<Data<RouteTable>>()
        .map(|routes| routes.methods(request.path()))
        .unwrap_or_default();
    if methods.is_empty() {
        return Err(Error::client(Code::UnknownRoute));
    }
    let supports_patch = methods.contains("PATCH");
    let allowed = methods.into_iter().collect::<Vec<_>>().join(", ");
    if request.method() == Method::OPTIONS {
        let mut response = HttpResponse::NoContent();
        response.insert_header((header::ALLOW, allowed));
        if supports_patch {
            response.insert_header((ACCEPT_PATCH, PATCH_MEDIA_TYPES));
        }
        return Ok(response.finish());
    }
    Err(Error::client(Code::MethodNotAllowed).with("allowed", allowed))
}

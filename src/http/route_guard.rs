//! What the document says about paths, methods and query parameters, put to use: a wrong method is answered with the right
//! ones, and a query parameter that is not documented is refused.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use actix_web::{
    HttpRequest, HttpResponse,
    dev::ResourceDef,
    http::header::{self, HeaderName},
    web::Data,
};
use foldhash::fast::RandomState;
use serde_json::Value;

use super::{field_errors::MAX_NAME, request_context::route};
use crate::common::{Code, Error, FieldError, Result, normalize::truncate_untrusted};

/// Longest header that is a parameter of operations.
pub const MAX_HEADER: usize = 1000;

/// The headers that are parameters of operations.
const HEADERS: [(HeaderName, &str); 3] = [
    (header::IF_MATCH, "If-Match"),
    (header::IF_NONE_MATCH, "If-None-Match"),
    (header::ACCEPT_LANGUAGE, "Accept-Language"),
];

/// The operations of the document.
pub struct RouteTable {
    /// Path, and its methods with their query parameters.
    paths: Vec<(ResourceDef, BTreeSet<String>)>,
    /// Query parameters by (path, method).
    queries: HashMap<String, BTreeMap<String, BTreeSet<String>>, RandomState>,
}

impl RouteTable {
    /// Reads them from the document; `others` are paths outside of it, which take GET only.
    pub fn of(document: &Value, others: &[&str]) -> Self {
        let mut queries = HashMap::default();
        for (path, item) in document["paths"].as_object().into_iter().flatten() {
            let methods = item
                .as_object()
                .into_iter()
                .flatten()
                .map(|(method, operation)| {
                    let parameters = operation["parameters"].as_array().into_iter().flatten();
                    let in_query = parameters.filter(|parameter| parameter["in"] == "query");
                    let names = in_query
                        .filter_map(|parameter| parameter["name"].as_str())
                        .map(ToOwned::to_owned);
                    (method.to_uppercase(), names.collect::<BTreeSet<_>>())
                });
            queries.insert(path.clone(), methods.collect::<BTreeMap<_, _>>());
        }
        let documented = queries.iter().map(|(path, methods)| {
            (
                ResourceDef::new(path.as_str()),
                methods.keys().cloned().collect(),
            )
        });
        let get = || BTreeSet::from(["GET".to_owned()]);
        let paths = documented
            .chain(others.iter().map(|path| (ResourceDef::new(*path), get())))
            .collect();
        Self { paths, queries }
    }

    /// Refuses query parameters that the matched operation does not know, and headers that are longer than the document says.
    pub fn check_parameters(&self, request: &HttpRequest) -> Result<()> {
        for (header, name) in HEADERS {
            if request
                .headers()
                .get_all(header)
                .any(|value| value.len() > MAX_HEADER)
            {
                let field_error = FieldError::new(name, Code::TooLong).with("max", MAX_HEADER);
                return Err(Error::field_errors(
                    Code::InvalidParameter,
                    vec![field_error],
                ));
            }
        }
        if request.query_string().is_empty() {
            return Ok(());
        }
        let methods = route(request).and_then(|route| self.queries.get(&*route));
        let known = methods.and_then(|methods| methods.get(request.method().as_str()));
        let mut sent =
            form_urlencoded::parse(request.query_string().as_bytes()).map(|(name, _)| name);
        sent.find(|name| !known.is_some_and(|known| known.contains(&**name)))
            .map_or(Ok(()), |name| {
                let name = truncate_untrusted(&name, MAX_NAME);
                Err(Error::from_field(
                    FieldError::new(&name, Code::UnknownParameter).with("name", &name),
                ))
            })
    }

    /// The methods a path takes; none where there is no such path.
    fn methods(&self, path: &str) -> BTreeSet<String> {
        let matching = self
            .paths
            .iter()
            .filter(|(definition, _)| definition.is_match(path));
        let mut methods: BTreeSet<_> = matching
            .flat_map(|(_, methods)| methods.iter().cloned())
            .collect();
        // see `head`
        if methods.contains("GET") {
            methods.insert("HEAD".to_owned());
        }
        methods
    }
}

/// Answers what no route takes: 405 with `Allow` where the path exists, else 404.
pub async fn not_found_or_405(request: HttpRequest) -> Result<HttpResponse> {
    let operations = request.app_data::<Data<RouteTable>>();
    let methods = operations
        .map(|operations| operations.methods(request.path()))
        .unwrap_or_default();
    if methods.is_empty() {
        return Err(Error::client(Code::UnknownRoute));
    }
    let allowed = methods.into_iter().collect::<Vec<_>>().join(", ");
    Err(Error::client(Code::MethodNotAllowed).with("allowed", allowed))
}

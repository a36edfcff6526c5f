//! An HTTP client that checks every response against the OpenAPI document and every error against
//! RFC 9457.

use std::{fmt::Write as _, time::Duration};

use reqwest::{Method, header::HeaderMap};
use serde_json::Value;
use tokio::{io::AsyncWriteExt as _, net::TcpStream};

use super::document;

const BASE_PATH: &str = "/api/v1";

/// A client with one bearer token, or none.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    origin: String,
    token: Option<String>,
}

/// A response with its whole body.
#[derive(Debug)]
pub struct Response {
    pub status: u16,
    pub headers: HeaderMap,
    pub json: Value,
    pub text: String,
}

impl Client {
    pub fn new(origin: &str, token: Option<String>) -> Self {
        // the tests use plain HTTP, and loading the root certificates takes longer than a test
        let http = reqwest::Client::builder()
            .tls_certs_only([])
            .build()
            .unwrap();
        Self {
            http,
            origin: origin.to_owned(),
            token,
        }
    }

    /// Starts a request. `path` is relative to `/api/v1`, or to the origin if it starts with `//`.
    pub fn request(&self, method: &str, path: &str) -> Request {
        let path = path
            .strip_prefix('/')
            .filter(|rest| rest.starts_with('/'))
            .map_or_else(|| format!("{BASE_PATH}{path}"), ToOwned::to_owned);
        let method: Method = method.parse().unwrap();
        let mut builder = self
            .http
            .request(method.clone(), format!("{}{path}", self.origin));
        if let Some(token) = &self.token {
            builder = builder.bearer_auth(token);
        }
        Request {
            builder,
            method,
            path,
        }
    }

    pub async fn get(&self, path: &str) -> Response {
        self.request("GET", path).send().await
    }

    pub async fn post(&self, path: &str, body: Value) -> Response {
        self.request("POST", path).json(body).send().await
    }

    /// Sends a PUT request, without a body if `body` is `null`.
    pub async fn put(&self, path: &str, body: Value) -> Response {
        let request = self.request("PUT", path);
        if body.is_null() {
            request.send().await
        } else {
            request.json(body).send().await
        }
    }

    pub async fn patch(&self, path: &str, body: Value) -> Response {
        self.request("PATCH", path).json(body).send().await
    }

    pub async fn delete(&self, path: &str) -> Response {
        self.request("DELETE", path).send().await
    }

    /// Reads all pages of a list and returns the items.
    pub async fn get_all(&self, path: &str) -> Vec<Value> {
        self.get_all_after(path, None).await
    }

    /// Reads all pages of a list after a cursor and returns the items.
    pub async fn get_all_after(&self, path: &str, mut cursor: Option<String>) -> Vec<Value> {
        let mut items = Vec::new();
        loop {
            let separator = if path.contains('?') { '&' } else { '?' };
            let next = cursor.map_or_else(
                || path.to_owned(),
                |cursor| format!("{path}{separator}cursor={cursor}"),
            );
            let page = self.get(&next).await.is(200);
            items.extend(page.json["items"].as_array().unwrap().iter().cloned());
            cursor = page.json["next_cursor"].as_str().map(ToOwned::to_owned);
            if cursor.is_none() {
                return items;
            }
        }
    }
}

/// A request that is not yet sent.
pub struct Request {
    builder: reqwest::RequestBuilder,
    method: Method,
    path: String,
}

impl Request {
    #[must_use]
    pub fn json(self, body: Value) -> Self {
        Self {
            builder: self.builder.json(&body),
            ..self
        }
    }

    #[must_use]
    pub fn raw(self, content_type: &str, body: impl Into<reqwest::Body>) -> Self {
        Self {
            builder: self.builder.header("content-type", content_type).body(body),
            ..self
        }
    }

    #[must_use]
    pub fn header(self, name: &str, value: &str) -> Self {
        Self {
            builder: self.builder.header(name, value),
            ..self
        }
    }

    /// Sends the request and resets the connection after a delay, without reading the response.
    /// Closing the connection is not enough: actix treats it as a client that still reads.
    pub async fn disconnect_after(self, delay: Duration) {
        let request = self.builder.build().unwrap();
        let url = request.url();
        let body = request
            .body()
            .and_then(|body| body.as_bytes())
            .unwrap_or_default();
        let mut headers = format!("{} {} HTTP/1.1\r\nhost: test\r\n", self.method, self.path);
        for (name, value) in request.headers() {
            write!(headers, "{name}: {}\r\n", value.to_str().unwrap()).unwrap();
        }
        write!(headers, "content-length: {}\r\n\r\n", body.len()).unwrap();

        let address = (url.host_str().unwrap(), url.port().unwrap());
        let mut connection = TcpStream::connect(address).await.unwrap();
        connection.set_zero_linger().unwrap();
        connection
            .write_all(&[headers.as_bytes(), body].concat())
            .await
            .unwrap();
        tokio::time::sleep(delay).await;
    }

    /// Sends the request. Panics if the response violates the conventions of the API or does not
    /// match the document.
    pub async fn send(self) -> Response {
        let response = self.builder.send().await.unwrap();
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let text = response.text().await.unwrap();
        let response = Response {
            status,
            headers,
            json: serde_json::from_str(&text).unwrap_or(Value::Null),
            text,
        };
        let path = self.path.split('?').next().unwrap_or_default();
        response.assert_conventions(&self.method, path);
        response
    }
}

impl Response {
    /// Panics unless the response has a request id, is a problem if it is an error, and matches the
    /// document.
    fn assert_conventions(&self, method: &Method, path: &str) {
        let status = self.status;
        let content_type = self.headers.get("content-type");
        let content_type = content_type.and_then(|value| value.to_str().ok());
        assert!(
            self.headers.contains_key("x-request-id"),
            "{method} {path} returned {status} without a request id"
        );
        if status >= 400 {
            assert_eq!(
                content_type,
                Some("application/problem+json"),
                "{method} {path}: {status} {}",
                self.text
            );
        }
        if *method == Method::HEAD {
            assert_eq!(self.text, "", "{path}: HEAD has no content");
            return;
        }
        if status >= 400 {
            assert_eq!(self.json["status"], status);
            assert_eq!(self.json["request_id"], self.header("x-request-id"));
        }
        if path.starts_with(BASE_PATH) {
            let method = method.as_str();
            document::assert_documented(method, path, status, content_type, &self.text);
            document::assert_headers_documented(method, path, status, &self.headers);
        }
    }

    /// Asserts the status and returns the response.
    #[track_caller]
    pub fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    /// Asserts a problem with the given status and code, and returns the response.
    #[track_caller]
    pub fn is_problem(self, status: u16, code: &str) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        assert_eq!(self.json["code"], code, "{}", self.text);
        self
    }

    /// The value of a header; empty if the header is missing.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map(|value| value.to_str().unwrap())
            .unwrap_or_default()
    }

    pub fn etag(&self) -> String {
        self.header("etag").to_owned()
    }

    /// All errors of a problem, as `pointer code`.
    pub fn errors(&self) -> Vec<String> {
        let errors = self.json["errors"].as_array().unwrap();
        errors
            .iter()
            .map(|error| {
                format!(
                    "{} {}",
                    error["pointer"].as_str().unwrap(),
                    error["code"].as_str().unwrap()
                )
            })
            .collect()
    }

    /// One text member, given as a JSON pointer, of every item of a list.
    pub fn items(&self, member: &str) -> Vec<String> {
        let items = self.json["items"].as_array().unwrap();
        items
            .iter()
            .map(|item| item.pointer(member).unwrap().as_str().unwrap().to_owned())
            .collect()
    }
}

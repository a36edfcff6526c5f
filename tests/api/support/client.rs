//! A caller. Every answer is checked against the document, and every failure must be a problem.

use std::{fmt::Write as _, time::Duration};

use reqwest::{Method, header::HeaderMap};
use serde_json::Value;
use tokio::{io::AsyncWriteExt as _, net::TcpStream};

use super::document;

const BASE: &str = "/api/v1";

/// A caller with one token, or none.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    origin: String,
    token: Option<String>,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub json: Value,
    pub text: String,
}

impl Client {
    pub fn new(origin: &str, token: Option<String>) -> Self {
        // the service speaks plain HTTP, and reading the operating system's root certificates takes longer than a test
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

    /// A request to a path below the API's base (or, beginning with `//`, below the origin), to be completed and sent.
    pub fn request(&self, method: &str, path: &str) -> Request {
        let path = path
            .strip_prefix('/')
            .filter(|rest| rest.starts_with('/'))
            .map_or_else(|| format!("{BASE}{path}"), ToOwned::to_owned);
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

    pub async fn get(&self, path: &str) -> Answer {
        self.request("GET", path).send().await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.request("POST", path).json(body).send().await
    }

    /// PUT; without a body when it is `null`.
    pub async fn put(&self, path: &str, body: Value) -> Answer {
        let request = self.request("PUT", path);
        if body.is_null() {
            request.send().await
        } else {
            request.json(body).send().await
        }
    }

    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.request("PATCH", path).json(body).send().await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.request("DELETE", path).send().await
    }

    /// All items of a list, page by page.
    pub async fn all(&self, path: &str) -> Vec<Value> {
        self.all_after(path, None).await
    }

    /// All items of a list behind a cursor, page by page.
    pub async fn all_after(&self, path: &str, mut cursor: Option<String>) -> Vec<Value> {
        let mut items = Vec::new();
        loop {
            let joint = if path.contains('?') { '&' } else { '?' };
            let next = cursor.map_or_else(
                || path.to_owned(),
                |cursor| format!("{path}{joint}cursor={cursor}"),
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

/// A request being made.
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

    /// Sends the request and resets its connection after a while, wherever the service is by then. A connection that is
    /// merely closed would not do: actix takes that for a client that still reads.
    pub async fn hang_up(self, after: Duration) {
        let request = self.builder.build().unwrap();
        let (url, body) = (
            request.url(),
            request
                .body()
                .and_then(|body| body.as_bytes())
                .unwrap_or_default(),
        );
        let mut head = format!("{} {} HTTP/1.1\r\nhost: test\r\n", self.method, self.path);
        for (name, value) in request.headers() {
            write!(head, "{name}: {}\r\n", value.to_str().unwrap()).unwrap();
        }
        write!(head, "content-length: {}\r\n\r\n", body.len()).unwrap();
        let address = (url.host_str().unwrap(), url.port().unwrap());
        let mut connection = TcpStream::connect(address).await.unwrap();
        connection.set_zero_linger().unwrap();
        connection
            .write_all(&[head.as_bytes(), body].concat())
            .await
            .unwrap();
        tokio::time::sleep(after).await;
    }

    pub async fn send(self) -> Answer {
        let response = self.builder.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let content_type = headers
            .get("content-type")
            .and_then(|it| it.to_str().ok())
            .map(ToOwned::to_owned);
        let text = response.text().await.unwrap();
        let json = serde_json::from_str(&text).unwrap_or(Value::Null);
        let path = self.path.split('?').next().unwrap_or_default();
        assert!(
            headers.contains_key("x-request-id"),
            "{} {path} answered {status} without a request id",
            self.method
        );
        if status >= 400 {
            assert_eq!(
                content_type.as_deref(),
                Some("application/problem+json"),
                "{} {path}: {status} {text}",
                self.method
            );
        }
        if self.method == Method::HEAD {
            assert_eq!(text, "", "{path}: HEAD has no content");
            return Answer {
                status,
                headers,
                json,
                text,
            };
        }
        if status >= 400 {
            assert_eq!(json["status"], status);
            assert_eq!(
                json["request_id"],
                headers["x-request-id"].to_str().unwrap()
            );
        }
        if path.starts_with(BASE) {
            document::check(
                self.method.as_str(),
                path,
                status,
                content_type.as_deref(),
                &text,
            );
            document::check_headers(self.method.as_str(), path, status, &headers);
        }
        Answer {
            status,
            headers,
            json,
            text,
        }
    }
}

impl Answer {
    /// Demands a status.
    #[track_caller]
    pub fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    /// Demands a problem.
    #[track_caller]
    pub fn is_problem(self, status: u16, code: &str) -> Self {
        assert_eq!(
            (self.status, self.json["code"].as_str()),
            (status, Some(code)),
            "{}",
            self.text
        );
        self
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map(|value| value.to_str().unwrap())
            .unwrap_or_default()
    }

    pub fn etag(&self) -> String {
        self.header("etag").to_owned()
    }

    /// `pointer code` of every error of a problem.
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

    /// A member of every item of a list.
    pub fn items(&self, member: &str) -> Vec<String> {
        let items = self.json["items"].as_array().unwrap();
        items
            .iter()
            .map(|item| item.pointer(member).unwrap().as_str().unwrap().to_owned())
            .collect()
    }
}

//! Request limits and their problem responses.

use std::time::Duration;

use customer_integration::{
    config::{Limits, RateLimit},
    http::middleware::admission::{MAX_HEADERS, MAX_URI},
    tokens::{ClaimNames, Claims, IssuerSettings, KeySource, TokenSettings},
};
use diesel::{Connection as _, RunQueryDsl as _};
use jsonwebtoken::Algorithm;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use crate::support::{
    Client, TestApp,
    app::{AUDIENCE, ISSUER, Storage, claims},
    issuer::{Issuer, JwksResponse, SigningKey},
    raw_http::{
        WAIT_TIMEOUT, connect_and_send, read_to_end, request_headers, request_headers_with_claims,
        wait_until,
    },
};

async fn start_with_limits(limits: Limits) -> TestApp {
    TestApp::with_settings(|config| config.limits = limits).await
}

/// Makes writes wait until the returned connection is dropped.
fn lock_writes(app: &TestApp) -> diesel::SqliteConnection {
    let Storage::Sqlite { path, .. } = &app.storage else {
        panic!("not SQLite")
    };
    let mut conn = diesel::SqliteConnection::establish(path).unwrap();
    diesel::sql_query("BEGIN IMMEDIATE")
        .execute(&mut conn)
        .unwrap();
    conn
}

/// A request of a subject that writes an area, with a name preceded by `padding`.
fn area_write(subject: &str, area: &str, padding: &str) -> String {
    let body = format!(r##"{padding}{{"name": "Bereich", "color": "#00aaff"}}"##);
    let length = format!("Content-Length: {}\r\n", body.len());
    let claims = Claims {
        sub: subject.to_owned(),
        ..claims("catalog:read catalog:write")
    };
    let path = format!("/catalog/areas/{area}");
    let headers = request_headers_with_claims(&claims, "PUT", &path, &length);
    format!("{headers}\r\n{body}")
}

/// The headers of a request whose body is never sent.
fn incomplete_request() -> String {
    format!(
        "{}\r\n",
        request_headers(
            "PUT",
            "/catalog/business-partners/K-1",
            "Content-Length: 10\r\n"
        )
    )
}

#[actix_web::test]
async fn excess_concurrent_requests_return_503_except_probes() {
    let app = start_with_limits(Limits {
        concurrent_requests: 1,
        ..Limits::default()
    })
    .await;
    let reader = app.reader();
    let lock = lock_writes(&app);
    let mut writes = Vec::new();
    // a write can itself be rejected while the reader's request is in progress, so another one is
    // sent each time
    let is_rejected = async || {
        let request = area_write("anna.admin", "A-1", "");
        writes.push(connect_and_send(&app, &request).await);
        reader.get("/catalog/areas").await.status != 200
    };
    wait_until("a rejection", is_rejected).await;

    let response = reader
        .request("GET", "/catalog/areas")
        .header("origin", "https://portal.example")
        .send()
        .await;
    let problem = response.is_problem(503, "overloaded");
    assert_eq!(problem.header("retry-after"), "1");
    // a browser app can read the response
    assert_eq!(
        problem.header("access-control-allow-origin"),
        "https://portal.example"
    );
    app.anonymous().get("//health/ready").await.is(200);
    drop(lock);
    wait_until("a free slot", async || {
        reader.get("/catalog/areas").await.status == 200
    })
    .await;
}

/// An app that allows each subject three requests at once and one more per second.
async fn start_with_rate_limit() -> TestApp {
    start_with_limits(Limits {
        rate: RateLimit::new(1, 3),
        ..Limits::default()
    })
    .await
}

#[actix_web::test]
async fn request_above_rate_limit_returns_429_until_limit_is_replenished() {
    let app = start_with_rate_limit().await;
    let anna = app.reader();

    for remaining in [2, 1, 0] {
        let response = anna.get("/catalog/areas").await.is(200);
        assert!(
            response
                .header("ratelimit")
                .starts_with(&format!(r#""subject";r={remaining};t="#)),
            "{:?}",
            response.headers
        );
        assert_eq!(response.header("ratelimit-policy"), r#""subject";q=3;w=3"#);
    }

    let response = anna.get("/catalog/areas").await;
    let refused = response.is_problem(429, "too_many_requests");
    assert_eq!(refused.header("retry-after"), "1");
    assert_eq!(refused.header("ratelimit"), r#""subject";r=0;t=1"#);

    wait_until("a replenished limit", async || {
        anna.get("/catalog/areas").await.status == 200
    })
    .await;
}

#[actix_web::test]
async fn rate_limit_applies_per_subject() {
    let app = start_with_rate_limit().await;
    let anna = app.reader();
    let bert = app.client_with_claims(&Claims {
        sub: "bert".to_owned(),
        ..claims("catalog:read")
    });
    wait_until("an exceeded limit", async || {
        anna.get("/catalog/areas").await.status == 429
    })
    .await;

    bert.get("/catalog/areas").await.is(200);
    let without_token = app.anonymous().get("/catalog/areas").await;
    without_token.is_problem(401, "missing_token");
}

#[actix_web::test]
async fn oversized_uri_returns_414() {
    let app = start_with_limits(Limits::default()).await;

    let path = format!("/catalog/areas?{}", "q".repeat(MAX_URI));
    let refused = app.reader().get(&path).await;

    refused.is_problem(414, "uri_too_long");
}

#[actix_web::test]
async fn oversized_headers_return_431() {
    let app = start_with_limits(Limits::default()).await;
    let reader = app.reader();
    let get_with_header_of_length = async |length: usize| {
        let request = reader.request("GET", "/catalog/areas");
        let request = request.header("x-filler", &"x".repeat(length));
        request.send().await
    };

    let refused = get_with_header_of_length(MAX_HEADERS).await;
    let accepted = get_with_header_of_length(MAX_HEADERS / 2).await;

    refused.is_problem(431, "headers_too_large");
    accepted.is(200);
}

#[actix_web::test]
async fn request_timeout_returns_503() {
    let request_timeout = Duration::from_millis(300);
    let app = start_with_limits(Limits {
        request_timeout,
        ..Limits::default()
    })
    .await;
    let cross_origin_request = format!(
        "{}Origin: https://portal.example\r\n\r\n",
        incomplete_request().strip_suffix("\r\n").unwrap()
    );
    let response = read_to_end(&mut connect_and_send(&app, &cross_origin_request).await).await;
    assert!(response.starts_with("HTTP/1.1 503 "), "{response}");
    assert!(
        response.contains("\r\naccess-control-allow-origin: https://portal.example\r\n"),
        "{response}"
    );
    assert!(
        response.to_lowercase().contains("\r\nretry-after: 1\r\n"),
        "{response}"
    );
    assert!(response.contains(r#""code":"unavailable""#), "{response}");
}

#[actix_web::test]
async fn incomplete_second_request_closes_connection() {
    let header_timeout = Duration::from_millis(500);
    let app = start_with_limits(Limits {
        header_timeout,
        ..Limits::default()
    })
    .await;
    let mut stream = connect_and_send(
        &app,
        "GET /health/live HTTP/1.1\r\nHost: test\r\n\r\nGET /health/live HT",
    )
    .await;
    let (mut reading, mut writing) = stream.split();
    let send_slowly = async {
        while writing.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let read = async {
        let mut response = Vec::new();
        // the service resets the connection if it has not read everything
        let _ = reading.read_to_end(&mut response).await;
        response
    };
    let (response, ()) = timeout(WAIT_TIMEOUT, futures_util::future::join(read, send_slowly))
        .await
        .expect("the connection stays open");
    assert!(
        response.starts_with(b"HTTP/1.1 200 "),
        "{}",
        String::from_utf8_lossy(&response)
    );
}

#[actix_web::test]
async fn responses_have_security_headers() {
    let app = start_with_limits(Limits::default()).await;
    let responses = [
        app.reader().get("/catalog/areas").await.is(200),
        app.reader().get("/catalog/areas/none").await.is(404),
        app.erp()
            .put("/catalog/areas/A", json!({"name": "A", "color": "#00aaff"}))
            .await
            .is(201),
    ];
    for response in responses {
        assert_eq!(response.header("x-content-type-options"), "nosniff");
        assert_eq!(response.header("x-frame-options"), "DENY");
        assert_eq!(response.header("referrer-policy"), "no-referrer");
        assert_eq!(
            response.header("content-security-policy"),
            "default-src 'none'; frame-ancestors 'none'"
        );
        let caching = if response.status == 404 {
            "no-store"
        } else {
            "private, no-cache"
        };
        assert_eq!(response.header("cache-control"), caching);
    }
}

/// A 304 has no content to protect.
#[actix_web::test]
async fn not_modified_has_cache_control_but_no_security_headers() {
    let app = start_with_limits(Limits::default()).await;
    let reader = app.reader();
    let etag = reader.get("/catalog/areas").await.is(200).etag();

    let request = reader.request("GET", "/catalog/areas");
    let response = request.header("if-none-match", &etag).send().await;

    let not_modified = response.is(304);
    assert_eq!(not_modified.etag(), etag);
    assert_eq!(not_modified.header("cache-control"), "private, no-cache");
    for name in [
        "x-content-type-options",
        "x-frame-options",
        "referrer-policy",
        "content-security-policy",
    ] {
        assert_eq!(not_modified.header(name), "");
    }
}

/// The status of the next response on a connection.
async fn next_status(stream: &mut TcpStream) -> String {
    let mut start = [0; 12];
    timeout(WAIT_TIMEOUT, stream.read_exact(&mut start))
        .await
        .expect("no response")
        .unwrap();
    String::from_utf8_lossy(&start[9..]).into_owned()
}

#[actix_web::test]
async fn stalled_bodies_of_one_subject_do_not_affect_other_subjects() {
    let app = start_with_limits(Limits {
        concurrent_requests: 4,
        concurrent_requests_per_subject: 4,
        ..Limits::default()
    })
    .await;
    let anna = app.reader();
    let bert = app.client_with_claims(&Claims {
        sub: "bert".to_owned(),
        ..claims("catalog:read")
    });
    let mut waiting = Vec::new();
    // An incomplete request can itself be rejected while a read is in progress. So another one is
    // sent each time.
    let is_rejected = async || {
        waiting.push(connect_and_send(&app, &incomplete_request()).await);
        anna.get("/catalog/areas").await.status != 200
    };
    wait_until("a rejection", is_rejected).await;
    for _ in 0..16 {
        let mut excess = connect_and_send(&app, &incomplete_request()).await;
        assert_eq!(next_status(&mut excess).await, "429");
        bert.get("/catalog/areas").await.is(200);
    }
    let rejected = anna
        .get("/catalog/areas")
        .await
        .is_problem(429, "too_many_concurrent_requests");
    assert_eq!(rejected.header("retry-after"), "1");

    drop(waiting);

    wait_until("the end of the stalled requests", async || {
        anna.get("/catalog/areas").await.status == 200
    })
    .await;
}

#[actix_web::test]
async fn memory_of_bodies_is_limited_in_total_and_per_subject() {
    let app = start_with_limits(Limits {
        body_memory_bytes: 100_000,
        ..Limits::default()
    })
    .await;
    let padding = " ".repeat(40_000);
    let incomplete = |subject: &str, area: &str| {
        let request = area_write(subject, area, &padding);
        request[..request.len() - 1].to_owned()
    };
    let send = async |subject: &str, bytes: usize| {
        let request = area_write(subject, "A-9", &" ".repeat(bytes));
        next_status(&mut connect_and_send(&app, &request).await).await
    };
    assert_eq!(send("anna", 60_000).await, "429");
    assert_eq!(send("anna", 40_000).await, "201");
    let mut incomplete_of_anna = connect_and_send(&app, &incomplete("anna", "A-1")).await;
    let incomplete_of_bert = connect_and_send(&app, &incomplete("bert", "A-2")).await;
    for subject in ["anna", "bert"] {
        wait_until("the incomplete body", async || {
            send(subject, 15_000).await == "429"
        })
        .await;
    }
    assert_eq!(send("carl", 30_000).await, "503");
    assert_eq!(send("carl", 10_000).await, "200");

    drop(incomplete_of_bert);

    wait_until("free memory", async || send("carl", 30_000).await == "200").await;
    incomplete_of_anna.write_all(b"}").await.unwrap();
    assert_eq!(next_status(&mut incomplete_of_anna).await, "201");
}

#[actix_web::test]
async fn requests_that_wait_for_unresponsive_key_server_do_not_affect_others() {
    let key = SigningKey::new(Algorithm::EdDSA, "a");
    let issuer = Issuer::start(JwksResponse::Keys(vec![key.clone()]));
    let trusted = IssuerSettings {
        issuer: ISSUER.to_owned(),
        audience: AUDIENCE.to_owned(),
        keys: KeySource::Url(issuer.url.parse().unwrap()),
        claim_names: ClaimNames::default(),
    };
    let app = TestApp::with_settings(|config| {
        config.tokens = TokenSettings::new(vec![trusted]);
        config.limits.concurrent_requests = 2;
    })
    .await;
    let client_with = |key: &SigningKey| {
        let token = key.sign(&claims("catalog:read"));
        Client::new(&app.origin, Some(token))
    };
    let client = client_with(&key);
    client.get("/catalog/areas").await.is(200);
    issuer.respond_with(JwksResponse::Pending);
    let forger = client_with(&SigningKey::new(Algorithm::EdDSA, "unknown"));
    for _ in 0..10 {
        let forger = forger.clone();
        actix_web::rt::spawn(async move { forger.get("/catalog/areas").await });
    }
    wait_until("a pending refresh", async || issuer.request_count() == 2).await;
    for _ in 0..20 {
        client.get("/catalog/areas").await.is(200);
    }
}

//! Request limits and their problem responses.

use std::time::Duration;

use customer_integration::{
    config::{Limits, RateLimit},
    http::middleware::admission::{MAX_HEADERS, MAX_URI},
    tokens::Claims,
};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::timeout,
};

use crate::support::{
    TestApp,
    app::claims,
    raw_http::{WAIT_TIMEOUT, connect_and_send, read_to_end, request_headers, wait_until},
};

async fn limited(limits: Limits) -> TestApp {
    TestApp::with_settings(|config| config.limits = limits).await
}

/// The headers of a request whose body is never sent.
fn stalled() -> String {
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
    let app = limited(Limits {
        concurrent_requests: 1,
        ..Limits::default()
    })
    .await;
    let reader = app.reader();
    let mut stalling = Vec::new();
    // one that comes while the reader is inside is refused itself, so there has to be another one
    let refused = async || {
        stalling.push(connect_and_send(&app, &stalled()).await);
        reader.get("/catalog/areas").await.status != 200
    };
    wait_until("a refusal", refused).await;
    let response = reader
        .request("GET", "/catalog/areas")
        .header("origin", "https://portal.example")
        .send()
        .await;
    let refused = response.is_problem(503, "overloaded");
    assert_eq!(refused.header("retry-after"), "1");
    // lets a browser app read the response
    assert_eq!(
        refused.header("access-control-allow-origin"),
        "https://portal.example"
    );
    app.anonymous().get("//health/ready").await.is(200);
    drop(stalling);
    wait_until("the place", async || {
        reader.get("/catalog/areas").await.status == 200
    })
    .await;
}

#[actix_web::test]
async fn rate_limit_applies_per_subject() {
    let rate = RateLimit::new(1, 3);
    let app = limited(Limits {
        rate,
        ..Limits::default()
    })
    .await;
    let anna = app.reader();
    let bert = app.client_with_claims(&Claims {
        sub: "bert".to_owned(),
        ..claims("catalog:read")
    });
    for left in [2, 1, 0] {
        let answer = anna.get("/catalog/areas").await.is(200);
        assert!(
            answer
                .header("ratelimit")
                .starts_with(&format!(r#""subject";r={left};t="#)),
            "{:?}",
            answer.headers
        );
        assert_eq!(answer.header("ratelimit-policy"), r#""subject";q=3;w=3"#);
    }
    let refused = anna
        .get("/catalog/areas")
        .await
        .is_problem(429, "too_many_requests");
    assert_eq!(
        (refused.header("retry-after"), refused.header("ratelimit")),
        ("1", r#""subject";r=0;t=1"#)
    );
    bert.get("/catalog/areas").await.is(200);
    app.anonymous()
        .get("/catalog/areas")
        .await
        .is_problem(401, "missing_token");
    wait_until("a new allowance", async || {
        anna.get("/catalog/areas").await.status == 200
    })
    .await;
}

#[actix_web::test]
async fn oversized_uri_or_headers_are_rejected() {
    let app = limited(Limits::default()).await;
    let reader = app.reader();
    reader
        .get(&format!("/catalog/areas?{}", "q".repeat(MAX_URI)))
        .await
        .is_problem(414, "uri_too_long");
    let filler = "x".repeat(MAX_HEADERS);
    let answer = reader
        .request("GET", "/catalog/areas")
        .header("x-filler", &filler)
        .send()
        .await;
    answer.is_problem(431, "headers_too_large");
    reader
        .request("GET", "/catalog/areas")
        .header("x-filler", &filler[..MAX_HEADERS / 2])
        .send()
        .await
        .is(200);
}

#[actix_web::test]
async fn request_timeout_returns_503() {
    let request_timeout = Duration::from_millis(300);
    let app = limited(Limits {
        request_timeout,
        ..Limits::default()
    })
    .await;
    let from_page = format!(
        "{}Origin: https://portal.example\r\n\r\n",
        stalled().strip_suffix("\r\n").unwrap()
    );
    let answer = read_to_end(&mut connect_and_send(&app, &from_page).await).await;
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    assert!(
        answer.contains("\r\naccess-control-allow-origin: https://portal.example\r\n"),
        "{answer}"
    );
    assert!(
        answer.to_lowercase().contains("\r\nretry-after: 1\r\n"),
        "{answer}"
    );
    assert!(answer.contains(r#""code":"unavailable""#), "{answer}");
}

#[actix_web::test]
async fn incomplete_second_request_closes_connection() {
    let header_timeout = Duration::from_millis(500);
    let app = limited(Limits {
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
    let drip = async {
        while writing.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let read = async {
        let mut answer = Vec::new();
        // the end may be a reset, since the service does not read what still comes
        let _ = reading.read_to_end(&mut answer).await;
        answer
    };
    let (answer, ()) = timeout(WAIT_TIMEOUT, futures_util::future::join(read, drip))
        .await
        .expect("it stays open");
    assert!(
        answer.starts_with(b"HTTP/1.1 200 "),
        "{}",
        String::from_utf8_lossy(&answer)
    );
}

#[actix_web::test]
async fn responses_have_security_headers() {
    let app = limited(Limits::default()).await;
    let answers = [
        app.reader().get("/catalog/areas").await.is(200),
        app.reader().get("/catalog/areas/none").await.is(404),
        app.erp()
            .put("/catalog/areas/A", json!({"name": "A", "color": "#00aaff"}))
            .await
            .is(201),
    ];
    for answer in answers {
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("x-frame-options"), "DENY");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        assert_eq!(
            answer.header("content-security-policy"),
            "default-src 'none'; frame-ancestors 'none'"
        );
        let caching = if answer.status == 404 {
            "no-store"
        } else {
            "private, no-cache"
        };
        assert_eq!(answer.header("cache-control"), caching);
    }
    // a 304 has no content to protect, but still has cache-control
    let tag = app.reader().get("/catalog/areas").await.etag();
    let same = app
        .reader()
        .request("GET", "/catalog/areas")
        .header("if-none-match", &tag)
        .send()
        .await
        .is(304);
    assert_eq!(
        (same.etag(), same.header("cache-control")),
        (tag, "private, no-cache")
    );
    for guard in [
        "x-content-type-options",
        "x-frame-options",
        "referrer-policy",
        "content-security-policy",
    ] {
        assert_eq!(same.header(guard), "");
    }
}

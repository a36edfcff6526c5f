//! Request limits and their problem responses.

use std::time::Duration;

use customer_integration::{
    config::{Limits, RateLimit},
    http::middleware::admission::{MAX_HEADERS, MAX_URI},
    tokens::{Claims, IssuerSettings, KeySource, TokenSettings},
};
use diesel::{Connection as _, RunQueryDsl as _};
use jsonwebtoken::Algorithm;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::timeout,
};

use crate::support::{
    Client, TestApp,
    app::{AUDIENCE, ISSUER, Storage, claims},
    issuer::{Issuer, JwksResponse, SigningKey},
    raw_http::{
        RETRY_LIMIT, connect_and_send, read_to_end, request_head, request_head_with, wait_until,
    },
};

async fn limited(limits: Limits) -> TestApp {
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
fn write_of(subject: &str, area: &str, padding: &str) -> String {
    let body = format!(r##"{padding}{{"name": "Bereich", "color": "#00aaff"}}"##);
    let length = format!("Content-Length: {}\r\n", body.len());
    let claims = Claims {
        sub: subject.to_owned(),
        ..claims("catalog:read catalog:write")
    };
    let path = format!("/catalog/areas/{area}");
    let head = request_head_with(&claims, "PUT", &path, &length);
    format!("{head}\r\n{body}")
}

/// The headers of a request whose body is never sent.
fn stalled() -> String {
    format!(
        "{}\r\n",
        request_head(
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
    let lock = lock_writes(&app);
    let mut writes = Vec::new();
    // a write that arrives during a read is rejected, so each attempt sends another one
    let rejected = async || {
        writes.push(connect_and_send(&app, &write_of("anna.admin", "A-1", "")).await);
        reader.get("/catalog/areas").await.status != 200
    };
    wait_until("a rejection", rejected).await;
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
    drop(lock);
    wait_until("a free slot", async || {
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
    let bert = app.with_claims(&Claims {
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
    let (answer, ()) = timeout(RETRY_LIMIT, futures_util::future::join(read, drip))
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

/// The status of the next response on a connection.
async fn next_status(stream: &mut tokio::net::TcpStream) -> String {
    let mut start = [0; 12];
    timeout(RETRY_LIMIT, stream.read_exact(&mut start))
        .await
        .expect("no response")
        .unwrap();
    String::from_utf8_lossy(&start[9..]).into_owned()
}

#[actix_web::test]
async fn stalled_bodies_of_one_subject_do_not_affect_other_subjects() {
    let app = limited(Limits {
        concurrent_requests: 4,
        concurrent_requests_per_subject: 4,
        ..Limits::default()
    })
    .await;
    let anna = app.reader();
    let bert = app.with_claims(&Claims {
        sub: "bert".to_owned(),
        ..claims("catalog:read")
    });
    let mut waiting = Vec::new();
    // a stalled request that arrives during a read is rejected, so each attempt sends another one
    let rejected = async || {
        waiting.push(connect_and_send(&app, &stalled()).await);
        anna.get("/catalog/areas").await.status != 200
    };
    wait_until("a rejection", rejected).await;
    for _ in 0..16 {
        let mut excess = connect_and_send(&app, &stalled()).await;
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
    let app = limited(Limits {
        body_memory_bytes: 100_000,
        ..Limits::default()
    })
    .await;
    let padding = " ".repeat(40_000);
    let unfinished = |subject: &str, area: &str| {
        let request = write_of(subject, area, &padding);
        request[..request.len() - 1].to_owned()
    };
    let send = async |subject: &str, bytes: usize| {
        let request = write_of(subject, "A-9", &" ".repeat(bytes));
        next_status(&mut connect_and_send(&app, &request).await).await
    };
    assert_eq!(send("anna", 60_000).await, "429");
    assert_eq!(send("anna", 40_000).await, "201");
    let mut of_anna = connect_and_send(&app, &unfinished("anna", "A-1")).await;
    let of_bert = connect_and_send(&app, &unfinished("bert", "A-2")).await;
    for subject in ["anna", "bert"] {
        wait_until("the unfinished body", async || {
            send(subject, 15_000).await == "429"
        })
        .await;
    }
    assert_eq!(send("carl", 30_000).await, "503");
    assert_eq!(send("carl", 10_000).await, "200");

    drop(of_bert);

    wait_until("free memory", async || send("carl", 30_000).await == "200").await;
    of_anna.write_all(b"}").await.unwrap();
    assert_eq!(next_status(&mut of_anna).await, "201");
}

#[actix_web::test]
async fn requests_that_wait_for_unresponsive_key_server_do_not_affect_others() {
    let key = SigningKey::new(Algorithm::EdDSA, "a");
    let issuer = Issuer::start(JwksResponse::Keys(vec![key.clone()]));
    let trusted = IssuerSettings {
        issuer: ISSUER.to_owned(),
        audience: AUDIENCE.to_owned(),
        keys: KeySource::Url(issuer.url.parse().unwrap()),
    };
    let app = TestApp::with_settings(|config| {
        config.tokens = TokenSettings::new(vec![trusted]);
        config.limits.concurrent_requests = 2;
    })
    .await;
    let client_with = |key: &SigningKey| {
        let token = key.sign(&claims("catalog:read"));
        Client::new(&app.base, Some(token))
    };
    let client = client_with(&key);
    client.get("/catalog/areas").await.is(200);
    issuer.respond_with(JwksResponse::Pending);
    let forger = client_with(&SigningKey::new(Algorithm::EdDSA, "unknown"));
    for _ in 0..10 {
        let forger = forger.clone();
        actix_web::rt::spawn(async move { forger.get("/catalog/areas").await });
    }
    wait_until("a pending refresh", async || issuer.fetched() == 2).await;
    for _ in 0..20 {
        client.get("/catalog/areas").await.is(200);
    }
}

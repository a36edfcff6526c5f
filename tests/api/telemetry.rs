//! Metrics, logs and traces of the binary.

use std::{
    fs::File,
    io::{Read as _, Write as _},
    net::TcpListener,
    process::Stdio,
    sync::mpsc,
    time::{Duration, Instant},
};

use rstest::rstest;
use rstest_reuse::apply;
use serde_json::json;

use crate::{
    cli::binary_with_settings,
    engines::both_engines,
    startup_shutdown::{RETRY_LIMIT, Service, send_headers, token},
    support::{Client, Engine, app::Storage},
};

const TRACE_ID: &str = "0af7651916cd43dd8448eb211c80319c";

fn traceparent() -> String {
    format!("00-{TRACE_ID}-b7ad6b7169203331-01")
}

/// Reads the metrics.
async fn scrape(url: &str) -> String {
    reqwest::get(url).await.unwrap().text().await.unwrap()
}

#[actix_web::test]
async fn metrics_are_served_on_separate_listener() {
    let directory = tempfile::tempdir().unwrap();
    let mut command = binary_with_settings(directory.path());
    command.env("METRICS_BIND_ADDRESS", "127.0.0.1:0");
    let mut service = Service::start(command);
    let metrics = service.wait_for_url("metrics are at ");
    let origin = service.wait_for_origin();
    let client = Client::new(&origin, Some(token(directory.path(), "catalog:read")));
    for _ in 0..2 {
        client.get("/catalog/areas").await.is(200);
    }
    client.get("/catalog/areas/none").await.is(404);
    Client::new(&origin, None).get("//metrics").await.is(404);
    let text = scrape(&metrics).await;
    let request_count = |route: &str, status: u16, count: u64| {
        format!(
            "http_request_duration_seconds_count\
             {{method=\"GET\",route=\"{route}\",status=\"{status}\"}} {count}"
        )
    };
    for line in [
        request_count("/api/v1/catalog/areas", 200, 2).as_str(),
        request_count("/api/v1/catalog/areas/{area_id}", 404, 1).as_str(),
        r#"database_pool_connections{state="used"} 0"#,
        r#"token_cache_lookups_total{result="miss"} 1"#,
        r#"token_cache_lookups_total{result="hit"} 2"#,
        r#"ticket_visibility_decisions_total{outcome="visible"} 0"#,
        r#"policy_cache_lookups_total{result="stale"} 0"#,
        "db_time_per_request_seconds_count 3",
        "# EOF",
    ] {
        assert!(
            text.lines().any(|other| other == line),
            "{line} is missing: {text}"
        );
    }
}

#[rstest]
#[case::enabled("1", ["hit 2", "miss 2", "stale 2"])]
#[case::disabled("0", ["hit 0", "miss 6", "stale 0"])]
#[actix_web::test]
async fn page_cache_lookups_are_counted_by_result(
    #[case] mebibytes: &str,
    #[case] expected: [&str; 3],
) {
    let directory = tempfile::tempdir().unwrap();
    let mut command = binary_with_settings(directory.path());
    command
        .env("METRICS_BIND_ADDRESS", "127.0.0.1:0")
        .env("PAGE_CACHE_MIB", mebibytes);
    let mut service = Service::start(command);
    let metrics = service.wait_for_url("metrics are at ");
    let token = token(directory.path(), "catalog:write integration:read");
    let client = Client::new(&service.wait_for_origin(), Some(token));
    let put_partner = async |name: &str| {
        let body = json!({"name": name, "search_name": "P"});
        client.put("/catalog/business-partners/K-1", body).await
    };
    let read_pages = async || {
        for list in ["", "/tags"] {
            let path = format!("/customer-integrations/K-1{list}");
            client.get(&path).await.is(200);
        }
    };

    put_partner("first").await.is(201);
    put_partner("first").await.is(200);
    read_pages().await;
    read_pages().await;
    put_partner("second").await.is(200);
    read_pages().await;

    let text = scrape(&metrics).await;
    let mut lookups: Vec<_> = text
        .lines()
        .filter_map(|line| line.strip_prefix(r#"page_cache_lookups_total{result=""#))
        .map(|rest| rest.replace("\"}", ""))
        .collect();
    lookups.sort();
    assert_eq!(lookups, expected);
}

#[actix_web::test]
async fn request_timeout_is_counted_once() {
    let directory = tempfile::tempdir().unwrap();
    let mut command = binary_with_settings(directory.path());
    command
        .env("METRICS_BIND_ADDRESS", "127.0.0.1:0")
        .env("REQUEST_TIMEOUT", "1s");
    let mut service = Service::start(command);
    let metrics = service.wait_for_url("metrics are at ");
    let origin = service.wait_for_origin();
    let mut response = String::new();
    send_headers(&origin, directory.path(), "ticket-creation", 10)
        .read_to_string(&mut response)
        .unwrap();
    assert!(response.starts_with("HTTP/1.1 503 "), "{response}");
    service.wait_for_log("abandoned request finished");

    let text = scrape(&metrics).await;
    let counted: Vec<_> = text
        .lines()
        .filter(|line| line.starts_with("http_request_duration_seconds_count{"))
        .collect();
    assert_eq!(
        counted,
        [r#"http_request_duration_seconds_count{method="POST",route="unknown",status="503"} 1"#]
    );
}

#[actix_web::test]
async fn access_log_contains_route_and_subject_but_no_token() {
    let directory = tempfile::tempdir().unwrap();
    let mut service = Service::start(binary_with_settings(directory.path()));
    let origin = service.wait_for_origin();
    let token = token(directory.path(), "catalog:read");
    let client = Client::new(&origin, Some(token.clone()));
    let request = client
        .request("GET", "/catalog/areas?q=geheim")
        .header("x-request-id", "r-7");
    request
        .header("traceparent", &traceparent())
        .send()
        .await
        .is(200);

    let line = service.wait_for_log("request completed");
    assert_eq!(line["method"], "GET");
    assert_eq!(line["route"], "/api/v1/catalog/areas");
    assert_eq!(line["status"], 200);
    assert_eq!(line["subject"], "olga");
    assert_eq!(line["span"]["request_id"], "r-7");
    assert_eq!(line["span"]["trace_id"], TRACE_ID);
    let duration = line["duration_us"].as_u64().unwrap();
    let db_duration = line["db_duration_us"].as_u64().unwrap();
    assert!(duration > db_duration && db_duration > 0, "{line}");
    let text = line.to_string();
    assert!(!text.contains(&token) && !text.contains("geheim"), "{text}");
}

/// A request to the collector.
struct Export {
    headers: String,
    body: Vec<u8>,
}

/// Accepts one connection of an exporter, reads a request and responds with 200.
fn receive_request(collector: &TcpListener) -> Export {
    let mut stream = collector.accept().unwrap().0;
    let mut headers = Vec::new();
    while !headers.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        headers.extend(byte);
    }
    let headers = String::from_utf8(headers).unwrap();
    let length = headers
        .lines()
        .find_map(|line| {
            line.to_lowercase()
                .strip_prefix("content-length: ")?
                .parse()
                .ok()
        })
        .unwrap();
    let mut body = vec![0; length];
    stream.read_exact(&mut body).unwrap();
    stream
        .write_all(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nContent-Length: 0\r\n\r\n",
        )
        .unwrap();
    Export { headers, body }
}

#[actix_web::test]
async fn traces_with_otlp_endpoint_are_exported() {
    let directory = tempfile::tempdir().unwrap();
    let collector = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut command = binary_with_settings(directory.path());
    command.env(
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        format!("http://{}", collector.local_addr().unwrap()),
    );
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || sender.send(receive_request(&collector)).unwrap());
    let mut service = Service::start(command);
    let origin = service.wait_for_origin();
    let client = Client::new(&origin, Some(token(directory.path(), "catalog:read")));
    let request = client.request("GET", "/catalog/areas");
    request
        .header("traceparent", &traceparent())
        .send()
        .await
        .is(200);
    // remaining spans are sent at shutdown
    service.send_signal("TERM");
    let Export { headers, body } = receiver.recv_timeout(RETRY_LIMIT).unwrap();
    assert!(headers.starts_with("POST /v1/traces "), "{headers}");
    let contains = |part: &[u8]| body.windows(part.len()).any(|window| window == part);
    for text in [
        "customer-integration",
        "GET /api/v1/catalog/areas",
        "http.route",
    ] {
        assert!(
            contains(text.as_bytes()),
            "{text} is missing: {}",
            String::from_utf8_lossy(&body)
        );
    }
    let trace_id = u128::from_str_radix(TRACE_ID, 16).unwrap();
    assert!(contains(&trace_id.to_be_bytes()), "not the caller's trace");
    assert!(service.child.wait().unwrap().success());
}

#[actix_web::test]
async fn metrics_report_readiness_build_and_process() {
    let directory = tempfile::tempdir().unwrap();
    let mut command = binary_with_settings(directory.path());
    command.env("METRICS_BIND_ADDRESS", "127.0.0.1:0");
    let mut service = Service::start(command);
    let metrics = service.wait_for_url("metrics are at ");
    let text = reqwest::get(&metrics).await.unwrap().text().await.unwrap();
    let version = env!("CARGO_PKG_VERSION");
    for beginning in [
        "ready 1".to_owned(),
        format!(r#"build_info{{version="{version}",revision=""#),
        "process_cpu_seconds_total ".to_owned(),
        "process_resident_memory_bytes ".to_owned(),
        "process_virtual_memory_bytes ".to_owned(),
        "process_open_fds ".to_owned(),
        "process_max_fds ".to_owned(),
        "process_threads ".to_owned(),
    ] {
        assert!(
            text.lines().any(|line| line.starts_with(&beginning)),
            "{beginning} is missing: {text}"
        );
    }
    assert!(text.contains(r#"database="sqlite"} 1"#), "{text}");
}

#[actix_web::test]
async fn log_begins_with_version_and_has_each_request_id_once() {
    let directory = tempfile::tempdir().unwrap();
    let mut service = Service::start(binary_with_settings(directory.path()));
    let first = service.wait_for_log("");
    let version = concat!("customer-integration ", env!("CARGO_PKG_VERSION"));
    assert_eq!(first["message"], version, "{first}");
    let origin = service.wait_for_url("listening on ");
    Client::new(&origin, None)
        .request("GET", "//health/live")
        .header("x-request-id", "r-7")
        .send()
        .await
        .is(200);
    let line = service.wait_for_log("request completed").to_string();
    assert_eq!(line.matches("r-7").count(), 1, "{line}");
}

#[apply(both_engines)]
#[actix_web::test]
async fn start_logs_no_warning_and_debug_log_has_no_statement_parameters(engine: Engine) {
    let storage = Storage::empty(engine).await;
    let directory = tempfile::tempdir().unwrap();
    for filter in ["", "debug", "trace,tokio_postgres::query=trace"] {
        let log = directory.path().join("log");
        let mut command = binary_with_settings(directory.path());
        command
            .arg("serve")
            .env("DATABASE_URL", storage.url())
            .env("RUST_LOG", filter)
            .stdout(Stdio::piped())
            .stderr(File::create(&log).unwrap());
        let mut child = command.spawn().unwrap();
        let read_log = || std::fs::read_to_string(&log).unwrap();
        let started = Instant::now();
        let origin = loop {
            let text = read_log();
            if let Some(origin) = text
                .split("listening on ")
                .nth(1)
                .and_then(|rest| rest.split_once([' ', '\n']))
            {
                break origin.0.to_owned();
            }
            assert!(started.elapsed() < RETRY_LIMIT, "{text}");
            std::thread::sleep(Duration::from_millis(20));
        };
        if filter.is_empty() {
            let lines: Vec<_> = read_log().lines().map(ToOwned::to_owned).collect();
            assert_eq!(lines.len(), 3, "{lines:?}");
            assert!(
                lines.iter().all(|line| line.contains(" INFO ")),
                "{lines:?}"
            );
        }
        let area = json!({"name": "Confidential name", "color": "#00aaff"});
        let token = token(directory.path(), "catalog:write");
        let response = Client::new(&origin, Some(token))
            .put("/catalog/areas/A-1", area)
            .await;
        assert!([200, 201].contains(&response.status), "{response:?}");
        child.kill().unwrap();
        child.wait().unwrap();
        let text = read_log();
        assert!(!text.contains("Confidential name"), "{text}");
    }
}

#[rstest]
#[case::origin(
    "https://evil.example",
    "GET",
    "",
    "CORS_ALLOWED_ORIGINS does not contain the origin"
)]
#[case::header(
    "https://portal.example",
    "GET",
    "x-other",
    "a request header is not allowed"
)]
#[actix_web::test]
async fn refused_preflight_is_logged_with_reason(
    #[case] origin: &str,
    #[case] method: &str,
    #[case] names: &str,
    #[case] reason: &str,
) {
    let directory = tempfile::tempdir().unwrap();
    let mut command = binary_with_settings(directory.path());
    command.env("CORS_ALLOWED_ORIGINS", "https://portal.example");
    let mut service = Service::start(command);
    let client = Client::new(&service.wait_for_origin(), None);

    let preflight = client
        .request("OPTIONS", "/catalog/areas")
        .header("origin", origin)
        .header("access-control-request-method", method)
        .header("access-control-request-headers", names)
        .header("x-request-id", "preflight-1");
    preflight.send().await.is(400);

    let line = service.wait_for_log("preflight request refused");
    assert_eq!(line["level"], "INFO", "{line}");
    assert_eq!(line["reason"], reason, "{line}");
    assert_eq!(line["origin"], origin, "{line}");
    assert_eq!(line["span"]["request_id"], "preflight-1", "{line}");
}

/// A token with this header and these claims, and an invalid signature.
fn forged_token(header: &serde_json::Value, claims: &serde_json::Value) -> String {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    let [header, claims] = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
    format!("{header}.{claims}.c2lnbmF0dXJl")
}

#[actix_web::test]
async fn rejected_token_is_logged_and_counted_by_reason() {
    let directory = tempfile::tempdir().unwrap();
    let mut command = binary_with_settings(directory.path());
    command.env("METRICS_BIND_ADDRESS", "127.0.0.1:0");
    let mut service = Service::start(command);
    let metrics = service.wait_for_url("metrics are at ");
    let origin = service.wait_for_origin();
    let valid = token(directory.path(), "catalog:read");
    let header = json!({"alg": "HS256", "typ": "at+jwt", "kid": "k\n1"});
    let long = "x".repeat(1000);
    for (reason, token) in [
        ("missing_token", None),
        ("malformed", Some("a.b.c".to_owned())),
        (
            "type",
            Some(forged_token(
                &json!({"alg": "HS256", "typ": long}),
                &json!({"iss": "i"}),
            )),
        ),
        (
            "missing_claim",
            Some(forged_token(&header, &json!({"sub": "anna"}))),
        ),
        (
            "issuer",
            Some(forged_token(
                &header,
                &json!({"iss": "https://other.example"}),
            )),
        ),
        (
            "signature",
            Some(format!(
                "{}AAAA",
                valid.rsplit_once('.').unwrap().0.to_owned() + "."
            )),
        ),
    ] {
        let client = Client::new(&origin, token.clone());
        client.get("/catalog/areas").await.is(401);
        let line = service.wait_for_log("token rejected");
        assert_eq!(line["reason"], reason, "{line}");
        assert!(line["span"]["request_id"].is_string(), "{line}");
        let text = line.to_string();
        assert!(text.len() < 1000, "{text}");
        assert!(token.is_none_or(|token| !text.contains(&token)), "{text}");
        match reason {
            "issuer" => {
                assert_eq!(line["issuer"], "https://other.example");
                assert_eq!(line["kid"], "k\u{fffd}1");
                assert_eq!(line["typ"], "at+jwt");
                assert!(line["key_source"].is_null(), "{line}");
            }
            "missing_claim" => assert_eq!(line["claim"], "iss"),
            "signature" => assert_eq!(line["key_source"], "secret"),
            _ => {}
        }
    }
    let text = scrape(&metrics).await;
    for line in [
        r#"tokens_rejected_total{reason="missing_token"} 1"#,
        r#"tokens_rejected_total{reason="signature"} 1"#,
        r#"tokens_rejected_total{reason="expired"} 0"#,
    ] {
        assert!(text.lines().any(|other| other == line), "{line}: {text}");
    }
}

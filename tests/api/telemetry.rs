//! What operators see of the real program: metrics, its log, traces.

use std::{
    fs::File,
    io::{Read as _, Write as _},
    net::TcpListener,
    process::Stdio,
    sync::mpsc,
    time::{Duration, Instant},
};

use rstest_reuse::apply;
use serde_json::json;

use crate::{
    cli::configured,
    engines::both_engines,
    startup_shutdown::{RETRY_LIMIT, Service, begun, token, token_for},
    support::{Client, Engine, app::Storage},
};

#[actix_web::test]
async fn metrics_are_served_on_separate_listener() {
    let directory = tempfile::tempdir().unwrap();
    let mut command = configured(directory.path());
    command.env("METRICS_BIND_ADDRESS", "127.0.0.1:0");
    let mut service = Service::start(command);
    let metrics = service.origin("metrics are at ");
    let origin = service.origin("listening on ");
    let caller = Client::new(&origin, Some(token(directory.path())));
    for _ in 0..2 {
        caller.get("/catalog/areas").await.is(200);
    }
    caller.get("/catalog/areas/none").await.is(404);
    Client::new(&origin, None).get("//metrics").await.is(404);
    let text = reqwest::get(&metrics).await.unwrap().text().await.unwrap();
    for line in [
        r#"http_request_duration_seconds_count{method="GET",route="/api/v1/catalog/areas",status="200"} 2"#,
        r#"http_request_duration_seconds_count{method="GET",route="/api/v1/catalog/areas/{area_id}",status="404"} 1"#,
        r#"database_pool_connections{state="used"} 0"#,
        r#"token_cache_lookups_total{result="miss"} 1"#,
        r#"token_cache_lookups_total{result="hit"} 2"#,
        r#"ticket_visibility_decisions_total{outcome="visible"} 0"#,
        r#"policy_cache_lookups_total{result="stale"} 0"#,
        "db_time_per_request_seconds_count 3",
        "# EOF",
    ] {
        assert!(
            text.lines().any(|found| found == line),
            "{line} is missing: {text}"
        );
    }
}

#[actix_web::test]
async fn page_cache_respects_revision_and_size() {
    for (mebibytes, expected) in [
        ("1", ["hit 2", "miss 2", "stale 2"]),
        ("0", ["hit 0", "miss 6", "stale 0"]),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let mut command = configured(directory.path());
        command
            .env("METRICS_BIND_ADDRESS", "127.0.0.1:0")
            .env("PAGE_CACHE_MIB", mebibytes);
        let mut service = Service::start(command);
        let metrics = service.origin("metrics are at ");
        let caller = Client::new(
            &service.origin("listening on "),
            Some(token_for(
                directory.path(),
                "catalog:write integration:read",
            )),
        );
        let partner = |name| json!({"name": name, "search_name": "P"});
        caller
            .put("/catalog/business-partners/K-1", partner("first"))
            .await
            .is(201);
        for (name, reads) in [("first", 2), ("second", 1)] {
            caller
                .put("/catalog/business-partners/K-1", partner(name))
                .await
                .is(200);
            for list in ["", "/tags"] {
                for _ in 0..reads {
                    caller
                        .get(&format!("/customer-integrations/K-1{list}"))
                        .await
                        .is(200);
                }
            }
        }
        let text = reqwest::get(&metrics).await.unwrap().text().await.unwrap();
        let counted = |line: &str| {
            line.strip_prefix(r#"page_cache_lookups_total{result=""#)
                .map(|rest| rest.replace("\"}", ""))
        };
        let mut counted: Vec<_> = text.lines().filter_map(counted).collect();
        counted.sort();
        assert_eq!(counted, expected, "with {mebibytes} MiB");
    }
}

#[actix_web::test]
async fn a_request_that_is_given_up_is_counted_once() {
    let directory = tempfile::tempdir().unwrap();
    let mut command = configured(directory.path());
    command
        .env("METRICS_BIND_ADDRESS", "127.0.0.1:0")
        .env("REQUEST_TIMEOUT", "1s");
    let mut service = Service::start(command);
    let metrics = service.origin("metrics are at ");
    let origin = service.origin("listening on ");
    let mut answer = String::new();
    begun(&origin, directory.path(), "ticket-creation", 10)
        .read_to_string(&mut answer)
        .unwrap();
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    service.logged("abandoned request finished");
    let text = reqwest::get(&metrics).await.unwrap().text().await.unwrap();
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
async fn access_log_names_client_and_route_but_not_token() {
    let directory = tempfile::tempdir().unwrap();
    let mut service = Service::start(configured(directory.path()));
    let origin = service.origin("listening on ");
    let token = token(directory.path());
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let caller = Client::new(&origin, Some(token.clone()));
    let request = caller
        .request("GET", "/catalog/areas?q=geheim")
        .header("x-request-id", "r-7");
    request
        .header("traceparent", &format!("00-{trace}-b7ad6b7169203331-01"))
        .send()
        .await
        .is(200);
    let line = service.logged("request completed");
    for (member, value) in [
        ("method", json!("GET")),
        ("route", json!("/api/v1/catalog/areas")),
        ("status", json!(200)),
        ("subject", json!("olga")),
    ] {
        assert_eq!(line[member], value, "{line}");
    }
    assert!(
        line["duration_us"].as_u64() > line["db_duration_us"].as_u64()
            && line["db_duration_us"].as_u64() > Some(0),
        "{line}"
    );
    assert_eq!(
        (&line["span"]["request_id"], &line["span"]["trace_id"]),
        (&json!("r-7"), &json!(trace))
    );
    let text = line.to_string();
    assert!(!text.contains(&token) && !text.contains("geheim"), "{text}");
}

#[actix_web::test]
async fn traces_are_sent_where_a_collector_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let collector = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut command = configured(directory.path());
    command.env(
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        format!("http://{}", collector.local_addr().unwrap()),
    );
    let (sent, received) = mpsc::channel();
    std::thread::spawn(move || {
        let (mut stream, _) = collector.accept().unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            head.extend(byte);
        }
        let head = String::from_utf8(head).unwrap();
        let length = head
            .to_lowercase()
            .split("content-length: ")
            .nth(1)
            .unwrap()
            .split("\r\n")
            .next()
            .unwrap()
            .to_owned();
        let mut body = vec![0; length.parse().unwrap()];
        stream.read_exact(&mut body).unwrap();
        write!(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nContent-Length: 0\r\n\r\n"
        )
        .unwrap();
        sent.send((head, body)).unwrap();
    });
    let mut service = Service::start(command);
    let origin = service.origin("listening on ");
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let caller = Client::new(&origin, Some(token(directory.path())));
    let request = caller.request("GET", "/catalog/areas");
    request
        .header("traceparent", &format!("00-{trace}-b7ad6b7169203331-01"))
        .send()
        .await
        .is(200);
    // Remaining spans are sent at shutdown.
    service.signal("TERM");
    let (head, body) = received.recv_timeout(RETRY_LIMIT).unwrap();
    assert!(head.starts_with("POST /v1/traces "), "{head}");
    let contains = |wanted: &[u8]| body.windows(wanted.len()).any(|window| window == wanted);
    for wanted in [
        "customer-integration",
        "GET /api/v1/catalog/areas",
        "http.route",
    ] {
        assert!(
            contains(wanted.as_bytes()),
            "{wanted} is missing: {}",
            String::from_utf8_lossy(&body)
        );
    }
    let id: Vec<u8> = (0..16)
        .map(|at| u8::from_str_radix(&trace[at * 2..at * 2 + 2], 16).unwrap())
        .collect();
    assert!(contains(&id), "not the caller's trace");
    assert!(service.child.wait().unwrap().success());
}

#[actix_web::test]
async fn metrics_report_readiness_build_and_process() {
    let directory = tempfile::tempdir().unwrap();
    let mut command = configured(directory.path());
    command.env("METRICS_BIND_ADDRESS", "127.0.0.1:0");
    let mut service = Service::start(command);
    let metrics = service.origin("metrics are at ");
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
    let mut service = Service::start(configured(directory.path()));
    let first = service.logged("");
    let version = concat!("customer-integration ", env!("CARGO_PKG_VERSION"));
    assert_eq!(first["message"], version, "{first}");
    let origin = service.origin("listening on ");
    Client::new(&origin, None)
        .request("GET", "//health/live")
        .header("x-request-id", "r-7")
        .send()
        .await
        .is(200);
    let line = service.logged("request completed").to_string();
    assert_eq!(line.matches("r-7").count(), 1, "{line}");
}

#[apply(both_engines)]
#[actix_web::test]
async fn start_logs_no_warning_and_debug_log_has_no_statement_parameters(engine: Engine) {
    let storage = Storage::new(engine, false).await;
    let directory = tempfile::tempdir().unwrap();
    for filter in ["", "debug", "trace,tokio_postgres::query=trace"] {
        let log = directory.path().join("log");
        let mut command = configured(directory.path());
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
        let token = token_for(directory.path(), "catalog:write");
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

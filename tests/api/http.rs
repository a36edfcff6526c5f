//! HTTP semantics: HEAD, content codings, canonical URLs, CORS, header limits.

use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{Engine, Engine::*, TestApp};

const K1: &str = "/customer-integrations/K-1";

#[rstest]
#[actix_web::test]
async fn unknown_names_are_reported_truncated(#[values(Sqlite)] engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();
    let report_unknown_member = async |name: &str| {
        let mut body = json!({});
        body[name] = json!(1);
        let put = editor
            .put(&format!("{K1}/ticket-types/T-2"), body)
            .await
            .is_problem(400, "unknown_member");
        let detail = put.json["detail"]
            .as_str()
            .unwrap()
            .rsplit(": ")
            .next()
            .unwrap()
            .to_owned();
        (
            put.json["errors"][0]["pointer"]
                .as_str()
                .unwrap()
                .to_owned(),
            detail,
        )
    };
    for name in ["a`b", "`", "at line 3", "x at line 1 column 2", "", "a/b~c"] {
        let pointer = format!("/{}", name.replace('~', "~0").replace('/', "~1"));
        assert_eq!(
            report_unknown_member(name).await,
            (pointer, name.to_owned())
        );
    }
    let truncated = format!("{}…", "x".repeat(64));
    assert_eq!(
        report_unknown_member(&"x".repeat(100_000)).await,
        (format!("/{truncated}"), truncated.clone())
    );
    assert_eq!(
        report_unknown_member("a\u{1b}[31m\0b\n").await.1,
        "a\u{fffd}[31m\u{fffd}b\u{fffd}"
    );
    let long = editor
        .get(&format!("{K1}?{}=1", "x".repeat(5_000)))
        .await
        .is_problem(400, "unknown_parameter");
    assert_eq!(long.errors(), [format!("{truncated} unknown_parameter")]);
    let body = json!({"approval_required": "x".repeat(100_000)});
    let wrong = editor
        .put(&format!("{K1}/ticket-types/T-2"), body)
        .await
        .is_problem(400, "wrong_type");
    assert!(
        wrong.text.len() < 1_000 && wrong.text.contains("expected a boolean"),
        "{}",
        wrong.text
    );
}

#[rstest]
#[actix_web::test]
async fn compressed_body_returns_415(#[values(Sqlite)] engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();
    let path = format!("{K1}/ticket-types/T-2");
    // `{}`, compressed.
    let gzip = b"\x1f\x8b\x08\0\0\0\0\0\0\x03\xab\xae\x05\0\x43\xbf\xa6\xa3\x02\0\0\0";
    for coding in ["gzip", "identity, gzip", "br", ""] {
        let put = editor
            .request("PUT", &path)
            .header("content-encoding", coding);
        put.raw("application/json", gzip.to_vec())
            .send()
            .await
            .is_problem(415, "unsupported_media_type");
    }
    let plain = editor
        .request("PUT", &path)
        .header("content-encoding", "Identity");
    plain.raw("application/json", "{}").send().await.is(201);
}

#[rstest]
#[actix_web::test]
async fn id_in_noncanonical_form_returns_400(#[values(Sqlite)] engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let id = app.create_access("K-1", "a@b.example", json!({})).await;
    let reader = app.reader();
    let path_of = |id: &str| format!("{K1}/accesses/{id}");
    reader.get(&path_of(&id)).await.is(200);
    for other in [
        id.to_uppercase(),
        id.replace('-', ""),
        format!("%7B{id}%7D"),
        format!("urn:uuid:{id}"),
    ] {
        reader
            .get(&path_of(&other))
            .await
            .is_problem(400, "invalid_parameter");
    }
}

#[rstest]
#[actix_web::test]
async fn location_of_created_resource_is_canonical(#[values(Sqlite)] engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();
    let created = editor
        .put("/customer-integrations/%4B-1/areas/%41%2D2", Value::Null)
        .await
        .is(201);
    assert_eq!(
        created.header("location"),
        "/api/v1/customer-integrations/K-1/areas/A-2"
    );
    let body = json!({"first_name": "A", "last_name": "B", "email": "a@b.example"});
    let created = editor
        .post("/customer-integrations/%4b-1/accesses", body)
        .await
        .is(201);
    let location = format!(
        "/api/v1{K1}/accesses/{}",
        created.json["id"].as_str().unwrap()
    );
    assert_eq!(created.header("location"), location);
    editor
        .get(location.strip_prefix("/api/v1").unwrap())
        .await
        .is(200);
}

#[rstest]
#[actix_web::test]
async fn exposed_headers_are_listed_for_allowed_origins_only(#[values(Sqlite)] engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let get_from = async |origin: &str| {
        app.reader()
            .request("GET", K1)
            .header("origin", origin)
            .send()
            .await
    };
    let exposed = get_from("https://portal.example").await.is(200);
    let names = exposed.header("access-control-expose-headers").to_owned();
    assert_eq!(
        names,
        "accept-patch, allow, etag, link, location, ratelimit, ratelimit-policy, retry-after, \
         www-authenticate, x-request-id"
    );
    for other in [
        get_from("https://evil.example").await,
        app.reader().get(K1).await,
    ] {
        assert_eq!(other.header("access-control-expose-headers"), "");
    }
}

#[rstest]
#[actix_web::test]
async fn head_returns_headers_of_get_without_content(#[values(Sqlite)] engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let reader = app.reader();
    for path in [
        "//health/live",
        "//health/ready",
        "//openapi.json",
        "//docs/",
        K1,
        "/customer-integrations",
    ] {
        let get = reader.get(path).await.is(200);
        let head = reader.request("HEAD", path).send().await.is(200);
        assert_eq!(head.text, "", "{path}");
        for header in ["content-type", "content-length", "etag"] {
            assert_eq!(
                head.header(header),
                get.header(header),
                "{header} of {path}"
            );
        }
        assert_eq!(
            head.header("content-length"),
            get.text.len().to_string(),
            "{path}"
        );
    }
    let etag = reader.get(K1).await.etag();
    reader
        .request("HEAD", K1)
        .header("if-none-match", &etag)
        .send()
        .await
        .is(304);
    for (path, status) in [
        ("/customer-integrations/K-99", 404),
        ("//nothing", 404),
        ("/customer-integrations?x=1", 400),
    ] {
        let refused = reader.request("HEAD", path).send().await.is(status);
        assert_eq!(
            (refused.text.as_str(), refused.header("content-type")),
            ("", "application/problem+json"),
            "{path}"
        );
    }
    // A cross-origin request.
    let cross_origin = reader
        .request("HEAD", K1)
        .header("origin", "https://portal.example")
        .send()
        .await
        .is(200);
    assert_eq!(
        cross_origin.header("access-control-allow-origin"),
        "https://portal.example"
    );
    app.anonymous().request("HEAD", K1).send().await.is(401);
    // `Allow` lists HEAD with GET.
    let not_allowed = app
        .anonymous()
        .request("DELETE", "//health/ready")
        .send()
        .await;
    assert_eq!(
        not_allowed
            .is_problem(405, "method_not_allowed")
            .header("allow"),
        "GET, HEAD, OPTIONS"
    );
}

#[rstest]
#[case::if_none_match("if-none-match", |length| format!("\"{}\"", "x".repeat(length - 2)))]
#[case::if_match("if-match", |length| format!("*{}", ",".repeat(length - 1)).replacen("*,", "\"\"", 1))]
#[case::accept_language("accept-language", |length| "d".repeat(length))]
#[actix_web::test]
async fn header_parameter_above_1000_bytes_returns_400(
    #[case] name: &str,
    #[case] of_length: fn(usize) -> String,
) {
    let app = TestApp::with_active_partner(Sqlite).await;
    let editor = app.editor();
    let path = format!("{K1}/areas/A-1");
    assert_eq!((of_length(1000).len(), of_length(1001).len()), (1000, 1001));
    let longest = editor
        .request("PUT", &path)
        .header(name, &of_length(1000))
        .send()
        .await;
    assert_eq!(
        longest.status,
        if name == "if-match" { 412 } else { 200 },
        "{}",
        longest.text
    );
    let refused = editor
        .request("PUT", &path)
        .header(name, &of_length(1001))
        .send()
        .await;
    let [error] = &refused.is_problem(400, "invalid_parameter").errors()[..] else {
        panic!("expected one error")
    };
    assert_eq!(error.to_lowercase(), format!("{name} too_long"));
}

#[actix_web::test]
async fn index_page_links_to_paths_without_token() {
    let app = TestApp::start(Sqlite).await;
    let anonymous = app.anonymous();

    let page = anonymous.get("//").await.is(200);

    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert_eq!(
        page.header("content-security-policy"),
        "default-src 'none'; frame-ancestors 'none'"
    );
    for forbidden in ["src=", "style", "<script", "<link", "//"] {
        assert!(!page.text.contains(forbidden), "{forbidden}: {}", page.text);
    }
    let links: Vec<_> = page.text.split("href=\"").skip(1).collect();
    assert!(links.len() >= 4, "{}", page.text);
    for link in links {
        let path = link.split('"').next().unwrap();
        anonymous.get(&format!("//{path}")).await.is(200);
    }
}

#[rstest]
#[case::list("/api/v1/customer-integrations", "GET, HEAD, OPTIONS", "")]
#[case::patchable(
    "/api/v1/customer-integrations/K-1",
    "GET, HEAD, OPTIONS, PATCH",
    "application/merge-patch+json, application/json"
)]
#[case::grant(
    "/api/v1/customer-integrations/K-1/areas/A-1",
    "DELETE, GET, HEAD, OPTIONS, PUT",
    ""
)]
#[case::order("/api/v1/customer-integrations/K-1/queries/order", "OPTIONS, PUT", "")]
#[case::public("/openapi.json", "GET, HEAD, OPTIONS", "")]
#[case::index("/", "GET, HEAD, OPTIONS", "")]
#[actix_web::test]
async fn options_returns_methods_of_the_path(
    #[case] path: &str,
    #[case] allow: &str,
    #[case] accept_patch: &str,
) {
    let app = TestApp::start(Sqlite).await;
    let request = app.anonymous().request("OPTIONS", &format!("/{path}"));

    let response = request.send().await.is(204);

    assert_eq!(response.text, "");
    assert_eq!(response.header("allow"), allow);
    assert_eq!(response.header("accept-patch"), accept_patch);
}

#[actix_web::test]
async fn options_of_unknown_path_returns_404() {
    let app = TestApp::start(Sqlite).await;
    let request = app.anonymous().request("OPTIONS", "/nothing");

    request.send().await.is_problem(404, "unknown_route");
}

#[actix_web::test]
async fn patch_with_wrong_media_type_returns_accepted_ones() {
    let app = TestApp::with_active_partner(Sqlite).await;
    let request = app.editor().request("PATCH", K1);

    let response = request.raw("text/plain", "{}").send().await;

    let refused = response.is_problem(415, "unsupported_media_type");
    assert_eq!(
        refused.header("accept-patch"),
        "application/merge-patch+json, application/json"
    );
}

#[rstest]
#[case::documented_headers(
    "authorization,content-type,accept-language,if-match,if-none-match,x-request-id",
    200
)]
#[case::tracing("traceparent,tracestate", 200)]
#[case::idempotency_key("Idempotency-Key", 200)]
#[case::other("x-other", 400)]
#[actix_web::test]
async fn preflight_allows_documented_request_headers(#[case] names: &str, #[case] status: u16) {
    let app = TestApp::start(Sqlite).await;
    let preflight = app
        .anonymous()
        .request("OPTIONS", K1)
        .header("origin", "https://portal.example")
        .header("access-control-request-method", "PATCH")
        .header("access-control-request-headers", names);

    preflight.send().await.is(status);
}

#[actix_web::test]
async fn any_port_of_localhost_can_be_allowed() {
    let app = TestApp::with_settings(|config| {
        config.cors_allowed_origins = vec!["http://localhost:*".to_owned()];
    })
    .await;
    for (origin, allow_origin) in [
        ("http://localhost:5173", "http://localhost:5173"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("http://localhost.evil.example:3000", ""),
        ("https://portal.example", ""),
    ] {
        let request = app.reader().request("GET", "/customer-integrations");
        let response = request.header("origin", origin).send().await.is(200);
        assert_eq!(response.header("access-control-allow-origin"), allow_origin);
    }
}

//! HTTP semantics: HEAD, content codings, canonical URLs, CORS, header limits.

use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{Engine::*, TestApp};

const K1: &str = "/customer-integrations/K-1";
const T2: &str = "/customer-integrations/K-1/ticket-types/T-2";

/// A PUT of a grant with this member returns 400. Returns the pointer and the name in the error
/// text.
async fn report_unknown_member(app: &TestApp, name: &str) -> UnknownMember {
    let mut body = json!({});
    body[name] = json!(1);
    let response = app.editor().put(T2, body).await;
    let problem = response.is_problem(400, "unknown_member").json;
    let pointer = problem["errors"][0]["pointer"].as_str().unwrap();
    let detail = problem["detail"].as_str().unwrap();
    UnknownMember {
        pointer: pointer.to_owned(),
        name: detail.rsplit(": ").next().unwrap().to_owned(),
    }
}

struct UnknownMember {
    pointer: String,
    name: String,
}

#[actix_web::test]
async fn unknown_member_is_reported_by_name_and_pointer() {
    let app = TestApp::with_active_partner(Sqlite).await;

    for name in ["a`b", "`", "at line 3", "x at line 1 column 2", "", "a/b~c"] {
        let reported = report_unknown_member(&app, name).await;
        let escaped = name.replace('~', "~0").replace('/', "~1");
        assert_eq!(reported.pointer, format!("/{escaped}"));
        assert_eq!(reported.name, name);
    }
}

#[actix_web::test]
async fn long_unknown_names_are_reported_truncated() {
    let app = TestApp::with_active_partner(Sqlite).await;
    let truncated = format!("{}…", "x".repeat(64));

    let member = report_unknown_member(&app, &"x".repeat(100_000)).await;
    assert_eq!(member.pointer, format!("/{truncated}"));
    assert_eq!(member.name, truncated);

    let path = format!("{K1}?{}=1", "x".repeat(5_000));
    let parameter = app.editor().get(&path).await;
    assert_eq!(
        parameter.is_problem(400, "unknown_parameter").errors(),
        [format!("{truncated} unknown_parameter")]
    );
}

#[actix_web::test]
async fn control_characters_of_unknown_member_are_replaced() {
    let app = TestApp::with_active_partner(Sqlite).await;

    let reported = report_unknown_member(&app, "a\u{1b}[31m\0b\n").await;

    assert_eq!(reported.name, "a\u{fffd}[31m\u{fffd}b\u{fffd}");
}

#[actix_web::test]
async fn value_of_wrong_type_is_not_repeated_in_error() {
    let app = TestApp::with_active_partner(Sqlite).await;
    let body = json!({"approval_required": "x".repeat(100_000)});

    let response = app.editor().put(T2, body).await;

    let text = response.is_problem(400, "wrong_type").text;
    assert!(text.len() < 1_000, "{text}");
    assert!(text.contains("true or false is required"), "{text}");
}

#[actix_web::test]
async fn compressed_body_returns_415() {
    let app = TestApp::with_active_partner(Sqlite).await;
    let editor = app.editor();
    // `{}`, compressed
    let gzip = b"\x1f\x8b\x08\0\0\0\0\0\0\x03\xab\xae\x05\0\x43\xbf\xa6\xa3\x02\0\0\0";

    for coding in ["gzip", "identity, gzip", "br", ""] {
        let request = editor.request("PUT", T2).header("content-encoding", coding);
        let request = request.raw("application/json", gzip.to_vec());
        let refused = request.send().await;
        refused.is_problem(415, "unsupported_media_type");
    }
}

#[actix_web::test]
async fn body_with_identity_coding_is_accepted() {
    let app = TestApp::with_active_partner(Sqlite).await;

    let request = app.editor().request("PUT", T2);
    let request = request.header("content-encoding", "Identity");
    let response = request.raw("application/json", "{}").send().await;

    response.is(201);
}

#[actix_web::test]
async fn id_in_noncanonical_form_returns_400() {
    let app = TestApp::with_active_partner(Sqlite).await;
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

#[actix_web::test]
async fn location_of_created_resource_is_canonical() {
    let app = TestApp::with_active_partner(Sqlite).await;
    let editor = app.editor();
    let access = json!({"first_name": "A", "last_name": "B", "email": "a@b.example"});

    let put = editor
        .put("/customer-integrations/%4B-1/areas/%41%2D2", Value::Null)
        .await
        .is(201);
    let post = editor
        .post("/customer-integrations/%4b-1/accesses", access)
        .await
        .is(201);

    assert_eq!(
        put.header("location"),
        "/api/v1/customer-integrations/K-1/areas/A-2"
    );
    let access_path = format!("{K1}/accesses/{}", post.json["id"].as_str().unwrap());
    assert_eq!(post.header("location"), format!("/api/v1{access_path}"));
    editor.get(&access_path).await.is(200);
}

#[actix_web::test]
async fn exposed_headers_are_listed_for_allowed_origins_only() {
    let app = TestApp::with_active_partner(Sqlite).await;
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

#[actix_web::test]
async fn head_returns_headers_of_get_without_content() {
    let app = TestApp::with_active_partner(Sqlite).await;
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
}

#[actix_web::test]
async fn head_of_unchanged_resource_returns_304() {
    let app = TestApp::with_active_partner(Sqlite).await;
    let reader = app.reader();
    let etag = reader.get(K1).await.is(200).etag();

    let request = reader.request("HEAD", K1);
    let response = request.header("if-none-match", &etag).send().await;

    response.is(304);
}

#[rstest]
#[case::unknown_resource("/customer-integrations/K-99", 404)]
#[case::unknown_path("//nothing", 404)]
#[case::unknown_parameter("/customer-integrations?x=1", 400)]
#[actix_web::test]
async fn error_of_head_has_content_type_but_no_content(#[case] path: &str, #[case] status: u16) {
    let app = TestApp::with_active_partner(Sqlite).await;

    let refused = app.reader().request("HEAD", path).send().await.is(status);

    assert_eq!(refused.text, "");
    assert_eq!(refused.header("content-type"), "application/problem+json");
}

#[actix_web::test]
async fn head_without_token_returns_401() {
    let app = TestApp::with_active_partner(Sqlite).await;

    let refused = app.anonymous().request("HEAD", K1).send().await;

    refused.is(401);
}

#[actix_web::test]
async fn head_of_other_origin_returns_cors_headers() {
    let app = TestApp::with_active_partner(Sqlite).await;

    let request = app.reader().request("HEAD", K1);
    let response = request
        .header("origin", "https://portal.example")
        .send()
        .await;

    assert_eq!(
        response.is(200).header("access-control-allow-origin"),
        "https://portal.example"
    );
}

#[actix_web::test]
async fn allow_header_lists_head_with_get() {
    let app = TestApp::with_active_partner(Sqlite).await;

    let request = app.anonymous().request("DELETE", "//health/ready");
    let refused = request.send().await;

    assert_eq!(
        refused
            .is_problem(405, "method_not_allowed")
            .header("allow"),
        "GET, HEAD, OPTIONS"
    );
}

/// An unquoted value would not be a valid ETag.
fn if_none_match(length: usize) -> String {
    format!("\"{}\"", "x".repeat(length - 2))
}

/// An empty ETag and empty list items.
fn if_match(length: usize) -> String {
    format!("\"\"{}", ",".repeat(length - 2))
}

fn accept_language(length: usize) -> String {
    "d".repeat(length)
}

#[rstest]
#[case::if_none_match("if-none-match", if_none_match, 200)]
#[case::if_match("if-match", if_match, 412)]
#[case::accept_language("accept-language", accept_language, 200)]
#[actix_web::test]
async fn header_parameter_above_1000_bytes_returns_400(
    #[case] name: &str,
    #[case] value_of_length: fn(usize) -> String,
    #[case] status_of_longest: u16,
) {
    let app = TestApp::with_active_partner(Sqlite).await;
    let put_with_header_of_length = async |length: usize| {
        let value = value_of_length(length);
        assert_eq!(value.len(), length);
        let request = app.editor().request("PUT", &format!("{K1}/areas/A-1"));
        request.header(name, &value).send().await
    };

    let longest = put_with_header_of_length(1000).await;
    let too_long = put_with_header_of_length(1001).await;

    longest.is(status_of_longest);
    let errors = too_long.is_problem(400, "invalid_parameter").errors();
    let errors: Vec<_> = errors.iter().map(|error| error.to_lowercase()).collect();
    assert_eq!(errors, [format!("{name} too_long")]);
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

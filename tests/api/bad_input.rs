//! Invalid input returns a problem with the right code and stores nothing.

use crate::engines::both_engines;
use rstest_reuse::apply;
use serde_json::{Value, json};

use crate::support::{Engine, Response, TestApp};

const ACCESSES: &str = "/customer-integrations/K-1/accesses";

async fn post_raw(app: &TestApp, body: impl Into<reqwest::Body>) -> Response {
    app.editor()
        .request("POST", ACCESSES)
        .raw("application/json", body)
        .send()
        .await
}

#[apply(both_engines)]
#[actix_web::test]
async fn unreadable_body_returns_400_and_stores_nothing(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let revision = app.reader().get("/customer-integrations/K-1").await.json["revision"].clone();
    for (body, code) in [
        (String::new(), "malformed_json"),
        (r#"{"first_name": "A""#.to_owned(), "malformed_json"),
        (
            r#"{"first_name": "A"} trailing"#.to_owned(),
            "malformed_json",
        ),
        (r#"{"first_name": "\ud800"}"#.to_owned(), "malformed_json"),
        (
            r#"{"first_name": "\ud800\u0041"}"#.to_owned(),
            "malformed_json",
        ),
        ("[".repeat(100_000), "wrong_type"),
        (
            format!(r#"{{"first_name": {}"#, "[".repeat(100_000)),
            "wrong_type",
        ),
        (
            format!("{}1{}", r#"{"a":"#.repeat(100_000), "}".repeat(100_000)),
            "unknown_member",
        ),
        (r#"["A"]"#.to_owned(), "wrong_type"),
        ("null".to_owned(), "wrong_type"),
        (r#"{"frist_name": "A"}"#.to_owned(), "unknown_member"),
        (r#"{"first_name": 1}"#.to_owned(), "wrong_type"),
        (r#"{"first_name": null}"#.to_owned(), "wrong_type"),
        (r#"{"active": "true"}"#.to_owned(), "wrong_type"),
        (
            r#"{"email": "a@b", "email": "c@d"}"#.to_owned(),
            "wrong_type",
        ),
    ] {
        let excerpt: String = body.chars().take(60).collect();
        let response = post_raw(&app, body).await;
        assert_eq!(response.status, 400, "{excerpt}: {}", response.text);
        assert_eq!(response.json["code"], code, "{excerpt}: {}", response.text);
    }
    post_raw(&app, b"\xff\xfe{}".to_vec())
        .await
        .is_problem(400, "malformed_json");
    assert_eq!(app.editor().all(ACCESSES).await.len(), 0);
    assert_eq!(
        app.reader().get("/customer-integrations/K-1").await.json["revision"],
        revision
    );
}

#[apply(both_engines)]
#[actix_web::test]
async fn body_over_size_limit_returns_413(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let large = format!(r#"{{"first_name": "{}"}}"#, "x".repeat(2 * 1024 * 1024));
    post_raw(&app, large.clone())
        .await
        .is_problem(413, "body_too_large");
    // the limit also applies to a body without `Content-Length`
    let chunks: Vec<Result<_, std::io::Error>> = large
        .into_bytes()
        .chunks(65_536)
        .map(|chunk| Ok(chunk.to_vec()))
        .collect();
    let stream = reqwest::Body::wrap_stream(futures_util::stream::iter(chunks));
    post_raw(&app, stream)
        .await
        .is_problem(413, "body_too_large");
    let largest = format!(r#"{{"first_name": "{}"}}"#, "x".repeat(1024 * 1024 - 18));
    let refused = post_raw(&app, largest)
        .await
        .is_problem(422, "validation_failed");
    assert!(
        refused
            .errors()
            .contains(&"/first_name too_long".to_owned())
    );
}

#[apply(both_engines)]
#[actix_web::test]
async fn unsupported_content_type_returns_415(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();
    for content_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/merge-patch+json",
        "",
    ] {
        let request = editor.request("POST", ACCESSES).raw(content_type, "{}");
        request
            .send()
            .await
            .is_problem(415, "unsupported_media_type");
    }
    let put = editor
        .request("PUT", "/customer-integrations/K-1/areas/A-1")
        .raw("text/plain", "{}");
    put.send().await.is_problem(415, "unsupported_media_type");
    let put = editor
        .request("PUT", "/customer-integrations/K-1/areas/A-1")
        .raw("application/json", r#"{"x": 1}"#);
    put.send().await.is_problem(400, "unknown_member");
}

/// Returns a valid body with one member replaced.
fn access_with(member: &str, value: Value) -> Value {
    let mut body = json!({
        "first_name": "A",
        "last_name": "B",
        "email": "a@b.example",
        "contact_id": "P-1",
        "active": false,
    });
    body[member] = value;
    body
}

/// Returns an email address of `length` characters.
fn email(length: usize) -> String {
    // labels of a domain have at most 63 characters
    let domain = format!("{}.{}.{}", "d".repeat(63), "e".repeat(63), "f".repeat(59));
    format!("{}@{domain}", "l".repeat(length - domain.len() - 1))
}

#[apply(both_engines)]
#[actix_web::test]
async fn access_member_past_its_limit_returns_422(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();
    assert_eq!(email(254).len(), 254);
    for (member, good, bad, code) in [
        (
            "first_name",
            json!("ä".repeat(100)),
            json!("ä".repeat(101)),
            "too_long",
        ),
        (
            "last_name",
            json!("😀".repeat(100)),
            json!("😀".repeat(101)),
            "too_long",
        ),
        ("first_name", json!("x"), json!(" \u{a0}\t"), "required"),
        ("email", json!(email(251)), json!(email(255)), "too_long"),
        ("email", json!("a@b"), json!("a"), "invalid_email"),
        (
            "email",
            json!("a@xn--mller-kva.example"),
            json!("a@müller.example"),
            "invalid_email",
        ),
        (
            "contact_id",
            json!("c".repeat(64)),
            json!("c".repeat(65)),
            "invalid_id",
        ),
        ("contact_id", json!("c"), json!(""), "required"),
        ("role", json!("dispatcher"), json!("boss"), "unknown_value"),
        ("language", json!("en"), json!("fr"), "unknown_value"),
        (
            "ticket_visibility",
            json!("partner"),
            json!("all"),
            "unknown_value",
        ),
    ] {
        let refused = editor
            .post(ACCESSES, access_with(member, bad))
            .await
            .is_problem(422, "validation_failed");
        assert_eq!(refused.errors(), [format!("/{member} {code}")]);
        let created = editor
            .post(ACCESSES, access_with(member, good))
            .await
            .is(201);
        // free the email address and the contact for the next access
        let path = format!("{ACCESSES}/{}", created.json["id"].as_str().unwrap());
        let email = format!("{}@free.example", &path[path.len() - 12..]);
        let other_identity = json!({"email": email, "contact_id": null});
        editor.patch(&path, other_identity).await.is(200);
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn catalog_member_past_its_limit_returns_422(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let erp = app.erp();
    for (path, good, bad, error) in [
        (
            "business-partners/X",
            json!({"name": "n".repeat(200), "search_name": "s".repeat(100)}),
            json!({"name": "n".repeat(201), "search_name": "s"}),
            "/name too_long",
        ),
        (
            "business-partners/Y",
            json!({"name": "n", "search_name": "s"}),
            json!({"name": "n", "search_name": "s".repeat(101)}),
            "/search_name too_long",
        ),
        (
            "areas/X",
            json!({"name": "n".repeat(100), "color": "#ffffff"}),
            json!({"name": "n".repeat(101), "color": "#ffffff"}),
            "/name too_long",
        ),
        (
            "areas/Y",
            json!({"name": "n", "color": "#FFFFFF"}),
            json!({"name": "n", "color": "#FFFFFFF"}),
            "/color invalid_color",
        ),
        (
            "ticket-types/X",
            json!({"name": "n".repeat(100), "kind": "dynamic"}),
            json!({"name": "n".repeat(101), "kind": "dynamic"}),
            "/name too_long",
        ),
        (
            "ticket-types/Y",
            json!({"name": "n", "kind": "standard"}),
            json!({"name": "n"}),
            "/kind required",
        ),
        (
            "plan-boards/X",
            json!({"name": "n".repeat(200), "description": "d".repeat(1000)}),
            json!({"name": "n", "description": "d".repeat(1001)}),
            "/description too_long",
        ),
    ] {
        let path = format!("/catalog/{path}");
        let refused = erp
            .put(&path, bad)
            .await
            .is_problem(422, "validation_failed");
        assert_eq!(refused.errors(), [error]);
        erp.get(&path).await.is_problem(404, "not_found");
        erp.put(&path, good).await.is(201);
    }
    // folds to 1,800 characters, more than an index stores
    erp.put(
        "/catalog/areas/Z",
        json!({"name": "\u{fdfa}".repeat(100), "color": "#ffffff"}),
    )
    .await
    .is(201);
    let area_with_id_length = |length: usize| format!("/catalog/areas/{}", "a".repeat(length));
    erp.put(
        &area_with_id_length(64),
        json!({"name": "n", "color": "#ffffff"}),
    )
    .await
    .is(201);
    erp.put(
        &area_with_id_length(65),
        json!({"name": "n", "color": "#ffffff"}),
    )
    .await
    .is_problem(400, "invalid_parameter");
}

#[apply(both_engines)]
#[actix_web::test]
async fn control_characters_in_text_members_return_422(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    for c in ['\0', '\u{1}', '\u{1b}', '\n', '\u{7f}', '\u{85}'] {
        for member in ["first_name", "last_name"] {
            let body = access_with(member, json!(format!("a{c}b")));
            let refused = app
                .editor()
                .post(ACCESSES, body)
                .await
                .is_problem(422, "validation_failed");
            assert_eq!(refused.errors(), [format!("/{member} control_character")]);
        }
        let body = access_with("email", json!(format!("a{c}b@c.example")));
        let refused = app
            .editor()
            .post(ACCESSES, body)
            .await
            .is_problem(422, "validation_failed");
        assert_eq!(refused.errors(), ["/email invalid_email"]);
    }
    assert_eq!(app.editor().all(ACCESSES).await.len(), 0);
    app.reader()
        .get(&format!("{ACCESSES}?q=%00"))
        .await
        .is_problem(400, "invalid_parameter");
}

#[apply(both_engines)]
#[actix_web::test]
async fn all_invalid_members_are_reported_in_the_accepted_language(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let body = json!({"first_name": "", "email": "x", "role": "boss", "contact_id": "!"});
    let request = app
        .editor()
        .request("POST", ACCESSES)
        .header("accept-language", "fr, de-AT;q=0.9, en;q=0.5")
        .json(body);
    let refused = request.send().await.is_problem(422, "validation_failed");
    let expected = [
        "/contact_id invalid_id",
        "/email invalid_email",
        "/first_name required",
        "/last_name required",
        "/role unknown_value",
    ];
    assert_eq!(refused.errors(), expected);
    assert_eq!(refused.header("content-language"), "de");
    assert_eq!(refused.json["title"], "Prüfung fehlgeschlagen");
    assert!(
        refused
            .header("vary")
            .to_lowercase()
            .contains("accept-language")
            || refused
                .headers
                .get_all("vary")
                .iter()
                .any(|value| value == "accept-language")
    );
}

#[apply(both_engines)]
#[actix_web::test]
async fn invalid_path_or_query_parameter_returns_400_or_404(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let reader = app.reader();
    for id in [
        "4711",
        "019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e6",
        "019aa3c17a527c3e9b1f2f6d3a4c5e60",
        "%00",
        "..%2f",
    ] {
        reader
            .get(&format!("{ACCESSES}/{id}"))
            .await
            .is_problem(400, "invalid_parameter");
    }
    let unknown_id = "019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e60";
    reader
        .get(&format!("{ACCESSES}/{unknown_id}"))
        .await
        .is_problem(404, "not_found");
    reader
        .get(&format!(
            "/customer-integrations/K-99/accesses/{unknown_id}"
        ))
        .await
        .is_problem(404, "not_found");
    reader
        .get("/customer-integrations/K-99/accesses")
        .await
        .is_problem(404, "not_found");
    reader
        .get("/customer-integrations/-/accesses")
        .await
        .is_problem(400, "invalid_parameter");
    for (query, code) in [
        ("limit=0", "invalid_parameter"),
        ("limit=201", "invalid_parameter"),
        ("limit=x", "invalid_parameter"),
        ("limit=-1", "invalid_parameter"),
        ("limit=99999999999", "invalid_parameter"),
        ("sort=color", "invalid_parameter"),
        ("cursor=x", "invalid_cursor"),
        ("active=maybe", "invalid_parameter"),
        ("role=boss", "invalid_parameter"),
        ("limit=1&limit=2", "invalid_parameter"),
        ("colour=red", "unknown_parameter"),
        ("Limit=1", "unknown_parameter"),
    ] {
        let response = reader.get(&format!("{ACCESSES}?{query}")).await;
        assert_eq!(response.status, 400, "{query}: {}", response.text);
        assert_eq!(response.json["code"], code, "{query}: {}", response.text);
        assert_eq!(response.errors().len(), 1, "{query}: {}", response.text);
    }
    let long = "x".repeat(201);
    reader
        .get(&format!("{ACCESSES}?q={long}"))
        .await
        .is_problem(400, "invalid_parameter");
    reader
        .get(&format!("{ACCESSES}?q={}", "a+".repeat(16)))
        .await
        .is(200);
    let refused = reader
        .get(&format!("{ACCESSES}?q={}", "a+".repeat(17)))
        .await
        .is_problem(400, "invalid_parameter");
    assert_eq!(refused.errors(), ["q too_many_values"]);
    reader
        .get("/customer-integrations/K-1?verbose=1")
        .await
        .is_problem(400, "unknown_parameter");
}

#[apply(both_engines)]
#[actix_web::test]
async fn unknown_route_returns_404_and_unsupported_method_405(engine: Engine) {
    let app = TestApp::start(engine).await;
    let reader = app.reader();
    let anonymous = app.anonymous();
    for path in [
        "/nothing",
        "/customer-integrations/K-1/nothing",
        "//nothing",
        "//api/v2/x",
        "//",
    ] {
        reader.get(path).await.is_problem(404, "unknown_route");
        anonymous.get(path).await.is_problem(404, "unknown_route");
    }
    for (method, path, allow) in [
        ("DELETE", "/customer-integrations", "GET, HEAD"),
        ("PUT", "/customer-integrations/K-1", "GET, HEAD, PATCH"),
        ("POST", "/customer-integrations/K-1/areas", "GET, HEAD"),
        (
            "PATCH",
            "/customer-integrations/K-1/areas/A-1",
            "DELETE, GET, HEAD, PUT",
        ),
        ("DELETE", ACCESSES, "GET, HEAD, POST"),
        ("POST", "//health/live", "GET, HEAD"),
        ("DELETE", "//openapi.json", "GET, HEAD"),
        ("PUT", "//docs", "GET, HEAD"),
        ("PUT", "//docs/", "GET, HEAD"),
    ] {
        let response = anonymous
            .request(method, path)
            .send()
            .await
            .is_problem(405, "method_not_allowed");
        assert_eq!(response.header("allow"), allow, "{method} {path}");
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn valid_request_id_is_echoed_and_invalid_one_is_replaced(engine: Engine) {
    let app = TestApp::start(engine).await;
    let request_id_for = async |id: &str| {
        let request = app
            .anonymous()
            .request("GET", "/customer-integrations")
            .header("x-request-id", id);
        request
            .send()
            .await
            .is(401)
            .header("x-request-id")
            .to_owned()
    };
    assert_eq!(request_id_for("abc-1.2_3~4:/+=@").await, "abc-1.2_3~4:/+=@");
    for invalid in ["", "a b", "<script>", &"x".repeat(129)] {
        let returned = request_id_for(invalid).await;
        assert!(
            uuid::Uuid::parse_str(&returned).is_ok(),
            "{invalid:?} was replaced by {returned:?}"
        );
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn invisible_characters_in_names_return_422(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();
    let tags = "/customer-integrations/K-1/tags";
    editor.post(tags, json!({"name": "VPN"})).await.is(201);
    for (name, character) in [
        ("VPN\u{200b}", "U+200B"),
        ("V\u{2060}PN", "U+2060"),
        ("\u{202e}NPV", "U+202E"),
        ("VPN\u{2028}x", "U+2028"),
        ("\u{3164}", "U+3164"),
        ("\u{feff}", "U+FEFF"),
    ] {
        let rejected = editor.post(tags, json!({"name": name})).await;
        let rejected = rejected.is_problem(422, "validation_failed");
        assert_eq!(rejected.errors(), ["/name invisible_character"]);
        let text = rejected.json.to_string();
        assert!(text.contains(character), "{text}");
    }
    for name in ["Familie 👪 ❤\u{fe0f}", "Zoe\u{308}"] {
        editor.post(tags, json!({"name": name})).await.is(201);
    }
    let description = json!({"name": "Funk", "description": "a\u{200d}b"});
    editor.post(tags, description).await.is(201);
}

#[apply(both_engines)]
#[actix_web::test]
async fn number_without_fraction_is_accepted_as_integer(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    app.access("K-1", "a@b.example", json!({})).await;
    let reader = app.reader();
    for (revision, status) in [("1.0", 200), ("1e0", 200), ("1.5", 400), ("1e300", 422)] {
        let body = format!(
            r#"{{"access_email": "a@b.example", "area_id": "A-1", "ticket_type_id": "T-1", "min_revision": {revision}}}"#
        );
        let response = reader
            .request("POST", "/decisions/ticket-creation")
            .raw("application/json", body)
            .send()
            .await;
        response.is(status);
    }
}

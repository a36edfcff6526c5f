//! Invalid input returns a problem with the right code and stores nothing.

use rstest_reuse::apply;
use serde_json::{Value, json};

use crate::{
    engines::both_engines,
    support::{Engine, Response, TestApp},
};

const K1: &str = "/customer-integrations/K-1";
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
    struct Case {
        body: Vec<u8>,
        code: &'static str,
    }
    let case = |body: &str, code| Case {
        body: body.into(),
        code,
    };
    let deep_array = "[".repeat(100_000);
    let deep_member = format!(r#"{{"first_name": {deep_array}"#);
    let deep_object = format!("{}1{}", r#"{"a":"#.repeat(100_000), "}".repeat(100_000));
    let cases = [
        case("", "malformed_json"),
        case(r#"{"first_name": "A""#, "malformed_json"),
        case(r#"{"first_name": "A"} trailing"#, "malformed_json"),
        case(r#"{"first_name": "\ud800"}"#, "malformed_json"),
        case(r#"{"first_name": "\ud800\u0041"}"#, "malformed_json"),
        case(&deep_array, "wrong_type"),
        case(&deep_member, "wrong_type"),
        case(&deep_object, "unknown_member"),
        case(r#"["A"]"#, "wrong_type"),
        case("null", "wrong_type"),
        case(r#"{"frist_name": "A"}"#, "unknown_member"),
        case(r#"{"first_name": 1}"#, "wrong_type"),
        case(r#"{"first_name": null}"#, "wrong_type"),
        case(r#"{"active": "true"}"#, "wrong_type"),
        case(r#"{"email": "a@b", "email": "c@d"}"#, "wrong_type"),
        Case {
            body: b"\xff\xfe{}".to_vec(),
            code: "malformed_json",
        },
    ];
    let app = TestApp::with_active_partner(engine).await;
    let revision = async || app.reader().get(K1).await.is(200).json["revision"].clone();
    let revision_before = revision().await;

    for Case { body, code } in cases {
        let excerpt = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
        let response = post_raw(&app, body).await;
        assert_eq!(response.status, 400, "{excerpt}: {}", response.text);
        assert_eq!(response.json["code"], code, "{excerpt}: {}", response.text);
    }

    assert_eq!(app.editor().get_all(ACCESSES).await.len(), 0);
    assert_eq!(revision().await, revision_before);
}

#[apply(both_engines)]
#[actix_web::test]
async fn body_over_size_limit_returns_413(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let body = format!(r#"{{"first_name": "{}"}}"#, "x".repeat(2 * 1024 * 1024));

    let response = post_raw(&app, body).await;

    response.is_problem(413, "body_too_large");
}

#[apply(both_engines)]
#[actix_web::test]
async fn chunked_body_over_size_limit_returns_413(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let body = format!(r#"{{"first_name": "{}"}}"#, "x".repeat(2 * 1024 * 1024));
    // without `Content-Length`, the size is known only at the end
    let chunks: Vec<Result<_, std::io::Error>> = body
        .into_bytes()
        .chunks(65_536)
        .map(|chunk| Ok(chunk.to_vec()))
        .collect();
    let stream = reqwest::Body::wrap_stream(futures_util::stream::iter(chunks));

    let response = post_raw(&app, stream).await;

    response.is_problem(413, "body_too_large");
}

#[apply(both_engines)]
#[actix_web::test]
async fn body_of_maximum_size_is_parsed(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let body = format!(r#"{{"first_name": "{}"}}"#, "x".repeat(1024 * 1024 - 18));
    assert_eq!(body.len(), 1024 * 1024);

    let refused = post_raw(&app, body).await;

    let errors = refused.is_problem(422, "validation_failed").errors();
    assert!(errors.contains(&"/first_name too_long".to_owned()));
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
        editor
            .request("POST", ACCESSES)
            .raw(content_type, "{}")
            .send()
            .await
            .is_problem(415, "unsupported_media_type");
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn optional_body_is_validated_if_present(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let area = format!("{K1}/areas/A-1");
    let put = async |content_type: &str, body: &'static str| {
        let request = app.editor().request("PUT", &area);
        request.raw(content_type, body).send().await
    };

    put("text/plain", "{}")
        .await
        .is_problem(415, "unsupported_media_type");
    put("application/json", r#"{"x": 1}"#)
        .await
        .is_problem(400, "unknown_member");
}

/// A valid body with one member replaced.
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

/// An email address of `length` characters.
fn email(length: usize) -> String {
    // labels of a domain have at most 63 characters
    let domain = format!("{}.{}.{}", "d".repeat(63), "e".repeat(63), "f".repeat(59));
    let email = format!("{}@{domain}", "l".repeat(length - domain.len() - 1));
    assert_eq!(email.len(), length);
    email
}

/// A member with the last value that is accepted and the first one that is rejected with `code`.
struct AccessLimit {
    member: &'static str,
    accepted: String,
    rejected: String,
    code: &'static str,
}

fn access_limits() -> Vec<AccessLimit> {
    let limit = |member, accepted: &str, rejected: &str, code| AccessLimit {
        member,
        accepted: accepted.to_owned(),
        rejected: rejected.to_owned(),
        code,
    };
    vec![
        limit("first_name", &"ä".repeat(100), &"ä".repeat(101), "too_long"),
        limit(
            "last_name",
            &"😀".repeat(100),
            &"😀".repeat(101),
            "too_long",
        ),
        limit("first_name", "x", " \u{a0}\t", "required"),
        limit("email", &email(251), &email(255), "too_long"),
        limit("email", "a@b", "a", "invalid_email"),
        limit(
            "email",
            "a@xn--mller-kva.example",
            "a@müller.example",
            "invalid_email",
        ),
        limit("contact_id", &"c".repeat(64), &"c".repeat(65), "invalid_id"),
        limit("contact_id", "c", "", "required"),
        limit("role", "dispatcher", "boss", "unknown_value"),
        limit("language", "en", "fr", "unknown_value"),
        limit("ticket_visibility", "partner", "all", "unknown_value"),
    ]
}

#[apply(both_engines)]
#[actix_web::test]
async fn access_member_past_its_limit_returns_422(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();

    for limit in access_limits() {
        assert_member_is_rejected(&app, limit.member, &limit.rejected, limit.code).await;

        let accepted = access_with(limit.member, json!(limit.accepted));
        let created = editor.post(ACCESSES, accepted).await.is(201);

        // free the email address and the contact for the next access
        let id = created.json["id"].as_str().unwrap();
        let email = format!("{}@free.example", &id[id.len() - 12..]);
        let other_identity = json!({"email": email, "contact_id": null});
        editor
            .patch(&format!("{ACCESSES}/{id}"), other_identity)
            .await
            .is(200);
    }
}

/// A catalog entry that is accepted, and a body for it that is rejected with `error`.
struct CatalogLimit {
    entry: &'static str,
    accepted: Value,
    rejected: Value,
    error: &'static str,
}

fn catalog_limits() -> [CatalogLimit; 7] {
    [
        CatalogLimit {
            entry: "business-partners/X",
            accepted: json!({"name": "n".repeat(200), "search_name": "s".repeat(100)}),
            rejected: json!({"name": "n".repeat(201), "search_name": "s"}),
            error: "/name too_long",
        },
        CatalogLimit {
            entry: "business-partners/Y",
            accepted: json!({"name": "n", "search_name": "s"}),
            rejected: json!({"name": "n", "search_name": "s".repeat(101)}),
            error: "/search_name too_long",
        },
        CatalogLimit {
            entry: "areas/X",
            accepted: json!({"name": "n".repeat(100), "color": "#ffffff"}),
            rejected: json!({"name": "n".repeat(101), "color": "#ffffff"}),
            error: "/name too_long",
        },
        CatalogLimit {
            entry: "areas/Y",
            accepted: json!({"name": "n", "color": "#FFFFFF"}),
            rejected: json!({"name": "n", "color": "#FFFFFFF"}),
            error: "/color invalid_color",
        },
        CatalogLimit {
            entry: "ticket-types/X",
            accepted: json!({"name": "n".repeat(100), "kind": "dynamic"}),
            rejected: json!({"name": "n".repeat(101), "kind": "dynamic"}),
            error: "/name too_long",
        },
        CatalogLimit {
            entry: "ticket-types/Y",
            accepted: json!({"name": "n", "kind": "standard"}),
            rejected: json!({"name": "n"}),
            error: "/kind required",
        },
        CatalogLimit {
            entry: "plan-boards/X",
            accepted: json!({"name": "n".repeat(200), "description": "d".repeat(1000)}),
            rejected: json!({"name": "n", "description": "d".repeat(1001)}),
            error: "/description too_long",
        },
    ]
}

#[apply(both_engines)]
#[actix_web::test]
async fn catalog_member_past_its_limit_returns_422(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let erp = app.erp();

    for limit in catalog_limits() {
        let path = format!("/catalog/{}", limit.entry);
        let refused = erp.put(&path, limit.rejected).await;
        assert_eq!(
            refused.is_problem(422, "validation_failed").errors(),
            [limit.error]
        );
        erp.get(&path).await.is_problem(404, "not_found");
        erp.put(&path, limit.accepted).await.is(201);
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn catalog_name_with_long_folded_form_is_accepted(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    // folds to 1,800 characters, more than an index stores
    let area = json!({"name": "\u{fdfa}".repeat(100), "color": "#ffffff"});

    app.erp().put("/catalog/areas/Z", area).await.is(201);
}

#[apply(both_engines)]
#[actix_web::test]
async fn catalog_id_of_65_characters_returns_400(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let put_area = async |id: &str| {
        let area = json!({"name": "n", "color": "#ffffff"});
        app.erp().put(&format!("/catalog/areas/{id}"), area).await
    };

    put_area(&"a".repeat(64)).await.is(201);
    put_area(&"a".repeat(65))
        .await
        .is_problem(400, "invalid_parameter");
}

/// Asserts that an access with this value of a member is rejected with `code`.
async fn assert_member_is_rejected(app: &TestApp, member: &str, value: &str, code: &str) {
    let body = access_with(member, json!(value));
    let refused = app.editor().post(ACCESSES, body).await;
    assert_eq!(
        refused.is_problem(422, "validation_failed").errors(),
        [format!("/{member} {code}")],
        "{value:?}"
    );
}

#[apply(both_engines)]
#[actix_web::test]
async fn control_characters_in_text_members_return_422(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;

    for character in ['\0', '\u{1}', '\u{1b}', '\n', '\u{7f}', '\u{85}'] {
        let name = format!("a{character}b");
        assert_member_is_rejected(&app, "first_name", &name, "control_character").await;
        assert_member_is_rejected(&app, "last_name", &name, "control_character").await;
        let email = format!("a{character}b@c.example");
        assert_member_is_rejected(&app, "email", &email, "invalid_email").await;
    }

    assert_eq!(app.editor().get_all(ACCESSES).await.len(), 0);
}

#[apply(both_engines)]
#[actix_web::test]
async fn nul_character_in_search_text_returns_400(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;

    let response = app.reader().get(&format!("{ACCESSES}?q=%00")).await;

    response.is_problem(400, "invalid_parameter");
}

#[apply(both_engines)]
#[actix_web::test]
async fn all_invalid_members_are_reported_in_the_accepted_language(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let body = json!({"first_name": "", "email": "x", "role": "boss", "contact_id": "!"});

    let refused = app
        .editor()
        .request("POST", ACCESSES)
        .header("accept-language", "fr, de-AT;q=0.9, en;q=0.5")
        .json(body)
        .send()
        .await
        .is_problem(422, "validation_failed");

    assert_eq!(
        refused.errors(),
        [
            "/contact_id invalid_id",
            "/email invalid_email",
            "/first_name required",
            "/last_name required",
            "/role unknown_value",
        ]
    );
    assert_eq!(refused.header("content-language"), "de");
    assert_eq!(refused.json["title"], "Prüfung fehlgeschlagen");
    let varies_by_language = refused.headers.get_all("vary").iter().any(|value| {
        let value = value.to_str().unwrap().to_lowercase();
        value.contains("accept-language")
    });
    assert!(varies_by_language);
}

const UNKNOWN_ID: &str = "019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e60";

#[apply(both_engines)]
#[actix_web::test]
async fn malformed_id_in_path_returns_400(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;

    for path in [
        format!("{ACCESSES}/4711"),
        format!("{ACCESSES}/019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e6"),
        format!("{ACCESSES}/019aa3c17a527c3e9b1f2f6d3a4c5e60"),
        format!("{ACCESSES}/%00"),
        format!("{ACCESSES}/..%2f"),
        "/customer-integrations/-/accesses".to_owned(),
    ] {
        app.reader()
            .get(&path)
            .await
            .is_problem(400, "invalid_parameter");
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn unknown_id_in_path_returns_404(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;

    for path in [
        format!("{ACCESSES}/{UNKNOWN_ID}"),
        format!("/customer-integrations/K-99/accesses/{UNKNOWN_ID}"),
        "/customer-integrations/K-99/accesses".to_owned(),
    ] {
        app.reader().get(&path).await.is_problem(404, "not_found");
    }
}

/// Asserts that a list rejects one query parameter.
async fn assert_query_is_rejected(engine: Engine, query: &str, code: &str) {
    let app = TestApp::with_active_partner(engine).await;

    let response = app.reader().get(&format!("{ACCESSES}?{query}")).await;

    let problem = response.is_problem(400, code);
    assert_eq!(problem.errors().len(), 1, "{}", problem.text);
}

#[apply(both_engines)]
#[actix_web::test]
async fn invalid_value_of_query_parameter_returns_400(
    engine: Engine,
    #[values(
        "limit=0",
        "limit=201",
        "limit=x",
        "limit=-1",
        "limit=99999999999",
        "sort=color",
        "active=maybe",
        "role=boss",
        "limit=1&limit=2"
    )]
    query: &str,
) {
    assert_query_is_rejected(engine, query, "invalid_parameter").await;
}

#[apply(both_engines)]
#[actix_web::test]
async fn malformed_cursor_returns_400(engine: Engine) {
    assert_query_is_rejected(engine, "cursor=x", "invalid_cursor").await;
}

#[apply(both_engines)]
#[actix_web::test]
async fn unknown_query_parameter_returns_400(
    engine: Engine,
    #[values("color=red", "Limit=1")] query: &str,
) {
    assert_query_is_rejected(engine, query, "unknown_parameter").await;
}

#[apply(both_engines)]
#[actix_web::test]
async fn search_text_past_its_limits_returns_400(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let search = async |q: &str| app.reader().get(&format!("{ACCESSES}?q={q}")).await;

    search(&"x".repeat(201))
        .await
        .is_problem(400, "invalid_parameter");
    search(&"a+".repeat(16)).await.is(200);
    let too_many_terms = search(&"a+".repeat(17)).await;
    assert_eq!(
        too_many_terms.is_problem(400, "invalid_parameter").errors(),
        ["q too_many_values"]
    );
}

#[apply(both_engines)]
#[actix_web::test]
async fn parameter_of_operation_without_parameters_returns_400(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;

    let response = app.reader().get(&format!("{K1}?verbose=1")).await;

    response.is_problem(400, "unknown_parameter");
}

#[apply(both_engines)]
#[actix_web::test]
async fn unknown_route_returns_404_with_and_without_token(engine: Engine) {
    let app = TestApp::start(engine).await;

    for path in [
        "/nothing",
        "/customer-integrations/K-1/nothing",
        "//nothing",
        "//api/v2/x",
        "//api",
    ] {
        for client in [app.reader(), app.anonymous()] {
            client.get(path).await.is_problem(404, "unknown_route");
        }
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn unsupported_method_returns_405_with_allowed_methods(engine: Engine) {
    struct Route {
        path: &'static str,
        unsupported_method: &'static str,
        allowed_methods: &'static str,
    }
    let route = |path, unsupported_method, allowed_methods| Route {
        path,
        unsupported_method,
        allowed_methods,
    };
    let app = TestApp::start(engine).await;

    for route in [
        route("/customer-integrations", "DELETE", "GET, HEAD, OPTIONS"),
        route(K1, "PUT", "GET, HEAD, OPTIONS, PATCH"),
        route(
            "/customer-integrations/K-1/areas",
            "POST",
            "GET, HEAD, OPTIONS",
        ),
        route(
            "/customer-integrations/K-1/areas/A-1",
            "PATCH",
            "DELETE, GET, HEAD, OPTIONS, PUT",
        ),
        route(ACCESSES, "DELETE", "GET, HEAD, OPTIONS, POST"),
        route("//health/live", "POST", "GET, HEAD, OPTIONS"),
        route("//openapi.json", "DELETE", "GET, HEAD, OPTIONS"),
        route("//docs", "PUT", "GET, HEAD, OPTIONS"),
        route("//docs/", "PUT", "GET, HEAD, OPTIONS"),
    ] {
        let client = app.anonymous();
        let request = client.request(route.unsupported_method, route.path);
        let problem = request.send().await.is_problem(405, "method_not_allowed");
        assert_eq!(
            problem.header("allow"),
            route.allowed_methods,
            "{}",
            route.path
        );
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn valid_request_id_is_echoed_and_invalid_one_is_replaced(engine: Engine) {
    let app = TestApp::start(engine).await;
    let send_with_id = async |id: &str| {
        let client = app.anonymous();
        let request = client.request("GET", "/customer-integrations");
        let response = request.header("x-request-id", id).send().await.is(401);
        response.header("x-request-id").to_owned()
    };

    let valid = "abc-1.2_3~4:/+=@";
    assert_eq!(send_with_id(valid).await, valid);
    for invalid in ["", "a b", "<script>", &"x".repeat(129)] {
        let returned = send_with_id(invalid).await;
        assert!(
            uuid::Uuid::parse_str(&returned).is_ok(),
            "{invalid:?} was replaced by {returned:?}"
        );
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn invisible_character_in_name_returns_422(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();
    let tags = "/customer-integrations/K-1/tags";
    let assert_refused = async |name: &str, character: &str| {
        let refused = editor.post(tags, json!({"name": name})).await;
        let problem = refused.is_problem(422, "validation_failed");
        assert_eq!(problem.errors(), ["/name invisible_character"]);
        assert!(problem.text.contains(character), "{}", problem.text);
    };
    editor.post(tags, json!({"name": "VPN"})).await.is(201);

    assert_refused("VPN\u{200b}", "U+200B").await;
    assert_refused("V\u{2060}PN", "U+2060").await;
    assert_refused("\u{202e}NPV", "U+202E").await;
    assert_refused("VPN\u{2028}x", "U+2028").await;
    assert_refused("\u{3164}", "U+3164").await;
    assert_refused("\u{feff}", "U+FEFF").await;
}

#[apply(both_engines)]
#[actix_web::test]
async fn emoji_in_name_and_joiner_in_description_are_accepted(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;

    for tag in [
        json!({"name": "Familie 👪 ❤\u{fe0f}"}),
        json!({"name": "Zoe\u{308}"}),
        json!({"name": "Funk", "description": "a\u{200d}b"}),
    ] {
        app.editor()
            .post("/customer-integrations/K-1/tags", tag)
            .await
            .is(201);
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn number_without_fraction_is_accepted_as_integer(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    app.create_access("K-1", "a@b.example", json!({})).await;
    let decide = async |min_revision: &str| {
        let body = json!({
            "access_email": "a@b.example",
            "area_id": "A-1",
            "ticket_type_id": "T-1",
            "min_revision": "REVISION",
        });
        let body = body.to_string().replace("\"REVISION\"", min_revision);
        let reader = app.reader();
        let request = reader.request("POST", "/decisions/ticket-creation");
        request.raw("application/json", body).send().await
    };

    decide("1.0").await.is(200);
    decide("1e0").await.is(200);
    decide("1.5").await.is(400);
    decide("1e300").await.is(422);
}

//! Conditional requests. `contracts` tests the behavior that all resources share.

use std::{cell::Cell, collections::BTreeMap};

use customer_integration::tokens::Claims;
use rstest_reuse::apply;
use serde_json::{Value, json};

use crate::{
    contracts::without_language,
    engines::both_engines,
    support::{Client, Engine, TestApp, app::claims, client::Request},
};

const K1: &str = "/customer-integrations/K-1";

/// A write that changes an existing resource.
struct Write {
    method: &'static str,
    path: String,
    body: Value,
}

impl Write {
    fn request(&self, app: &TestApp, header: &str, value: &str) -> Request {
        app.editor()
            .request(self.method, &self.path)
            .header(header, value)
            .json(self.body.clone())
    }
}

/// Creates a resource for each write. One write per kind of handler.
async fn prepare_writes(app: &TestApp) -> [Write; 4] {
    let id = app.create_access("K-1", "a@b.example", json!({})).await;
    app.editor()
        .put(&format!("{K1}/areas/A-2"), Value::Null)
        .await
        .is(201);
    [
        Write {
            method: "PUT",
            path: format!("{K1}/ticket-types/T-1"),
            body: json!({"approval_required": true}),
        },
        Write {
            method: "PATCH",
            path: format!("{K1}/accesses/{id}"),
            body: json!({"language": "en"}),
        },
        Write {
            method: "PATCH",
            path: K1.to_owned(),
            body: json!({"active": true}),
        },
        Write {
            method: "DELETE",
            path: format!("{K1}/areas/A-2"),
            body: json!({}),
        },
    ]
}

#[apply(both_engines)]
#[actix_web::test]
async fn write_with_matching_if_none_match_returns_412(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;

    for write in prepare_writes(&app).await {
        let etag = app.editor().get(&write.path).await.is(200).etag();
        for matching in [
            etag.clone(),
            format!("W/{etag}"),
            format!("\"x\" , \"a,b\",{etag}"),
            "*".to_owned(),
        ] {
            let response = write.request(&app, "if-none-match", &matching).send().await;
            let refused = response.is_problem(412, "precondition_failed");
            let context = format!("{} {}: {matching}", write.method, write.path);
            let etag = without_language(&etag);
            assert_eq!(refused.etag(), etag, "{context}");
        }
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn write_with_other_if_none_match_is_accepted(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;

    for write in prepare_writes(&app).await {
        let request = write.request(&app, "if-none-match", "\"0\", W/\"x\"");
        let response = request.send().await;
        assert!(
            matches!(response.status, 200 | 204),
            "{} {}: {}",
            write.method,
            write.path,
            response.text
        );
    }
}

/// The forms that an ETag gets from proxies that compress responses.
fn forms_by_proxies(etag: &str) -> [String; 6] {
    let opaque = etag.strip_prefix('"').unwrap().strip_suffix('"').unwrap();
    [
        format!("W/{etag}"),
        format!("\"{opaque}-gzip\""),
        format!("\"{opaque}--gzip\""),
        format!("\"{opaque}-br\""),
        format!("\"{opaque}-zstd\""),
        format!("W/\"{opaque}-gzip\""),
    ]
}

#[apply(both_engines)]
#[actix_web::test]
async fn write_with_etag_changed_by_proxy_is_accepted(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let id = app.create_access("K-1", "a@b.example", json!({})).await;
    let path = format!("{K1}/accesses/{id}");
    let editor = app.editor();
    let forms = forms_by_proxies("\"\"").len();

    let mut replaced = editor.get(&path).await.is(200).etag();
    for number in 0..forms {
        let change = json!({"first_name": format!("Anna {number}")});
        let send = async |etag: &str| {
            let request = editor.request("PATCH", &path).header("if-match", etag);
            request.json(change.clone()).send().await
        };
        let current = editor.get(&path).await.is(200).etag();
        if replaced != current {
            send(&forms_by_proxies(&replaced)[number])
                .await
                .is_problem(412, "precondition_failed");
        }
        send(&forms_by_proxies(&current)[number]).await.is(200);
        replaced = current;
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn read_with_etag_changed_by_proxy_returns_304(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let reader = app.reader();
    for path in [
        K1,
        "/customer-integrations",
        "/customer-integrations/K-1/areas",
        "/customer-integrations/K-1/areas/A-1",
        "/ticket-fields",
    ] {
        let etag = reader.get(path).await.is(200).etag();
        for form in forms_by_proxies(&etag) {
            let request = reader.request("GET", path).header("if-none-match", &form);
            let not_modified = request.send().await.is(304);
            assert_eq!(not_modified.etag(), etag, "{path}: {form}");
        }
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn write_with_malformed_condition_returns_400(
    engine: Engine,
    #[values("if-match", "if-none-match")] header: &str,
) {
    let app = TestApp::with_active_partner(engine).await;

    for write in prepare_writes(&app).await {
        for malformed in [
            "3",
            "\"a",
            "*, \"a\"",
            "\"a\", *",
            "\"a\" \"b\"",
            "w/\"a\"",
            "\"a b\"",
            "",
        ] {
            let response = write.request(&app, header, malformed).send().await;
            let refused = response.is_problem(400, "invalid_parameter");
            assert_eq!(refused.errors().len(), 1, "{malformed}");
        }
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn put_of_missing_resource_with_if_none_match_creates_it(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;

    app.editor()
        .request("PUT", &format!("{K1}/areas/A-3"))
        .header("if-none-match", "\"1\"")
        .send()
        .await
        .is(201);
}

#[actix_web::test]
async fn repeated_condition_headers_are_combined() {
    let app = TestApp::with_active_partner(Engine::Sqlite).await;
    let editor = app.editor();
    let area = format!("{K1}/areas/A-1");
    let etag = editor.get(&area).await.is(200).etag();
    let send = async |method: &str, header: &str, values: [&str; 2]| {
        let request = editor.request(method, &area);
        let request = request.header(header, values[0]).header(header, values[1]);
        request.send().await
    };

    for values in [["\"0\"", etag.as_str()], [etag.as_str(), "\"0\""]] {
        send("PUT", "if-match", values).await.is(200);
        send("PUT", "if-none-match", values)
            .await
            .is_problem(412, "precondition_failed");
        send("GET", "if-none-match", values).await.is(304);
    }
    send("PUT", "if-match", ["*", &etag])
        .await
        .is_problem(400, "invalid_parameter");
}

/// A resource, and a table without which the service cannot build its representation.
struct Resource {
    path: &'static str,
    required_table: &'static str,
}

impl Resource {
    /// The path in another spelling, for which the service has no cached response.
    fn uncached_path(&self) -> String {
        self.path.replace("K-1", "K%2D1")
    }

    async fn hide_table(&self, app: &TestApp) {
        let sql = format!("ALTER TABLE {} RENAME TO hidden", self.required_table);
        app.storage.try_execute(&sql).await.unwrap();
    }

    async fn restore_table(&self, app: &TestApp) {
        let sql = format!("ALTER TABLE hidden RENAME TO {}", self.required_table);
        app.storage.try_execute(&sql).await.unwrap();
    }
}

/// Resources of a partner. Their responses are cached.
const CACHED: [Resource; 4] = [
    Resource {
        path: "/customer-integrations/K-1",
        required_table: "accesses",
    },
    Resource {
        path: "/customer-integrations/K-1/accesses",
        required_table: "accesses",
    },
    Resource {
        path: "/customer-integrations/K-1/areas",
        required_table: "grants",
    },
    Resource {
        path: "/catalog/areas?grantable_to=K-1",
        required_table: "grants",
    },
];

#[apply(both_engines)]
#[actix_web::test]
async fn cached_read_does_not_build_the_body(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let reader = app.reader();

    for resource in CACHED {
        let first = reader.get(resource.path).await.is(200);
        resource.hide_table(&app).await;

        let uncached = reader.get(&resource.uncached_path()).await;
        uncached.is_problem(503, "unavailable");
        let cached = reader.get(resource.path).await.is(200);
        assert_eq!(cached.json, first.json);
        assert_eq!(cached.etag(), first.etag());

        resource.restore_table(&app).await;
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn conditional_read_does_not_build_the_body(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let reader = app.reader();

    for resource in CACHED {
        let etag = reader.get(resource.path).await.is(200).etag();
        resource.hide_table(&app).await;

        let uncached = reader.get(&resource.uncached_path()).await;
        uncached.is_problem(503, "unavailable");
        let request = reader.request("GET", resource.path);
        request.header("if-none-match", &etag).send().await.is(304);

        resource.restore_table(&app).await;
    }
}

/// Reads a resource until `finished` is set. Panics if two bodies have the same ETag.
async fn assert_one_body_per_etag(client: &Client, path: &str, finished: &Cell<bool>) {
    let mut bodies_by_etag = BTreeMap::new();
    while !finished.get() {
        let response = client.get(path).await.is(200);
        let etag = response.etag();
        let body = bodies_by_etag
            .entry(etag.clone())
            .or_insert_with(|| response.json.clone());
        assert_eq!(*body, response.json, "{path} has two bodies for {etag}");
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn equal_etags_have_equal_bodies_during_writes(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();
    let reader = app.reader();
    let area = format!("{K1}/areas/A-2");
    let finished = Cell::new(false);

    let write = async {
        for _ in 0..40 {
            editor.put(&area, Value::Null).await.is(201);
            editor.delete(&area).await.is(204);
        }
        finished.set(true);
    };
    let read = |path| assert_one_body_per_etag(&reader, path, &finished);

    let areas = "/customer-integrations/K-1/areas";
    let grantable_areas = "/catalog/areas?grantable_to=K-1";
    tokio::join!(
        write,
        read(K1),
        read(areas),
        read(areas),
        read(grantable_areas),
        read(grantable_areas)
    );
}

#[apply(both_engines)]
#[actix_web::test]
async fn failed_precondition_names_who_changed_the_resource(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let id = app.create_access("K-1", "a@b.example", json!({})).await;
    let path = format!("/customer-integrations/K-1/accesses/{id}");
    let seen = app.editor().get(&path).await.is(200).etag();
    let other = app.client_with_claims(&Claims {
        sub: "bert.admin".to_owned(),
        name: Some("Bert Admin".to_owned()),
        ..claims("integration:read integration:write")
    });
    let changed = other.patch(&path, json!({"language": "en"})).await.is(200);

    let refused = app
        .editor()
        .request("PATCH", &path)
        .header("if-match", &seen)
        .json(json!({"language": "de"}))
        .send()
        .await
        .is_problem(412, "precondition_failed");

    assert_eq!(
        refused.json["current"],
        json!({
            "version": 2,
            "updated_at": changed.json["updated_at"],
            "updated_by": "bert.admin",
            "updated_by_name": "Bert Admin",
        })
    );
    assert_eq!(refused.etag(), without_language(&changed.etag()));
}

#[apply(both_engines)]
#[actix_web::test]
async fn failed_precondition_of_missing_resource_has_no_current_state(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;

    let refused = app
        .editor()
        .request("PUT", "/customer-integrations/K-1/areas/A-2")
        .header("if-match", "*")
        .send()
        .await
        .is_problem(412, "precondition_failed");

    assert_eq!(refused.json.get("current"), Some(&Value::Null));
}

#[apply(both_engines)]
#[actix_web::test]
async fn failed_precondition_of_every_resource_names_author_and_time(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let ids = app.create_one_of_each().await;
    let all = app.client_with_scope(
        "integration:read integration:write catalog:read catalog:write global-rules:write",
    );
    let name = |name: &str| json!({"name": name});
    let writes = [
        ("PATCH", K1.to_owned(), json!({})),
        ("PATCH", format!("{K1}/accesses/{}", ids.access), json!({})),
        ("PATCH", format!("{K1}/tags/{}", ids.tag), json!({})),
        ("PATCH", format!("{K1}/queries/{}", ids.query), json!({})),
        (
            "PATCH",
            format!("{K1}/exclusion-rules/{}", ids.rule),
            json!({}),
        ),
        (
            "PATCH",
            format!("/exclusion-rules/{}", ids.global_rule),
            json!({}),
        ),
        ("PUT", format!("{K1}/areas/A-1"), Value::Null),
        ("PUT", format!("{K1}/ticket-types/T-1"), Value::Null),
        ("PUT", format!("{K1}/plan-boards/B-1"), Value::Null),
        ("PUT", "/catalog/plan-boards/B-1".to_owned(), name("B")),
        (
            "PUT",
            "/catalog/ticket-types/T-1".to_owned(),
            json!({"name": "T", "kind": "standard"}),
        ),
        (
            "PUT",
            "/catalog/areas/A-1".to_owned(),
            json!({"name": "A", "color": "#00aaff"}),
        ),
        (
            "PUT",
            "/catalog/business-partners/K-1".to_owned(),
            json!({"name": "K", "search_name": "K"}),
        ),
    ];
    for (method, path, body) in writes {
        let stored = all.get(&path).await.is(200).json;
        let mut request = all.request(method, &path).header("if-match", "\"0\"");
        if !body.is_null() {
            request = request.json(body);
        }
        let refused = request.send().await.is_problem(412, "precondition_failed");
        let current = json!({
            "version": stored["version"],
            "updated_at": stored["updated_at"],
            "updated_by": stored["updated_by"],
            "updated_by_name": stored["updated_by_name"],
        });
        assert!(stored["updated_by"].is_string(), "{path}");
        assert_eq!(refused.json["current"], current, "{method} {path}");
    }
}

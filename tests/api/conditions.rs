//! Conditional requests, as far as `contracts` does not test them for all resources.

use crate::engines::both_engines;
use rstest::rstest;
use rstest_reuse::apply;
use serde_json::{Value, json};

use customer_integration::tokens::Claims;

use crate::support::{Engine, Engine::*, TestApp, app::claims};

const K1: &str = "/customer-integrations/K-1";

#[apply(both_engines)]
#[actix_web::test]
async fn write_with_matching_if_none_match_returns_412(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();
    let path = format!("{K1}/ticket-types/T-1");
    let id = app.access("K-1", "a@b.example", json!({})).await;
    editor
        .put(&format!("{K1}/areas/A-2"), Value::Null)
        .await
        .is(201);
    let body = json!({"approval_required": true});
    for (method, path, body) in [
        ("PUT", path.clone(), body.clone()),
        (
            "PATCH",
            format!("{K1}/accesses/{id}"),
            json!({"language": "en"}),
        ),
        ("PATCH", K1.to_owned(), json!({"active": true})),
        ("DELETE", format!("{K1}/areas/A-2"), json!({})),
    ] {
        let etag = editor.get(&path).await.is(200).etag();
        // `If-None-Match` uses the weak comparison
        for matching in [
            etag.clone(),
            format!("W/{etag}"),
            format!("\"x\" , \"a,b\",{etag}"),
            "*".to_owned(),
        ] {
            let write = editor
                .request(method, &path)
                .header("if-none-match", &matching)
                .json(body.clone());
            let refused = write.send().await.is_problem(412, "precondition_failed");
            assert_eq!(
                refused.etag(),
                etag,
                "{method} {path} with If-None-Match: {matching}"
            );
        }
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
            for header in ["if-match", "if-none-match"] {
                let write = editor
                    .request(method, &path)
                    .header(header, malformed)
                    .json(body.clone());
                let refused = write.send().await.is_problem(400, "invalid_parameter");
                assert_eq!(refused.errors().len(), 1, "{header}: {malformed}");
            }
        }
        let response = editor
            .request(method, &path)
            .header("if-none-match", "\"0\", W/\"x\"")
            .json(body)
            .send()
            .await;
        assert!(
            matches!(response.status, 200 | 204),
            "{method} {path}: {}",
            response.text
        );
    }
    // a resource that does not exist has no ETag
    editor
        .request("PUT", &format!("{K1}/areas/A-3"))
        .header("if-none-match", "\"1\"")
        .send()
        .await
        .is(201);
}

#[rstest]
#[actix_web::test]
async fn repeated_condition_headers_are_combined(#[values(Sqlite)] engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();
    let path = format!("{K1}/areas/A-1");
    let etag = editor.get(&path).await.is(200).etag();
    for [first, second] in [["\"0\"", etag.as_str()], [etag.as_str(), "\"0\""]] {
        let request_with_both = |method, header| {
            editor
                .request(method, &path)
                .header(header, first)
                .header(header, second)
        };
        request_with_both("PUT", "if-match").send().await.is(200);
        request_with_both("PUT", "if-none-match")
            .send()
            .await
            .is_problem(412, "precondition_failed");
        request_with_both("GET", "if-none-match")
            .send()
            .await
            .is(304);
    }
    let mixed = editor
        .request("PUT", &path)
        .header("if-match", "*")
        .header("if-match", &etag);
    mixed.send().await.is_problem(400, "invalid_parameter");
}

#[apply(both_engines)]
#[actix_web::test]
async fn conditional_and_cached_reads_do_not_build_the_body(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let reader = app.reader();
    // each path with a table that the service needs to build the body
    for (path, table) in [
        (K1.to_owned(), "accesses"),
        (format!("{K1}/accesses"), "accesses"),
        (format!("{K1}/areas"), "grants"),
        ("/catalog/areas".to_owned(), "catalog_entries"),
        ("/catalog/areas?grantable_to=K-1".to_owned(), "grants"),
    ] {
        let first = reader.get(&path).await.is(200);
        let etag = first.etag();
        app.storage
            .try_execute(&format!("ALTER TABLE {table} RENAME TO gone"))
            .await
            .unwrap();
        // the same resource under another spelling of its URL, which is not cached
        reader
            .get(&path.replace("K-1", "K%2D1"))
            .await
            .is_problem(500, "internal_error");
        let again = reader.get(&path).await;
        if path.starts_with(K1) {
            let again = again.is(200);
            assert_eq!(again.json, first.json);
            assert_eq!(again.etag(), etag);
        } else {
            again.is_problem(500, "internal_error");
        }
        reader
            .request("GET", &path)
            .header("if-none-match", &etag)
            .send()
            .await
            .is(304);
        app.storage
            .try_execute(&format!("ALTER TABLE gone RENAME TO {table}"))
            .await
            .unwrap();
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn equal_etags_have_equal_bodies_during_writes(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();
    let reader = app.reader();
    let area = format!("{K1}/areas/A-2");
    let finished = std::cell::Cell::new(false);
    let write = async {
        for _ in 0..40 {
            editor.put(&area, Value::Null).await.is(201);
            editor.delete(&area).await.is(204);
        }
        finished.set(true);
    };
    let read = async |path: &str| {
        let mut bodies_by_etag = std::collections::BTreeMap::new();
        while !finished.get() {
            let response = reader.get(path).await.is(200);
            let first_body = bodies_by_etag
                .entry(response.etag())
                .or_insert_with(|| response.json.clone());
            assert_eq!(
                *first_body,
                response.json,
                "{path} has two bodies for {}",
                response.etag()
            );
        }
    };
    let areas = format!("{K1}/areas");
    let grantable_areas = "/catalog/areas?grantable_to=K-1";
    tokio::join!(
        write,
        read(K1),
        read(&areas),
        read(&areas),
        read(grantable_areas),
        read(grantable_areas)
    );
}

#[apply(both_engines)]
#[actix_web::test]
async fn failed_precondition_names_who_changed_the_resource(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let id = app.access("K-1", "a@b.example", json!({})).await;
    let path = format!("/customer-integrations/K-1/accesses/{id}");
    let seen = app.editor().get(&path).await.is(200).etag();
    let other = app.with_claims(&Claims {
        sub: "bert.admin".to_owned(),
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
        })
    );
    assert_eq!(refused.etag(), changed.etag());
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

    assert_eq!(refused.json.get("current"), None);
}

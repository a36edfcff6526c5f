//! Tags: rules R4, R5 and R7.

use crate::engines::both_engines;
use rstest_reuse::apply;
use serde_json::{Value, json};

use crate::support::{Engine, TestApp};

const TAGS: &str = "/customer-integrations/K-1/tags";
const K1: &str = "/customer-integrations/K-1";

#[apply(both_engines)]
#[actix_web::test]
async fn tag_is_created_updated_and_deleted(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();
    let body = json!({"name": "  VPN ", "description": "Fernzugriff", "area_id": "A-1"});
    let created = editor.post(TAGS, body).await.is(201);
    assert_eq!(created.json["name"], "VPN");
    assert_eq!(created.json["internal_only"], false);
    assert_eq!(created.json["available"], true);
    let path = format!("{TAGS}/{}", created.json["id"].as_str().unwrap());
    assert_eq!(created.header("location"), format!("/api/v1{path}"));
    assert_eq!(editor.get(&path).await.is(200).json, created.json);
    let patched = editor
        .patch(&path, json!({"description": null, "internal_only": true}))
        .await
        .is(200);
    assert_eq!(patched.json["description"], Value::Null);
    assert_eq!(patched.json["version"], 2);
    let unchanged = editor.patch(&path, json!({"name": "VPN"})).await.is(200);
    assert_eq!(
        unchanged.json, patched.json,
        "a patch without changes is a no-op"
    );
    let everywhere = editor.patch(&path, json!({"area_id": null})).await.is(200);
    assert_eq!(everywhere.json["area_id"], Value::Null);
    assert_eq!(editor.get(K1).await.json["counts"]["tags"], 1);
    editor.delete(&path).await.is(204);
    editor.get(&path).await.is_problem(404, "not_found");
    editor.delete(&path).await.is_problem(404, "not_found");
    assert_eq!(editor.get(K1).await.json["counts"]["tags"], 0);
}

#[apply(both_engines)]
#[actix_web::test]
async fn tag_area_must_be_granted_and_cannot_be_revoked_while_used(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();
    for area in ["A-2", "A-99"] {
        let refused = editor
            .post(TAGS, json!({"name": "VPN", "area_id": area}))
            .await;
        assert_eq!(
            refused.is_problem(422, "area_not_granted").errors(),
            ["/area_id area_not_granted"]
        );
    }
    editor
        .put(&format!("{K1}/areas/A-2"), Value::Null)
        .await
        .is(201);
    let tag = editor
        .post(TAGS, json!({"name": "VPN", "area_id": "A-2"}))
        .await
        .is(201)
        .json;
    let tag_path = format!("{TAGS}/{}", tag["id"].as_str().unwrap());
    let refused = editor
        .delete(&format!("{K1}/areas/A-2"))
        .await
        .is_problem(409, "area_in_use");
    assert_eq!(
        refused.json["references"],
        json!([{"kind": "tag", "id": tag["id"], "name": "VPN"}])
    );
    editor
        .patch(&tag_path, json!({"area_id": "A-3"}))
        .await
        .is_problem(422, "area_not_granted");
    editor
        .patch(&tag_path, json!({"area_id": "A-1"}))
        .await
        .is(200);
    editor.delete(&format!("{K1}/areas/A-2")).await.is(204);
    // Without active accesses the last area can be deleted, but not while a tag uses it.
    editor
        .delete(&format!("{K1}/areas/A-1"))
        .await
        .is_problem(409, "area_in_use");
    editor.delete(&tag_path).await.is(204);
    editor.delete(&format!("{K1}/areas/A-1")).await.is(204);
}

#[apply(both_engines)]
#[actix_web::test]
async fn tag_name_is_unique_per_area_ignoring_case(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    app.activate_partner("K-2").await;
    let editor = app.editor();
    editor
        .put(&format!("{K1}/areas/A-2"), Value::Null)
        .await
        .is(201);
    let tag_body = |name: &str, area: Value| json!({"name": name, "area_id": area});
    editor
        .post(TAGS, tag_body("Straße", Value::Null))
        .await
        .is(201);
    for duplicate in ["straße", "STRASSE", " Straße "] {
        let refused = editor
            .post(TAGS, tag_body(duplicate, Value::Null))
            .await
            .is_problem(409, "duplicate_name");
        assert_eq!(refused.errors(), ["/name duplicate_name"]);
    }
    // Names that differ in accent, area or partner do not conflict.
    editor
        .post(TAGS, tag_body("Strâsse", Value::Null))
        .await
        .is(201);
    editor
        .post(TAGS, tag_body("Straße", json!("A-1")))
        .await
        .is(201);
    let other = editor
        .post(TAGS, tag_body("Straße", json!("A-2")))
        .await
        .is(201)
        .json;
    editor
        .post(
            "/customer-integrations/K-2/tags",
            tag_body("Straße", Value::Null),
        )
        .await
        .is(201);
    let other = format!("{TAGS}/{}", other["id"].as_str().unwrap());
    editor
        .patch(&other, json!({"area_id": "A-1"}))
        .await
        .is_problem(409, "duplicate_name");
    editor
        .patch(&other, json!({"name": "STRASSE"}))
        .await
        .is(200);
}

#[apply(both_engines)]
#[actix_web::test]
async fn tag_of_retired_area_is_unavailable_until_reactivated(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();
    let erp = app.erp();
    let tag = editor
        .post(TAGS, json!({"name": "VPN", "area_id": "A-1"}))
        .await
        .is(201);
    let path = format!("{TAGS}/{}", tag.json["id"].as_str().unwrap());
    let area = |active: bool| json!({"name": "Bereich 1", "color": "#00aaff", "active": active});
    erp.put("/catalog/areas/A-1", area(false)).await.is(200);
    let retired = editor.get(&path).await.is(200);
    assert_eq!(retired.json["available"], false);
    assert_ne!(retired.etag(), tag.etag());
    assert_eq!(editor.get(TAGS).await.json["items"][0]["available"], false);
    // The tag can still be changed.
    editor
        .patch(&path, json!({"description": "x"}))
        .await
        .is(200);
    erp.put("/catalog/areas/A-1", area(true)).await.is(200);
    assert_eq!(editor.get(&path).await.json["available"], true);
}

#[apply(both_engines)]
#[actix_web::test]
async fn tag_fields_are_limited_and_lists_are_filtered(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();
    let text_of_length = |n: usize| "ä".repeat(n);
    editor
        .post(
            TAGS,
            json!({"name": text_of_length(100), "description": text_of_length(1000)}),
        )
        .await
        .is(201);
    let refused = editor
        .post(
            TAGS,
            json!({"name": text_of_length(101), "description": text_of_length(1001), "area_id": "-"}),
        )
        .await;
    let refused = refused.is_problem(422, "validation_failed");
    assert_eq!(
        refused.errors(),
        [
            "/area_id invalid_id",
            "/description too_long",
            "/name too_long"
        ]
    );
    editor
        .post(TAGS, json!({}))
        .await
        .is_problem(422, "validation_failed");
    editor
        .post(TAGS, json!({"name": "a\u{0}b"}))
        .await
        .is_problem(422, "validation_failed");
    editor
        .post(
            TAGS,
            json!({"name": "B", "area_id": "A-1", "internal_only": true}),
        )
        .await
        .is(201);
    assert_eq!(
        editor
            .get(&format!("{TAGS}?area_id=A-1"))
            .await
            .items("/name"),
        ["B"]
    );
    assert_eq!(
        editor
            .get(&format!("{TAGS}?internal_only=false"))
            .await
            .items("/name"),
        [text_of_length(100)]
    );
    editor
        .get(&format!("{TAGS}?area_id=-"))
        .await
        .is_problem(400, "invalid_parameter");
    editor.patch(K1, json!({"active": false})).await.is(200);
    editor
        .post(TAGS, json!({"name": "C"}))
        .await
        .is_problem(409, "integration_inactive");
}

//! Tags: rules R4, R5 and R7.

use rstest_reuse::apply;
use serde_json::{Value, json};

use crate::{
    engines::both_engines,
    support::{Engine, TestApp},
};

const K1: &str = "/customer-integrations/K-1";
const TAGS: &str = "/customer-integrations/K-1/tags";
const TAGS_OF_K2: &str = "/customer-integrations/K-2/tags";
const A1: &str = "/customer-integrations/K-1/areas/A-1";
const A2: &str = "/customer-integrations/K-1/areas/A-2";

/// The body of a new tag. `area` is an id, or `null` for a tag of all areas.
fn tag_body(name: &str, area: Value) -> Value {
    json!({"name": name, "area_id": area})
}

/// Creates a tag of K-1 and returns it.
async fn create_tag(app: &TestApp, body: Value) -> Value {
    app.editor().post(TAGS, body).await.is(201).json
}

fn path_of(tag: &Value) -> String {
    format!("{TAGS}/{}", tag["id"].as_str().unwrap())
}

#[apply(both_engines)]
#[actix_web::test]
async fn tag_is_created_with_defaults(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let body = json!({"name": "  VPN ", "description": "Fernzugriff", "area_id": "A-1"});

    let created = app.editor().post(TAGS, body).await.is(201);

    assert_eq!(created.json["name"], "VPN");
    assert_eq!(created.json["description"], "Fernzugriff");
    assert_eq!(created.json["area_id"], "A-1");
    assert_eq!(created.json["internal_only"], false);
    assert_eq!(created.json["available"], true);
    let path = path_of(&created.json);
    assert_eq!(created.header("location"), format!("/api/v1{path}"));
    assert_eq!(app.editor().get(&path).await.is(200).json, created.json);
}

#[apply(both_engines)]
#[actix_web::test]
async fn tag_patch_changes_and_clears_members(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let body = json!({"name": "VPN", "description": "Fernzugriff", "area_id": "A-1"});
    let path = path_of(&create_tag(&app, body).await);
    let patch = async |patch: Value| app.editor().patch(&path, patch).await.is(200).json;

    let patched = patch(json!({"description": null, "internal_only": true})).await;
    assert_eq!(patched["description"], Value::Null);
    assert_eq!(patched["internal_only"], true);
    assert_eq!(patched["version"], 2);

    let of_all_areas = patch(json!({"area_id": null})).await;
    assert_eq!(of_all_areas["area_id"], Value::Null);
}

#[apply(both_engines)]
#[actix_web::test]
async fn tag_patch_without_changes_is_a_no_op(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let tag = create_tag(&app, tag_body("VPN", json!("A-1"))).await;

    let patched = app
        .editor()
        .patch(&path_of(&tag), json!({"name": "VPN"}))
        .await;

    assert_eq!(patched.is(200).json, tag);
}

#[apply(both_engines)]
#[actix_web::test]
async fn deleted_tag_is_neither_readable_nor_counted(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();
    let tag_count = async || editor.get(K1).await.is(200).json["counts"]["tags"].clone();
    let path = path_of(&create_tag(&app, tag_body("VPN", Value::Null)).await);
    assert_eq!(tag_count().await, 1);

    editor.delete(&path).await.is(204);

    editor.get(&path).await.is_problem(404, "not_found");
    editor.delete(&path).await.is_problem(404, "not_found");
    assert_eq!(tag_count().await, 0);
}

#[apply(both_engines)]
#[actix_web::test]
async fn tag_of_area_that_is_not_granted_returns_422(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();
    let tag = create_tag(&app, tag_body("VPN", json!("A-1"))).await;

    for area in ["A-2", "A-99"] {
        let created = editor.post(TAGS, tag_body("Netz", json!(area))).await;
        assert_eq!(
            created.is_problem(422, "area_not_granted").errors(),
            ["/area_id area_not_granted"]
        );
    }
    let moved = editor
        .patch(&path_of(&tag), json!({"area_id": "A-2"}))
        .await;
    moved.is_problem(422, "area_not_granted");
}

#[apply(both_engines)]
#[actix_web::test]
async fn area_with_tag_cannot_be_revoked(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();
    editor.put(A2, Value::Null).await.is(201);
    let tag = create_tag(&app, tag_body("VPN", json!("A-2"))).await;

    let refused = editor.delete(A2).await.is_problem(409, "area_in_use");
    assert_eq!(
        refused.json["references"],
        json!([{"kind": "tag", "id": tag["id"], "name": "VPN"}])
    );

    editor
        .patch(&path_of(&tag), json!({"area_id": "A-1"}))
        .await
        .is(200);
    editor.delete(A2).await.is(204);
}

#[apply(both_engines)]
#[actix_web::test]
async fn last_area_with_tag_cannot_be_revoked_even_without_active_access(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();
    let tag = create_tag(&app, tag_body("VPN", json!("A-1"))).await;

    editor.delete(A1).await.is_problem(409, "area_in_use");
    editor.delete(&path_of(&tag)).await.is(204);
    editor.delete(A1).await.is(204);
}

#[apply(both_engines)]
#[actix_web::test]
async fn tag_name_that_differs_in_case_returns_409(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    create_tag(&app, tag_body("Straße", Value::Null)).await;

    for duplicate in ["straße", "STRASSE", " Straße "] {
        let body = tag_body(duplicate, Value::Null);
        let refused = app.editor().post(TAGS, body).await;
        assert_eq!(
            refused.is_problem(409, "duplicate_name").errors(),
            ["/name duplicate_name"]
        );
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn tag_names_with_other_accent_area_or_partner_do_not_conflict(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    app.activate_partner("K-2").await;
    let editor = app.editor();
    editor.put(A2, Value::Null).await.is(201);

    create_tag(&app, tag_body("Straße", Value::Null)).await;
    create_tag(&app, tag_body("Strâsse", Value::Null)).await;
    create_tag(&app, tag_body("Straße", json!("A-1"))).await;
    create_tag(&app, tag_body("Straße", json!("A-2"))).await;
    editor
        .post(TAGS_OF_K2, tag_body("Straße", Value::Null))
        .await
        .is(201);
}

#[apply(both_engines)]
#[actix_web::test]
async fn tag_moved_to_area_with_its_name_returns_409(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    create_tag(&app, tag_body("Straße", json!("A-1"))).await;
    let other = create_tag(&app, tag_body("Straße", Value::Null)).await;

    let moved = app
        .editor()
        .patch(&path_of(&other), json!({"area_id": "A-1"}))
        .await;

    moved.is_problem(409, "duplicate_name");
}

#[apply(both_engines)]
#[actix_web::test]
async fn tag_can_be_renamed_to_its_name_in_other_case(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let tag = create_tag(&app, tag_body("Straße", Value::Null)).await;

    let renamed = app
        .editor()
        .patch(&path_of(&tag), json!({"name": "STRASSE"}))
        .await;

    assert_eq!(renamed.is(200).json["name"], "STRASSE");
}

#[apply(both_engines)]
#[actix_web::test]
async fn tag_of_retired_area_is_unavailable_until_reactivated(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();
    let created = editor.post(TAGS, tag_body("VPN", json!("A-1"))).await;
    let path = path_of(&created.json);
    let set_area_active = async |active: bool| {
        let area = json!({"name": "Bereich 1", "color": "#00aaff", "active": active});
        app.erp().put("/catalog/areas/A-1", area).await.is(200);
    };

    set_area_active(false).await;
    let unavailable = editor.get(&path).await.is(200);
    assert_eq!(unavailable.json["available"], false);
    assert_ne!(unavailable.etag(), created.is(201).etag());
    let list = editor.get(TAGS).await.is(200).json;
    assert_eq!(list["items"][0]["available"], false);
    // the tag can still be changed
    let patch = json!({"description": "x"});
    editor.patch(&path, patch).await.is(200);

    set_area_active(true).await;
    assert_eq!(editor.get(&path).await.is(200).json["available"], true);
}

#[apply(both_engines)]
#[actix_web::test]
async fn tag_with_longest_texts_is_stored(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let body = json!({"name": "ä".repeat(100), "description": "ä".repeat(1000)});

    let created = create_tag(&app, body.clone()).await;

    assert_eq!(created["name"], body["name"]);
    assert_eq!(created["description"], body["description"]);
}

#[apply(both_engines)]
#[actix_web::test]
async fn tag_with_invalid_members_returns_422_with_all_errors(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let name = "ä".repeat(101);
    let description = "ä".repeat(1001);
    let body = json!({"name": name, "description": description, "area_id": "-"});

    let refused = app.editor().post(TAGS, body).await;

    assert_eq!(
        refused.is_problem(422, "validation_failed").errors(),
        [
            "/area_id invalid_id",
            "/description too_long",
            "/name too_long"
        ]
    );
}

#[apply(both_engines)]
#[actix_web::test]
async fn tag_without_valid_name_returns_422(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;

    for body in [json!({}), json!({"name": "a\u{0}b"})] {
        let refused = app.editor().post(TAGS, body).await;
        refused.is_problem(422, "validation_failed");
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn tag_list_is_filtered_by_area_and_internal_use(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let list = async |parameters: &str| app.editor().get(&format!("{TAGS}?{parameters}")).await;
    create_tag(&app, tag_body("Überall", Value::Null)).await;
    let internal = json!({"name": "Intern", "area_id": "A-1", "internal_only": true});
    create_tag(&app, internal).await;

    let of_area = list("area_id=A-1").await.is(200);
    let not_internal = list("internal_only=false").await.is(200);
    let of_invalid_area = list("area_id=-").await;

    assert_eq!(of_area.items("/name"), ["Intern"]);
    assert_eq!(not_internal.items("/name"), ["Überall"]);
    of_invalid_area.is_problem(400, "invalid_parameter");
}

#[apply(both_engines)]
#[actix_web::test]
async fn new_tag_of_inactive_integration_returns_409(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();
    editor.patch(K1, json!({"active": false})).await.is(200);

    let refused = editor.post(TAGS, tag_body("VPN", Value::Null)).await;

    refused.is_problem(409, "integration_inactive");
}

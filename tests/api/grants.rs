//! Grants of areas, ticket types and plan boards: rules R3 and R8.

use crate::engines::both_engines;
use rstest::rstest;
use rstest_reuse::apply;
use serde_json::{Value, json};

use crate::support::{Engine, Engine::*, TestApp};

const K1: &str = "/customer-integrations/K-1";

#[apply(both_engines)]
#[actix_web::test]
async fn repeated_grant_returns_200_unchanged(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();
    for (path, body) in [
        ("areas/A-2", Value::Null),
        ("areas/A-3", json!({})),
        ("ticket-types/T-2", Value::Null),
    ] {
        let path = format!("{K1}/{path}");
        let created = editor.put(&path, body.clone()).await.is(201);
        assert_eq!(created.header("location"), format!("/api/v1{path}"));
        let revision = editor.get(K1).await.json["revision"].clone();
        let again = editor.put(&path, body).await.is(200);
        assert_eq!(again.json, created.json);
        assert_eq!(again.etag(), created.etag());
        assert_eq!(
            editor.get(K1).await.json["revision"],
            revision,
            "an identical PUT does not increase the revision"
        );
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn ticket_type_grant_is_replaced_by_put(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();
    let path = format!("{K1}/ticket-types/T-1");
    let changed = editor
        .put(&path, json!({"approval_required": true}))
        .await
        .is(200);
    assert_eq!(changed.json["approval_required"], true);
    assert_eq!(changed.json["version"], 2);
    // Without a body nothing changes.
    let unchanged = editor.put(&path, Value::Null).await.is(200);
    assert_eq!(unchanged.json, changed.json);
    // A body replaces the grant: missing members take their default.
    let changed = editor.put(&path, json!({})).await.is(200);
    assert_eq!(changed.json["approval_required"], false);
    assert_eq!(changed.json["version"], 3);
    assert_eq!(changed.json, editor.get(&path).await.is(200).json);
}

#[apply(both_engines)]
#[actix_web::test]
async fn deleting_last_grant_with_active_access_returns_409(
    engine: Engine,
    #[values("area", "ticket_type")] kind: &str,
) {
    let path = match kind {
        "area" => "areas/A",
        _ => "ticket-types/T",
    };
    let code = &format!("last_{kind}");
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();
    let id = app.create_access("K-1", "a@b.example", json!({})).await;
    let first = format!("{K1}/{path}-1");
    let second = format!("{K1}/{path}-2");
    editor.delete(&first).await.is_problem(409, code);
    editor.put(&second, Value::Null).await.is(201);
    editor.delete(&first).await.is(204);
    editor.delete(&second).await.is_problem(409, code);
    editor
        .patch(&format!("{K1}/accesses/{id}"), json!({"active": false}))
        .await
        .is(200);
    editor.delete(&second).await.is(204);
    editor.delete(&second).await.is_problem(404, "not_found");
}

#[apply(both_engines)]
#[actix_web::test]
async fn granting_unknown_or_retired_entry_returns_422(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();
    let erp = app.erp();
    let retired = json!({"name": "Bereich 2", "color": "#00AAFF", "active": false});
    erp.put("/catalog/areas/A-2", retired.clone()).await.is(200);
    erp.put(
        "/catalog/ticket-types/T-2",
        json!({"name": "Art 2", "kind": "standard", "active": false}),
    )
    .await
    .is(200);
    for kind in ["areas/A", "ticket-types/T"] {
        editor
            .put(&format!("{K1}/{kind}-2"), Value::Null)
            .await
            .is_problem(422, "retired_reference");
        editor
            .put(&format!("{K1}/{kind}-99"), Value::Null)
            .await
            .is_problem(422, "unknown_reference");
    }
    // The id of an area is not the id of a ticket type.
    editor
        .put(&format!("{K1}/ticket-types/A-1"), Value::Null)
        .await
        .is_problem(422, "unknown_reference");
}

#[apply(both_engines)]
#[actix_web::test]
async fn grant_of_retired_entry_is_unavailable_until_reactivated(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();
    let erp = app.erp();
    let path = format!("{K1}/areas/A-1");
    app.create_access("K-1", "a@b.example", json!({})).await;
    let before = editor.get(&path).await.is(200);
    erp.put(
        "/catalog/areas/A-1",
        json!({"name": "Bereich 1", "color": "#00AAFF", "active": false}),
    )
    .await
    .is(200);
    let changed = editor
        .request("GET", &path)
        .header("if-none-match", &before.etag())
        .send()
        .await
        .is(200);
    assert_eq!(changed.json["available"], false);
    assert_eq!(
        editor.get(&format!("{K1}/areas")).await.is(200).json["items"][0]["available"],
        false
    );
    let readiness = editor.get(K1).await.is(200).json["readiness"].clone();
    assert_eq!(readiness["usable"], false);
    assert_eq!(
        readiness["warnings"][0],
        json!({"code": "retired_reference",
            "message": "Retired in the ERP, but granted or used in a filter: “Bereich 1”.",
            "references": [{"kind": "area", "id": "A-1", "name": "Bereich 1"}]})
    );
    // The grant itself still exists.
    editor.put(&path, Value::Null).await.is(200);
    erp.put(
        "/catalog/areas/A-1",
        json!({"name": "Bereich 1", "color": "#00AAFF"}),
    )
    .await
    .is(200);
    assert_eq!(editor.get(&path).await.is(200).json["available"], true);
    assert_eq!(
        editor.get(K1).await.is(200).json["readiness"]["usable"],
        true
    );
}

#[apply(both_engines)]
#[actix_web::test]
async fn plan_board_grants_are_written_by_erp_only(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();
    let erp = app.erp();
    let path = format!("{K1}/plan-boards/B-1");
    editor
        .put(&path, Value::Null)
        .await
        .is_problem(403, "insufficient_scope");
    erp.put(&format!("{K1}/plan-boards/B-9"), Value::Null)
        .await
        .is_problem(422, "unknown_reference");
    let shared = erp.put(&path, Value::Null).await.is(201);
    assert_eq!(shared.json["name"], "Board");
    assert_eq!(shared.json["available"], true);
    assert_eq!(editor.get(&path).await.is(200).json, shared.json);
    assert_eq!(editor.get(K1).await.json["counts"]["plan_boards"], 1);
    assert_eq!(
        editor
            .get("/catalog/plan-boards?grantable_to=K-1")
            .await
            .items("/id"),
        [""; 0]
    );
    editor
        .delete(&path)
        .await
        .is_problem(403, "insufficient_scope");
    // The last plan board can be deleted even with active accesses.
    app.create_access("K-1", "a@b.example", json!({})).await;
    erp.delete(&path).await.is(204);
    editor.get(&path).await.is_problem(404, "not_found");
}

#[apply(both_engines)]
#[actix_web::test]
async fn recreated_grant_has_new_etag(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();
    let path = format!("{K1}/areas/A-2");
    let first = editor.put(&path, Value::Null).await.is(201);
    editor.delete(&path).await.is(204);
    let second = editor.put(&path, Value::Null).await.is(201);
    assert_ne!(first.etag(), second.etag());
    editor
        .request("DELETE", &path)
        .header("if-match", &first.etag())
        .send()
        .await
        .is_problem(412, "precondition_failed");
}

#[rstest]
#[actix_web::test]
async fn active_accesses_are_counted_only_when_deleting_last_grant(
    #[values(Sqlite)] engine: Engine,
) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();
    editor
        .put(&format!("{K1}/areas/A-2"), Value::Null)
        .await
        .is(201);
    app.storage
        // Counting the accesses now fails.
        .try_execute("ALTER TABLE accesses RENAME TO gone")
        .await
        .unwrap();
    editor.delete(&format!("{K1}/areas/A-2")).await.is(204);
    editor
        .delete(&format!("{K1}/areas/A-1"))
        .await
        .is_problem(503, "unavailable");
}

#[apply(both_engines)]
#[actix_web::test]
async fn version_of_revoked_grant_does_not_match_recreated_grant(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    app.activate_partner("K-2").await;
    let editor = app.editor();
    let path = format!("{K1}/ticket-types/T-2");
    let approved = json!({"approval_required": true});
    let first = editor.put(&path, approved.clone()).await.is(201);
    assert_eq!(first.json["version"], 1);
    for version in 2..4 {
        editor.delete(&path).await.is(204);
        let again = editor.put(&path, Value::Null).await.is(201);
        assert_eq!(again.json["version"], version);
        assert_eq!(again.json["approval_required"], false);
        for (method, body) in [("PUT", approved.clone()), ("DELETE", Value::Null)] {
            editor
                .request(method, &path)
                .header("if-match", "\"1\"")
                .json(body)
                .send()
                .await
                .is_problem(412, "precondition_failed");
        }
    }
    editor
        .request("PUT", &path)
        .header("if-match", "\"3\"")
        .json(approved)
        .send()
        .await
        .is(200);
    // Versions of another partner's grant and of another entry start at 1.
    for other in ["K-2/ticket-types/T-2", "K-1/areas/A-2"] {
        let other = editor
            .put(&format!("/customer-integrations/{other}"), Value::Null)
            .await
            .is(201);
        assert_eq!(other.json["version"], 1);
    }
}

/// Retires or reactivates A-`n`.
async fn set_area_active(app: &TestApp, n: u8, active: bool) {
    let area = json!({"name": format!("Bereich {n}"), "color": "#00AAFF", "active": active});
    app.erp()
        .put(&format!("/catalog/areas/A-{n}"), area)
        .await
        .is(200);
}

#[apply(both_engines)]
#[actix_web::test]
async fn retired_grant_can_be_revoked_while_access_is_active(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();
    app.create_access("K-1", "a@b.example", json!({})).await;
    editor
        .put(&format!("{K1}/areas/A-2"), Value::Null)
        .await
        .is(201);
    set_area_active(&app, 2, false).await;
    // A-1 is the last available one, although two are granted.
    editor
        .delete(&format!("{K1}/areas/A-1"))
        .await
        .is_problem(409, "last_area");
    editor.delete(&format!("{K1}/areas/A-2")).await.is(204);
    set_area_active(&app, 1, false).await;
    editor.delete(&format!("{K1}/areas/A-1")).await.is(204);
}

#[apply(both_engines)]
#[actix_web::test]
async fn access_needs_available_area_to_become_active(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();
    set_area_active(&app, 1, false).await;
    let access = json!({"first_name": "A", "last_name": "B", "email": "a@b.example"});
    let accesses = format!("{K1}/accesses");
    let refused = editor.post(&accesses, access.clone()).await;
    let refused = refused.is_problem(409, "integration_incomplete");
    assert_eq!(refused.errors(), ["/active no_area"]);
    set_area_active(&app, 1, true).await;
    editor.post(&accesses, access).await.is(201);
}

#[apply(both_engines)]
#[actix_web::test]
async fn plan_board_is_shared_and_revoked_while_integration_is_inactive(engine: Engine) {
    let app = TestApp::with_catalog(engine).await;
    let erp = app.erp();
    let path = format!("{K1}/plan-boards/B-1");
    erp.put(&path, Value::Null).await.is(201);
    assert_eq!(erp.get(K1).await.is(200).json["counts"]["plan_boards"], 1);
    erp.delete(&path).await.is(204);
    app.editor()
        .put(&format!("{K1}/areas/A-1"), Value::Null)
        .await
        .is_problem(409, "integration_inactive");
}

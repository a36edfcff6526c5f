//! Grants of areas, ticket types and plan boards: rules R3 and R8.

use rstest_reuse::apply;
use serde_json::{Value, json};

use crate::{
    engines::both_engines,
    support::{Engine, Engine::*, TestApp},
};

const K1: &str = "/customer-integrations/K-1";
const A1: &str = "/customer-integrations/K-1/areas/A-1";
const A2: &str = "/customer-integrations/K-1/areas/A-2";
const T1: &str = "/customer-integrations/K-1/ticket-types/T-1";
const T2: &str = "/customer-integrations/K-1/ticket-types/T-2";
const B1: &str = "/customer-integrations/K-1/plan-boards/B-1";

/// Retires or reactivates the area A-`n`.
async fn set_area_active(app: &TestApp, n: u8, active: bool) {
    let area = json!({"name": format!("Bereich {n}"), "color": "#00AAFF", "active": active});
    app.erp()
        .put(&format!("/catalog/areas/A-{n}"), area)
        .await
        .is(200);
}

#[apply(both_engines)]
#[actix_web::test]
async fn repeated_grant_returns_200_unchanged(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();
    let revision = async || editor.get(K1).await.is(200).json["revision"].clone();

    for path in [A2, T2] {
        for body in [Value::Null, json!({})] {
            let created = editor.put(path, body.clone()).await.is(201);
            assert_eq!(created.header("location"), format!("/api/v1{path}"));

            let revision_before = revision().await;
            let repeated = editor.put(path, body).await.is(200);
            assert_eq!(repeated.json, created.json);
            assert_eq!(repeated.etag(), created.etag());
            assert_eq!(revision().await, revision_before);

            editor.delete(path).await.is(204);
        }
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn ticket_type_grant_is_replaced_by_put_with_body(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();

    let changed = editor.put(T1, json!({"approval_required": true})).await;
    let changed = changed.is(200).json;
    assert_eq!(changed["approval_required"], true);
    assert_eq!(changed["version"], 2);

    // missing members take their defaults
    let replaced = editor.put(T1, json!({})).await.is(200).json;
    assert_eq!(replaced["approval_required"], false);
    assert_eq!(replaced["version"], 3);
    assert_eq!(editor.get(T1).await.is(200).json, replaced);
}

#[apply(both_engines)]
#[actix_web::test]
async fn ticket_type_grant_is_unchanged_by_put_without_body(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();
    let changed = editor.put(T1, json!({"approval_required": true})).await;

    let repeated = editor.put(T1, Value::Null).await;

    assert_eq!(repeated.is(200).json, changed.is(200).json);
}

#[apply(both_engines)]
#[actix_web::test]
async fn deleting_last_grant_with_active_access_returns_409(engine: Engine) {
    struct Grant {
        first: &'static str,
        second: &'static str,
        code: &'static str,
    }
    let areas = Grant {
        first: A1,
        second: A2,
        code: "last_area",
    };
    let ticket_types = Grant {
        first: T1,
        second: T2,
        code: "last_ticket_type",
    };
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();
    app.create_access("K-1", "a@b.example", json!({})).await;

    for Grant {
        first,
        second,
        code,
    } in [areas, ticket_types]
    {
        editor.delete(first).await.is_problem(409, code);

        editor.put(second, Value::Null).await.is(201);
        editor.delete(first).await.is(204);
        editor.delete(second).await.is_problem(409, code);
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn last_grant_can_be_deleted_while_no_access_is_active(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();
    let id = app.create_access("K-1", "a@b.example", json!({})).await;
    editor
        .patch(&format!("{K1}/accesses/{id}"), json!({"active": false}))
        .await
        .is(200);

    for grant in [A1, T1] {
        editor.delete(grant).await.is(204);
        editor.delete(grant).await.is_problem(404, "not_found");
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn granting_unknown_entry_returns_422(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;

    // the id of an area is not the id of a ticket type
    for unknown in ["areas/A-99", "ticket-types/T-99", "ticket-types/A-1"] {
        let path = format!("{K1}/{unknown}");
        let refused = app.editor().put(&path, Value::Null).await;
        refused.is_problem(422, "unknown_reference");
    }
    let refused = app
        .erp()
        .put(&format!("{K1}/plan-boards/B-9"), Value::Null)
        .await;
    refused.is_problem(422, "unknown_reference");
}

#[apply(both_engines)]
#[actix_web::test]
async fn granting_retired_entry_returns_422(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    set_area_active(&app, 2, false).await;
    let ticket_type = json!({"name": "Art 2", "kind": "standard", "active": false});
    app.erp()
        .put("/catalog/ticket-types/T-2", ticket_type)
        .await
        .is(200);

    for retired in [A2, T2] {
        let refused = app.editor().put(retired, Value::Null).await;
        refused.is_problem(422, "retired_reference");
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn grant_of_retired_area_is_unavailable_until_reactivated(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();
    let before = editor.get(A1).await.is(200);

    set_area_active(&app, 1, false).await;
    let request = editor.request("GET", A1);
    let retired = request.header("if-none-match", &before.etag()).send().await;
    assert_eq!(retired.is(200).json["available"], false);
    let list = editor.get(&format!("{K1}/areas")).await.is(200).json;
    assert_eq!(list["items"][0]["available"], false);
    // the grant itself still exists
    editor.put(A1, Value::Null).await.is(200);

    set_area_active(&app, 1, true).await;
    assert_eq!(editor.get(A1).await.is(200).json["available"], true);
}

#[apply(both_engines)]
#[actix_web::test]
async fn readiness_reports_grant_of_retired_area_until_reactivated(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    app.create_access("K-1", "a@b.example", json!({})).await;
    let readiness = async || app.editor().get(K1).await.is(200).json["readiness"].clone();

    set_area_active(&app, 1, false).await;
    let with_retired_area = readiness().await;
    set_area_active(&app, 1, true).await;
    let with_active_area = readiness().await;

    assert_eq!(with_retired_area["usable"], false);
    assert_eq!(
        with_retired_area["warnings"][0],
        json!({
            "code": "retired_reference",
            "message": "Retired in the ERP, but granted or used in a filter: “Bereich 1”.",
            "references": [{"kind": "area", "id": "A-1", "name": "Bereich 1"}],
        })
    );
    assert_eq!(with_active_area["usable"], true);
}

#[apply(both_engines)]
#[actix_web::test]
async fn plan_board_grants_are_written_by_erp_only(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();

    let put = editor.put(B1, Value::Null).await;
    app.erp().put(B1, Value::Null).await.is(201);
    let delete = editor.delete(B1).await;

    put.is_problem(403, "insufficient_scope");
    delete.is_problem(403, "insufficient_scope");
}

#[apply(both_engines)]
#[actix_web::test]
async fn granted_plan_board_is_readable_counted_and_not_grantable(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();

    let granted = app.erp().put(B1, Value::Null).await.is(201).json;

    assert_eq!(granted["name"], "Board");
    assert_eq!(granted["available"], true);
    assert_eq!(editor.get(B1).await.is(200).json, granted);
    let integration = editor.get(K1).await.is(200).json;
    assert_eq!(integration["counts"]["plan_boards"], 1);
    let grantable = editor
        .get("/catalog/plan-boards?grantable_to=K-1")
        .await
        .is(200);
    assert_eq!(grantable.items("/id"), [""; 0]);
}

#[apply(both_engines)]
#[actix_web::test]
async fn last_plan_board_can_be_revoked_while_access_is_active(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let erp = app.erp();
    erp.put(B1, Value::Null).await.is(201);
    app.create_access("K-1", "a@b.example", json!({})).await;

    erp.delete(B1).await.is(204);

    app.editor().get(B1).await.is_problem(404, "not_found");
}

#[apply(both_engines)]
#[actix_web::test]
async fn recreated_grant_has_new_etag(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();
    let first = editor.put(A2, Value::Null).await.is(201);
    editor.delete(A2).await.is(204);

    let second = editor.put(A2, Value::Null).await.is(201);

    assert_ne!(first.etag(), second.etag());
    let request = editor.request("DELETE", A2);
    let refused = request.header("if-match", &first.etag()).send().await;
    refused.is_problem(412, "precondition_failed");
}

#[actix_web::test]
async fn active_accesses_are_counted_only_when_deleting_last_grant() {
    let app = TestApp::with_active_partner(Sqlite).await;
    let editor = app.editor();
    editor.put(A2, Value::Null).await.is(201);
    // counting the accesses fails from now on
    app.storage
        .try_execute("ALTER TABLE accesses RENAME TO gone")
        .await
        .unwrap();

    editor.delete(A2).await.is(204);
    editor.delete(A1).await.is_problem(503, "unavailable");
}

#[apply(both_engines)]
#[actix_web::test]
async fn version_of_revoked_grant_does_not_match_recreated_grant(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();
    let with_approval = json!({"approval_required": true});
    let write_if_match = async |method: &str, version: u8| {
        let request = editor.request(method, T2);
        let request = request.header("if-match", &format!("\"{version}\""));
        request.json(with_approval.clone()).send().await
    };
    let first = editor.put(T2, with_approval.clone()).await.is(201);
    assert_eq!(first.json["version"], 1);

    for version in [2, 3] {
        editor.delete(T2).await.is(204);
        let recreated = editor.put(T2, Value::Null).await.is(201).json;
        assert_eq!(recreated["version"], version);
        assert_eq!(recreated["approval_required"], false);
        for method in ["PUT", "DELETE"] {
            let refused = write_if_match(method, 1).await;
            refused.is_problem(412, "precondition_failed");
        }
    }
    write_if_match("PUT", 3).await.is(200);
}

#[apply(both_engines)]
#[actix_web::test]
async fn versions_of_grants_are_independent_of_other_grants(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    app.activate_partner("K-2").await;
    let editor = app.editor();
    editor.put(T2, Value::Null).await.is(201);
    editor.delete(T2).await.is(204);
    let recreated = editor.put(T2, Value::Null).await.is(201).json;
    assert_eq!(recreated["version"], 2);

    for other in ["/customer-integrations/K-2/ticket-types/T-2", A2] {
        let granted = editor.put(other, Value::Null).await.is(201).json;
        assert_eq!(granted["version"], 1, "{other}");
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn retired_grant_can_be_revoked_while_access_is_active(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();
    app.create_access("K-1", "a@b.example", json!({})).await;
    editor.put(A2, Value::Null).await.is(201);

    set_area_active(&app, 2, false).await;
    // A-1 is the last available area, although two are granted
    editor.delete(A1).await.is_problem(409, "last_area");
    editor.delete(A2).await.is(204);

    set_area_active(&app, 1, false).await;
    editor.delete(A1).await.is(204);
}

#[apply(both_engines)]
#[actix_web::test]
async fn access_needs_available_area_to_become_active(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let accesses = format!("{K1}/accesses");
    let access = json!({"first_name": "A", "last_name": "B", "email": "a@b.example"});
    let editor = app.editor();

    set_area_active(&app, 1, false).await;
    let refused = editor.post(&accesses, access.clone()).await;
    set_area_active(&app, 1, true).await;
    let created = editor.post(&accesses, access).await;

    assert_eq!(
        refused.is_problem(409, "integration_incomplete").errors(),
        ["/active no_area"]
    );
    created.is(201);
}

#[apply(both_engines)]
#[actix_web::test]
async fn plan_board_is_granted_and_revoked_while_integration_is_inactive(engine: Engine) {
    let app = TestApp::with_catalog(engine).await;
    let erp = app.erp();

    erp.put(B1, Value::Null).await.is(201);
    assert_eq!(erp.get(K1).await.is(200).json["counts"]["plan_boards"], 1);
    erp.delete(B1).await.is(204);
}

#[apply(both_engines)]
#[actix_web::test]
async fn granting_area_while_integration_is_inactive_returns_409(engine: Engine) {
    let app = TestApp::with_catalog(engine).await;

    let refused = app.editor().put(A1, Value::Null).await;

    refused.is_problem(409, "integration_inactive");
}

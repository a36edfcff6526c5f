//! Areas and ticket types: R3, R8, and what holds for every grant.

use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{Engine, Engine::*, TestApp};

const K1: &str = "/customer-integrations/K-1";

#[rstest]
#[actix_web::test]
async fn granting_is_idempotent(#[values(Sqlite, Postgres)] engine: Engine) {
    let Some(app) = TestApp::ready(engine).await else {
        return;
    };
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
        assert_eq!((&again.json, again.etag()), (&created.json, created.etag()));
        assert_eq!(
            editor.get(K1).await.json["revision"],
            revision,
            "what changes nothing is no change"
        );
    }
}

#[rstest]
#[actix_web::test]
async fn how_a_ticket_type_is_granted_can_be_changed(#[values(Sqlite, Postgres)] engine: Engine) {
    let Some(app) = TestApp::ready(engine).await else {
        return;
    };
    let (editor, path) = (app.editor(), format!("{K1}/ticket-types/T-1"));
    let changed = editor
        .put(&path, json!({"approval_required": true}))
        .await
        .is(200);
    assert_eq!(
        (&changed.json["approval_required"], &changed.json["version"]),
        (&json!(true), &json!(2))
    );
    // PUT replaces: what is not said is the default
    let changed = editor.put(&path, Value::Null).await.is(200);
    assert_eq!(
        (&changed.json["approval_required"], &changed.json["version"]),
        (&json!(false), &json!(3))
    );
    assert_eq!(changed.json, editor.get(&path).await.is(200).json);
}

#[rstest]
#[actix_web::test]
async fn r3_the_last_one_stays_while_an_access_is_active(
    #[values(Sqlite, Postgres)] engine: Engine,
    #[values(("areas/A", "last_area"), ("ticket-types/T", "last_ticket_type"))] (path, code): (
        &str,
        &str,
    ),
) {
    let Some(app) = TestApp::ready(engine).await else {
        return;
    };
    let editor = app.editor();
    let id = app.access("K-1", "a@b.example", json!({})).await;
    let (first, second) = (format!("{K1}/{path}-1"), format!("{K1}/{path}-2"));
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

#[rstest]
#[actix_web::test]
async fn r8_unknown_and_retired_entries_cannot_be_granted(
    #[values(Sqlite, Postgres)] engine: Engine,
) {
    let Some(app) = TestApp::ready(engine).await else {
        return;
    };
    let (editor, erp) = (app.editor(), app.erp());
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
    // an area is no ticket type
    editor
        .put(&format!("{K1}/ticket-types/A-1"), Value::Null)
        .await
        .is_problem(422, "unknown_reference");
}

#[rstest]
#[actix_web::test]
async fn a_grant_whose_entry_is_retired_stays_and_returns(
    #[values(Sqlite, Postgres)] engine: Engine,
) {
    let Some(app) = TestApp::ready(engine).await else {
        return;
    };
    let (editor, erp, path) = (app.editor(), app.erp(), format!("{K1}/areas/A-1"));
    app.access("K-1", "a@b.example", json!({})).await;
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
        json!({"code": "retired_reference", "references": [{"kind": "area", "id": "A-1"}]})
    );
    // it is granted still: nothing has to be granted anew
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

#[rstest]
#[actix_web::test]
async fn plan_boards_are_shared_by_the_erp_and_shown_by_the_tab(
    #[values(Sqlite, Postgres)] engine: Engine,
) {
    let Some(app) = TestApp::ready(engine).await else {
        return;
    };
    let (editor, erp, path) = (app.editor(), app.erp(), format!("{K1}/plan-boards/B-1"));
    editor
        .put(&path, Value::Null)
        .await
        .is_problem(403, "insufficient_scope");
    erp.put(&format!("{K1}/plan-boards/B-9"), Value::Null)
        .await
        .is_problem(422, "unknown_reference");
    let shared = erp.put(&path, Value::Null).await.is(201);
    assert_eq!(
        (&shared.json["name"], &shared.json["available"]),
        (&json!("Board"), &json!(true))
    );
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
    // the last one may go, whoever is active
    app.access("K-1", "a@b.example", json!({})).await;
    erp.delete(&path).await.is(204);
    editor.get(&path).await.is_problem(404, "not_found");
}

#[rstest]
#[actix_web::test]
async fn a_grant_made_anew_has_another_tag(#[values(Sqlite, Postgres)] engine: Engine) {
    let Some(app) = TestApp::ready(engine).await else {
        return;
    };
    let (editor, path) = (app.editor(), format!("{K1}/areas/A-2"));
    let first = editor.put(&path, Value::Null).await.is(201);
    editor.delete(&path).await.is(204);
    let second = editor.put(&path, Value::Null).await.is(201);
    assert_eq!(first.json["version"], second.json["version"]);
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
async fn the_active_accesses_are_counted_only_before_the_last_one_goes(
    #[values(Sqlite)] engine: Engine,
) {
    let Some(app) = TestApp::ready(engine).await else {
        return;
    };
    let editor = app.editor();
    editor
        .put(&format!("{K1}/areas/A-2"), Value::Null)
        .await
        .is(201);
    app.storage
        .try_execute("ALTER TABLE accesses RENAME TO gone")
        .await
        .unwrap();
    editor.delete(&format!("{K1}/areas/A-2")).await.is(204);
    editor
        .delete(&format!("{K1}/areas/A-1"))
        .await
        .is_problem(500, "internal_error");
}

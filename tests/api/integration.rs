//! The customer integration: activation, revision, counts, readiness, list.

use crate::engines::both_engines;
use rstest_reuse::apply;
use serde_json::{Value, json};

use crate::support::{Engine, TestApp};

const K1: &str = "/customer-integrations/K-1";

#[apply(both_engines)]
#[actix_web::test]
async fn new_integration_is_inactive(engine: Engine) {
    let app = TestApp::with_catalog(engine).await;
    let json = app.reader().get(K1).await.is(200).json;
    assert_eq!(
        (&json["active"], &json["activated_at"], &json["revision"]),
        (&json!(false), &Value::Null, &json!(1))
    );
    assert_eq!(
        json["business_partner"],
        json!({"id": "K-1", "name": "Partner 1", "search_name": "P1", "active": true})
    );
    let codes: Vec<_> = json["readiness"]["blockers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|blocker| blocker["code"].clone())
        .collect();
    assert_eq!(
        codes,
        ["inactive", "no_area", "no_ticket_type", "no_active_access"]
    );
    app.reader()
        .get("/customer-integrations/K-99")
        .await
        .is_problem(404, "not_found");
}

#[apply(both_engines)]
#[actix_web::test]
async fn r1_inactive_integration_is_read_only(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();
    let id = app.create_access("K-1", "a@b.example", json!({})).await;
    let off = editor.patch(K1, json!({"active": false})).await.is(200);
    let body = json!({"first_name": "A", "last_name": "B", "email": "x@b.example"});
    let refused = [
        editor.put(&format!("{K1}/areas/A-2"), Value::Null).await,
        editor.delete(&format!("{K1}/areas/A-1")).await,
        editor
            .put(&format!("{K1}/ticket-types/T-2"), Value::Null)
            .await,
        editor.delete(&format!("{K1}/ticket-types/T-1")).await,
        editor.post(&format!("{K1}/accesses"), body).await,
        editor
            .patch(&format!("{K1}/accesses/{id}"), json!({"language": "en"}))
            .await,
    ];
    for response in refused {
        response.is_problem(409, "integration_inactive");
    }
    assert_eq!(
        editor.get(K1).await.is(200).json,
        off.json,
        "a rejected write does not increase the revision"
    );
    assert_eq!(
        editor.get_all(&format!("{K1}/accesses")).await[0]["ineffective_reasons"],
        json!(["integration_inactive"])
    );
    assert_eq!(editor.get_all(&format!("{K1}/areas")).await.len(), 1);

    let on = editor.patch(K1, json!({"active": true})).await.is(200);
    assert_eq!(
        on.json["readiness"]["usable"], true,
        "reactivation restores everything"
    );
    assert!(on.json["activated_at"].as_str() > off.json["activated_at"].as_str());
}

#[apply(both_engines)]
#[actix_web::test]
async fn r10_repeated_activation_changes_nothing(engine: Engine) {
    let app = TestApp::with_catalog(engine).await;
    let editor = app.editor();
    let on = editor.patch(K1, json!({"active": true})).await.is(200);
    assert_eq!(
        (&on.json["revision"], &on.json["version"]),
        (&json!(2), &json!(2))
    );
    let again = editor.patch(K1, json!({"active": true})).await.is(200);
    assert_eq!(
        (again.json.clone(), again.etag()),
        (on.json.clone(), on.etag())
    );
    assert_eq!(editor.patch(K1, json!({})).await.is(200).json, on.json);
}

#[apply(both_engines)]
#[actix_web::test]
async fn every_change_increments_revision_and_counts(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();
    let start = editor.get(K1).await.json["revision"].as_i64().unwrap();
    let id = app
        .create_access("K-1", "a@b.example", json!({"role": "editor"}))
        .await;
    app.create_access("K-1", "c@d.example", json!({"active": false}))
        .await;
    editor
        .put(&format!("{K1}/areas/A-2"), Value::Null)
        .await
        .is(201);
    editor
        .put(
            &format!("{K1}/ticket-types/T-1"),
            json!({"approval_required": true}),
        )
        .await
        .is(200);
    editor
        .patch(&format!("{K1}/accesses/{id}"), json!({"language": "en"}))
        .await
        .is(200);
    editor.delete(&format!("{K1}/areas/A-2")).await.is(204);
    let json = editor.get(K1).await.is(200).json;
    assert_eq!(json["revision"].as_i64(), Some(start + 6));
    let counts = json!({"accesses": 2, "active_accesses": 1, "areas": 1, "ticket_types": 1, "tags": 0,
        "queries": 0, "active_queries": 0, "exclusion_rules": 0, "active_exclusion_rules": 0,
        "global_exclusion_rules": 0, "active_global_exclusion_rules": 0, "plan_boards": 0});
    assert_eq!(json["counts"], counts);
    let readiness = &json["readiness"];
    assert_eq!(
        (&readiness["usable"], &readiness["can_create_tickets"]),
        (&json!(true), &json!(true))
    );
    assert_eq!(
        readiness["warnings"],
        json!([{"code": "approval_without_approver",
            "message": "A ticket type requires approval, but no active access is an approver.",
            "references": []}])
    );
}

#[apply(both_engines)]
#[actix_web::test]
async fn list_supports_filters_and_search(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let reader = app.reader();
    let erp = app.erp();
    erp.put(
        "/catalog/business-partners/K-3",
        json!({"name": "Ärzte am Öhmd", "search_name": "PRAXIS"}),
    )
    .await
    .is(201);
    app.create_access("K-1", "a@b.example", json!({})).await;
    app.editor()
        .patch("/customer-integrations/K-2", json!({"active": true}))
        .await
        .is(200);
    let ids = async |query: &str| {
        reader
            .get(&format!("/customer-integrations?{query}"))
            .await
            .is(200)
            .items("/business_partner/id")
    };
    assert_eq!(ids("").await, ["K-3", "K-1", "K-2"]);
    assert_eq!(ids("sort=-created_at").await, ["K-3", "K-2", "K-1"]);
    assert_eq!(ids("active=true").await, ["K-1", "K-2"]);
    assert_eq!(ids("active=false").await, ["K-3"]);
    assert_eq!(ids("usable=true").await, ["K-1"]);
    assert_eq!(ids("usable=false").await, ["K-3", "K-2"]);
    assert_eq!(ids("q=arzte%20PRAX").await, ["K-3"]);
    assert_eq!(ids("q=k-2").await, ["K-2"]);
    assert_eq!(
        app.editor_of("K-1")
            .get("/customer-integrations")
            .await
            .items("/business_partner/id"),
        ["K-1"]
    );
    erp.put(
        "/catalog/areas/A-1",
        json!({"name": "Bereich 1", "color": "#00AAFF", "active": false}),
    )
    .await
    .is(200);
    assert_eq!(
        ids("usable=true").await,
        [""; 0],
        "without an active area no access sees tickets"
    );
}

//! The customer integration: activation, revision, counts, readiness, list.

use rstest_reuse::apply;
use serde_json::{Value, json};

use crate::{
    engines::both_engines,
    support::{Engine, TestApp},
};

const K1: &str = "/customer-integrations/K-1";
const ACCESSES: &str = "/customer-integrations/K-1/accesses";

#[apply(both_engines)]
#[actix_web::test]
async fn new_integration_is_inactive(engine: Engine) {
    let app = TestApp::with_catalog(engine).await;

    let integration = app.reader().get(K1).await.is(200).json;

    assert_eq!(integration["active"], false);
    assert_eq!(integration["activated_at"], Value::Null);
    assert_eq!(integration["revision"], 1);
    assert_eq!(
        integration["business_partner"],
        json!({"id": "K-1", "name": "Partner 1", "search_name": "P1", "active": true})
    );
}

#[apply(both_engines)]
#[actix_web::test]
async fn readiness_of_new_integration_lists_all_blockers(engine: Engine) {
    let app = TestApp::with_catalog(engine).await;

    let integration = app.reader().get(K1).await.is(200).json;

    let blockers = integration["readiness"]["blockers"].as_array().unwrap();
    let codes: Vec<_> = blockers.iter().map(|blocker| &blocker["code"]).collect();
    assert_eq!(
        codes,
        ["inactive", "no_area", "no_ticket_type", "no_active_access"]
    );
}

#[apply(both_engines)]
#[actix_web::test]
async fn integration_of_unknown_partner_returns_404(engine: Engine) {
    let app = TestApp::with_catalog(engine).await;

    let response = app.reader().get("/customer-integrations/K-99").await;

    response.is_problem(404, "not_found");
}

#[apply(both_engines)]
#[actix_web::test]
async fn r1_inactive_integration_is_read_only(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();
    let id = app.create_access("K-1", "a@b.example", json!({})).await;
    let access = format!("{ACCESSES}/{id}");
    let new_access = json!({"first_name": "A", "last_name": "B", "email": "x@b.example"});
    let inactive = editor.patch(K1, json!({"active": false})).await.is(200);

    for refused in [
        editor.put(&format!("{K1}/areas/A-2"), Value::Null).await,
        editor.delete(&format!("{K1}/areas/A-1")).await,
        editor
            .put(&format!("{K1}/ticket-types/T-2"), Value::Null)
            .await,
        editor.delete(&format!("{K1}/ticket-types/T-1")).await,
        editor.post(ACCESSES, new_access).await,
        editor.patch(&access, json!({"language": "en"})).await,
    ] {
        refused.is_problem(409, "integration_inactive");
    }

    assert_eq!(
        editor.get(K1).await.is(200).json,
        inactive.json,
        "a rejected write does not increase the revision"
    );
    let accesses = editor.get_all(ACCESSES).await;
    assert_eq!(
        accesses[0]["ineffective_reasons"],
        json!(["integration_inactive"])
    );
    assert_eq!(editor.get_all(&format!("{K1}/areas")).await.len(), 1);
}

#[apply(both_engines)]
#[actix_web::test]
async fn reactivated_integration_is_usable_again(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();
    app.create_access("K-1", "a@b.example", json!({})).await;
    let inactive = editor
        .patch(K1, json!({"active": false}))
        .await
        .is(200)
        .json;

    let reactivated = editor.patch(K1, json!({"active": true})).await.is(200).json;

    assert_eq!(reactivated["readiness"]["usable"], true);
    let activated_at = reactivated["activated_at"].as_str().unwrap();
    assert!(activated_at > inactive["activated_at"].as_str().unwrap());
}

#[apply(both_engines)]
#[actix_web::test]
async fn r10_repeated_activation_changes_nothing(engine: Engine) {
    let app = TestApp::with_catalog(engine).await;
    let editor = app.editor();

    let activated = editor.patch(K1, json!({"active": true})).await.is(200);
    let repeated = editor.patch(K1, json!({"active": true})).await.is(200);
    let empty = editor.patch(K1, json!({})).await.is(200);

    assert_eq!(activated.json["revision"], 2);
    assert_eq!(activated.json["version"], 2);
    for unchanged in [repeated, empty] {
        assert_eq!(unchanged.json, activated.json);
        assert_eq!(unchanged.etag(), activated.etag());
    }
}

/// Makes six changes below K-1, which must be active.
async fn make_six_changes(app: &TestApp) {
    let editor = app.editor();
    let area = format!("{K1}/areas/A-2");
    let editing = json!({"role": "editor"});
    let id = app.create_access("K-1", "a@b.example", editing).await;
    let inactive = json!({"active": false});
    app.create_access("K-1", "c@d.example", inactive).await;
    editor.put(&area, Value::Null).await.is(201);
    editor
        .put(
            &format!("{K1}/ticket-types/T-1"),
            json!({"approval_required": true}),
        )
        .await
        .is(200);
    editor
        .patch(&format!("{ACCESSES}/{id}"), json!({"language": "en"}))
        .await
        .is(200);
    editor.delete(&area).await.is(204);
}

#[apply(both_engines)]
#[actix_web::test]
async fn every_change_increments_the_revision(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let revision = async || {
        let integration = app.reader().get(K1).await.is(200).json;
        integration["revision"].as_i64().unwrap()
    };
    let before = revision().await;

    make_six_changes(&app).await;

    assert_eq!(revision().await, before + 6);
}

#[apply(both_engines)]
#[actix_web::test]
async fn changes_update_counts_and_readiness(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;

    make_six_changes(&app).await;

    let integration = app.reader().get(K1).await.is(200).json;
    let expected_counts = json!({
        "accesses": 2,
        "active_accesses": 1,
        "areas": 1,
        "ticket_types": 1,
        "tags": 0,
        "queries": 0,
        "active_queries": 0,
        "exclusion_rules": 0,
        "active_exclusion_rules": 0,
        "global_exclusion_rules": 0,
        "active_global_exclusion_rules": 0,
        "plan_boards": 0,
    });
    assert_eq!(integration["counts"], expected_counts);
    assert_eq!(integration["readiness"]["usable"], true);
    assert_eq!(integration["readiness"]["can_create_tickets"], true);
    assert_eq!(
        integration["readiness"]["warnings"],
        json!([{
            "code": "approval_without_approver",
            "message": "A ticket type requires approval, but no active access is an approver.",
            "references": [],
        }])
    );
}

/// An app with a usable integration of K-1, an active one of K-2 and an inactive one of K-3.
async fn app_with_integrations(engine: Engine) -> TestApp {
    let app = TestApp::with_active_partner(engine).await;
    app.create_access("K-1", "a@b.example", json!({})).await;
    app.editor()
        .patch("/customer-integrations/K-2", json!({"active": true}))
        .await
        .is(200);
    let partner = json!({"name": "Ärzte am Öhmd", "search_name": "PRAXIS"});
    app.erp()
        .put("/catalog/business-partners/K-3", partner)
        .await
        .is(201);
    app
}

/// Reads the list of integrations with query parameters and returns the ids of the partners.
async fn list_ids(app: &TestApp, parameters: &str) -> Vec<String> {
    let path = format!("/customer-integrations?{parameters}");
    let page = app.reader().get(&path).await.is(200);
    page.items("/business_partner/id")
}

#[apply(both_engines)]
#[actix_web::test]
async fn integration_list_is_sorted_by_name_or_creation(engine: Engine) {
    let app = app_with_integrations(engine).await;

    assert_eq!(list_ids(&app, "").await, ["K-3", "K-1", "K-2"]);
    assert_eq!(
        list_ids(&app, "sort=-created_at").await,
        ["K-3", "K-2", "K-1"]
    );
}

#[apply(both_engines)]
#[actix_web::test]
async fn integration_list_is_filtered_by_activity_and_usability(engine: Engine) {
    let app = app_with_integrations(engine).await;

    assert_eq!(list_ids(&app, "active=true").await, ["K-1", "K-2"]);
    assert_eq!(list_ids(&app, "active=false").await, ["K-3"]);
    assert_eq!(list_ids(&app, "usable=true").await, ["K-1"]);
    assert_eq!(list_ids(&app, "usable=false").await, ["K-3", "K-2"]);
}

/// Without an active area no access sees tickets.
#[apply(both_engines)]
#[actix_web::test]
async fn integration_with_retired_area_is_not_usable(engine: Engine) {
    let app = app_with_integrations(engine).await;

    let area = json!({"name": "Bereich 1", "color": "#00AAFF", "active": false});
    app.erp().put("/catalog/areas/A-1", area).await.is(200);

    assert_eq!(list_ids(&app, "usable=true").await, [""; 0]);
}

#[apply(both_engines)]
#[actix_web::test]
async fn integration_search_matches_names_and_ids(engine: Engine) {
    let app = app_with_integrations(engine).await;

    assert_eq!(list_ids(&app, "q=arzte%20PRAX").await, ["K-3"]);
    assert_eq!(list_ids(&app, "q=k-2").await, ["K-2"]);
}

#[apply(both_engines)]
#[actix_web::test]
async fn integration_list_with_partner_token_contains_its_partner_only(engine: Engine) {
    let app = app_with_integrations(engine).await;

    let list = app.editor_of("K-1").get("/customer-integrations").await;

    assert_eq!(list.is(200).items("/business_partner/id"), ["K-1"]);
}

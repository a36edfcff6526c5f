//! Exclusion rules of partners and global rules, their summaries and their retired references.

use customer_integration::tokens::Claims;
use rstest_reuse::apply;
use serde_json::{Value, json};

use crate::{
    engines::both_engines,
    support::{
        Engine, Response, TestApp,
        app::{claims, filter},
    },
};

const K1: &str = "/customer-integrations/K-1";
const RULES: &str = "/customer-integrations/K-1/exclusion-rules";

const GLOBAL_RULES: &str = "/exclusion-rules";

fn rule_body(name: &str, filter: Value) -> Value {
    json!({"name": name, "filter": filter})
}

fn area_condition(id: &str) -> Value {
    json!({"type": "condition", "field": "area", "operator": "in", "values": [id]})
}

/// Creates a rule of K-1 and returns it.
async fn create_rule(app: &TestApp, name: &str, filter: Value) -> Value {
    let rule = rule_body(name, filter);
    app.editor().post(RULES, rule).await.is(201).json
}

/// Creates a global rule and returns it.
async fn create_global_rule(app: &TestApp, name: &str, filter: Value) -> Value {
    let rule = rule_body(name, filter);
    let editor = app.global_rules_editor();
    editor.post(GLOBAL_RULES, rule).await.is(201).json
}

fn rule_path(rule: &Value) -> String {
    format!("{RULES}/{}", rule["id"].as_str().unwrap())
}

fn global_rule_path(rule: &Value) -> String {
    format!("{GLOBAL_RULES}/{}", rule["id"].as_str().unwrap())
}

/// Renames, retires or reactivates an area.
async fn put_area(app: &TestApp, id: &str, name: &str, active: bool) {
    let area = json!({"name": name, "color": "#00aaff", "active": active});
    app.erp()
        .put(&format!("/catalog/areas/{id}"), area)
        .await
        .is(200);
}

#[apply(both_engines)]
#[actix_web::test]
async fn rule_names_its_scope_and_partner(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;

    let rule = create_rule(&app, "R", filter()).await;
    let global_rule = create_global_rule(&app, "G", filter()).await;

    assert_eq!(rule["scope"], "partner");
    assert_eq!(rule["business_partner_id"], "K-1");
    assert_eq!(global_rule["scope"], "global");
    assert_eq!(global_rule["business_partner_id"], Value::Null);
}

#[apply(both_engines)]
#[actix_web::test]
async fn global_rule_without_its_scope_returns_403(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;

    let refused = app
        .editor()
        .post(GLOBAL_RULES, rule_body("G", filter()))
        .await;

    refused.is_problem(403, "insufficient_scope");
}

/// Creates two rules of K-1 and a global rule, which is returned.
async fn create_rules(app: &TestApp) -> Value {
    create_rule(app, "Anfang", filter()).await;
    create_rule(app, "Schluss", filter()).await;
    create_global_rule(app, "Mitte", filter()).await
}

#[apply(both_engines)]
#[actix_web::test]
async fn rule_list_includes_global_rules_on_request(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let list = async |path: &str| app.editor().get(path).await.is(200);
    create_rules(&app).await;

    let of_partner = list(RULES).await;
    let with_global = list(&format!("{RULES}?include_global=true&sort=-name")).await;
    let global = list(GLOBAL_RULES).await;

    assert_eq!(of_partner.items("/name"), ["Anfang", "Schluss"]);
    assert_eq!(with_global.items("/name"), ["Schluss", "Mitte", "Anfang"]);
    assert_eq!(
        with_global.items("/scope"),
        ["partner", "global", "partner"]
    );
    assert_eq!(global.items("/name"), ["Mitte"]);
    assert_eq!(list(K1).await.json["counts"]["exclusion_rules"], 2);
}

#[apply(both_engines)]
#[actix_web::test]
async fn rule_list_with_global_rules_is_filtered_by_activity(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let global_rule = create_rules(&app).await;
    app.global_rules_editor()
        .patch(&global_rule_path(&global_rule), json!({"active": false}))
        .await
        .is(200);

    let inactive = app
        .editor()
        .get(&format!("{RULES}?include_global=true&active=false"))
        .await
        .is(200);

    assert_eq!(inactive.items("/name"), ["Mitte"]);
}

#[apply(both_engines)]
#[actix_web::test]
async fn rule_name_is_unique_within_its_scope(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    create_global_rule(&app, "Mitte", filter()).await;

    create_rule(&app, "MITTE", filter()).await;
    let refused = app
        .global_rules_editor()
        .post(GLOBAL_RULES, rule_body("mitte", filter()))
        .await;

    refused.is_problem(409, "duplicate_name");
}

#[apply(both_engines)]
#[actix_web::test]
async fn inactive_integration_blocks_its_rules_but_not_global_rules(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let global_rules_editor = app.global_rules_editor();
    let path = global_rule_path(&create_global_rule(&app, "G", filter()).await);
    app.editor()
        .patch(K1, json!({"active": false}))
        .await
        .is(200);

    let refused = app.editor().post(RULES, rule_body("R", filter())).await;
    refused.is_problem(409, "integration_inactive");

    global_rules_editor.delete(&path).await.is(204);
    let deleted = global_rules_editor.get(&path).await;
    deleted.is_problem(404, "not_found");
}

#[apply(both_engines)]
#[actix_web::test]
async fn global_rules_with_partner_token_return_403(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let global_rule = create_global_rule(&app, "G", filter()).await;
    let path = global_rule_path(&global_rule);
    let limited = app.client_with_claims(&Claims {
        business_partner_id: Some("K-1".parse().unwrap()),
        ..claims("integration:read integration:write global-rules:write")
    });

    for response in [
        limited.get(GLOBAL_RULES).await,
        limited.post(GLOBAL_RULES, rule_body("H", filter())).await,
        limited.get(&path).await,
        limited.patch(&path, json!({"active": false})).await,
        limited.delete(&path).await,
    ] {
        response.is_problem(403, "partner_restricted");
    }

    let rules = app.global_rules_editor().get_all(GLOBAL_RULES).await;
    assert_eq!(rules, [global_rule]);
}

async fn get_in_german(app: &TestApp, path: &str) -> Response {
    app.editor()
        .request("GET", path)
        .header("accept-language", "fr, de;q=0.8, en;q=0.3")
        .send()
        .await
        .is(200)
}

#[apply(both_engines)]
#[actix_web::test]
async fn rule_summary_uses_request_language(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let ticket_types = json!({
        "type": "condition",
        "field": "ticket_type",
        "operator": "not_in",
        "values": ["T-1", "T-2"],
    });
    let both = json!({"type": "all", "filters": [area_condition("A-1"), ticket_types]});

    let english = app.editor().post(RULES, rule_body("R", both)).await.is(201);
    let german = get_in_german(&app, &rule_path(&english.json)).await;
    let german_list = get_in_german(&app, RULES).await;

    assert_eq!(
        english.json["summary"],
        "Area is “Bereich 1” and (ticket type is not “Art 1” or “Art 2”)."
    );
    assert_eq!(english.header("content-language"), "en");
    assert!(english.header("vary").contains("accept-language"));
    assert_eq!(
        german.json["summary"],
        "Bereich ist „Bereich 1“ und (Ticketart ist nicht „Art 1“ oder „Art 2“)."
    );
    assert_eq!(german.header("content-language"), "de");
    assert_eq!(german_list.header("content-language"), "de");
}

#[apply(both_engines)]
#[actix_web::test]
async fn etag_of_rule_depends_on_language(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();
    let path = rule_path(&create_rule(&app, "R", area_condition("A-1")).await);
    let english = editor.get(&path).await.is(200);
    let german_etag = get_in_german(&app, &path).await.etag();

    assert_ne!(german_etag, english.etag());
    let request = editor.request("GET", &path);
    let read = request.header("if-none-match", &german_etag).send().await;
    assert_eq!(read.is(200).json, english.json);

    // a write accepts the ETag of either language
    let request = editor.request("PATCH", &path);
    let request = request.header("if-match", &german_etag);
    let patched = request.json(json!({"description": "d"})).send().await;
    patched.is(200);
}

#[apply(both_engines)]
#[actix_web::test]
async fn renamed_area_changes_summary_and_etag_but_not_version(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();
    let path = rule_path(&create_rule(&app, "R", area_condition("A-1")).await);
    let before = editor.get(&path).await.is(200);

    put_area(&app, "A-1", "Netz", true).await;

    let after = editor.get(&path).await.is(200);
    assert_eq!(after.json["summary"], "Area is “Netz”.");
    assert_eq!(after.json["version"], before.json["version"]);
    assert_ne!(after.etag(), before.etag());
    let list = editor.get(RULES).await.is(200).json;
    assert_eq!(list["items"][0]["summary"], after.json["summary"]);
}

/// The references of the warning `retired_reference` of K-1; empty without the warning.
async fn retired_references(app: &TestApp) -> Value {
    let integration = app.editor().get(K1).await.is(200).json;
    let warnings = integration["readiness"]["warnings"].as_array().unwrap();
    warnings
        .iter()
        .find(|warning| warning["code"] == "retired_reference")
        .map_or(json!([]), |warning| warning["references"].clone())
}

/// Creates a query of K-1 and returns its path.
async fn create_query(app: &TestApp, filter: Value) -> String {
    let query = json!({"name": "Q", "filter": filter, "columns": ["subject"]});
    let queries = format!("{K1}/queries");
    let created = app.editor().post(&queries, query).await.is(201);
    format!("{queries}/{}", created.json["id"].as_str().unwrap())
}

#[apply(both_engines)]
#[actix_web::test]
async fn retired_references_of_filters_are_reported_until_reactivated(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let put_ticket_type = async |active: bool| {
        let ticket_type = json!({"name": "Art 3", "kind": "standard", "active": active});
        app.erp()
            .put("/catalog/ticket-types/T-3", ticket_type)
            .await
            .is(200);
    };
    let is_t3 =
        json!({"type": "condition", "field": "ticket_type", "operator": "in", "values": ["T-3"]});
    create_query(&app, area_condition("A-2")).await;
    create_rule(&app, "R", is_t3).await;
    assert_eq!(retired_references(&app).await, json!([]));

    put_area(&app, "A-2", "Bereich 2", false).await;
    put_ticket_type(false).await;
    assert_eq!(
        retired_references(&app).await,
        json!([
            {"kind": "area", "id": "A-2", "name": "Bereich 2"},
            {"kind": "ticket_type", "id": "T-3", "name": "Art 3"},
        ])
    );

    put_area(&app, "A-2", "Bereich 2", true).await;
    put_ticket_type(true).await;
    assert_eq!(retired_references(&app).await, json!([]));
}

#[apply(both_engines)]
#[actix_web::test]
async fn retired_reference_blocks_neither_updates_nor_new_rules(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let query = create_query(&app, area_condition("A-2")).await;
    put_area(&app, "A-2", "Bereich 2", false).await;

    app.editor()
        .patch(&query, json!({"description": "d"}))
        .await
        .is(200);
    create_rule(&app, "R", area_condition("A-2")).await;
}

#[apply(both_engines)]
#[actix_web::test]
async fn retired_reference_of_inactive_query_or_deleted_rule_is_not_reported(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();
    let query = create_query(&app, area_condition("A-2")).await;
    let rule = rule_path(&create_rule(&app, "R", area_condition("A-2")).await);
    let is_reported = async || retired_references(&app).await != json!([]);
    put_area(&app, "A-2", "Bereich 2", false).await;

    editor.patch(&query, json!({"active": false})).await.is(200);
    assert!(is_reported().await, "the rule still refers to A-2");

    editor.delete(&rule).await.is(204);
    assert!(!is_reported().await);
}

/// Partners cannot change global rules, so they get no warning.
#[apply(both_engines)]
#[actix_web::test]
async fn retired_reference_of_global_rule_is_not_reported(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    create_global_rule(&app, "G", area_condition("A-3")).await;

    put_area(&app, "A-3", "Bereich 3", false).await;

    assert_eq!(retired_references(&app).await, json!([]));
}

#[apply(both_engines)]
#[actix_web::test]
async fn area_excluded_by_global_rule_is_reported_in_readiness(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let global_rules_editor = app.global_rules_editor();
    let area_is_reported = async || {
        let integration = app.reader().get(K1).await.is(200).json;
        let warnings = integration["readiness"]["warnings"].as_array().unwrap();
        warnings
            .iter()
            .any(|warning| warning["code"] == "area_fully_excluded")
    };
    assert!(!area_is_reported().await);

    let rule = create_global_rule(&app, "G", area_condition("A-1")).await;
    assert!(area_is_reported().await);

    let path = global_rule_path(&rule);
    let patch = async |patch: Value| global_rules_editor.patch(&path, patch).await.is(200);
    patch(json!({"active": false})).await;
    assert!(!area_is_reported().await);

    let narrow = json!({"type": "all", "filters": [area_condition("A-1"), filter()]});
    patch(json!({"active": true, "filter": narrow})).await;
    assert!(!area_is_reported().await);
}

#[apply(both_engines)]
#[actix_web::test]
async fn global_rule_changes_etag_of_integration(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let etag_before = app.reader().get(K1).await.is(200).etag();

    create_global_rule(&app, "G", area_condition("A-1")).await;

    let reader = app.reader();
    let request = reader.request("GET", K1);
    let read = request.header("if-none-match", &etag_before).send().await;
    read.is(200);
}

#[apply(both_engines)]
#[actix_web::test]
async fn rule_limit_is_500_per_partner_without_global_rules(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();
    for n in 0..500 {
        create_rule(&app, &format!("R{n}"), filter()).await;
    }

    let refused = editor.post(RULES, rule_body("Zu viel", filter())).await;

    refused.is_problem(409, "limit_reached");
    assert_eq!(editor.get(K1).await.json["counts"]["exclusion_rules"], 500);
    create_global_rule(&app, "G", filter()).await;
    let with_global = format!("{RULES}?include_global=true&limit=200");
    assert_eq!(editor.get_all(&with_global).await.len(), 501);
}

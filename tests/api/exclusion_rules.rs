//! Exclusion rules of partners and global rules, their summaries and their retired references.

use crate::engines::both_engines;
use rstest_reuse::apply;
use serde_json::{Value, json};

use crate::support::{Engine, TestApp, app::filter};

const K1: &str = "/customer-integrations/K-1";
const RULES: &str = "/customer-integrations/K-1/exclusion-rules";

fn rule_body(name: &str, filter: Value) -> Value {
    json!({"name": name, "filter": filter})
}

fn area_condition(id: &str) -> Value {
    json!({"type": "condition", "field": "area", "operator": "in", "values": [id]})
}

#[apply(both_engines)]
#[actix_web::test]
async fn global_rules_are_listed_with_partner_rules_and_written_separately(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let ruler = app.global_rules_editor();
    let editor = app.editor();
    editor
        .post("/exclusion-rules", rule_body("G", filter()))
        .await
        .is_problem(403, "insufficient_scope");
    let global = ruler
        .post("/exclusion-rules", rule_body("Mitte", filter()))
        .await
        .is(201)
        .json;
    assert_eq!(global["scope"], "global");
    assert_eq!(global["business_partner_id"], Value::Null);
    let own = editor
        .post(RULES, rule_body("Anfang", filter()))
        .await
        .is(201)
        .json;
    assert_eq!(own["scope"], "partner");
    assert_eq!(own["business_partner_id"], "K-1");
    editor
        .post(RULES, rule_body("Schluss", filter()))
        .await
        .is(201);
    assert_eq!(
        editor.get(RULES).await.items("/name"),
        ["Anfang", "Schluss"]
    );
    let both = editor
        .get(&format!("{RULES}?include_global=true&sort=-name"))
        .await
        .is(200);
    assert_eq!(both.items("/name"), ["Schluss", "Mitte", "Anfang"]);
    assert_eq!(both.items("/scope"), ["partner", "global", "partner"]);
    assert_eq!(
        editor.get("/exclusion-rules").await.items("/name"),
        ["Mitte"]
    );
    assert_eq!(editor.get(K1).await.json["counts"]["exclusion_rules"], 2);
    // A name is unique within each scope.
    editor
        .post(RULES, rule_body("MITTE", filter()))
        .await
        .is(201);
    ruler
        .post("/exclusion-rules", rule_body("mitte", filter()))
        .await
        .is_problem(409, "duplicate_name");
    let path = format!("/exclusion-rules/{}", global["id"].as_str().unwrap());
    ruler.patch(&path, json!({"active": false})).await.is(200);
    assert_eq!(
        editor
            .get(&format!("{RULES}?include_global=true&active=false"))
            .await
            .items("/name"),
        ["Mitte"]
    );
    // An inactive integration blocks only its own rules.
    editor.patch(K1, json!({"active": false})).await.is(200);
    editor
        .post(RULES, rule_body("R", filter()))
        .await
        .is_problem(409, "integration_inactive");
    ruler.delete(&path).await.is(204);
    ruler.get(&path).await.is_problem(404, "not_found");
}

#[apply(both_engines)]
#[actix_web::test]
async fn global_rules_with_partner_token_return_403(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let ids = app.create_one_of_each().await;
    let limited = app.client_with_claims(&customer_integration::tokens::Claims {
        business_partner_id: Some("K-1".parse().unwrap()),
        ..crate::support::app::claims("integration:read integration:write global-rules:write")
    });
    let path = format!("/exclusion-rules/{}", ids.global_rule);
    for response in [
        limited.get("/exclusion-rules").await,
        limited
            .post("/exclusion-rules", rule_body("G", filter()))
            .await,
        limited.get(&path).await,
        limited.patch(&path, json!({"active": false})).await,
        limited.delete(&path).await,
    ] {
        response.is_problem(403, "partner_restricted");
    }
    assert_eq!(
        app.global_rules_editor().get(&path).await.is(200).json["active"],
        true
    );
}

#[apply(both_engines)]
#[actix_web::test]
async fn rule_summary_uses_request_language_and_catalog_names(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();
    let erp = app.erp();
    let both = json!({"type": "all", "filters": [area_condition("A-1"),
        {"type": "condition", "field": "ticket_type", "operator": "not_in", "values": ["T-1", "T-2"]}]});
    let created = editor.post(RULES, rule_body("R", both)).await.is(201);
    assert_eq!(
        created.json["summary"],
        "Area is “Bereich 1” and (ticket type is not “Art 1” or “Art 2”)."
    );
    assert_eq!(created.header("content-language"), "en");
    assert!(created.header("vary").contains("accept-language"));
    let path = format!("{RULES}/{}", created.json["id"].as_str().unwrap());
    let in_german = async |path: &str| {
        editor
            .request("GET", path)
            .header("accept-language", "fr, de;q=0.8, en;q=0.3")
            .send()
            .await
    };
    let german = in_german(&path).await.is(200);
    assert_eq!(
        german.json["summary"],
        "Bereich ist „Bereich 1“ und (Ticketart ist nicht „Art 1“ oder „Art 2“)."
    );
    assert_eq!(german.header("content-language"), "de");
    assert_eq!(
        in_german(RULES).await.is(200).header("content-language"),
        "de"
    );
    // Each language is a separate representation.
    let german_etag = german.etag();
    assert_ne!(german_etag, created.etag());
    editor
        .request("GET", &path)
        .header("if-none-match", &german_etag)
        .send()
        .await
        .is(200);
    // `If-Match` accepts the ETag of either representation.
    editor
        .request("PATCH", &path)
        .header("if-match", &german_etag)
        .json(json!({"description": "d"}))
        .send()
        .await
        .is(200);
    // A catalog rename updates the summary and the ETag, but not the version.
    let before = editor.get(&path).await;
    erp.put(
        "/catalog/areas/A-1",
        json!({"name": "Netz", "color": "#00aaff"}),
    )
    .await
    .is(200);
    let after = editor.get(&path).await.is(200);
    assert!(
        after.json["summary"]
            .as_str()
            .unwrap()
            .starts_with("Area is “Netz”")
    );
    assert_eq!(after.json["version"], before.json["version"]);
    assert_ne!(after.etag(), before.etag());
    assert_eq!(
        editor.get(RULES).await.json["items"][0]["summary"],
        after.json["summary"]
    );
}

#[apply(both_engines)]
#[actix_web::test]
async fn retired_references_are_reported_until_reactivated(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();
    let erp = app.erp();
    let query = json!({"name": "Q", "filter": area_condition("A-2"), "columns": ["subject"]});
    let query = editor
        .post(&format!("{K1}/queries"), query)
        .await
        .is(201)
        .json;
    let types =
        json!({"type": "condition", "field": "ticket_type", "operator": "in", "values": ["T-3"]});
    let created = editor.post(RULES, rule_body("R", types)).await.is(201).json;
    let retired_references = async || {
        let warnings = editor.get(K1).await.is(200).json["readiness"]["warnings"].clone();
        let warning = warnings
            .as_array()
            .unwrap()
            .iter()
            .find(|warning| warning["code"] == "retired_reference")
            .cloned();
        warning.map_or(json!([]), |warning| warning["references"].clone())
    };
    assert_eq!(retired_references().await, json!([]));
    let area = |active: bool| json!({"name": "Bereich 2", "color": "#00aaff", "active": active});
    let ticket_type = |active: bool| json!({"name": "Art 3", "kind": "standard", "active": active});
    erp.put("/catalog/areas/A-2", area(false)).await.is(200);
    erp.put("/catalog/ticket-types/T-3", ticket_type(false))
        .await
        .is(200);
    assert_eq!(
        retired_references().await,
        json!([
            {"kind": "area", "id": "A-2", "name": "Bereich 2"},
            {"kind": "ticket_type", "id": "T-3", "name": "Art 3"}
        ])
    );
    // A retired reference does not block updates or new rules.
    let path = format!("{K1}/queries/{}", query["id"].as_str().unwrap());
    editor
        .patch(&path, json!({"description": "d"}))
        .await
        .is(200);
    editor
        .post(RULES, rule_body("R2", area_condition("A-2")))
        .await
        .is(201);
    // Inactive and deleted filters cause no warning.
    editor.patch(&path, json!({"active": false})).await.is(200);
    editor
        .delete(&format!("{RULES}/{}", created["id"].as_str().unwrap()))
        .await
        .is(204);
    assert_eq!(
        retired_references().await,
        json!([{"kind": "area", "id": "A-2", "name": "Bereich 2"}]),
        "R2 still refers to A-2"
    );
    erp.put("/catalog/areas/A-2", area(true)).await.is(200);
    assert_eq!(retired_references().await, json!([]));
    // Global rules cause no warning: a partner cannot change them.
    app.global_rules_editor()
        .post("/exclusion-rules", rule_body("G", area_condition("A-3")))
        .await
        .is(201);
    erp.put(
        "/catalog/areas/A-3",
        json!({"name": "Bereich 3", "color": "#00aaff", "active": false}),
    )
    .await
    .is(200);
    assert_eq!(retired_references().await, json!([]));
}

#[apply(both_engines)]
#[actix_web::test]
async fn fully_excluded_area_is_reported_in_readiness(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let ruler = app.global_rules_editor();
    let etag_before = app.reader().get(K1).await.etag();
    let area_is_reported = async || {
        let warnings = app.reader().get(K1).await.is(200).json["readiness"]["warnings"].clone();
        warnings
            .as_array()
            .unwrap()
            .iter()
            .any(|warning| warning["code"] == "area_fully_excluded")
    };
    assert!(!area_is_reported().await);
    let global = ruler
        .post("/exclusion-rules", rule_body("G", area_condition("A-1")))
        .await
        .is(201)
        .json;
    assert!(area_is_reported().await);
    // A global rule changes the ETag of every partner.
    app.reader()
        .request("GET", K1)
        .header("if-none-match", &etag_before)
        .send()
        .await
        .is(200);
    let path = format!("/exclusion-rules/{}", global["id"].as_str().unwrap());
    ruler.patch(&path, json!({"active": false})).await.is(200);
    assert!(!area_is_reported().await);
    let narrow = json!({"type": "all", "filters": [area_condition("A-1"), filter()]});
    ruler
        .patch(&path, json!({"active": true, "filter": narrow}))
        .await
        .is(200);
    assert!(!area_is_reported().await);
}

#[apply(both_engines)]
#[actix_web::test]
async fn rule_limit_is_500_per_partner(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let ruler = app.global_rules_editor();
    let editor = app.editor();
    for n in 0..500 {
        editor
            .post(RULES, rule_body(&format!("R{n}"), filter()))
            .await
            .is(201);
    }
    editor
        .post(RULES, rule_body("Zu viel", filter()))
        .await
        .is_problem(409, "limit_reached");
    assert_eq!(editor.get(K1).await.json["counts"]["exclusion_rules"], 500);
    // Global rules do not count towards the partner's limit.
    ruler
        .post("/exclusion-rules", rule_body("G", filter()))
        .await
        .is(201);
    assert_eq!(
        editor
            .get_all(&format!("{RULES}?include_global=true&limit=200"))
            .await
            .len(),
        501
    );
}

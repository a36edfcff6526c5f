//! Exclusion rules of partners and of all, in words and with references that age.

use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{Engine, Engine::*, TestApp, app::filter};

const K1: &str = "/customer-integrations/K-1";
const RULES: &str = "/customer-integrations/K-1/exclusion-rules";

fn rule(name: &str, filter: Value) -> Value {
    json!({"name": name, "filter": filter})
}

fn in_area(id: &str) -> Value {
    json!({"type": "condition", "field": "area", "operator": "in", "values": [id]})
}

#[rstest]
#[actix_web::test]
async fn global_rules_are_shown_beside_the_partners_and_written_elsewhere(
    #[values(Sqlite, Postgres)] engine: Engine,
) {
    let Some(app) = TestApp::ready(engine).await else {
        return;
    };
    let (ruler, editor) = (app.ruler(), app.editor());
    editor
        .post("/exclusion-rules", rule("G", filter()))
        .await
        .is_problem(403, "insufficient_scope");
    let global = ruler
        .post("/exclusion-rules", rule("Mitte", filter()))
        .await
        .is(201)
        .json;
    assert_eq!(
        (&global["scope"], &global["business_partner_id"]),
        (&json!("global"), &Value::Null)
    );
    let own = editor
        .post(RULES, rule("Anfang", filter()))
        .await
        .is(201)
        .json;
    assert_eq!(
        (&own["scope"], &own["business_partner_id"]),
        (&json!("partner"), &json!("K-1"))
    );
    editor.post(RULES, rule("Schluss", filter())).await.is(201);
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
    // the same name may stand in either scope, once
    editor.post(RULES, rule("MITTE", filter())).await.is(201);
    ruler
        .post("/exclusion-rules", rule("mitte", filter()))
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
    // an inactive integration holds up its own rules only
    editor.patch(K1, json!({"active": false})).await.is(200);
    editor
        .post(RULES, rule("R", filter()))
        .await
        .is_problem(409, "integration_inactive");
    ruler.delete(&path).await.is(204);
    ruler.get(&path).await.is_problem(404, "not_found");
}

#[rstest]
#[actix_web::test]
async fn a_token_limited_to_one_partner_has_no_business_with_global_rules(
    #[values(Sqlite, Postgres)] engine: Engine,
) {
    let Some(app) = TestApp::ready(engine).await else {
        return;
    };
    let ids = app.furnish().await;
    let limited = app.with_claims(&customer_integration::tokens::Claims {
        business_partner_id: Some("K-1".parse().unwrap()),
        ..crate::support::app::claims("integration:read integration:write global-rules:write")
    });
    let path = format!("/exclusion-rules/{}", ids.global_rule);
    for answer in [
        limited.get("/exclusion-rules").await,
        limited.post("/exclusion-rules", rule("G", filter())).await,
        limited.get(&path).await,
        limited.patch(&path, json!({"active": false})).await,
        limited.delete(&path).await,
    ] {
        answer.is_problem(403, "partner_restricted");
    }
    assert_eq!(app.ruler().get(&path).await.is(200).json["active"], true);
}

#[rstest]
#[actix_web::test]
async fn a_rule_is_said_in_the_callers_language_by_the_names_of_the_catalogue(
    #[values(Sqlite, Postgres)] engine: Engine,
) {
    let Some(app) = TestApp::ready(engine).await else {
        return;
    };
    let (editor, erp) = (app.editor(), app.erp());
    let both = json!({"type": "all", "filters": [in_area("A-1"),
        {"type": "condition", "field": "ticket_type", "operator": "not_in", "values": ["T-1", "T-2"]}]});
    let created = editor.post(RULES, rule("R", both)).await.is(201);
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
    // another language is another representation
    let etag = german.etag();
    assert_ne!(etag, created.etag());
    editor
        .request("GET", &path)
        .header("if-none-match", &etag)
        .send()
        .await
        .is(200);
    // … and either tag names the state to change
    editor
        .request("PATCH", &path)
        .header("if-match", &etag)
        .json(json!({"description": "d"}))
        .send()
        .await
        .is(200);
    // a new name in the catalogue shows at once, and changes the tag
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
    assert_eq!(
        (&after.json["version"], after.etag() == before.etag()),
        (&before.json["version"], false)
    );
    assert_eq!(
        editor.get(RULES).await.json["items"][0]["summary"],
        after.json["summary"]
    );
}

#[rstest]
#[actix_web::test]
async fn references_age_and_come_back(#[values(Sqlite, Postgres)] engine: Engine) {
    let Some(app) = TestApp::ready(engine).await else {
        return;
    };
    let (editor, erp) = (app.editor(), app.erp());
    let query = json!({"name": "Q", "filter": in_area("A-2"), "columns": ["subject"]});
    let query = editor
        .post(&format!("{K1}/queries"), query)
        .await
        .is(201)
        .json;
    let types =
        json!({"type": "condition", "field": "ticket_type", "operator": "in", "values": ["T-3"]});
    let created = editor.post(RULES, rule("R", types)).await.is(201).json;
    let warned = async || {
        let warnings = editor.get(K1).await.is(200).json["readiness"]["warnings"].clone();
        let retired = warnings
            .as_array()
            .unwrap()
            .iter()
            .find(|it| it["code"] == "retired_reference")
            .cloned();
        retired.map_or(json!([]), |warning| warning["references"].clone())
    };
    assert_eq!(warned().await, json!([]));
    let area = |active: bool| json!({"name": "Bereich 2", "color": "#00aaff", "active": active});
    let ticket_type = |active: bool| json!({"name": "Art 3", "kind": "standard", "active": active});
    erp.put("/catalog/areas/A-2", area(false)).await.is(200);
    erp.put("/catalog/ticket-types/T-3", ticket_type(false))
        .await
        .is(200);
    assert_eq!(
        warned().await,
        json!([{"kind": "area", "id": "A-2"}, {"kind": "ticket_type", "id": "T-3"}])
    );
    // nothing is broken: it can be read, changed, and even used in a new rule
    let path = format!("{K1}/queries/{}", query["id"].as_str().unwrap());
    editor
        .patch(&path, json!({"description": "d"}))
        .await
        .is(200);
    editor.post(RULES, rule("R2", in_area("A-2"))).await.is(201);
    // what is not in force is not warned about
    editor.patch(&path, json!({"active": false})).await.is(200);
    editor
        .delete(&format!("{RULES}/{}", created["id"].as_str().unwrap()))
        .await
        .is(204);
    assert_eq!(
        warned().await,
        json!([{"kind": "area", "id": "A-2"}]),
        "R2 names it still"
    );
    erp.put("/catalog/areas/A-2", area(true)).await.is(200);
    assert_eq!(warned().await, json!([]));
    // a partner cannot mend global rules, and is not told what they name
    app.ruler()
        .post("/exclusion-rules", rule("G", in_area("A-3")))
        .await
        .is(201);
    erp.put(
        "/catalog/areas/A-3",
        json!({"name": "Bereich 3", "color": "#00aaff", "active": false}),
    )
    .await
    .is(200);
    assert_eq!(warned().await, json!([]));
}

#[rstest]
#[actix_web::test]
async fn an_area_that_rules_hide_completely_is_warned_about(
    #[values(Sqlite, Postgres)] engine: Engine,
) {
    let Some(app) = TestApp::ready(engine).await else {
        return;
    };
    let (ruler, tag) = (app.ruler(), app.reader().get(K1).await.etag());
    let warned = async || {
        let warnings = app.reader().get(K1).await.is(200).json["readiness"]["warnings"].clone();
        warnings
            .as_array()
            .unwrap()
            .iter()
            .any(|it| it["code"] == "area_fully_excluded")
    };
    assert!(!warned().await);
    let global = ruler
        .post("/exclusion-rules", rule("G", in_area("A-1")))
        .await
        .is(201)
        .json;
    assert!(warned().await);
    // a global rule is news for every partner
    app.reader()
        .request("GET", K1)
        .header("if-none-match", &tag)
        .send()
        .await
        .is(200);
    let path = format!("/exclusion-rules/{}", global["id"].as_str().unwrap());
    ruler.patch(&path, json!({"active": false})).await.is(200);
    assert!(!warned().await);
    let narrow = json!({"type": "all", "filters": [in_area("A-1"), filter()]});
    ruler
        .patch(&path, json!({"active": true, "filter": narrow}))
        .await
        .is(200);
    assert!(!warned().await);
}

#[rstest]
#[actix_web::test]
async fn there_are_five_hundred_rules_at_most(#[values(Sqlite, Postgres)] engine: Engine) {
    let Some(app) = TestApp::ready(engine).await else {
        return;
    };
    let (ruler, editor) = (app.ruler(), app.editor());
    for n in 0..500 {
        editor
            .post(RULES, rule(&format!("R{n}"), filter()))
            .await
            .is(201);
    }
    editor
        .post(RULES, rule("Zu viel", filter()))
        .await
        .is_problem(409, "limit_reached");
    assert_eq!(editor.get(K1).await.json["counts"]["exclusion_rules"], 500);
    // others are counted by themselves
    ruler
        .post("/exclusion-rules", rule("G", filter()))
        .await
        .is(201);
    assert_eq!(
        editor
            .all(&format!("{RULES}?include_global=true&limit=200"))
            .await
            .len(),
        501
    );
}

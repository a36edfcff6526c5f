//! History: each change adds exactly one entry in its transaction, a no-op adds none.

use std::collections::BTreeMap;

use customer_integration::tokens::{ActingParty, Claims};
use rstest_reuse::apply;
use serde_json::{Value, json};

use crate::{
    engines::both_engines,
    support::{Engine, Response, TestApp, app::claims},
};

const K1: &str = "/customer-integrations/K-1";

#[apply(both_engines)]
#[actix_web::test]
async fn each_change_is_recorded_once(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();
    let id = app.create_access("K-1", "a@b.example", json!({})).await;
    let access = format!("{K1}/accesses/{id}");
    let ticket_type = format!("{K1}/ticket-types/T-1");
    let other_area = format!("{K1}/areas/A-2");

    for _ in 0..2 {
        let patch = json!({"language": "en"});
        editor.patch(&access, patch).await.is(200);
    }
    let approval = json!({"approval_required": true});
    editor.put(&ticket_type, approval).await.is(200);
    let refused = editor.delete(&format!("{K1}/areas/A-1")).await;
    refused.is_problem(409, "last_area");
    editor.put(&other_area, Value::Null).await.is(201);
    editor.delete(&other_area).await.is(204);

    let expected = BTreeMap::from([
        ("access created", 1),
        ("access updated", 1),
        ("area created", 2),
        ("area deleted", 1),
        ("customer_integration updated", 1),
        ("ticket_type created", 1),
        ("ticket_type updated", 1),
    ]);
    let counts = app.history_counts(Some("K-1")).await;
    let counts: BTreeMap<_, _> = counts
        .iter()
        .map(|(entry, n)| (entry.as_str(), *n))
        .collect();
    assert_eq!(counts, expected);
    assert_eq!(app.history_counts(Some("K-2")).await, BTreeMap::new());
}

#[apply(both_engines)]
#[actix_web::test]
async fn catalog_changes_are_recorded_without_partner(engine: Engine) {
    let app = TestApp::with_catalog(engine).await;

    let counts = app.history_counts(None).await;

    assert_eq!(counts["business_partner created"], 2);
    assert_eq!(counts["catalog_area created"], 3);
}

/// Changes an access as the request `req-4711`.
async fn change_access(app: &TestApp) -> Response {
    let id = app.create_access("K-1", "a@b.example", json!({})).await;
    let request = app
        .editor()
        .request("PATCH", &format!("{K1}/accesses/{id}"))
        .header("x-request-id", "req-4711")
        .json(json!({"language": "en"}));
    request.send().await.is(200)
}

/// Reads an SQL expression of the history entry of the request `req-4711`.
async fn query_entry(app: &TestApp, expression: &str) -> Vec<String> {
    let sql = format!("SELECT {expression} AS text FROM history WHERE request_id = 'req-4711'");
    app.storage.query_texts(&sql).await
}

#[apply(both_engines)]
#[actix_web::test]
async fn history_entry_contains_actor_request_and_action(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;

    let changed = change_access(&app).await;

    assert_eq!(changed.header("x-request-id"), "req-4711");
    let entries = query_entry(
        &app,
        "subject || '|' || client || '|' || resource_id || '|' || action",
    )
    .await;
    let id = changed.json["id"].as_str().unwrap();
    assert_eq!(entries, [format!("anna.admin|spa|{id}|updated")]);
}

#[apply(both_engines)]
#[actix_web::test]
async fn history_entry_contains_resource_before_and_after(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let query_json = async |column: &str| {
        let texts = query_entry(&app, &format!("CAST({column} AS TEXT)")).await;
        serde_json::from_str::<Value>(&texts[0]).unwrap()
    };

    let changed = change_access(&app).await;

    let before = query_json("before").await;
    assert_eq!(before["language"], "de");
    assert_eq!(before["version"], 1);
    // the history contains no text in the language of a request
    let mut changed = changed.json;
    changed
        .as_object_mut()
        .unwrap()
        .remove("ineffective_messages");
    assert_eq!(query_json("after").await, changed);
}

#[apply(both_engines)]
#[actix_web::test]
async fn revisions_have_no_gaps(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    app.create_access("K-1", "a@b.example", json!({})).await;
    let sql = "SELECT CAST(revision AS TEXT) AS text FROM history \
               WHERE business_partner_id = 'K-1' ORDER BY history.revision";
    let revisions: Vec<i64> = app
        .storage
        .query_texts(sql)
        .await
        .iter()
        .map(|revision| revision.parse().unwrap())
        .collect();
    let current = app.reader().get("/customer-integrations/K-1").await.json["revision"]
        .as_i64()
        .unwrap();
    assert_eq!(revisions, (2..=current).collect::<Vec<_>>());
}

async fn read_system_history(app: &TestApp, parameters: &str) -> Vec<Value> {
    app.client_with_scope("audit:read")
        .get_all(&format!("/history?{parameters}"))
        .await
}

#[apply(both_engines)]
#[actix_web::test]
async fn system_history_is_sorted_by_time(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;

    let newest_first = read_system_history(&app, "limit=3").await;
    let mut oldest_first = read_system_history(&app, "sort=at&limit=200").await;

    oldest_first.reverse();
    assert_eq!(newest_first, oldest_first);
}

#[apply(both_engines)]
#[actix_web::test]
async fn system_history_contains_global_rules_and_catalog(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let ids = app.create_one_of_each().await;

    let of_global_rules = read_system_history(&app, "aggregate=global_rules").await;
    let areas = "aggregate=catalog&resource=catalog_area";
    let of_areas = read_system_history(&app, areas).await;

    assert_eq!(of_global_rules.len(), 1);
    assert_eq!(of_global_rules[0]["resource"], "exclusion_rule");
    assert_eq!(of_global_rules[0]["resource_id"], ids.global_rule);
    assert_eq!(of_global_rules[0]["business_partner_id"], Value::Null);
    assert_eq!(of_areas.len(), 3);
}

#[apply(both_engines)]
#[actix_web::test]
async fn system_history_of_partner_equals_history_of_integration(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    app.create_one_of_each().await;
    let auditor = app.client_with_scope("audit:read");

    let of_partner = read_system_history(&app, "business_partner_id=K-1").await;

    let of_integration = auditor.get_all(&format!("{K1}/history")).await;
    assert_eq!(of_partner, of_integration);
    for entry in of_partner {
        assert_eq!(entry["aggregate"], "customer_integration");
        assert_eq!(entry["business_partner_id"], "K-1");
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn every_entry_of_system_history_has_one_aggregate(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    app.create_one_of_each().await;

    let all = read_system_history(&app, "").await;
    let mut of_aggregates = 0;
    for aggregate in ["customer_integration", "catalog", "global_rules"] {
        let filter = format!("aggregate={aggregate}");
        of_aggregates += read_system_history(&app, &filter).await.len();
    }

    assert_eq!(of_aggregates, all.len());
}

#[apply(both_engines)]
#[actix_web::test]
async fn history_without_a_subject_lists_the_changes_of_others(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    // by another subject than the rest
    app.erp()
        .put("/customer-integrations/K-1/plan-boards/B-1", Value::Null)
        .await
        .is(201);
    let auditor = app.client_with_scope("audit:read");
    for path in ["/customer-integrations/K-1/history", "/history"] {
        let all = auditor.get_all(path).await;
        let (own, others): (Vec<_>, Vec<_>) = all
            .into_iter()
            .partition(|entry| entry["subject"] == "anna.admin");
        assert!(!own.is_empty() && !others.is_empty(), "{path}");

        let listed = auditor
            .get_all(&format!("{path}?subject_not=anna.admin"))
            .await;

        assert_eq!(listed, others, "{path}");
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn history_names_the_subject_and_the_party_that_acted_for_it(engine: Engine) {
    const TAGS: &str = "/customer-integrations/K-1/tags";
    let app = TestApp::with_active_partner(engine).await;
    let anna = claims("integration:read integration:write audit:read");
    let named = app.client_with_claims(&Claims {
        name: Some("Anna Admin".to_owned()),
        act: Some(ActingParty {
            sub: "erp".to_owned(),
        }),
        ..anna.clone()
    });
    let unnamed = app.client_with_claims(&anna);

    let created = named.post(TAGS, json!({"name": "VPN"})).await.is(201);
    let path = format!("{TAGS}/{}", created.json["id"].as_str().unwrap());
    let names = |resource: &Value| {
        let name = |member: &str| resource[member].as_str().map(ToOwned::to_owned);
        (name("created_by_name"), name("updated_by_name"))
    };
    let anna = Some("Anna Admin".to_owned());
    assert_eq!(names(&created.json), (anna.clone(), anna.clone()));
    // A name that a token lacks is removed, not left over from the change before.
    let updated = unnamed.patch(&path, json!({"name": "WLAN"})).await.is(200);
    assert_eq!(names(&updated.json), (anna.clone(), None));
    assert_eq!(names(&unnamed.get(&path).await.json), (anna, None));
    let stale = named.request("PATCH", &path).header("if-match", "\"9\"");
    let stale = stale.json(json!({"name": "LAN"})).send().await.is(412);
    assert_eq!(stale.json["current"]["updated_by_name"], Value::Null);

    let history = "/customer-integrations/K-1/history?resource=tag";
    let entries = unnamed.get(history).await.is(200);
    let entry = |index: usize| {
        let entry = &entries.json["items"][index];
        ["subject", "subject_name", "actor"].map(|member| entry[member].clone())
    };
    assert_eq!(
        entry(1),
        [json!("anna.admin"), json!("Anna Admin"), json!("erp")]
    );
    assert_eq!(entry(0), [json!("anna.admin"), Value::Null, Value::Null]);
}

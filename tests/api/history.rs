//! History: each change adds exactly one entry in its transaction, a no-op adds none.

use crate::engines::both_engines;
use rstest_reuse::apply;
use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::{Engine, TestApp};

#[apply(both_engines)]
#[actix_web::test]
async fn each_change_is_recorded_once(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();
    let k1 = "/customer-integrations/K-1";
    let id = app.create_access("K-1", "a@b.example", json!({})).await;
    editor
        .patch(&format!("{k1}/accesses/{id}"), json!({"language": "en"}))
        .await
        .is(200);
    editor
        .patch(&format!("{k1}/accesses/{id}"), json!({"language": "en"}))
        .await
        .is(200);
    editor
        .put(
            &format!("{k1}/ticket-types/T-1"),
            json!({"approval_required": true}),
        )
        .await
        .is(200);
    editor
        .delete(&format!("{k1}/areas/A-1"))
        .await
        .is_problem(409, "last_area");
    editor
        .put(&format!("{k1}/areas/A-2"), Value::Null)
        .await
        .is(201);
    editor.delete(&format!("{k1}/areas/A-2")).await.is(204);
    let expected = [
        ("access created", 1),
        ("access updated", 1),
        ("area created", 2),
        ("area deleted", 1),
        ("customer_integration updated", 1),
        ("ticket_type created", 1),
        ("ticket_type updated", 1),
    ];
    assert_eq!(
        app.history_counts(Some("K-1")).await,
        expected.map(|(entry, n)| (entry.to_owned(), n)).into()
    );
    assert_eq!(app.history_counts(Some("K-2")).await, BTreeMap::new());
    let catalog = app.history_counts(None).await;
    assert_eq!(catalog["business_partner created"], 2);
    assert_eq!(catalog["catalog_area created"], 3);
}

#[apply(both_engines)]
#[actix_web::test]
async fn history_entry_contains_actor_action_before_and_after(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let id = app.create_access("K-1", "a@b.example", json!({})).await;
    let access = format!("/customer-integrations/K-1/accesses/{id}");
    let request = app
        .editor()
        .request("PATCH", &access)
        .header("x-request-id", "req-4711")
        .json(json!({"language": "en"}));
    let changed = request.send().await.is(200);
    assert_eq!(changed.header("x-request-id"), "req-4711");
    let columns =
        "subject || '|' || client || '|' || request_id || '|' || resource_id || '|' || action";
    let condition = "WHERE request_id = 'req-4711'";
    let entries = app
        .storage
        .query_texts(&format!(
            "SELECT {columns} AS text FROM history {condition}"
        ))
        .await;
    assert_eq!(entries, [format!("anna.admin|spa|req-4711|{id}|updated")]);
    let column_as_text =
        |column: &str| format!("SELECT CAST({column} AS TEXT) AS text FROM history {condition}");
    let before: Value =
        serde_json::from_str(&app.storage.query_texts(&column_as_text("before")).await[0]).unwrap();
    let after: Value =
        serde_json::from_str(&app.storage.query_texts(&column_as_text("after")).await[0]).unwrap();
    assert_eq!(before["language"], "de");
    assert_eq!(before["version"], 1);
    let mut changed = changed.json;
    // The history contains no text in the language of a request.
    changed
        .as_object_mut()
        .unwrap()
        .remove("ineffective_messages");
    assert_eq!(after, changed);
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

#[apply(both_engines)]
#[actix_web::test]
async fn system_history_lists_partners_catalog_and_global_rules(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let ids = app.create_one_of_each().await;
    let auditor = app.client_with_scope("audit:read");
    let list = async |query: &str| auditor.get_all(&format!("/history?{query}")).await;

    let newest_first = list("limit=3").await;
    let mut oldest_first = list("sort=at&limit=200").await;

    oldest_first.reverse();
    assert_eq!(newest_first, oldest_first);
    let [entry] = &list("aggregate=global_rules").await[..] else {
        panic!("one global rule was created")
    };
    assert_eq!(entry["resource"], "exclusion_rule");
    assert_eq!(entry["resource_id"], ids.global_rule);
    assert_eq!(entry["business_partner_id"], Value::Null);
    let catalog = list("aggregate=catalog&resource=catalog_area").await;
    assert_eq!(catalog.len(), 3);
    let partner = list("business_partner_id=K-1").await;
    assert_eq!(
        partner,
        auditor.get_all("/customer-integrations/K-1/history").await
    );
    assert!(partner.iter().all(|entry| {
        entry["aggregate"] == "customer_integration" && entry["business_partner_id"] == "K-1"
    }));
    let integrations = list("aggregate=customer_integration").await;
    let others = list("aggregate=catalog").await.len() + 1;
    assert_eq!(integrations.len() + others, newest_first.len());
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

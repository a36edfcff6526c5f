//! A partner set up through the API, read back, and its history.

use crate::engines::both_engines;
use rstest_reuse::apply;
use serde_json::{Value, json};

use crate::support::{Engine, TestApp, app::filter};

const K1: &str = "/customer-integrations/K-1";

/// Sets up K-1 through the API. Returns the responses by list.
async fn set_up(app: &TestApp) -> Vec<(&'static str, Vec<Value>)> {
    let editor = app.editor();
    let erp = app.erp();
    editor.patch(K1, json!({"active": true})).await.is(200);
    let mut tabs = Vec::new();
    let mut put = async |list: &'static str, ids: &[&str]| {
        let mut all = Vec::new();
        for id in ids {
            let caller = if list == "plan-boards" { &erp } else { &editor };
            all.push(
                caller
                    .put(&format!("{K1}/{list}/{id}"), Value::Null)
                    .await
                    .is(201)
                    .json,
            );
        }
        tabs.push((list, all));
    };
    put("areas", &["A-1", "A-2"]).await;
    put("ticket-types", &["T-1", "T-2", "T-3"]).await;
    put("plan-boards", &["B-1"]).await;
    let mut post = async |list: &'static str, bodies: Vec<Value>| {
        let mut all = Vec::new();
        for body in bodies {
            all.push(
                editor
                    .post(&format!("{K1}/{list}"), body)
                    .await
                    .is(201)
                    .json,
            );
        }
        tabs.push((list, all));
    };
    let access = |last: &str, active: bool| {
        json!({"first_name": "A", "last_name": last, "email": format!("{last}@b.example"),
            "role": "editor", "active": active})
    };
    post(
        "accesses",
        vec![
            access("Abel", true),
            access("Berg", false),
            access("Cram", true),
        ],
    )
    .await;
    post(
        "tags",
        vec![
            json!({"name": "Drucker"}),
            json!({"name": "VPN", "area_id": "A-2"}),
        ],
    )
    .await;
    let query = |name: &str| json!({"name": name, "filter": filter(), "columns": ["subject"]});
    post("queries", vec![query("Erste"), query("Zweite")]).await;
    post(
        "exclusion-rules",
        vec![json!({"name": "Altfälle", "filter": filter()})],
    )
    .await;
    tabs
}

#[apply(both_engines)]
#[actix_web::test]
async fn created_resources_are_returned_unchanged_by_lists_and_gets(engine: Engine) {
    let app = TestApp::with_catalog(engine).await;
    let tabs = set_up(&app).await;
    let reader = app.reader();
    for (list, expected) in &tabs {
        let items = reader.get_all(&format!("{K1}/{list}?limit=1")).await;
        assert_eq!(&items, expected, "{list}");
        for item in items {
            let names = ["id", "area_id", "ticket_type_id", "plan_board_id"];
            // A tag has `area_id` too, so `id` comes first.
            let id = names
                .iter()
                .find_map(|name| item.get(name))
                .unwrap()
                .as_str()
                .unwrap();
            assert_eq!(
                reader.get(&format!("{K1}/{list}/{id}")).await.is(200).json,
                item,
                "{list}"
            );
        }
    }
    let tab = reader.get(K1).await.is(200).json;
    for (list, expected) in &tabs {
        assert_eq!(
            tab["counts"][list.replace('-', "_")],
            json!(expected.len()),
            "{list}"
        );
    }
    assert_eq!(tab["counts"]["active_accesses"], 2);
    assert_eq!(
        tab["readiness"],
        json!({"usable": true, "can_create_tickets": true, "blockers": [], "warnings": []})
    );
    let writes: usize = tabs.iter().map(|(_, items)| items.len()).sum();
    assert_eq!(
        tab["revision"],
        json!(1 + 1 + writes),
        "created, activated, and one per write"
    );
}

#[apply(both_engines)]
#[actix_web::test]
async fn history_lists_every_change_newest_first(engine: Engine) {
    let app = TestApp::with_catalog(engine).await;
    let tabs = set_up(&app).await;
    let auditor = app.client_with_scope("audit:read");
    let history = format!("{K1}/history");
    app.editor()
        .get(&history)
        .await
        .is_problem(403, "insufficient_scope");
    let entries = auditor.get_all(&format!("{history}?limit=4")).await;
    let revisions: Vec<_> = entries
        .iter()
        .map(|entry| entry["revision"].as_i64().unwrap())
        .collect();
    let mut expected: Vec<_> = (2..).take(entries.len()).collect();
    expected.reverse();
    assert_eq!(revisions, expected, "without gaps, newest first");
    // An entry contains the resource as returned, without localized text.
    for mut resource in tabs.iter().flat_map(|(_, items)| items.clone()) {
        let members = resource.as_object_mut().unwrap();
        members.retain(|name, _| name != "summary" && name != "ineffective_messages");
        let entry = entries
            .iter()
            .find(|entry| entry["after"] == resource)
            .unwrap_or_else(|| panic!("{resource}"));
        assert_eq!(
            (&entry["action"], &entry["before"], &entry["client"]),
            (&json!("created"), &Value::Null, &entry["client"])
        );
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn history_is_filtered_by_resource_subject_and_time(engine: Engine) {
    let app = TestApp::with_catalog(engine).await;
    set_up(&app).await;
    let auditor = app.client_with_scope("audit:read");
    let history = format!("{K1}/history");
    let entries = auditor.get_all(&history).await;
    let count = async |query: &str| auditor.get_all(&format!("{history}?{query}")).await.len();
    assert_eq!(count("resource=tag").await, 2);
    assert_eq!(count("resource=customer_integration").await, 1);
    assert_eq!(
        (
            count("subject=erp").await,
            count("subject=anna.admin").await
        ),
        (1, entries.len() - 1)
    );
    assert_eq!(count("resource=area&resource_id=A-2").await, 1);
    let middle = entries[5]["at"].as_str().unwrap();
    let older = count(&format!("until={middle}")).await;
    let newer = count(&format!("from={middle}")).await;
    assert_eq!((older + newer, newer), (entries.len(), 6));
}

#[apply(both_engines)]
#[actix_web::test]
async fn invalid_history_parameter_returns_400(engine: Engine) {
    let app = TestApp::with_catalog(engine).await;
    set_up(&app).await;
    let auditor = app.client_with_scope("audit:read");
    let history = format!("{K1}/history");
    for (query, error) in [
        ("resource=color", "resource unknown_value"),
        ("from=yesterday", "from invalid_time"),
        ("subject=", "subject required"),
        ("limit=0", "limit out_of_range"),
    ] {
        assert_eq!(
            auditor
                .get(&format!("{history}?{query}"))
                .await
                .is_problem(400, "invalid_parameter")
                .errors(),
            [error]
        );
    }
    auditor
        .get(&format!("{history}?sort=name"))
        .await
        .is_problem(400, "invalid_parameter");
}

#[apply(both_engines)]
#[actix_web::test]
async fn history_contains_no_secret(engine: Engine) {
    let app = TestApp::with_catalog(engine).await;
    set_up(&app).await;
    let auditor = app.client_with_scope("audit:read");
    let text = serde_json::to_string(&auditor.get_all(&format!("{K1}/history")).await).unwrap();
    assert!(text.contains("Abel@b.example") || text.contains("abel@b.example"));
    for secret in ["eyJ", "Bearer", crate::support::app::SECRET] {
        assert!(!text.contains(secret), "{secret}");
    }
}

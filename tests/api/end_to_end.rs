//! A partner set up through the API, read back, and its history.

use rstest_reuse::apply;
use serde_json::{Value, json};

use crate::{
    engines::both_engines,
    support::{
        Client, Engine, TestApp,
        app::{SECRET, filter},
    },
};

const K1: &str = "/customer-integrations/K-1";
const HISTORY: &str = "/customer-integrations/K-1/history";

/// A list of K-1 and its items, as returned when they were created.
struct CreatedList {
    name: &'static str,
    items: Vec<Value>,
}

impl CreatedList {
    async fn grant(client: &Client, name: &'static str, ids: &[&str]) -> Self {
        let mut items = Vec::new();
        for id in ids {
            let path = format!("{K1}/{name}/{id}");
            items.push(client.put(&path, Value::Null).await.is(201).json);
        }
        Self { name, items }
    }

    async fn create(client: &Client, name: &'static str, bodies: Vec<Value>) -> Self {
        let mut items = Vec::new();
        for body in bodies {
            let path = format!("{K1}/{name}");
            items.push(client.post(&path, body).await.is(201).json);
        }
        Self { name, items }
    }
}

/// Activates K-1 and creates items of every list.
async fn set_up(app: &TestApp) -> Vec<CreatedList> {
    let editor = app.editor();
    let erp = app.erp();
    editor.patch(K1, json!({"active": true})).await.is(200);
    let access = |last_name: &str, active: bool| {
        json!({
            "first_name": "A",
            "last_name": last_name,
            "email": format!("{last_name}@b.example"),
            "role": "editor",
            "active": active,
        })
    };
    let accesses = vec![
        access("Abel", true),
        access("Berg", false),
        access("Cram", true),
    ];
    let tags = vec![
        json!({"name": "Drucker"}),
        json!({"name": "VPN", "area_id": "A-2"}),
    ];
    let queries = vec![
        json!({"name": "Erste", "filter": filter(), "columns": ["subject"]}),
        json!({"name": "Zweite", "filter": filter(), "columns": ["subject"]}),
    ];
    let rules = vec![json!({"name": "Altfälle", "filter": filter()})];
    vec![
        CreatedList::grant(&editor, "areas", &["A-1", "A-2"]).await,
        CreatedList::grant(&editor, "ticket-types", &["T-1", "T-2", "T-3"]).await,
        CreatedList::grant(&erp, "plan-boards", &["B-1"]).await,
        CreatedList::create(&editor, "accesses", accesses).await,
        CreatedList::create(&editor, "tags", tags).await,
        CreatedList::create(&editor, "queries", queries).await,
        CreatedList::create(&editor, "exclusion-rules", rules).await,
    ]
}

/// The id of a resource. A tag has `area_id` too, so `id` comes first.
fn id_of(resource: &Value) -> &str {
    let names = ["id", "area_id", "ticket_type_id", "plan_board_id"];
    let id = names.iter().find_map(|name| resource.get(name));
    id.unwrap().as_str().unwrap()
}

#[apply(both_engines)]
#[actix_web::test]
async fn created_resources_are_returned_unchanged_by_lists_and_gets(engine: Engine) {
    let app = TestApp::with_catalog(engine).await;
    let reader = app.reader();

    for list in set_up(&app).await {
        let path = format!("{K1}/{}", list.name);
        let items = reader.get_all(&format!("{path}?limit=1")).await;
        assert_eq!(items, list.items, "{}", list.name);
        for item in items {
            let read = reader.get(&format!("{path}/{}", id_of(&item))).await;
            assert_eq!(read.is(200).json, item, "{}", list.name);
        }
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn integration_counts_created_resources_and_is_usable(engine: Engine) {
    let app = TestApp::with_catalog(engine).await;
    let lists = set_up(&app).await;

    let integration = app.reader().get(K1).await.is(200).json;

    for list in &lists {
        let member = list.name.replace('-', "_");
        assert_eq!(integration["counts"][&member], list.items.len(), "{member}");
    }
    assert_eq!(integration["counts"]["active_accesses"], 2);
    assert_eq!(
        integration["readiness"],
        json!({"usable": true, "can_create_tickets": true, "blockers": [], "warnings": []})
    );
    let created: usize = lists.iter().map(|list| list.items.len()).sum();
    assert_eq!(
        integration["revision"],
        1 + 1 + created,
        "the integration was created, activated, and changed by every creation"
    );
}

#[apply(both_engines)]
#[actix_web::test]
async fn history_without_audit_scope_returns_403(engine: Engine) {
    let app = TestApp::with_catalog(engine).await;

    let refused = app.editor().get(HISTORY).await;

    refused.is_problem(403, "insufficient_scope");
}

#[apply(both_engines)]
#[actix_web::test]
async fn history_lists_every_revision_newest_first(engine: Engine) {
    let app = TestApp::with_catalog(engine).await;
    let lists = set_up(&app).await;
    let created: usize = lists.iter().map(|list| list.items.len()).sum();

    let entries = app
        .client_with_scope("audit:read")
        .get_all(&format!("{HISTORY}?limit=4"))
        .await;

    let revisions: Vec<_> = entries
        .iter()
        .map(|entry| entry["revision"].as_u64().unwrap())
        .collect();
    // the first entry is the activation
    let expected: Vec<_> = (2_u64..).take(1 + created).collect();
    assert_eq!(revisions, expected.into_iter().rev().collect::<Vec<_>>());
}

#[apply(both_engines)]
#[actix_web::test]
async fn history_contains_resources_as_returned_without_localized_text(engine: Engine) {
    let app = TestApp::with_catalog(engine).await;
    let lists = set_up(&app).await;

    let entries = app.client_with_scope("audit:read").get_all(HISTORY).await;

    for mut resource in lists.into_iter().flat_map(|list| list.items) {
        let members = resource.as_object_mut().unwrap();
        members.retain(|name, _| name != "summary" && name != "ineffective_messages");
        let entry = entries
            .iter()
            .find(|entry| entry["after"] == resource)
            .unwrap_or_else(|| panic!("no entry of {resource}"));
        assert_eq!(entry["action"], "created");
        assert_eq!(entry["before"], Value::Null);
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn history_is_filtered_by_resource_subject_and_time(engine: Engine) {
    let app = TestApp::with_catalog(engine).await;
    set_up(&app).await;
    let auditor = app.client_with_scope("audit:read");
    let entries = auditor.get_all(HISTORY).await;
    let count = async |filter: &str| auditor.get_all(&format!("{HISTORY}?{filter}")).await.len();

    assert_eq!(count("resource=tag").await, 2);
    assert_eq!(count("resource=customer_integration").await, 1);
    assert_eq!(count("resource=area&resource_id=A-2").await, 1);
    assert_eq!(count("subject=erp").await, 1);
    assert_eq!(count("subject=anna.admin").await, entries.len() - 1);
    let middle = entries[5]["at"].as_str().unwrap();
    assert_eq!(count(&format!("from={middle}")).await, 6);
    let older = entries.len() - 6;
    assert_eq!(count(&format!("until={middle}")).await, older);
}

#[apply(both_engines)]
#[actix_web::test]
async fn invalid_history_parameter_returns_400(engine: Engine) {
    let app = TestApp::with_catalog(engine).await;
    let auditor = app.client_with_scope("audit:read");
    let errors = async |parameter: &str| {
        let refused = auditor.get(&format!("{HISTORY}?{parameter}")).await;
        refused.is_problem(400, "invalid_parameter").errors()
    };

    assert_eq!(errors("resource=color").await, ["resource unknown_value"]);
    assert_eq!(errors("from=yesterday").await, ["from invalid_time"]);
    assert_eq!(errors("subject=").await, ["subject required"]);
    assert_eq!(errors("limit=0").await, ["limit out_of_range"]);
    assert_eq!(errors("sort=name").await, ["sort out_of_range"]);
}

#[apply(both_engines)]
#[actix_web::test]
async fn history_contains_no_secret(engine: Engine) {
    let app = TestApp::with_catalog(engine).await;
    set_up(&app).await;

    let entries = app.client_with_scope("audit:read").get_all(HISTORY).await;

    let text = serde_json::to_string(&entries).unwrap();
    assert!(text.to_lowercase().contains("abel@b.example"));
    for secret in ["eyJ", "Bearer", SECRET] {
        assert!(!text.contains(secret), "{secret}");
    }
}

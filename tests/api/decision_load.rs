//! Large decision requests: limits and deadlines.

use std::time::Duration;

use rstest_reuse::apply;
use serde_json::{Value, json};

use crate::{
    engines::both_engines,
    support::{Engine, TestApp, app::Storage},
};

const PREVIEW: &str = "/decisions/exclusion-rule-preview";
const VISIBILITY: &str = "/decisions/ticket-visibility";

/// The largest filter about tags: 50 conditions with 100 values each.
fn filter() -> Value {
    let conditions: Vec<_> = (0..50)
        .map(|condition| {
            let values: Vec<_> = (0..100)
                .map(|value| format!("v{condition}-{value}"))
                .collect();
            json!({"type": "condition", "field": "tag", "operator": "any_of", "values": values})
        })
        .collect();
    json!({"type": "any", "filters": conditions})
}

fn tickets(count: usize, tags: usize) -> Vec<Value> {
    let tags: Vec<_> = (0..tags).map(|tag| format!("t{tag}")).collect();
    let ticket = |id: usize| {
        json!({"ticket_id": id.to_string(), "business_partner_id": "K-1", "area_id": "A-1",
            "internal": false, "confidential": false, "tags": tags})
    };
    (0..count).map(ticket).collect()
}

fn preview(count: usize, tags: usize) -> Value {
    json!({"business_partner_id": "K-1", "filter": filter(), "tickets": tickets(count, tags)})
}

/// A service with one worker and one access of the active partner.
async fn start(engine: Engine, request_timeout: Duration) -> (TestApp, String) {
    let storage = Storage::migrated(engine).await;
    let mut config = crate::support::app::config(&storage.url());
    config.worker_threads = 1;
    config.limits.request_timeout = request_timeout;
    let app = TestApp::with_config(storage, config).await;
    app.fill_catalog().await;
    app.activate_partner("K-1").await;
    let more = json!({"ticket_visibility": "partner"});
    let access = app.create_access("K-1", "a@b.example", more).await;
    (app, access)
}

async fn add_rules(app: &TestApp, count: usize) {
    for number in 0..count {
        let rule = json!({"name": format!("R{number}"), "filter": filter()});
        app.editor()
            .post("/customer-integrations/K-1/exclusion-rules", rule)
            .await
            .is(201);
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn preview_beyond_comparison_limit_returns_422(engine: Engine) {
    let (app, _) = start(engine, Duration::from_mins(1)).await;
    let problem = app.reader().post(PREVIEW, preview(200, 101)).await;
    let problem = problem.is_problem(422, "validation_failed");
    assert_eq!(problem.errors(), ["/tickets too_many_comparisons"]);
    assert!(
        problem.json["errors"][0]["detail"]
            .as_str()
            .unwrap()
            .contains("100000000")
    );
}

#[apply(both_engines)]
#[actix_web::test]
async fn visibility_request_beyond_comparison_limit_returns_422(engine: Engine) {
    let (app, access) = start(engine, Duration::from_mins(1)).await;
    add_rules(&app, 8).await;
    let body = json!({"access_id": access, "tickets": tickets(40, 63)});
    let system = app.client_with_scope("decisions:read");
    let problem = system.post(VISIBILITY, body).await;
    let problem = problem.is_problem(422, "validation_failed");
    assert_eq!(problem.errors(), ["/tickets too_many_comparisons"]);
}

/// The rules to which the largest requests are compared: 1600 conditions on the subject.
async fn add_text_rules(app: &TestApp) {
    for number in 0..32 {
        let conditions: Vec<_> = (0..50)
            .map(|condition| {
                let text = format!("x{number}-{condition}");
                json!({"type": "condition", "field": "subject", "operator": "contains", "values": [text]})
            })
            .collect();
        let filter = json!({"type": "any", "filters": conditions});
        let rule = json!({"name": format!("R{number}"), "filter": filter});
        app.editor()
            .post("/customer-integrations/K-1/exclusion-rules", rule)
            .await
            .is(201);
    }
}

/// A request about tickets with this subject.
fn about_subject(access: &str, count: usize, subject: &str) -> Value {
    let mut request = json!({"access_id": access, "tickets": tickets(count, 0)});
    for ticket in request["tickets"].as_array_mut().unwrap() {
        ticket["subject"] = json!(subject);
    }
    request
}

#[apply(both_engines)]
#[actix_web::test]
async fn texts_beyond_comparison_limit_return_422(engine: Engine) {
    let (app, access) = start(engine, Duration::from_mins(1)).await;
    add_text_rules(&app).await;
    let system = app.client_with_scope("decisions:read");
    // 4 bytes each: 63 blocks of 64 bytes
    let subject = "𝄞".repeat(1000);

    // 1000 tickets × 63 blocks × 1600 conditions
    let request = about_subject(&access, 1000, &subject);
    let problem = system.post(VISIBILITY, request).await;
    let problem = problem.is_problem(422, "validation_failed");
    assert_eq!(problem.errors(), ["/tickets too_many_comparisons"]);

    let few = about_subject(&access, 2, &subject);
    let visible = system.post(VISIBILITY, few.clone()).await.is(200);
    assert_eq!(visible.json["decisions"][1]["visible"], true);
    let approval = json!({"access_id": access, "ticket": few["tickets"][0]});
    let approval = system.post("/decisions/ticket-approval", approval).await;
    assert_eq!(approval.is(200).json["reasons"][0]["code"], "not_approver");
}

/// The largest request that the limits accept takes longer than the timeout.
#[apply(both_engines)]
#[actix_web::test]
async fn largest_request_beyond_timeout_returns_503(engine: Engine) {
    let (app, access) = start(engine, Duration::from_secs(1)).await;
    add_text_rules(&app).await;
    let system = app.client_with_scope("decisions:read");
    // 1000 tickets × 62 blocks × 1600 conditions: 99,200,000 comparisons
    let largest = about_subject(&access, 1000, &"𝄞".repeat(992));

    let response = system.post(VISIBILITY, largest).await;

    response.is_problem(503, "unavailable");
}

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

#[apply(both_engines)]
#[actix_web::test]
async fn explanation_lists_first_rules_and_number_of_all(engine: Engine) {
    let (app, access) = start(engine, Duration::from_mins(1)).await;
    let closed =
        json!({"type": "condition", "field": "status", "operator": "in", "values": ["closed"]});
    for number in 1..=7 {
        let rule = json!({"name": format!("R{number}"), "filter": closed});
        app.editor()
            .post("/customer-integrations/K-1/exclusion-rules", rule)
            .await
            .is(201);
    }
    let mut samples = tickets(21, 0);
    for ticket in &mut samples {
        ticket["status"] = json!("closed");
    }
    let client = app.reader();
    let decide = async |tickets: &[Value]| {
        let body = json!({"access_id": access, "explain": true, "tickets": tickets});
        client.post(VISIBILITY, body).await.is(200).json["decisions"].clone()
    };
    // The first request is decided on the worker, the second one outside of it.
    let [first, all] = [decide(&samples[..1]).await, decide(&samples).await];
    assert_eq!(all.as_array().unwrap().len(), 21);
    assert_eq!(first[0], all[0]);
    let steps = first[0]["steps"].as_array().unwrap();
    for step in steps {
        let listed = step["sources"].as_array().unwrap().len();
        if step["code"] == "excluded_by_rule" {
            assert_eq!((listed, &step["sources_total"]), (5, &json!(7)));
            let detail = step["detail"].as_str().unwrap();
            assert!(detail.contains("“R5”, and 2 more"), "{detail}");
        } else {
            assert_eq!(step["sources_total"], json!(listed));
        }
    }
}

//! Partner isolation: elements of other partners look missing, and lists omit them.

use crate::engines::both_engines;
use rstest_reuse::apply;
use serde_json::{Value, json};

use crate::support::{
    Client, Engine, Response, TestApp,
    app::{Ids, claims, filter},
    document::{OPERATIONS, Operation},
};

/// Ids of resources that do not exist.
fn unknown_ids() -> Ids {
    let uuid = || "019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e60".to_owned();
    Ids {
        area: "A-99".to_owned(),
        ticket_type: "T-99".to_owned(),
        plan_board: "B-99".to_owned(),
        access: uuid(),
        tag: uuid(),
        query: uuid(),
        rule: uuid(),
        global_rule: uuid(),
    }
}

async fn call(client: &Client, operation: &Operation, path: &str) -> Response {
    let request = client.request(&operation.method, path);
    match operation
        .value
        .pointer("/requestBody/content/application~1json/example")
    {
        Some(example) => request.json(example.clone()).send().await,
        None => request.send().await,
    }
}

/// Response text without the request id and the path.
fn normalized(response: &Response, path: &str) -> String {
    response
        .text
        .replace(response.header("x-request-id"), "REQUEST")
        .replace(path, "PATH")
}

#[apply(both_engines)]
#[actix_web::test]
async fn element_of_another_partner_returns_404_like_a_missing_one(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    app.activate_partner("K-2").await;
    // Granted to K-1 only.
    app.editor()
        .put("/customer-integrations/K-1/areas/A-2", Value::Null)
        .await
        .is(201);
    app.editor()
        .put("/customer-integrations/K-1/ticket-types/T-2", Value::Null)
        .await
        .is(201);
    let theirs = Ids {
        area: "A-2".to_owned(),
        ticket_type: "T-2".to_owned(),
        ..app.create_one_of_each().await
    };
    let before = app
        .reader()
        .get("/customer-integrations/K-1")
        .await
        .is(200)
        .json;
    let mut compared = 0;
    // A PUT creates a missing element.
    let single = |operation: &&Operation| {
        operation.path.matches('{').count() == 2 && operation.method != "PUT"
    };
    for operation in OPERATIONS.iter().filter(single) {
        let caller = app.client_with_scope(&operation.scope);
        let foreign = theirs.path(operation, "K-2");
        let unknown = unknown_ids().path(operation, "K-2");
        let theirs = call(&caller, operation, &foreign).await;
        let none = call(&caller, operation, &unknown).await;
        assert_eq!((theirs.status, none.status), (404, 404), "{}", operation.id);
        assert_eq!(
            normalized(&theirs, &foreign),
            normalized(&none, &unknown),
            "{}",
            operation.id
        );
        compared += 1;
    }
    assert!(
        compared >= 17,
        "only {compared} operations take an element's id"
    );
    assert_eq!(
        app.reader().get("/customer-integrations/K-1").await.json,
        before
    );
}

#[apply(both_engines)]
#[actix_web::test]
async fn rule_under_wrong_parent_returns_404(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let ids = app.create_one_of_each().await;
    let ruler = app.global_rules_editor();
    for path in [
        format!(
            "/customer-integrations/K-1/exclusion-rules/{}",
            ids.global_rule
        ),
        format!("/exclusion-rules/{}", ids.rule),
    ] {
        ruler.get(&path).await.is_problem(404, "not_found");
        ruler
            .patch(&path, json!({"active": false}))
            .await
            .is_problem(404, "not_found");
        ruler.delete(&path).await.is_problem(404, "not_found");
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn lists_exclude_elements_of_other_partners(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let k1 = "/customer-integrations/K-1";
    let ruler = app.global_rules_editor();
    app.create_one_of_each().await;
    app.create_access("K-1", "geheim@b.example", json!({"last_name": "Geheim"}))
        .await;
    ruler
        .post(&format!("{k1}/tags"), json!({"name": "Geheim"}))
        .await
        .is(201);
    let query = json!({"name": "Geheim", "filter": filter(), "columns": ["subject"]});
    ruler.post(&format!("{k1}/queries"), query).await.is(201);
    ruler
        .post(
            &format!("{k1}/exclusion-rules"),
            json!({"name": "Geheim", "filter": filter()}),
        )
        .await
        .is(201);
    let scopes = "integration:read catalog:read audit:read";
    let limited = app.client_with_claims(&customer_integration::tokens::Claims {
        business_partner_id: Some("K-2".parse().unwrap()),
        ..claims(scopes)
    });
    for operation in OPERATIONS.iter().filter(|operation| operation.is_list()) {
        let path = unknown_ids().path(operation, "K-2");
        let response = call(&limited, operation, &path).await;
        // Not visible to a token of one partner.
        let expected = match operation.id.as_str() {
            "list_global_exclusion_rules" | "list_system_history" => 403,
            _ => 200,
        };
        assert_eq!(
            response.status, expected,
            "{}: {}",
            operation.id, response.text
        );
        let text = response.text.to_lowercase();
        assert!(
            !text.contains("geheim") && !text.contains("k-1"),
            "{}: {}",
            operation.id,
            response.text
        );
    }
    let global = "/customer-integrations/K-2/exclusion-rules?include_global=true";
    limited
        .get(global)
        .await
        .is_problem(403, "partner_restricted");
    // The same list includes it for K-1.
    assert!(
        ruler
            .get(&format!("{k1}/tags"))
            .await
            .is(200)
            .text
            .contains("Geheim")
    );
}

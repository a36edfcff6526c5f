//! Partner isolation: resources of other partners look missing, and lists omit them.

use customer_integration::tokens::Claims;
use rstest_reuse::apply;
use serde_json::{Value, json};

use crate::{
    engines::both_engines,
    support::{
        Client, Engine, Response, TestApp,
        app::{Ids, claims, filter},
        document::{OPERATIONS, Operation},
    },
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

/// Sends a request with the example body of the document.
async fn call(client: &Client, operation: &Operation, path: &str) -> Response {
    let request = client.request(&operation.method, path);
    let example = "/requestBody/content/application~1json/example";
    match operation.value.pointer(example) {
        Some(body) => request.json(body.clone()).send().await,
        None => request.send().await,
    }
}

/// The text of a response without its request id and the path.
fn comparable_text(response: &Response, path: &str) -> String {
    response
        .text
        .replace(response.header("x-request-id"), "REQUEST-ID")
        .replace(path, "PATH")
}

/// Creates one resource of each kind for K-1; the grants are of entries that K-2 does not have.
async fn create_resources_of_k1(app: &TestApp) -> Ids {
    for grant in ["areas/A-2", "ticket-types/T-2"] {
        let path = format!("/customer-integrations/K-1/{grant}");
        app.editor().put(&path, Value::Null).await.is(201);
    }
    Ids {
        area: "A-2".to_owned(),
        ticket_type: "T-2".to_owned(),
        ..app.create_one_of_each().await
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn resource_of_other_partner_returns_404_like_unknown_resource(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    app.activate_partner("K-2").await;
    let ids_of_k1 = create_resources_of_k1(&app).await;
    let integration = async || {
        let k1 = app.reader().get("/customer-integrations/K-1").await;
        k1.is(200).json
    };
    let before = integration().await;

    // a PUT creates a missing resource
    let takes_id = |operation: &&Operation| {
        operation.path.matches('{').count() == 2 && operation.method != "PUT"
    };
    let operations: Vec<_> = OPERATIONS.iter().filter(takes_id).collect();
    assert!(operations.len() >= 17, "{}", operations.len());
    for operation in operations {
        let client = app.client_with_scope(&operation.scope);
        let foreign_path = ids_of_k1.path(operation, "K-2");
        let unknown_path = unknown_ids().path(operation, "K-2");

        let foreign = call(&client, operation, &foreign_path).await.is(404);
        let unknown = call(&client, operation, &unknown_path).await.is(404);

        assert_eq!(
            comparable_text(&foreign, &foreign_path),
            comparable_text(&unknown, &unknown_path),
            "{}",
            operation.id
        );
    }
    assert_eq!(integration().await, before);
}

#[apply(both_engines)]
#[actix_web::test]
async fn rule_under_wrong_parent_returns_404(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.global_rules_editor();
    let ids = app.create_one_of_each().await;
    let global_rule_of_partner = format!(
        "/customer-integrations/K-1/exclusion-rules/{}",
        ids.global_rule
    );
    let global_partner_rule = format!("/exclusion-rules/{}", ids.rule);

    for path in [global_rule_of_partner, global_partner_rule] {
        for response in [
            editor.get(&path).await,
            editor.patch(&path, json!({"active": false})).await,
            editor.delete(&path).await,
        ] {
            response.is_problem(404, "not_found");
        }
    }
}

/// Creates resources of K-1 whose names contain `Geheim`.
async fn create_secret_resources(app: &TestApp) {
    let secret_name = json!({"last_name": "Geheim"});
    app.create_access("K-1", "geheim@b.example", secret_name)
        .await;
    let editor = app.editor();
    let create = async |list: &str, body: Value| {
        let path = format!("/customer-integrations/K-1/{list}");
        editor.post(&path, body).await.is(201);
    };
    let rule = json!({"name": "Geheim", "filter": filter()});
    let query = json!({"name": "Geheim", "filter": filter(), "columns": ["subject"]});
    create("tags", json!({"name": "Geheim"})).await;
    create("queries", query).await;
    create("exclusion-rules", rule).await;
}

/// A client that may read everything of K-2.
fn reader_of_k2(app: &TestApp) -> Client {
    app.client_with_claims(&Claims {
        business_partner_id: Some("K-2".parse().unwrap()),
        ..claims("integration:read catalog:read audit:read")
    })
}

#[apply(both_engines)]
#[actix_web::test]
async fn lists_exclude_resources_of_other_partners(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    app.create_one_of_each().await;
    create_secret_resources(&app).await;
    let client = reader_of_k2(&app);

    for operation in OPERATIONS.iter().filter(|operation| operation.is_list()) {
        let path = unknown_ids().path(operation, "K-2");
        let response = call(&client, operation, &path).await;

        let is_global =
            ["list_global_exclusion_rules", "list_system_history"].contains(&operation.id.as_str());
        let status = if is_global { 403 } else { 200 };
        let text = response.is(status).text;
        let lowercase = text.to_lowercase();
        assert!(
            !lowercase.contains("geheim") && !lowercase.contains("k-1"),
            "{}: {text}",
            operation.id
        );
    }

    // the names are in the lists of K-1
    let tags = app.reader().get("/customer-integrations/K-1/tags").await;
    assert!(tags.is(200).text.contains("Geheim"));
}

#[apply(both_engines)]
#[actix_web::test]
async fn rule_list_with_global_rules_and_partner_token_returns_403(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;

    let refused = reader_of_k2(&app)
        .get("/customer-integrations/K-2/exclusion-rules?include_global=true")
        .await;

    refused.is_problem(403, "partner_restricted");
}

//! Authorization of every documented operation: without a token, with each scope, and with tokens
//! limited to one partner. The operations come from the OpenAPI document, so new ones are covered
//! without a change here.

use customer_integration::tokens::Claims;
use rstest_reuse::apply;
use serde_json::Value;

use crate::{
    engines::both_engines,
    support::{
        Client, Engine, Response, TestApp,
        app::claims,
        document::{OPERATIONS, Operation},
    },
};

/// All scopes of the API.
const SCOPES: [&str; 7] = [
    "integration:read",
    "integration:write",
    "global-rules:write",
    "catalog:read",
    "catalog:write",
    "decisions:read",
    "audit:read",
];

/// The operations whose path contains a partner.
fn partner_operations() -> impl Iterator<Item = &'static Operation> {
    OPERATIONS
        .iter()
        .filter(|operation| operation.path.contains("{business_partner_id}"))
}

/// Calls an operation with the example body of the document.
async fn call(client: &Client, operation: &Operation, path: &str) -> Response {
    let request = client.request(&operation.method, path);
    let example = operation
        .value
        .pointer("/requestBody/content/application~1json/example")
        .cloned();
    match example {
        Some(mut body) => {
            // the ticket types of the example do not exist
            if body.get("start_ticket_types").is_some() {
                body["start_ticket_types"] = Value::Null;
            }
            request.json(body).send().await
        }
        None => request.send().await,
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn operation_without_token_returns_401(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let ids = app.create_one_of_each().await;

    for operation in &*OPERATIONS {
        let response = call(&app.anonymous(), operation, &ids.path(operation, "K-1")).await;
        assert_eq!(response.status, 401, "{}", operation.id);
        assert_eq!(response.json["code"], "missing_token", "{}", operation.id);
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn operation_requires_its_documented_scope(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let ids = app.create_one_of_each().await;

    for operation in OPERATIONS
        .iter()
        .filter(|operation| operation.id != "get_me")
    {
        assert!(
            SCOPES.contains(&operation.scope.as_str()),
            "{} requires the unknown scope {}",
            operation.id,
            operation.scope
        );

        let path = ids.path(operation, "K-1");
        let other_scopes = SCOPES
            .iter()
            .filter(|scope| **scope != operation.scope)
            .copied()
            .collect::<Vec<_>>()
            .join(" ");
        let refused = call(&app.client_with_scope(&other_scopes), operation, &path).await;
        assert_eq!(
            refused.json["code"].as_str(),
            Some("insufficient_scope"),
            "{}: {}",
            operation.id,
            refused.text
        );

        let allowed = call(&app.client_with_scope(&operation.scope), operation, &path).await;
        assert!(
            !matches!(allowed.status, 401 | 403 | 404 | 500..),
            "{}: {}",
            operation.id,
            allowed.text
        );
    }
}

/// A client with all scopes that is limited to one partner.
fn client_of_partner(app: &TestApp, partner: &str) -> Client {
    app.client_with_claims(&Claims {
        business_partner_id: Some(partner.parse().unwrap()),
        ..claims(&SCOPES.join(" "))
    })
}

/// The text of a response without its request id and with a placeholder for the partner.
fn comparable_text(response: &Response, partner: &str) -> String {
    response
        .text
        .replace(response.header("x-request-id"), "REQUEST-ID")
        .replace(partner, "PARTNER")
}

/// The only operation below a partner that tokens limited to one partner may never call.
const RESTRICTED_OPERATION: &str = "put_catalog_business_partner";

#[apply(both_engines)]
#[actix_web::test]
async fn other_partner_with_partner_limited_token_is_reported_as_unknown(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let ids = app.create_one_of_each().await;
    let before = app.reader().get("/customer-integrations/K-1").await.json;
    let client = client_of_partner(&app, "K-2");

    for operation in partner_operations() {
        let foreign = call(&client, operation, &ids.path(operation, "K-1")).await;
        if operation.id == RESTRICTED_OPERATION {
            foreign.is_problem(403, "partner_restricted");
            continue;
        }
        let unknown = call(&client, operation, &ids.path(operation, "K-9")).await;
        assert_eq!(
            comparable_text(&foreign.is(404), "K-1"),
            comparable_text(&unknown.is(404), "K-9"),
            "{}",
            operation.id
        );
    }

    let after = app.reader().get("/customer-integrations/K-1").await.json;
    assert_eq!(after, before);
}

#[apply(both_engines)]
#[actix_web::test]
async fn own_partner_with_partner_limited_token_is_allowed(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let ids = app.create_one_of_each().await;
    let client = client_of_partner(&app, "K-1");

    for operation in partner_operations() {
        let response = call(&client, operation, &ids.path(operation, "K-1")).await;
        let is_refused = matches!(response.status, 401 | 403 | 404 | 500..);
        assert_eq!(
            is_refused,
            operation.id == RESTRICTED_OPERATION,
            "{}: {}",
            operation.id,
            response.text
        );
    }
}

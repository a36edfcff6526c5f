//! Authorization of every documented operation: without a token, with each scope, and with tokens
//! limited to one partner. The operations come from the OpenAPI document, so new ones are covered
//! without a change here.

use crate::engines::both_engines;
use rstest_reuse::apply;
use serde_json::Value;

use crate::support::{
    Client, Engine, Response, TestApp,
    document::{OPERATIONS, Operation},
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

/// Returns the operations whose path names a partner.
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
    for operation in &*OPERATIONS {
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

#[apply(both_engines)]
#[actix_web::test]
async fn partner_limited_token_cannot_access_other_partners(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let ids = app.create_one_of_each().await;
    let all_scopes = SCOPES.join(" ");
    let limited = |partner: &str| {
        app.client_with_claims(&customer_integration::tokens::Claims {
            business_partner_id: Some(partner.parse().unwrap()),
            ..crate::support::app::claims(&all_scopes)
        })
    };
    let before = app.reader().get("/customer-integrations/K-1").await.json;
    for operation in partner_operations() {
        if operation.id == "put_catalog_business_partner" {
            let refused = call(&limited("K-2"), operation, &ids.path(operation, "K-1")).await;
            refused.is_problem(403, "partner_restricted");
            continue;
        }
        let normalize = |response: Response, partner: &str| {
            response
                .text
                .replace(response.header("x-request-id"), "REQ")
                .replace(partner, "PARTNER")
        };
        let foreign = call(&limited("K-2"), operation, &ids.path(operation, "K-1"))
            .await
            .is(404);
        let unknown = call(&limited("K-2"), operation, &ids.path(operation, "K-9"))
            .await
            .is(404);
        assert_eq!(
            normalize(foreign, "K-1"),
            normalize(unknown, "K-9"),
            "{}",
            operation.id
        );
    }
    assert_eq!(
        app.reader().get("/customer-integrations/K-1").await.json,
        before
    );
    for operation in partner_operations() {
        let own = call(&limited("K-1"), operation, &ids.path(operation, "K-1")).await;
        let is_restricted = operation.id == "put_catalog_business_partner";
        assert_eq!(
            matches!(own.status, 401 | 403 | 404 | 500..),
            is_restricted,
            "{}: {}",
            operation.id,
            own.text
        );
    }
}

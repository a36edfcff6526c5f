//! Every operation of the document, each scope, and own, foreign and unknown partners: a new operation is in here by itself.

use rstest::rstest;
use serde_json::Value;

use crate::support::{
    Answer, Client, Engine,
    Engine::*,
    TestApp,
    document::{OPERATIONS, Operation},
};

/// All scopes of the API (api.md section 1).
const SCOPES: [&str; 7] = [
    "integration:read",
    "integration:write",
    "global-rules:write",
    "catalog:read",
    "catalog:write",
    "decisions:read",
    "audit:read",
];

/// Calls an operation with the example body of the document.
async fn call(client: &Client, operation: &Operation, path: &str) -> Answer {
    let request = client.request(&operation.method, path);
    let example = operation
        .value
        .pointer("/requestBody/content/application~1json/example")
        .cloned();
    match example {
        Some(mut body) => {
            // examples name ids of their own
            if body.get("start_ticket_types").is_some() {
                body["start_ticket_types"] = Value::Null;
            }
            request.json(body).send().await
        }
        None => request.send().await,
    }
}

#[rstest]
#[actix_web::test]
async fn without_a_token_nothing_is_told(#[values(Sqlite, Postgres)] engine: Engine) {
    let Some(app) = TestApp::ready(engine).await else {
        return;
    };
    let ids = app.furnish().await;
    for operation in &*OPERATIONS {
        let answer = call(&app.anonymous(), operation, &ids.path(operation, "K-1")).await;
        assert_eq!(
            (answer.status, answer.json["code"].as_str()),
            (401, Some("missing_token")),
            "{}",
            operation.id
        );
    }
}

#[rstest]
#[actix_web::test]
async fn each_operation_takes_its_scope_and_no_other(#[values(Sqlite, Postgres)] engine: Engine) {
    let Some(app) = TestApp::ready(engine).await else {
        return;
    };
    let ids = app.furnish().await;
    for operation in &*OPERATIONS {
        assert!(
            SCOPES.contains(&operation.scope.as_str()),
            "{} asks for {}",
            operation.id,
            operation.scope
        );
        let path = ids.path(operation, "K-1");
        let others = SCOPES
            .iter()
            .filter(|scope| **scope != operation.scope)
            .copied()
            .collect::<Vec<_>>()
            .join(" ");
        let refused = call(&app.with_scope(&others), operation, &path).await;
        assert_eq!(
            refused.json["code"].as_str(),
            Some("insufficient_scope"),
            "{}: {}",
            operation.id,
            refused.text
        );
        let allowed = call(&app.with_scope(&operation.scope), operation, &path).await;
        assert!(
            !matches!(allowed.status, 401 | 403 | 404 | 500..),
            "{}: {}",
            operation.id,
            allowed.text
        );
    }
}

#[rstest]
#[actix_web::test]
async fn a_token_limited_to_one_partner_knows_no_other(#[values(Sqlite, Postgres)] engine: Engine) {
    let Some(app) = TestApp::ready(engine).await else {
        return;
    };
    let ids = app.furnish().await;
    let all = SCOPES.join(" ");
    let limited = |partner: &str| {
        app.with_claims(&customer_integration::tokens::Claims {
            business_partner_id: Some(partner.parse().unwrap()),
            ..crate::support::app::claims(&all)
        })
    };
    let before = app.reader().get("/customer-integrations/K-1").await.json;
    let below_a_partner = OPERATIONS
        .iter()
        .filter(|operation| operation.path.contains("{business_partner_id}"));
    for operation in below_a_partner {
        if operation.id == "put_catalog_business_partner" {
            let refused = call(&limited("K-2"), operation, &ids.path(operation, "K-1")).await;
            refused.is_problem(403, "partner_restricted");
            continue;
        }
        let strip = |answer: Answer, partner: &str| {
            answer
                .text
                .replace(answer.header("x-request-id"), "REQ")
                .replace(partner, "PARTNER")
        };
        let foreign = call(&limited("K-2"), operation, &ids.path(operation, "K-1"))
            .await
            .is(404);
        let unknown = call(&limited("K-2"), operation, &ids.path(operation, "K-9"))
            .await
            .is(404);
        assert_eq!(
            strip(foreign, "K-1"),
            strip(unknown, "K-9"),
            "{}",
            operation.id
        );
    }
    assert_eq!(
        app.reader().get("/customer-integrations/K-1").await.json,
        before
    );
    for operation in OPERATIONS
        .iter()
        .filter(|operation| operation.path.contains("{business_partner_id}"))
    {
        let own = call(&limited("K-1"), operation, &ids.path(operation, "K-1")).await;
        let refused = operation.id == "put_catalog_business_partner";
        assert_eq!(
            matches!(own.status, 401 | 403 | 404 | 500..),
            refused,
            "{}: {}",
            operation.id,
            own.text
        );
    }
}

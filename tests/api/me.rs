//! The caller's description of itself: `GET /me`.

use customer_integration::tokens::{ActingParty, Claims};
use rstest_reuse::apply;
use serde_json::{Value, json};

use crate::{
    engines::both_engines,
    support::{
        Engine, TestApp,
        app::{claims, filter},
    },
};

const ALL_SCOPES: &str = "integration:read integration:write global-rules:write catalog:read \
    catalog:write decisions:read audit:read";

fn limited_to_k1(scope: &str) -> Claims {
    Claims {
        business_partner_id: Some("K-1".parse().unwrap()),
        ..claims(scope)
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn me_describes_the_token(engine: Engine) {
    let app = TestApp::start(engine).await;
    let token = Claims {
        exp: 4_102_444_800,
        name: Some(" Anna Admin".to_owned()),
        act: Some(ActingParty {
            sub: "erp".to_owned(),
        }),
        ..limited_to_k1("openid audit:read integration:read")
    };
    let client = app.client_with_claims(&token);
    let request = client.request("GET", "/me");
    let me = request.header("accept-language", "de").send().await.is(200);
    assert_eq!(me.json["subject"], "anna.admin");
    assert_eq!(me.json["subject_name"], "Anna Admin");
    assert_eq!(me.json["actor"], "erp");
    assert_eq!(me.json["client"], "spa");
    assert_eq!(me.json["scopes"], json!(["integration:read", "audit:read"]));
    assert_eq!(me.json["business_partner_id"], "K-1");
    assert_eq!(me.json["expires_at"], "2100-01-01T00:00:00.000000Z");
    assert_eq!(me.json["language"], "de");
    let other_language = client.get("/me").await.is(200);
    assert_eq!(other_language.json["language"], "en");
    let current = client
        .request("GET", "/me")
        .header("if-none-match", &other_language.etag());
    current.send().await.is(304);
}

#[apply(both_engines)]
#[actix_web::test]
async fn me_without_scope_has_no_permission(engine: Engine) {
    let app = TestApp::start(engine).await;
    let me = app.client_with_scope("").get("/me").await.is(200);
    let permissions = me.json["permissions"].as_object().unwrap();
    assert_eq!(me.json["scopes"], json!([]));
    assert!(permissions.values().all(|allowed| *allowed == false));
    app.anonymous()
        .get("/me")
        .await
        .is_problem(401, "missing_token");
}

/// A permission, and an operation that requires it: method, path and body.
type Call = (&'static str, &'static str, &'static str, Value);

fn calls() -> [Call; 11] {
    const K1: &str = "/customer-integrations/K-1";
    let rule = json!({"name": "R", "filter": filter()});
    let area = json!({"name": "A", "color": "#00aaff"});
    let tickets = json!({"access_email": "nobody@k1.example", "tickets": []});
    [
        ("integration_read", "GET", K1, Value::Null),
        ("integration_write", "PATCH", K1, json!({"active": true})),
        ("global_rules_read", "GET", "/exclusion-rules", Value::Null),
        ("global_rules_write", "POST", "/exclusion-rules", rule),
        ("catalog_read", "GET", "/catalog/areas", Value::Null),
        (
            "catalog_usage_read",
            "GET",
            "/catalog/areas?include_usage=true",
            Value::Null,
        ),
        ("catalog_write", "PUT", "/catalog/areas/A-1", area),
        (
            "plan_boards_share",
            "PUT",
            "/customer-integrations/K-1/plan-boards/B-1",
            Value::Null,
        ),
        (
            "decisions_read",
            "POST",
            "/decisions/ticket-visibility",
            tickets,
        ),
        (
            "history_read",
            "GET",
            "/customer-integrations/K-1/history",
            Value::Null,
        ),
        ("system_history_read", "GET", "/history", Value::Null),
    ]
}

#[apply(both_engines)]
#[actix_web::test]
async fn permissions_agree_with_the_operations(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let scopes = ["", ALL_SCOPES]
        .into_iter()
        .chain(ALL_SCOPES.split_whitespace());
    for scope in scopes {
        for token in [claims(scope), limited_to_k1(scope)] {
            let client = app.client_with_claims(&token);
            let me = client.get("/me").await.is(200);
            let permissions = me.json["permissions"].as_object().unwrap();
            assert_eq!(permissions.len(), calls().len());
            for (permission, method, path, body) in calls() {
                let request = client.request(method, path);
                let response = if body.is_null() {
                    request.send().await
                } else {
                    request.json(body).send().await
                };
                assert_eq!(
                    permissions[permission],
                    Value::Bool(response.status != 403),
                    "{permission} with {scope:?}, limited to {:?}: {}",
                    token.business_partner_id,
                    response.text
                );
            }
        }
    }
}

//! The decision whether an access may release a ticket.

use customer_integration::tokens::Claims;
use rstest::rstest;
use rstest_reuse::apply;
use serde_json::{Value, json};

use crate::{
    engines::both_engines,
    support::{Client, Engine, Engine::*, Response, TestApp, app::claims},
};

const K1: &str = "/customer-integrations/K-1";
const APPROVAL: &str = "/decisions/ticket-approval";

/// A service with an approver of K-1 that sees all tickets of the partner.
struct Setup {
    app: TestApp,
    /// The path of the approver.
    approver: String,
    ticket_system: Client,
}

impl Setup {
    async fn start(engine: Engine) -> Self {
        let app = TestApp::with_active_partner(engine).await;
        let more = json!({"role": "editor", "approver": true, "ticket_visibility": "partner"});
        let id = app.create_access("K-1", "a@b.example", more).await;
        Self {
            approver: format!("{K1}/accesses/{id}"),
            ticket_system: app.client_with_scope("decisions:read"),
            app,
        }
    }

    async fn decide(&self, ticket: Value) -> Value {
        let response = self.ticket_system.post(APPROVAL, request(ticket)).await;
        response.is(200).json
    }

    /// The codes and outcomes of the reasons against releasing a ticket.
    async fn reasons(&self, ticket: Value) -> Vec<String> {
        let decision = self.decide(ticket).await;
        let reasons = decision["reasons"].as_array().unwrap();
        assert_eq!(decision["allowed"], reasons.is_empty());
        reasons
            .iter()
            .map(|reason| {
                let text = |member: &str| reason[member].as_str().unwrap();
                format!("{} {}", text("code"), text("outcome"))
            })
            .collect()
    }
}

fn request(ticket: Value) -> Value {
    json!({"access_email": "a@b.example", "ticket": ticket})
}

/// A ticket that waits for approval, with changed members.
fn ticket(more: Value) -> Value {
    let mut ticket = json!({"ticket_id": "1", "business_partner_id": "K-1", "area_id": "A-1",
        "internal": false, "confidential": false, "released": false});
    let members = more.as_object().cloned().unwrap();
    ticket.as_object_mut().unwrap().extend(members);
    ticket
}

#[apply(both_engines)]
#[actix_web::test]
async fn approver_may_release_visible_ticket_that_is_not_released(engine: Engine) {
    let setup = Setup::start(engine).await;
    let nothing: [&str; 0] = [];
    let mut unknown = ticket(json!({}));
    unknown.as_object_mut().unwrap().remove("released");

    assert_eq!(setup.reasons(ticket(json!({}))).await, nothing);
    assert_eq!(
        setup.reasons(ticket(json!({"released": null}))).await,
        nothing
    );
    assert_eq!(
        setup.reasons(ticket(json!({"released": true}))).await,
        ["already_released deny"]
    );
    assert_eq!(
        setup.reasons(unknown).await,
        ["already_released undetermined"]
    );
    assert_eq!(
        setup
            .reasons(ticket(json!({"internal": true, "released": true})))
            .await,
        ["ticket_not_visible deny", "already_released deny"]
    );
}

#[apply(both_engines)]
#[actix_web::test]
async fn change_affects_next_approval_decision(engine: Engine) {
    let setup = Setup::start(engine).await;
    let editor = setup.app.editor();
    let change = async |path: &str, change: Value| {
        editor.patch(path, change).await.is(200);
        setup.reasons(ticket(json!({}))).await
    };
    let nothing: [&str; 0] = [];
    assert_eq!(setup.reasons(ticket(json!({}))).await, nothing);

    for (path, member, reason) in [
        (&*setup.approver, "approver", "not_approver deny"),
        (&*setup.approver, "active", "access_inactive deny"),
        (K1, "active", "integration_inactive deny"),
    ] {
        assert_eq!(change(path, json!({member: false})).await, [reason]);
        assert_eq!(change(path, json!({member: true})).await, nothing);
    }

    let rule = json!({"name": "Hoch", "filter":
        {"type": "condition", "field": "urgency", "operator": "in", "values": ["high"]}});
    let rules = format!("{K1}/exclusion-rules");
    editor.post(&rules, rule).await.is(201);
    assert_eq!(
        setup.reasons(ticket(json!({}))).await,
        ["ticket_not_visible undetermined"]
    );
    assert_eq!(
        setup.reasons(ticket(json!({"urgency": "low"}))).await,
        nothing
    );
}

#[apply(both_engines)]
#[actix_web::test]
async fn approval_is_explained_in_the_language_of_the_request(engine: Engine) {
    let setup = Setup::start(engine).await;
    let body = json!({"access_email": "a@b.example", "explain": true,
        "ticket": ticket(json!({"internal": true}))});
    let request = setup.ticket_system.request("POST", APPROVAL);
    let response = request
        .header("accept-language", "de")
        .json(body)
        .send()
        .await;

    let decision = response.is(200).json;
    assert_eq!(
        decision["reasons"],
        json!([{"code": "ticket_not_visible", "outcome": "deny",
            "detail": "Der Kundenzugang darf das Ticket nicht sehen."}])
    );
    let steps = decision["steps"].as_array().unwrap();
    let denying: Vec<_> = steps
        .iter()
        .filter(|step| step["outcome"] == "deny")
        .collect();
    assert_eq!(denying.len(), 1);
    assert_eq!(denying[0]["code"], "ticket_internal");
    assert_eq!(steps.len(), 10);
    assert_eq!(decision["warnings"], json!([]));
    assert_eq!(setup.decide(ticket(json!({}))).await["steps"], Value::Null);
}

fn limited_to(app: &TestApp, partner: &str) -> Client {
    app.client_with_claims(&Claims {
        business_partner_id: Some(partner.parse().unwrap()),
        ..claims("decisions:read")
    })
}

#[apply(both_engines)]
#[actix_web::test]
async fn approval_with_partner_token_has_no_reasons_and_is_limited(engine: Engine) {
    let setup = Setup::start(engine).await;
    let body = json!({"access_email": "a@b.example", "explain": true,
        "ticket": ticket(json!({"released": true}))});

    let own = limited_to(&setup.app, "K-1")
        .post(APPROVAL, body.clone())
        .await;
    let decision = own.is(200).json;
    assert_eq!(decision["allowed"], false);
    assert_eq!(decision["reasons"], json!([]));
    assert_eq!(decision["steps"], Value::Null);

    let other = limited_to(&setup.app, "K-2").post(APPROVAL, body).await;
    other.is_problem(422, "unknown_access");
}

#[apply(both_engines)]
#[actix_web::test]
async fn approval_with_unreached_min_revision_returns_409(engine: Engine) {
    let setup = Setup::start(engine).await;
    let mut body = request(ticket(json!({})));
    body["min_revision"] = json!(1000);
    let response: Response = setup.ticket_system.post(APPROVAL, body).await;
    response.is_problem(409, "revision_not_reached");
}

#[rstest]
#[case::empty(json!({}), 422, &["/access_id exactly_one", "/ticket required"])]
#[case::missing_attribute(request(json!({"ticket_id": "1"})), 422, &["/ticket/business_partner_id required"])]
#[case::unknown_value(request(ticket(json!({"status": "shut"}))), 422, &["/ticket/status unknown_value"])]
#[case::wrong_type(request(ticket(json!({"released": "no"}))), 400, &["/ticket/released wrong_type"])]
#[case::unknown_member(request(ticket(json!({"color": 1}))), 400, &["/ticket/color unknown_member"])]
#[case::array(request(json!([ticket(json!({}))])), 400, &["/ticket wrong_type"])]
#[actix_web::test]
async fn invalid_approval_request_is_rejected(
    #[case] body: Value,
    #[case] status: u16,
    #[case] errors: &[&str],
) {
    let setup = Setup::start(Sqlite).await;
    let response = setup.ticket_system.post(APPROVAL, body).await;
    assert_eq!(response.is(status).errors(), errors);
}

#[apply(both_engines)]
#[actix_web::test]
async fn capabilities_name_role_approver_and_visibility(engine: Engine) {
    let setup = Setup::start(engine).await;
    let path = format!("{}/capabilities", setup.approver);
    let read = async || setup.ticket_system.get(&path).await.is(200);

    let before = read().await;
    let members = |response: &Response| {
        ["role", "approver", "ticket_visibility"].map(|member| response.json[member].clone())
    };
    assert_eq!(
        members(&before),
        [json!("editor"), json!(true), json!("partner")]
    );

    let change = json!({"role": "observer", "approver": false, "ticket_visibility": "own"});
    let editor = setup.app.editor();
    editor.patch(&setup.approver, change).await.is(200);

    let after = read().await;
    assert_eq!(
        members(&after),
        [json!("observer"), json!(false), json!("own")]
    );
    assert_ne!(before.etag(), after.etag());
}

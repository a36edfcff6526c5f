//! Positions of tickets in visibility decisions.

use rstest_reuse::apply;
use serde_json::{Value, json};

use crate::{
    engines::both_engines,
    support::{Engine, Engine::*, TestApp, app::claims},
};
use customer_integration::tokens::Claims;

const VISIBILITY: &str = "/decisions/ticket-visibility";

/// A service with an access of K-1 that sees all tickets of the partner.
async fn start(engine: Engine) -> TestApp {
    let app = TestApp::with_active_partner(engine).await;
    let more = json!({"ticket_visibility": "partner"});
    app.create_access("K-1", "a@b.example", more).await;
    app
}

/// A ticket with an internal position, a public one and one of which it is unknown.
fn ticket(id: &str, more: Value) -> Value {
    let mut ticket = json!({"ticket_id": id, "business_partner_id": "K-1", "area_id": "A-1",
        "internal": false, "confidential": false, "positions": [
            {"position_id": "1", "internal": false},
            {"position_id": "2", "internal": true},
            {"position_id": "3"}]});
    ticket
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().cloned().unwrap());
    ticket
}

fn request(tickets: Value, explain: bool) -> Value {
    json!({"access_email": "a@b.example", "explain": explain, "tickets": tickets})
}

async fn decide(app: &TestApp, tickets: Value) -> Value {
    let system = app.client_with_scope("decisions:read");
    let response = system.post(VISIBILITY, request(tickets, false)).await;
    response.is(200).json["decisions"].take()
}

#[apply(both_engines)]
#[actix_web::test]
async fn internal_positions_are_hidden_and_invisible_ticket_hides_all(engine: Engine) {
    let app = start(engine).await;
    let without_positions = json!({"positions": null});
    let mut unknown = ticket("unknown", json!({}));
    unknown.as_object_mut().unwrap().remove("positions");

    let decisions = decide(
        &app,
        json!([
            ticket("visible", json!({})),
            ticket("hidden", json!({"internal": true})),
            ticket("none", without_positions),
            unknown,
            ticket("invalid", json!({"status": "shut"})),
        ]),
    )
    .await;

    let error = decisions[4]["error"].clone();
    assert_eq!(error["pointer"], "/tickets/4/status");
    assert_eq!(
        decisions,
        json!([
            {"ticket_id": "visible", "visible": true, "hidden_positions": ["2", "3"]},
            {"ticket_id": "hidden", "visible": false, "hidden_positions": ["1", "2", "3"]},
            {"ticket_id": "none", "visible": true, "hidden_positions": []},
            {"ticket_id": "unknown", "visible": true, "hidden_positions": null},
            {"ticket_id": "invalid", "visible": false, "hidden_positions": null, "error": error},
        ])
    );
}

/// The reasons for hidden positions in a language: code, position ids and text.
async fn position_reasons(app: &TestApp, ticket: Value, language: &str) -> Value {
    let system = app.client_with_scope("decisions:read");
    let http_request = system
        .request("POST", VISIBILITY)
        .header("accept-language", language);
    let response = http_request
        .json(request(json!([ticket]), true))
        .send()
        .await;
    response.is(200).json["decisions"][0]["position_reasons"].take()
}

#[apply(both_engines)]
#[actix_web::test]
async fn hidden_positions_are_explained_in_both_languages(engine: Engine) {
    let app = start(engine).await;
    let visible = || ticket("1", json!({}));
    let hidden = ticket("1", json!({"internal": true}));

    assert_eq!(
        position_reasons(&app, visible(), "en").await,
        json!([
            {"code": "position_internal", "position_ids": ["2"],
                "detail": "The position “2” is internal. Internal positions are always hidden."},
            {"code": "position_internal_undetermined", "position_ids": ["3"],
                "detail": "Cannot determine whether the position “3” is internal because this was not provided; it is hidden."},
        ])
    );
    assert_eq!(
        position_reasons(&app, visible(), "de").await[0]["detail"],
        "Die Position „2“ ist intern. Interne Positionen sind immer verborgen."
    );
    assert_eq!(
        position_reasons(&app, hidden, "de").await[0],
        json!({"code": "ticket_hidden", "position_ids": ["1", "2", "3"],
            "detail": "Die Positionen „1“, „2“ und „3“ sind verborgen, weil das Ticket verborgen ist."})
    );
}

#[actix_web::test]
async fn hidden_positions_with_partner_token_have_no_reasons() {
    let app = start(Sqlite).await;
    let client = app.client_with_claims(&Claims {
        business_partner_id: Some("K-1".parse().unwrap()),
        ..claims("decisions:read")
    });

    let tickets = json!([ticket("1", json!({}))]);
    let response = client.post(VISIBILITY, request(tickets, true)).await;

    assert_eq!(
        response.is(200).json["decisions"],
        json!([{"ticket_id": "1", "visible": true, "hidden_positions": ["2", "3"]}])
    );
}

/// Large requests are decided outside of the workers, so they take another path.
#[apply(both_engines)]
#[actix_web::test]
async fn positions_of_large_request_are_decided(engine: Engine) {
    let app = start(engine).await;
    let positions: Vec<_> = (0..200)
        .map(|n| json!({"position_id": n.to_string(), "internal": n % 2 == 0}))
        .collect();
    let tickets: Vec<_> = (0..300)
        .map(|id| ticket(&id.to_string(), json!({"positions": positions})))
        .collect();

    let decisions = decide(&app, json!(tickets)).await;

    let even: Vec<_> = (0..200).step_by(2).map(|n| n.to_string()).collect();
    assert_eq!(decisions.as_array().unwrap().len(), 300);
    for decision in decisions.as_array().unwrap() {
        assert_eq!(decision["visible"], true);
        assert_eq!(decision["hidden_positions"], json!(even));
    }
}

#[actix_web::test]
async fn ticket_with_invalid_positions_gets_an_error() {
    let app = start(Sqlite).await;
    let too_many = vec![json!({"position_id": "1"}); 201];
    let tickets = json!([
        ticket("1", json!({"positions": too_many})),
        ticket("2", json!({"positions": [{"position_id": ""}]})),
        ticket("3", json!({"positions": [{"internal": true}]})),
        ticket(
            "4",
            json!({"positions": [{"position_id": "1", "internal": "no"}]})
        ),
        ticket(
            "5",
            json!({"positions": [{"position_id": "1", "intern": true}]})
        ),
        ticket("6", json!({"positions": [["1", true]]})),
        ticket("7", json!({})),
    ]);

    let decisions = decide(&app, tickets).await;

    let errors: Vec<_> = decisions
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|decision| decision.get("error"))
        .map(|error| {
            let text = |member: &str| error[member].as_str().unwrap().to_owned();
            format!("{} {}", text("pointer"), text("code"))
        })
        .collect();
    assert_eq!(
        errors,
        [
            "/tickets/0/positions too_many_values",
            "/tickets/1/positions/0/position_id required",
            "/tickets/2/positions/0/position_id required",
            "/tickets/3/positions/0/internal wrong_type",
            "/tickets/4/positions/0/intern unknown_member",
            "/tickets/5/positions/0 wrong_type",
        ]
    );
    assert_eq!(decisions[6]["visible"], true);
}

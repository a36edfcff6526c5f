//! Decisions with tokens that are restricted to one partner.

use rstest_reuse::apply;
use serde_json::json;

use super::{CREATION, Fixture, UNKNOWN_ID, VISIBILITY, ticket};
use crate::{
    engines::both_engines,
    support::{Engine, Response},
};

/// The text of a response without its request id.
fn comparable_text(response: &Response) -> String {
    response
        .text
        .replace(response.header("x-request-id"), "REQUEST-ID")
}

#[apply(both_engines)]
#[actix_web::test]
async fn explanation_with_partner_token_is_omitted(engine: Engine) {
    let fixture = Fixture::start(engine).await;
    let body = json!({"access_id": fixture.access, "explain": true, "tickets": [ticket("1")]});

    let response = fixture
        .client_of_partner("K-1")
        .post(VISIBILITY, body)
        .await;

    assert_eq!(
        response.is(200).json["decisions"],
        json!([{"ticket_id": "1", "visible": true, "hidden_positions": null}])
    );
}

#[apply(both_engines)]
#[actix_web::test]
async fn creation_reasons_with_partner_token_are_omitted(engine: Engine) {
    let fixture = Fixture::start(engine).await;
    let body = json!({"access_id": fixture.access, "area_id": "A-3", "ticket_type_id": "T-1"});
    let limited_client = fixture.client_of_partner("K-1");

    let with_reasons = fixture.ticket_system.post(CREATION, body.clone()).await;
    let without_reasons = limited_client.post(CREATION, body).await.is(200);

    let reasons = &with_reasons.is(200).json["reasons"];
    assert_eq!(reasons[0]["code"], "area_not_granted");
    assert_eq!(without_reasons.json["allowed"], false);
    assert_eq!(without_reasons.json["reasons"], json!([]));
}

#[apply(both_engines)]
#[actix_web::test]
async fn access_of_other_partner_with_partner_token_is_reported_as_unknown(engine: Engine) {
    let fixture = Fixture::start(engine).await;
    let client = fixture.client_of_partner("K-2");
    let decide = async |access: &str| {
        let body = json!({"access_id": access, "tickets": [ticket("1")]});
        client.post(VISIBILITY, body).await
    };

    let foreign = decide(&fixture.access).await;
    let unknown = decide(UNKNOWN_ID).await;
    assert_eq!(
        comparable_text(&foreign.is_problem(422, "unknown_access")),
        comparable_text(&unknown.is_problem(422, "unknown_access"))
    );

    let creation = json!({"access_id": fixture.access, "area_id": "A-3", "ticket_type_id": "T-1"});
    let foreign = client.post(CREATION, creation).await;
    foreign.is_problem(422, "unknown_access");
}

//! Requests for decisions: batches, bodies, limits and the minimum revision.

use rstest::rstest;
use rstest_reuse::apply;
use serde_json::{Value, json};

use super::{CREATION, Fixture, VISIBILITY, has_tag, ticket, with_members};
use crate::{
    engines::both_engines,
    support::{Engine, Engine::*},
};

/// A decision without an explanation.
#[derive(Debug, PartialEq)]
struct Decision {
    ticket_id: Option<String>,
    is_visible: bool,
    /// The pointer and the code of the error.
    error: Option<String>,
}

impl Decision {
    fn visible(ticket_id: &str) -> Self {
        Self {
            ticket_id: Some(ticket_id.to_owned()),
            is_visible: true,
            error: None,
        }
    }

    fn hidden(ticket_id: &str) -> Self {
        Self {
            is_visible: false,
            ..Self::visible(ticket_id)
        }
    }

    fn invalid(ticket_id: Option<&str>, error: &str) -> Self {
        Self {
            ticket_id: ticket_id.map(ToOwned::to_owned),
            is_visible: false,
            error: Some(error.to_owned()),
        }
    }

    fn from_json(decision: &Value) -> Self {
        let text = |value: &Value| value.as_str().map(ToOwned::to_owned);
        assert_eq!(decision.get("steps"), None);
        Self {
            ticket_id: text(&decision["ticket_id"]),
            is_visible: decision["visible"] == true,
            error: decision.get("error").map(|error| {
                let pointer = error["pointer"].as_str().unwrap();
                let code = error["code"].as_str().unwrap();
                format!("{pointer} {code}")
            }),
        }
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn batch_with_invalid_tickets_returns_decisions_in_order(engine: Engine) {
    let fixture = Fixture::start(engine).await;
    fixture.create_rule("Personal", has_tag("Personal")).await;
    let confidential = json!({"confidential": true, "main_contact_id": "P-1", "tags": null});
    let tickets = json!([
        with_members(ticket("1"), json!({"tags": []})),
        with_members(ticket("2"), json!({"tags": ["x", "PERSONAL"]})),
        ticket("3"),
        with_members(ticket("4"), json!({"status": "shut"})),
        {"ticket_id": "5"},
        17,
        with_members(ticket("7"), json!({"area_id": "A-3", "tags": null})),
        with_members(ticket("8"), json!({"internal": true, "tags": null})),
        with_members(ticket("9"), confidential),
        with_members(ticket("10"), json!({"business_partner_id": "K-2", "tags": null})),
        ticket(&"x".repeat(300)),
    ]);

    let response = fixture.decide(tickets).await;

    let truncated_id = format!("{}…", "x".repeat(200));
    let decisions: Vec<_> = response["decisions"]
        .as_array()
        .unwrap()
        .iter()
        .map(Decision::from_json)
        .collect();
    assert_eq!(
        decisions,
        [
            Decision::visible("1"),
            Decision::hidden("2"),
            Decision::hidden("3"),
            Decision::invalid(Some("4"), "/tickets/3/status unknown_value"),
            Decision::invalid(Some("5"), "/tickets/4/business_partner_id required"),
            Decision::invalid(None, "/tickets/5 wrong_type"),
            Decision::hidden("7"),
            Decision::hidden("8"),
            Decision::visible("9"),
            Decision::hidden("10"),
            Decision::invalid(Some(&truncated_id), "/tickets/10/ticket_id too_long"),
        ]
    );
    assert_eq!(response["revision"], fixture.revision().await);
}

#[rstest]
#[actix_web::test]
async fn chunked_request_body_is_accepted(#[values(1, 2, 7)] chunk_count: usize) {
    let fixture = Fixture::start(Sqlite).await;
    let body = json!({"access_email": "A@B.example", "tickets": [ticket("1")]}).to_string();
    let chunk_length = body.len().div_ceil(chunk_count);
    let chunks: Vec<Result<_, std::io::Error>> = body
        .into_bytes()
        .chunks(chunk_length)
        .map(|chunk| Ok(chunk.to_vec()))
        .collect();
    let stream = reqwest::Body::wrap_stream(futures_util::stream::iter(chunks));

    let request = fixture.ticket_system.request("POST", VISIBILITY);
    let response = request.raw("application/json", stream).send().await;

    assert_eq!(
        response.is(200).json["decisions"],
        json!([{"ticket_id": "1", "visible": true, "hidden_positions": null}])
    );
}

#[apply(both_engines)]
#[actix_web::test]
async fn decision_with_unreached_min_revision_returns_409(engine: Engine) {
    let fixture = Fixture::start(engine).await;
    let body = json!({
        "access_id": fixture.access,
        "area_id": "A-1",
        "ticket_type_id": "T-1",
        "min_revision": 1000,
    });

    let response = fixture.ticket_system.post(CREATION, body).await;

    response.is_problem(409, "revision_not_reached");
}

#[apply(both_engines)]
#[actix_web::test]
async fn decision_with_reached_min_revision_is_returned(engine: Engine) {
    let fixture = Fixture::start(engine).await;
    let revision = fixture.revision().await;

    let response = fixture.decide_with_min_revision(revision).await;

    response.is(200);
}

#[apply(both_engines)]
#[actix_web::test]
async fn decision_with_negative_min_revision_returns_422(engine: Engine) {
    let fixture = Fixture::start(engine).await;

    let response = fixture.decide_with_min_revision(json!(-1)).await;

    response.is_problem(422, "validation_failed");
}

#[actix_web::test]
async fn empty_decision_request_returns_422_with_missing_members() {
    let fixture = Fixture::start(Sqlite).await;

    let refused = fixture.ticket_system.post(VISIBILITY, json!({})).await;

    assert_eq!(
        refused.is_problem(422, "validation_failed").errors(),
        ["/access_id exactly_one", "/tickets required"]
    );
}

#[actix_web::test]
async fn decision_request_with_1001_tickets_returns_422() {
    let fixture = Fixture::start(Sqlite).await;
    let decide = async |count: usize| {
        let body = json!({"access_id": fixture.access, "tickets": vec![ticket("1"); count]});
        fixture.ticket_system.post(VISIBILITY, body).await
    };

    let accepted = decide(1000).await.is(200);
    let refused = decide(1001).await.is_problem(422, "validation_failed");

    let decisions = accepted.json["decisions"].as_array().unwrap();
    assert_eq!(decisions.len(), 1000);
    assert_eq!(refused.errors(), ["/tickets too_many_values"]);
}

#[rstest]
#[case::unknown_member("application/json", r#"{"ticket": []}"#, 400, "unknown_member")]
#[case::incomplete_json("application/json", "{", 400, "malformed_json")]
#[case::plain_text("text/plain", "{}", 415, "unsupported_media_type")]
#[case::more_than_4_mib("application/json", " ".repeat(4 * 1024 * 1024 + 1), 413, "body_too_large")]
#[actix_web::test]
async fn unreadable_decision_request_returns_problem(
    #[case] content_type: &str,
    #[case] body: impl Into<reqwest::Body>,
    #[case] status: u16,
    #[case] code: &str,
) {
    let fixture = Fixture::start(Sqlite).await;

    let request = fixture.ticket_system.request("POST", VISIBILITY);
    let response = request.raw(content_type, body).send().await;

    response.is_problem(status, code);
}

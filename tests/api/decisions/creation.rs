//! Decisions on ticket creation.

use rstest_reuse::apply;
use serde_json::{Value, json};

use super::{CREATION, Fixture, K1};
use crate::{engines::both_engines, support::Engine};

async fn decide_creation(fixture: &Fixture, area: &str, ticket_type: &str) -> Value {
    let body =
        json!({"access_email": "a@b.example", "area_id": area, "ticket_type_id": ticket_type});
    fixture
        .ticket_system
        .post(CREATION, body)
        .await
        .is(200)
        .json
}

#[apply(both_engines)]
#[actix_web::test]
async fn creation_decision_has_the_approval_of_the_ticket_type(engine: Engine) {
    let fixture = Fixture::start(engine).await;

    let without_approval = decide_creation(&fixture, "A-1", "T-1").await;
    let approval = json!({"approval_required": true});
    fixture
        .app
        .editor()
        .put(&format!("{K1}/ticket-types/T-1"), approval)
        .await
        .is(200);
    let with_approval = decide_creation(&fixture, "A-1", "T-1").await;

    assert_eq!(without_approval["allowed"], true);
    assert_eq!(without_approval["approval_required"], false);
    assert_eq!(without_approval["reasons"], json!([]));
    assert_eq!(with_approval["approval_required"], true);
}

#[apply(both_engines)]
#[actix_web::test]
async fn creation_with_unstartable_ticket_type_is_denied_without_approval(engine: Engine) {
    let fixture = Fixture::start(engine).await;
    fixture
        .app
        .editor()
        .put(
            &format!("{K1}/ticket-types/T-1"),
            json!({"approval_required": true}),
        )
        .await
        .is(200);
    let area = json!({"name": "Bereich 2", "color": "#00aaff", "start_ticket_types": ["T-2"]});
    let erp = fixture.app.erp();
    erp.put("/catalog/areas/A-2", area).await.is(200);

    let denied = decide_creation(&fixture, "A-2", "T-1").await;

    assert_eq!(denied["allowed"], false);
    assert_eq!(denied["approval_required"], false);
    assert_eq!(
        denied["reasons"][0],
        json!({
            "code": "ticket_type_not_startable",
            "detail": "Tickets of the type “Art 1” cannot be opened in this area.",
        })
    );
}

#[apply(both_engines)]
#[actix_web::test]
async fn creation_decision_lists_all_reasons(engine: Engine) {
    let fixture = Fixture::start(engine).await;

    let denied = decide_creation(&fixture, "nowhere", "nothing").await;

    let codes: Vec<_> = denied["reasons"]
        .as_array()
        .unwrap()
        .iter()
        .map(|reason| reason["code"].clone())
        .collect();
    assert_eq!(codes, ["area_not_granted", "ticket_type_not_granted"]);
}

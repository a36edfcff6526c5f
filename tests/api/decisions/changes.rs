//! Every change affects the next decision.

use rstest_reuse::apply;
use serde_json::{Value, json};

use super::{Fixture, K1, RULES, VISIBILITY, has_tag, ticket, with_members};
use crate::{engines::both_engines, support::Engine};

/// A visible ticket that the rules of these tests can hide.
fn tagged_ticket() -> Value {
    with_members(ticket("1"), json!({"tags": ["Personal"], "urgency": "low"}))
}

#[apply(both_engines)]
#[actix_web::test]
async fn rule_change_affects_next_decision(engine: Engine) {
    let fixture = Fixture::start(engine).await;
    let editor = fixture.app.editor();
    assert!(fixture.is_visible(tagged_ticket()).await);

    let id = fixture.create_rule("R", has_tag("personal")).await;
    assert!(!fixture.is_visible(tagged_ticket()).await);

    let rule = format!("{RULES}/{id}");
    editor.patch(&rule, json!({"active": false})).await.is(200);
    assert!(fixture.is_visible(tagged_ticket()).await);

    editor.patch(&rule, json!({"active": true})).await.is(200);
    assert!(!fixture.is_visible(tagged_ticket()).await);

    editor.delete(&rule).await.is(204);
    assert!(fixture.is_visible(tagged_ticket()).await);
}

#[apply(both_engines)]
#[actix_web::test]
async fn global_rule_change_affects_next_decision(engine: Engine) {
    let fixture = Fixture::start(engine).await;
    assert!(fixture.is_visible(tagged_ticket()).await);

    let id = fixture.create_global_rule("G", has_tag("personal")).await;
    assert!(!fixture.is_visible(tagged_ticket()).await);

    let editor = fixture.app.global_rules_editor();
    editor
        .delete(&format!("/exclusion-rules/{id}"))
        .await
        .is(204);
    assert!(fixture.is_visible(tagged_ticket()).await);
}

/// Asserts that the ticket is visible exactly while a catalog entry is active.
async fn assert_entry_must_be_active(fixture: &Fixture, path: &str, entry: Value) {
    for active in [false, true] {
        let entry = with_members(entry.clone(), json!({"active": active}));
        fixture.app.erp().put(path, entry).await.is(200);
        assert_eq!(fixture.is_visible(tagged_ticket()).await, active);
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn retired_catalog_entry_affects_next_decision(engine: Engine) {
    let fixture = Fixture::start(engine).await;
    let area = json!({"name": "Bereich 1", "color": "#00aaff"});
    let partner = json!({"name": "Partner 1", "search_name": "P1"});
    assert!(fixture.is_visible(tagged_ticket()).await);

    assert_entry_must_be_active(&fixture, "/catalog/areas/A-1", area).await;
    assert_entry_must_be_active(&fixture, "/catalog/business-partners/K-1", partner).await;
}

#[apply(both_engines)]
#[actix_web::test]
async fn deactivation_affects_next_decision(engine: Engine) {
    let fixture = Fixture::start(engine).await;
    let editor = fixture.app.editor();
    assert!(fixture.is_visible(tagged_ticket()).await);

    for path in [&fixture.access_path(), K1] {
        for active in [false, true] {
            editor.patch(path, json!({"active": active})).await.is(200);
            assert_eq!(fixture.is_visible(tagged_ticket()).await, active, "{path}");
        }
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn revoked_area_affects_next_decision(engine: Engine) {
    let fixture = Fixture::start(engine).await;
    assert!(fixture.is_visible(tagged_ticket()).await);

    let area = format!("{K1}/areas/A-1");
    fixture.app.editor().delete(&area).await.is(204);

    assert!(!fixture.is_visible(tagged_ticket()).await);
}

#[apply(both_engines)]
#[actix_web::test]
async fn changed_email_resolves_to_current_access(engine: Engine) {
    let fixture = Fixture::start(engine).await;
    let editor = fixture.app.editor();
    fixture.app.activate_partner("K-2").await;
    let more = json!({"ticket_visibility": "partner"});
    let other_id = fixture.app.create_access("K-2", "c@d.example", more).await;
    let other_access = format!("/customer-integrations/K-2/accesses/{other_id}");
    let decide = async |email: &str| {
        let body = json!({"access_email": email, "tickets": [ticket("1")]});
        fixture.ticket_system.post(VISIBILITY, body).await
    };
    let is_visible_to =
        async |email: &str| decide(email).await.is(200).json["decisions"][0]["visible"] == true;
    assert!(is_visible_to("a@b.example").await);
    assert!(!is_visible_to("c@d.example").await);

    let new_email = json!({"email": "e@f.example"});
    editor
        .patch(&fixture.access_path(), new_email)
        .await
        .is(200);
    decide("a@b.example")
        .await
        .is_problem(422, "unknown_access");

    let freed_email = json!({"email": "a@b.example"});
    editor.patch(&other_access, freed_email).await.is(200);
    assert!(!is_visible_to("a@b.example").await);
    assert!(is_visible_to("e@f.example").await);
    decide("c@d.example")
        .await
        .is_problem(422, "unknown_access");
}

//! Previews of exclusion rules.

use rstest_reuse::apply;
use serde_json::{Value, json};

use super::{Fixture, K1, PREVIEW, UNKNOWN_ID, condition, has_tag, ticket, with_members};
use crate::{
    engines::both_engines,
    support::{Engine, Response},
};

/// A partner with two accesses and a rule, and tickets to preview changes of the rule.
struct PreviewSetup {
    fixture: Fixture,
    /// The id of an access that sees only its own tickets.
    access: String,
    /// The id of a rule for the tag `alt`.
    rule: String,
    tickets: Value,
}

impl PreviewSetup {
    async fn start(engine: Engine) -> Self {
        let fixture = Fixture::start(engine).await;
        let more = json!({"contact_id": "P-2", "first_name": "Ute", "last_name": "Aal"});
        let access = fixture
            .app
            .create_access("K-1", "own@b.example", more)
            .await;
        let rule = fixture.create_rule("R", has_tag("alt")).await;
        let old = json!({"tags": ["alt"], "main_contact_id": "P-2"});
        let new = json!({"tags": ["neu"], "main_contact_id": "P-9", "created_by_access_id": null});
        let untagged = json!({"tags": null, "main_contact_id": "P-2"});
        let tickets = json!([
            with_members(ticket("alt"), old),
            with_members(ticket("neu"), new),
            with_members(ticket("leer"), untagged),
            ticket("offen"),
            {"ticket_id": "falsch"},
        ]);
        Self {
            fixture,
            access,
            rule,
            tickets,
        }
    }

    /// Previews a rule for the tag `neu`. `members` overrides members of the request.
    async fn preview(&self, members: Value) -> Response {
        let body = json!({
            "business_partner_id": "K-1",
            "filter": has_tag("neu"),
            "tickets": self.tickets,
        });
        let editor = self.fixture.app.editor();
        editor.post(PREVIEW, with_members(body, members)).await
    }
}

/// The effect of a previewed rule on one access, as ticket ids.
#[derive(Debug, PartialEq)]
struct AccessPreview {
    name: String,
    newly_hidden: Vec<String>,
    newly_visible: Vec<String>,
    unchanged: Vec<String>,
}

impl AccessPreview {
    fn new(name: &str, newly_hidden: &[&str], newly_visible: &[&str], unchanged: &[&str]) -> Self {
        let owned = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect();
        Self {
            name: name.to_owned(),
            newly_hidden: owned(newly_hidden),
            newly_visible: owned(newly_visible),
            unchanged: owned(unchanged),
        }
    }
}

fn access_previews(preview: &Value) -> Vec<AccessPreview> {
    let ids = |affected: &Value| -> Vec<String> {
        let ids: Vec<_> = affected["ticket_ids"]
            .as_array()
            .unwrap()
            .iter()
            .map(|id| id.as_str().unwrap().to_owned())
            .collect();
        assert_eq!(affected["count"], ids.len());
        ids
    };
    let accesses = preview["accesses"].as_array().unwrap();
    accesses
        .iter()
        .map(|access| AccessPreview {
            name: access["name"].as_str().unwrap().to_owned(),
            newly_hidden: ids(&access["newly_hidden"]),
            newly_visible: ids(&access["newly_visible"]),
            unchanged: ids(&access["unchanged"]),
        })
        .collect()
}

#[apply(both_engines)]
#[actix_web::test]
async fn preview_of_new_rule_lists_hidden_tickets_per_access(engine: Engine) {
    let setup = PreviewSetup::start(engine).await;

    let preview = setup.preview(json!({})).await.is(200).json;

    assert_eq!(preview["matching"], json!(["neu"]));
    assert_eq!(preview["undetermined"], json!(["offen"]));
    assert_eq!(
        access_previews(&preview),
        [
            AccessPreview::new("Ute Aal", &[], &[], &["alt", "neu", "leer", "offen"]),
            AccessPreview::new("Änne Schäfer", &["neu"], &[], &["alt", "leer", "offen"])
        ]
    );
    assert_eq!(preview["newly_hidden"], 1);
    assert_eq!(preview["newly_visible"], 0);
    assert_eq!(preview["unchanged"], 7);
    assert_eq!(preview["accesses_left_out"], 0);
    let invalid_ticket = &preview["errors"][0];
    assert_eq!(invalid_ticket["ticket_id"], "falsch");
    assert_eq!(
        invalid_ticket["error"]["pointer"],
        "/tickets/4/business_partner_id"
    );
}

#[apply(both_engines)]
#[actix_web::test]
async fn preview_of_changed_rule_replaces_the_stored_rule(engine: Engine) {
    let setup = PreviewSetup::start(engine).await;

    let preview = setup.preview(json!({"rule_id": setup.rule})).await;

    assert_eq!(
        access_previews(&preview.is(200).json),
        [
            AccessPreview::new("Ute Aal", &[], &["alt"], &["neu", "leer", "offen"]),
            AccessPreview::new("Änne Schäfer", &["neu"], &["alt"], &["leer", "offen"])
        ]
    );
}

#[apply(both_engines)]
#[actix_web::test]
async fn preview_of_deactivated_rule_lists_visible_tickets_of_requested_accesses(engine: Engine) {
    let setup = PreviewSetup::start(engine).await;

    let preview = setup
        .preview(json!({"rule_id": setup.rule, "active": false, "access_ids": [setup.access]}))
        .await;

    assert_eq!(
        access_previews(&preview.is(200).json),
        [AccessPreview::new(
            "Ute Aal",
            &[],
            &["alt"],
            &["neu", "leer", "offen"]
        )]
    );
}

#[apply(both_engines)]
#[actix_web::test]
async fn preview_saves_nothing(engine: Engine) {
    let setup = PreviewSetup::start(engine).await;
    let integration = async || setup.fixture.app.reader().get(K1).await.is(200).json;
    let before = integration().await;

    for members in [
        json!({}),
        json!({"rule_id": setup.rule}),
        json!({"rule_id": setup.rule, "active": false, "access_ids": [setup.access]}),
        json!({"business_partner_id": null}),
    ] {
        setup.preview(members).await.is(200);
    }
    setup
        .preview(json!({"access_ids": [UNKNOWN_ID]}))
        .await
        .is(422);

    assert_eq!(integration().await, before);
}

#[apply(both_engines)]
#[actix_web::test]
async fn preview_of_global_rule_covers_accesses_of_all_partners(engine: Engine) {
    let setup = PreviewSetup::start(engine).await;
    let app = &setup.fixture.app;
    let of_partner = setup.preview(json!({})).await.is(200).json;

    let global = setup.preview(json!({"business_partner_id": null})).await;
    assert_eq!(
        access_previews(&global.is(200).json),
        access_previews(&of_partner)
    );

    // an access of a partner that has none of the tickets
    app.activate_partner("K-2").await;
    let more = json!({"first_name": "Ida", "last_name": "Ost"});
    let other_access = app.create_access("K-2", "e@f.example", more).await;
    let global = setup
        .preview(json!({"business_partner_id": null, "access_ids": [other_access]}))
        .await;
    assert_eq!(
        access_previews(&global.is(200).json),
        [AccessPreview::new(
            "Ida Ost",
            &[],
            &[],
            &["alt", "neu", "leer", "offen"]
        )]
    );
}

#[apply(both_engines)]
#[actix_web::test]
async fn preview_with_unknown_reference_returns_422(engine: Engine) {
    let setup = PreviewSetup::start(engine).await;

    for members in [
        json!({"rule_id": UNKNOWN_ID}),
        json!({"rule_id": setup.rule, "business_partner_id": null}),
        json!({"business_partner_id": "K-9"}),
    ] {
        let refused = setup.preview(members).await;
        refused.is_problem(422, "unknown_reference");
    }
    let refused = setup.preview(json!({"access_ids": [UNKNOWN_ID]})).await;
    refused.is_problem(422, "unknown_access");
}

#[apply(both_engines)]
#[actix_web::test]
async fn preview_with_invalid_filter_returns_422(engine: Engine) {
    let setup = PreviewSetup::start(engine).await;

    let unknown_area = condition("area", "in", "nowhere");
    let refused = setup.preview(json!({"filter": unknown_area})).await;
    assert_eq!(
        refused.is_problem(422, "unknown_reference").errors(),
        ["/filter/values/0 unknown_reference"]
    );

    let is_self =
        json!({"type": "condition", "field": "main_contact", "operator": "is_self", "values": []});
    let refused = setup.preview(json!({"filter": is_self})).await;
    assert_eq!(
        refused.is_problem(422, "validation_failed").errors(),
        ["/filter/operator unknown_value"]
    );
}

#[apply(both_engines)]
#[actix_web::test]
async fn preview_with_partner_token_is_limited_to_its_partner(engine: Engine) {
    let setup = PreviewSetup::start(engine).await;
    setup.fixture.app.activate_partner("K-2").await;
    let limited_client = setup.fixture.app.editor_of("K-2");
    let preview = async |partner: Value| {
        let body = json!({
            "business_partner_id": partner,
            "filter": has_tag("neu"),
            "tickets": [ticket("1")],
        });
        limited_client.post(PREVIEW, body).await
    };

    preview(Value::Null)
        .await
        .is_problem(403, "partner_restricted");
    preview(json!("K-1"))
        .await
        .is_problem(422, "unknown_reference");
    preview(json!("K-2")).await.is(200);
}

//! Tags that filters name: protection from renaming and deletion, warnings, and internal tags.

use rstest_reuse::apply;
use serde_json::{Value, json};

use crate::{
    engines::both_engines,
    support::{Engine, TestApp},
};

const RULES: &str = "/customer-integrations/K-1/exclusion-rules";
const TAGS: &str = "/customer-integrations/K-1/tags";
const K1: &str = "/customer-integrations/K-1";

const QUERIES: &str = "/customer-integrations/K-1/queries";

fn any_of(tag: &str) -> Value {
    json!({"type": "condition", "field": "tag", "operator": "any_of", "values": [tag]})
}

/// A nested filter that names this tag and the tag `Other`.
fn none_of(tag: &str) -> Value {
    json!({"type": "none", "filters": [
        {"type": "condition", "field": "tag", "operator": "none_of", "values": ["Other", tag]}
    ]})
}

/// Creates a resource and returns its id.
async fn create(app: &TestApp, list: &str, body: Value) -> String {
    let created = app.global_rules_editor().post(list, body).await.is(201);
    created.json["id"].as_str().unwrap().to_owned()
}

/// K-1 with the tag `Straße` and an active rule that names it.
struct Fixture {
    app: TestApp,
    /// The path of the tag.
    tag: String,
    rule_id: String,
}

impl Fixture {
    async fn start(engine: Engine) -> Self {
        let app = TestApp::with_active_partner(engine).await;
        let tag_id = create(&app, TAGS, json!({"name": "Straße"})).await;
        let rule = json!({"name": "Regel", "filter": none_of("STRASSE")});
        let rule_id = create(&app, RULES, rule).await;
        Self {
            app,
            tag: format!("{TAGS}/{tag_id}"),
            rule_id,
        }
    }

    async fn deactivate_rule(&self) {
        self.app
            .editor()
            .patch(
                &format!("{RULES}/{}", self.rule_id),
                json!({"active": false}),
            )
            .await
            .is(200);
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn tag_named_by_active_rule_cannot_be_renamed_or_deleted(engine: Engine) {
    let fixture = Fixture::start(engine).await;
    let editor = fixture.app.editor();
    // global rules are no references
    let global_rule = json!({"name": "Global", "filter": none_of("Straße")});
    create(&fixture.app, "/exclusion-rules", global_rule).await;

    let renamed = editor.patch(&fixture.tag, json!({"name": "Weg"})).await;
    let deleted = editor.delete(&fixture.tag).await;

    for refused in [renamed, deleted] {
        assert_eq!(
            refused.is_problem(409, "tag_in_use").json["references"],
            json!([{"kind": "exclusion_rule", "id": fixture.rule_id, "name": "Regel"}])
        );
    }
}

/// Such changes leave the rule effective.
#[apply(both_engines)]
#[actix_web::test]
async fn tag_named_by_active_rule_can_change_the_case_of_its_name(engine: Engine) {
    let fixture = Fixture::start(engine).await;

    let patch = json!({"name": "strasse", "internal_only": true});
    let patched = fixture.app.editor().patch(&fixture.tag, patch).await;

    assert_eq!(patched.is(200).json["name"], "strasse");
}

#[apply(both_engines)]
#[actix_web::test]
async fn renaming_used_tag_with_references_keep_is_accepted(engine: Engine) {
    let fixture = Fixture::start(engine).await;
    let rename = async |name: &str, references: &str| {
        let path = format!("{}?references={references}", fixture.tag);
        fixture
            .app
            .editor()
            .patch(&path, json!({"name": name}))
            .await
    };

    let with_unknown_value = rename("Weg", "drop").await;
    let with_keep = rename("Weg", "keep").await;

    with_unknown_value.is_problem(400, "invalid_parameter");
    assert_eq!(with_keep.is(200).json["name"], "Weg");
}

#[apply(both_engines)]
#[actix_web::test]
async fn deleting_used_tag_with_references_keep_is_accepted(engine: Engine) {
    let fixture = Fixture::start(engine).await;
    let editor = fixture.app.editor();
    let other_id = create(&fixture.app, TAGS, json!({"name": "Other"})).await;
    let other = format!("{TAGS}/{other_id}");

    let refused = editor.delete(&other).await;
    let deleted = editor.delete(&format!("{other}?references=keep")).await;

    refused.is_problem(409, "tag_in_use");
    deleted.is(204);
}

#[apply(both_engines)]
#[actix_web::test]
async fn tag_can_be_given_a_name_that_an_active_rule_names(engine: Engine) {
    let fixture = Fixture::start(engine).await;
    let id = create(&fixture.app, TAGS, json!({"name": "Neu"})).await;

    let patch = json!({"name": "Other"});
    let renamed = fixture
        .app
        .editor()
        .patch(&format!("{TAGS}/{id}"), patch)
        .await;

    renamed.is(200);
}

#[apply(both_engines)]
#[actix_web::test]
async fn tag_named_by_inactive_rule_can_be_deleted(engine: Engine) {
    let fixture = Fixture::start(engine).await;
    fixture.deactivate_rule().await;

    let deleted = fixture.app.editor().delete(&fixture.tag).await;

    deleted.is(204);
}

#[apply(both_engines)]
#[actix_web::test]
async fn reactivated_rule_protects_the_tags_that_it_names(engine: Engine) {
    let fixture = Fixture::start(engine).await;
    let editor = fixture.app.editor();
    fixture.deactivate_rule().await;

    editor
        .patch(
            &format!("{RULES}/{}", fixture.rule_id),
            json!({"active": true}),
        )
        .await
        .is(200);

    let refused = editor.delete(&fixture.tag).await;
    refused.is_problem(409, "tag_in_use");
}

fn query_body(tag: &str) -> Value {
    json!({"name": tag, "filter": any_of(tag), "columns": ["subject"]})
}

fn rule_body(tag: &str) -> Value {
    json!({"name": tag, "filter": any_of(tag)})
}

/// Creates tags of K-1: `Offen` is public, `Geheim` is internal, and `Beides` is internal except in
/// one area.
async fn create_tags(app: &TestApp) {
    for tag in [
        json!({"name": "Offen"}),
        json!({"name": "Geheim", "internal_only": true}),
        json!({"name": "Beides", "internal_only": true}),
        json!({"name": "Beides", "area_id": "A-1"}),
    ] {
        create(app, TAGS, tag).await;
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn readiness_warns_of_unknown_and_internal_tags_in_filters(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    create_tags(&app).await;
    create(&app, QUERIES, query_body("OFFEN")).await;
    let with_internal_tag = create(&app, QUERIES, query_body("geheim")).await;
    create(&app, QUERIES, query_body("Beides")).await;
    let query_with_unknown_tag = create(&app, QUERIES, query_body("Unbekannt")).await;
    create(&app, RULES, rule_body("Geheim")).await;
    let rule_with_unknown_tag = create(&app, RULES, rule_body("Weg")).await;
    let mut inactive_rule = rule_body("Inaktiv");
    inactive_rule["active"] = json!(false);
    create(&app, RULES, inactive_rule).await;

    let integration = app.reader().get(K1).await.is(200).json;

    assert_eq!(
        integration["readiness"]["warnings"],
        json!([
            {
                "code": "tag_not_offered",
                "message":
                    "“Unbekannt” and “Weg” use tags that this business partner does not have.",
                "references": [
                    {"kind": "query", "id": query_with_unknown_tag, "name": "Unbekannt"},
                    {"kind": "exclusion_rule", "id": rule_with_unknown_tag, "name": "Weg"},
                ],
            },
            {
                "code": "internal_tag_in_query",
                "message": "The query “geheim” uses an internal tag and is therefore not offered \
                            to accesses.",
                "references": [{"kind": "query", "id": with_internal_tag, "name": "geheim"}],
            },
        ])
    );
}

#[apply(both_engines)]
#[actix_web::test]
async fn capabilities_omit_queries_that_name_internal_tags(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    create_tags(&app).await;
    for tag in ["OFFEN", "geheim", "Beides", "Unbekannt"] {
        create(&app, QUERIES, query_body(tag)).await;
    }
    let access = app.create_access("K-1", "a@b.example", json!({})).await;

    let capabilities = app
        .reader()
        .get(&format!("{K1}/accesses/{access}/capabilities"))
        .await
        .is(200);

    let queries = capabilities.json["queries"].as_array().unwrap();
    let names: Vec<_> = queries.iter().map(|query| &query["name"]).collect();
    assert_eq!(names, ["OFFEN", "Beides", "Unbekannt"]);
    assert!(!capabilities.text.to_lowercase().contains("geheim"));
}

//! Tags that filters name: what prevents renaming and deleting them, warnings, and internal tags.

use crate::engines::both_engines;
use rstest_reuse::apply;
use serde_json::{Value, json};

use crate::support::{Engine, TestApp};

const RULES: &str = "/customer-integrations/K-1/exclusion-rules";
const TAGS: &str = "/customer-integrations/K-1/tags";
const K1: &str = "/customer-integrations/K-1";

fn by_tag(tag: &str) -> Value {
    json!({"type": "none", "filters": [
        {"type": "condition", "field": "tag", "operator": "none_of", "values": ["Other", tag]}
    ]})
}

#[apply(both_engines)]
#[actix_web::test]
async fn tag_named_by_active_rule_cannot_be_renamed_or_deleted(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.global_rules_editor();
    let tag = editor.post(TAGS, json!({"name": "Straße"})).await.is(201);
    let tag = format!("{TAGS}/{}", tag.json["id"].as_str().unwrap());
    let global = json!({"name": "Global", "filter": by_tag("Straße")});
    editor.post("/exclusion-rules", global).await.is(201);
    let rule = json!({"name": "Regel", "filter": by_tag("STRASSE")});
    let rule = editor.post(RULES, rule).await.is(201);
    let rule_path = format!("{RULES}/{}", rule.json["id"].as_str().unwrap());
    let references = json!([{"kind": "exclusion_rule", "id": rule.json["id"], "name": "Regel"}]);
    let renamed = editor.patch(&tag, json!({"name": "Weg"})).await;
    let renamed = renamed.is_problem(409, "tag_in_use");
    assert_eq!(renamed.json["references"], references);
    let deleted = editor.delete(&tag).await.is_problem(409, "tag_in_use");
    assert_eq!(deleted.json["references"], references);
    // Other changes, and another spelling of the same name, leave the rule effective.
    let same = json!({"name": "strasse", "internal_only": true});
    editor.patch(&tag, same).await.is(200);
    editor
        .patch(&format!("{tag}?references=drop"), json!({"name": "Weg"}))
        .await
        .is_problem(400, "invalid_parameter");
    editor
        .patch(&format!("{tag}?references=keep"), json!({"name": "Weg"}))
        .await
        .is(200);
    editor.patch(&tag, json!({"name": "Straße"})).await.is(200);
    editor
        .patch(&rule_path, json!({"active": false}))
        .await
        .is(200);
    editor.delete(&tag).await.is(204);
    let other = editor.post(TAGS, json!({"name": "Other"})).await.is(201);
    editor
        .patch(&rule_path, json!({"active": true}))
        .await
        .is(200);
    let other = format!("{TAGS}/{}", other.json["id"].as_str().unwrap());
    editor.delete(&other).await.is_problem(409, "tag_in_use");
    editor
        .delete(&format!("{other}?references=keep"))
        .await
        .is(204);
}

#[apply(both_engines)]
#[actix_web::test]
async fn readiness_warns_of_unknown_and_internal_tags_in_filters(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();
    let any_of = |tag: &str| json!({"type": "condition", "field": "tag", "operator": "any_of", "values": [tag]});
    let query = |name: &str, tag: &str| json!({"name": name, "filter": any_of(tag), "columns": ["subject"]});
    let queries = format!("{K1}/queries");
    for (name, area, internal) in [
        ("Offen", Value::Null, false),
        ("Geheim", Value::Null, true),
        ("Beides", Value::Null, true),
        ("Beides", json!("A-1"), false),
    ] {
        let tag = json!({"name": name, "area_id": area, "internal_only": internal});
        editor.post(TAGS, tag).await.is(201);
    }
    let mut ids = Vec::new();
    for tag in ["OFFEN", "geheim", "Beides", "Unbekannt"] {
        let created = editor.post(&queries, query(tag, tag)).await.is(201);
        ids.push(created.json["id"].clone());
    }
    let rule = |tag: &str| json!({"name": tag, "filter": any_of(tag)});
    editor.post(RULES, rule("Geheim")).await.is(201);
    let unknown = editor.post(RULES, rule("Weg")).await.is(201);
    let mut inactive = rule("Inaktiv");
    inactive["active"] = json!(false);
    editor.post(RULES, inactive).await.is(201);
    let readiness = editor.get(K1).await.is(200).json["readiness"]["warnings"].clone();
    assert_eq!(
        readiness,
        json!([
            {"code": "tag_not_offered",
                "message": "“Unbekannt” and “Weg” use tags that this business partner does not have.",
                "references": [
                    {"kind": "query", "id": ids[3], "name": "Unbekannt"},
                    {"kind": "exclusion_rule", "id": unknown.json["id"], "name": "Weg"}
                ]},
            {"code": "internal_tag_in_query",
                "message": "The query “geheim” uses an internal tag and is therefore not offered to accesses.",
                "references": [{"kind": "query", "id": ids[1], "name": "geheim"}]}
        ])
    );
    // The name of the internal tag does not reach the access.
    let access = app.create_access("K-1", "a@b.example", json!({})).await;
    let capabilities = app
        .reader()
        .get(&format!("{K1}/accesses/{access}/capabilities"))
        .await
        .is(200);
    let offered: Vec<_> = capabilities.json["queries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|query| query["name"].as_str().unwrap())
        .collect();
    assert_eq!(offered, ["OFFEN", "Beides", "Unbekannt"]);
    assert!(!capabilities.text.to_lowercase().contains("geheim"));
}

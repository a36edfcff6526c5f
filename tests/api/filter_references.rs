//! What filters reference: names in summaries, unknown accesses, and previews of unsaved filters.

use crate::engines::both_engines;
use rstest_reuse::apply;
use serde_json::{Value, json};

use crate::support::{Client, Engine, Response, TestApp};

const K1: &str = "/customer-integrations/K-1";
const RULES: &str = "/customer-integrations/K-1/exclusion-rules";
const QUERIES: &str = "/customer-integrations/K-1/queries";
const PREVIEW: &str = "/decisions/exclusion-rule-preview";
const UNKNOWN_ID: &str = "019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e60";

fn created_by(accesses: &[&str]) -> Value {
    json!({"type": "condition", "field": "created_by", "operator": "in", "values": accesses})
}

fn area(id: &str) -> Value {
    json!({"type": "condition", "field": "area", "operator": "in", "values": [id]})
}

async fn get_in(client: &Client, path: &str, language: &str) -> Response {
    let request = client.request("GET", path);
    request.header("accept-language", language).send().await
}

/// K-1 and K-2 with one access each.
async fn start(engine: Engine) -> (TestApp, String, String) {
    let app = TestApp::with_active_partner(engine).await;
    app.activate_partner("K-2").await;
    let own = app.create_access("K-1", "a@b.example", json!({})).await;
    let other = app.create_access("K-2", "c@d.example", json!({})).await;
    (app, own, other)
}

#[apply(both_engines)]
#[actix_web::test]
async fn filter_with_unknown_access_returns_422_with_pointer(engine: Engine) {
    let (app, own, other) = start(engine).await;
    let editor = app.global_rules_editor();
    let filter = json!({"type": "any", "filters": [
        area("A-99"), created_by(&[&own, &other, UNKNOWN_ID])
    ]});
    let expected = [
        "/filter/filters/0/values/0 unknown_reference",
        "/filter/filters/1/values/1 unknown_access",
        "/filter/filters/1/values/2 unknown_access",
    ];
    let rule = json!({"name": "R", "filter": filter});
    let query = json!({"name": "Q", "filter": filter, "columns": ["subject"]});
    for (path, body) in [(RULES, rule.clone()), (QUERIES, query)] {
        let refused = editor.post(path, body).await;
        let refused = refused.is_problem(422, "unknown_reference");
        assert_eq!(refused.errors(), expected, "{path}");
    }
    let own_only = json!({"name": "R", "filter": created_by(&[&own])});
    let stored = editor.post(RULES, own_only).await.is(201);
    let path = format!("{RULES}/{}", stored.json["id"].as_str().unwrap());
    let refused = editor
        .patch(&path, json!({"filter": created_by(&[&other])}))
        .await;
    let refused = refused.is_problem(422, "unknown_access");
    assert_eq!(refused.errors(), ["/filter/values/0 unknown_access"]);
    // A global rule may reference accesses of all partners.
    let refused = editor.post("/exclusion-rules", rule).await;
    let refused = refused.is_problem(422, "unknown_reference");
    assert_eq!(refused.errors(), [expected[0], expected[2]]);
    let global = json!({"name": "G", "filter": created_by(&[&own, &other])});
    editor.post("/exclusion-rules", global).await.is(201);
}

#[apply(both_engines)]
#[actix_web::test]
async fn summaries_name_own_accesses(engine: Engine) {
    let (app, own, other) = start(engine).await;
    let editor = app.global_rules_editor();
    let global = json!({"name": "G", "filter": created_by(&[&other])});
    editor.post("/exclusion-rules", global).await.is(201);
    let rule = json!({"name": "R", "filter": created_by(&[&own])});
    let query = json!({"name": "Q", "filter": created_by(&[&own]), "columns": ["subject"]});
    for (list, body) in [(RULES, rule), (QUERIES, query)] {
        let stored = editor.post(list, body).await.is(201);
        assert_eq!(stored.json["summary"], "Creator is “Änne Schäfer”.");
        let path = format!("{list}/{}", stored.json["id"].as_str().unwrap());
        let read = get_in(&editor, &path, "de").await.is(200);
        assert_eq!(read.json["summary"], "Ersteller ist „Änne Schäfer“.");
    }
    let all_rules = format!("{RULES}?include_global=true");
    let listed = get_in(&editor, &all_rules, "de").await.is(200);
    let global_summary = format!("Ersteller ist „{other}“.");
    assert_eq!(
        listed.items("/summary"),
        [global_summary.as_str(), "Ersteller ist „Änne Schäfer“."]
    );

    let renamed = json!({"last_name": "Schmidt"});
    let access = format!("{K1}/accesses/{own}");
    editor.patch(&access, renamed).await.is(200);

    for list in [RULES, QUERIES] {
        let listed = editor.request("GET", list);
        let listed = listed.header("accept-language", "de").send().await.is(200);
        let item = &listed.json["items"][0];
        assert_eq!(item["summary"], "Ersteller ist „Änne Schmidt“.");
        let path = format!("{list}/{}", item["id"].as_str().unwrap());
        let read = get_in(&editor, &path, "de").await.is(200);
        assert_eq!(read.json["summary"], item["summary"]);
    }
    let revalidated = editor.request("GET", &all_rules);
    let revalidated = revalidated
        .header("accept-language", "de")
        .header("if-none-match", &listed.etag());
    let listed = revalidated.send().await.is(200);
    assert_eq!(listed.items("/summary")[1], "Ersteller ist „Änne Schmidt“.");
}

#[apply(both_engines)]
#[actix_web::test]
async fn preview_without_tickets_returns_normalized_filter_and_summary(engine: Engine) {
    let (app, own, _) = start(engine).await;
    let reader = app.reader();
    let draft = json!({"business_partner_id": "K-1", "filter": {"type": "all", "filters": [
        created_by(&[&own]),
        {"type": "condition", "field": "tag", "operator": "any_of", "values": [" A\u{308} "]}
    ]}});
    for (language, summary) in [
        ("de", "Ersteller ist „Änne Schäfer“ und Tags enthalten „Ä“."),
        ("en", "Creator is “Änne Schäfer” and tags include “Ä”."),
    ] {
        let request = reader.request("POST", PREVIEW).json(draft.clone());
        let preview = request.header("accept-language", language).send().await;
        let preview = preview.is(200);
        assert_eq!(preview.header("content-language"), language);
        assert_eq!(
            preview.json,
            json!({
                "filter": {"type": "all", "filters": [
                    created_by(&[&own]),
                    {"type": "condition", "field": "tag", "operator": "any_of", "values": ["Ä"]}
                ]},
                "summary": summary, "matching": [], "undetermined": [],
                "newly_hidden": 0, "newly_visible": 0, "unchanged": 0,
                "accesses": [], "accesses_left_out": 0, "errors": [], "warnings": []
            })
        );
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn preview_reports_all_errors_of_an_unsaved_filter(engine: Engine) {
    let (app, own, other) = start(engine).await;
    let reader = app.reader();
    let preview = async |members: Value| {
        let mut body = json!({"business_partner_id": "K-1"});
        body.as_object_mut()
            .unwrap()
            .extend(members.as_object().unwrap().clone());
        reader.post(PREVIEW, body).await
    };

    let invalid = json!({"filter": {"type": "all", "filters": [
        {"type": "condition", "field": "color", "operator": "in", "values": ["x"]},
        {"type": "condition", "field": "status", "operator": "in", "values": ["open", "x"]},
        {"type": "any", "filters": []}
    ]}});
    let refused = preview(invalid).await.is_problem(422, "validation_failed");
    assert_eq!(
        refused.errors(),
        [
            "/filter/filters/0/field unknown_value",
            "/filter/filters/1/values/1 unknown_value",
            "/filter/filters/2/filters required",
        ]
    );
    let refused = preview(json!({"filter": {}})).await;
    assert_eq!(refused.errors(), ["/filter/type required"]);

    let unknown = json!({
        "filter": {"type": "any", "filters": [area("A-99"), created_by(&[&own, &other])]},
        "rule_id": UNKNOWN_ID, "access_ids": [own, other]
    });
    let refused = preview(unknown).await.is_problem(422, "unknown_reference");
    assert_eq!(
        refused.errors(),
        [
            "/filter/filters/0/values/0 unknown_reference",
            "/filter/filters/1/values/1 unknown_access",
            "/rule_id unknown_reference",
            "/access_ids/1 unknown_access",
        ]
    );
}

/// A token limited to K-1 learns nothing about the accesses of K-2.
#[apply(both_engines)]
#[actix_web::test]
async fn preview_with_access_of_another_partner_equals_unknown_access(engine: Engine) {
    let (app, _, other) = start(engine).await;
    let limited = app.editor_of("K-1");
    let mut texts = Vec::new();
    for id in [&*other, UNKNOWN_ID] {
        let body = json!({"business_partner_id": "K-1", "filter": created_by(&[id])});
        let refused = limited.post(PREVIEW, body).await;
        let refused = refused.is_problem(422, "unknown_access");
        assert_eq!(refused.errors(), ["/filter/values/0 unknown_access"]);
        texts.push(refused.json["errors"].clone());
    }
    assert_eq!(texts[0], texts[1]);
}

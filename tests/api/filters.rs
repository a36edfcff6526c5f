//! Ticket filters: limits, validation errors, and round trips of random filters.

use std::collections::HashSet;

use customer_integration::common::timestamp::Timestamp;
use proptest::{
    prelude::*,
    sample::{select, subsequence},
    strategy::ValueTree as _,
    test_runner::TestRunner,
};
use rstest_reuse::apply;
use serde_json::{Value, json};

use crate::{
    engines::both_engines,
    support::{Client, Engine, Engine::*, Response, TestApp},
};

const RULES: &str = "/customer-integrations/K-1/exclusion-rules";
const QUERIES: &str = "/customer-integrations/K-1/queries";
/// Number of random filters per database.
const RANDOM_FILTERS: usize = 120;

fn condition(field: &str, operator: &str, values: Value) -> Value {
    json!({"type": "condition", "field": field, "operator": operator, "values": values})
}

fn group(kind: &str, filters: Vec<Value>) -> Value {
    json!({"type": kind, "filters": filters})
}

fn is_open() -> Value {
    condition("status", "in", json!(["open"]))
}

async fn assert_no_rule_is_stored(app: &TestApp) {
    let rules = app.editor().get_all(RULES).await;
    assert_eq!(rules, [Value::Null; 0]);
}

/// Asserts that a rule with the first filter, which is at a limit, is stored, and that the second
/// one, which is above the limit, is refused with this error only.
async fn assert_limit(app: &TestApp, at_limit: Value, above_limit: Value, error: &str) {
    let editor = app.editor();
    let rule = json!({"name": "At limit", "filter": at_limit});
    let stored = editor.post(RULES, rule).await.is(201).json;
    assert_eq!(stored["filter"], at_limit);
    let path = format!("{RULES}/{}", stored["id"].as_str().unwrap());
    editor.delete(&path).await.is(204);

    let rule = json!({"name": "Above limit", "filter": above_limit});
    let refused = editor.post(RULES, rule).await;
    assert_eq!(
        refused.is_problem(422, "validation_failed").errors(),
        [error]
    );
}

#[apply(both_engines)]
#[actix_web::test]
async fn depth_of_filter_is_limited_to_three_groups(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let nested = |depth| (0..depth).fold(is_open(), |inner, _| group("all", vec![inner]));

    let error = "/filter/filters/0/filters/0/filters/0 too_deep";
    assert_limit(&app, nested(3), nested(4), error).await;
}

#[apply(both_engines)]
#[actix_web::test]
async fn group_has_between_1_and_50_filters(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let group_of = |kind, count| group(kind, vec![is_open(); count]);

    let error = "/filter/filters/50 too_many_conditions";
    assert_limit(&app, group_of("any", 50), group_of("any", 51), error).await;
    let error = "/filter/filters required";
    assert_limit(&app, group_of("none", 1), group_of("none", 0), error).await;
}

#[apply(both_engines)]
#[actix_web::test]
async fn condition_has_between_1_and_100_values(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let contacts = |count: usize| {
        let ids = (0..count).map(|n| json!(format!("P-{n}")));
        condition("main_contact", "in", ids.collect())
    };

    let error = "/filter/values too_many_values";
    assert_limit(&app, contacts(100), contacts(101), error).await;
    assert_limit(&app, contacts(1), contacts(0), "/filter/values required").await;
}

#[apply(both_engines)]
#[actix_web::test]
async fn boolean_condition_has_exactly_one_value(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let released = |values: Value| condition("released", "is", values);

    assert_limit(
        &app,
        released(json!(["true"])),
        released(json!(["true", "false"])),
        "/filter/values too_many_values",
    )
    .await;
}

#[apply(both_engines)]
#[actix_web::test]
async fn values_of_conditions_are_limited(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let has_tag = |length| condition("tag", "all_of", json!(["ß".repeat(length)]));
    let contains = |length| condition("subject", "contains", json!(["x".repeat(length)]));
    let in_project = |length| condition("project", "in", json!(["x".repeat(length)]));
    let older_than = |period: &str| condition("created_at", "older_than", json!([period]));

    let too_long = "/filter/values/0 too_long";
    assert_limit(&app, has_tag(100), has_tag(101), too_long).await;
    assert_limit(&app, contains(200), contains(201), too_long).await;
    let invalid_id = "/filter/values/0 invalid_id";
    assert_limit(&app, in_project(64), in_project(65), invalid_id).await;
    assert_limit(
        &app,
        older_than("P100Y"),
        older_than("P100YT1S"),
        "/filter/values/0 invalid_duration",
    )
    .await;
}

#[apply(both_engines)]
#[actix_web::test]
async fn largest_filters_are_listed_in_one_page_with_short_summaries(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();
    let erp = app.erp();
    let ids: Vec<_> = (0..100).map(|n| format!("A-{}", n + 10)).collect();
    for id in &ids {
        let area = json!({"name": id, "color": "#000000"});
        let path = format!("/catalog/areas/{id}");
        erp.put(&path, area).await.is(201);
    }
    let largest = group("any", vec![condition("area", "in", json!(ids)); 50]);
    for n in 0..20 {
        let query = json!({"name": format!("Q{n}"), "filter": largest, "columns": ["subject"]});
        editor.post(QUERIES, query).await.is(201);
    }

    let page = editor.get(QUERIES).await.is(200).json;

    assert_eq!(page["items"].as_array().unwrap().len(), 20);
    let summary = page["items"][0]["summary"].as_str().unwrap();
    assert!(
        summary.len() < 5_000,
        "a summary lists only the first values"
    );
}

#[apply(both_engines)]
#[actix_web::test]
async fn at_most_100_unknown_references_are_reported(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let unknown: Vec<_> = (0..100).map(|n| format!("X-{n}")).collect();
    let filter = group("any", vec![condition("area", "in", json!(unknown)); 50]);

    let rule = json!({"name": "R", "filter": filter});
    let refused = app.editor().post(RULES, rule).await;

    let errors = refused.is_problem(422, "unknown_reference").errors();
    assert_eq!(errors.len(), 100);
}

#[apply(both_engines)]
#[actix_web::test]
async fn length_of_filter_is_limited(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let tags: Vec<_> = (0..100).map(|n| format!("{n}{}", "x".repeat(90))).collect();
    let filter = |count| group("any", vec![condition("tag", "any_of", json!(tags)); count]);

    assert_limit(&app, filter(6), filter(7), "/filter filter_too_large").await;
}

#[apply(both_engines)]
#[actix_web::test]
async fn nodes_above_the_limit_are_not_reported(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let filter = group("any", vec![json!({}); 300_000]);

    let rule = json!({"name": "R", "filter": filter});
    let refused = app.editor().post(RULES, rule).await;

    let errors = refused.is_problem(422, "validation_failed").errors();
    assert_eq!(errors.len(), 51);
}

#[apply(both_engines)]
#[actix_web::test]
async fn invalid_filter_members_return_422_with_pointers(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let nested = vec![
        condition("created_at", "before", json!(["yesterday"])),
        json!({"filters": []}),
    ];
    let invalid = vec![
        condition("color", "in", json!(["red"])),
        condition("area", "contains", json!(["A-1"])),
        group("any", nested),
        condition("status", "in", json!(["open", "shut", "open"])),
        condition("created_by", "in", json!(["A-1"])),
        condition("tag", "any_of", json!(["VPN", "vpn", " "])),
        json!({"type": "condition"}),
    ];

    let rule = json!({"filter": group("all", invalid)});
    let refused = app.editor().post(RULES, rule).await;

    assert_eq!(
        refused.is_problem(422, "validation_failed").errors(),
        [
            "/filter/filters/0/field unknown_value",
            "/filter/filters/1/operator unknown_value",
            "/filter/filters/2/filters/0/values/0 invalid_time",
            "/filter/filters/2/filters/1/type required",
            "/filter/filters/3/values/1 unknown_value",
            "/filter/filters/3/values/2 duplicate_value",
            "/filter/filters/4/values/0 invalid_id",
            "/filter/filters/5/values/1 duplicate_value",
            "/filter/filters/5/values/2 required",
            "/filter/filters/6/field required",
            "/name required",
        ]
    );
    assert_no_rule_is_stored(&app).await;
}

#[apply(both_engines)]
#[actix_web::test]
async fn unknown_filter_references_return_422_with_pointers(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let unknown = vec![
        condition("area", "in", json!(["A-1", "A-99"])),
        condition("ticket_type", "in", json!(["T-0"])),
    ];

    let rule = json!({"name": "R", "filter": group("any", unknown)});
    let refused = app.editor().post(RULES, rule).await;

    assert_eq!(
        refused.is_problem(422, "unknown_reference").errors(),
        [
            "/filter/filters/0/values/1 unknown_reference",
            "/filter/filters/1/values/0 unknown_reference",
        ]
    );
    assert_no_rule_is_stored(&app).await;
}

/// Asserts that a rule with this filter is refused with status 400 and this error first. A
/// misspelled member is missing as well.
async fn assert_malformed(app: &TestApp, filter: Value, pointer: &str, code: &str) {
    let rule = json!({"name": "R", "filter": filter});
    let refused = app.editor().post(RULES, rule).await;
    let errors = refused.is_problem(400, code).errors();
    assert_eq!(errors[0], format!("{pointer} {code}"));
    assert_no_rule_is_stored(app).await;
}

#[apply(both_engines)]
#[actix_web::test]
async fn filter_of_wrong_type_returns_400(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let assert_wrong_type = async |filter: Value, pointer: &str| {
        assert_malformed(&app, filter, pointer, "wrong_type").await;
    };

    assert_wrong_type(json!("all"), "/filter").await;
    assert_wrong_type(json!(["all", []]), "/filter").await;
    let object_as_list = json!({"type": "all", "filters": {}});
    assert_wrong_type(object_as_list, "/filter/filters").await;
    let list_as_filter = json!({"type": "all", "filters": [["condition"]]});
    assert_wrong_type(list_as_filter, "/filter/filters/0").await;
    let number_as_value = condition("status", "in", json!([1]));
    assert_wrong_type(number_as_value, "/filter/values/0").await;
}

#[apply(both_engines)]
#[actix_web::test]
async fn filter_with_unknown_member_returns_400(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;

    let misspelled = json!({"type": "all", "filter": []});
    assert_malformed(&app, misspelled, "/filter/filter", "unknown_member").await;

    let mut group_with_field = group("all", vec![is_open()]);
    group_with_field["field"] = json!("area");
    assert_malformed(&app, group_with_field, "/filter/field", "unknown_member").await;
}

#[apply(both_engines)]
#[actix_web::test]
async fn deeply_nested_json_returns_400(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let nested = r#"{"type":"all","filters":["#.repeat(100_000);
    let body = format!(r#"{{"name": "R", "filter": {nested}"#);

    let request = app.editor().request("POST", RULES);
    let request = request.raw("application/json", body[..1_000_000].to_owned());
    let refused = request.send().await;

    refused.is_problem(400, "malformed_json");
    assert_no_rule_is_stored(&app).await;
}

#[apply(both_engines)]
#[actix_web::test]
async fn rule_filter_with_is_self_returns_422(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;

    let is_self = condition("main_contact", "is_self", json!([]));
    let rule = json!({"name": "R", "filter": is_self});
    let refused = app.editor().post(RULES, rule).await;

    assert_eq!(
        refused.is_problem(422, "validation_failed").errors(),
        ["/filter/operator unknown_value"]
    );
    assert_no_rule_is_stored(&app).await;
}

#[apply(both_engines)]
#[actix_web::test]
async fn filter_values_are_stored_in_canonical_form(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let store = async |field: &str, operator: &str, value: &str| {
        let filter = condition(field, operator, json!([value]));
        let rule = json!({"name": field, "filter": filter});
        let created = app.editor().post(RULES, rule).await.is(201).json;
        let path = format!("{RULES}/{}", created["id"].as_str().unwrap());
        app.editor().delete(&path).await.is(204);
        created["filter"]["values"].clone()
    };

    assert_eq!(
        store("created_at", "after", "2026-11-23T09:00:00+01:00").await,
        json!(["2026-11-23T08:00:00.000000Z"])
    );
    assert_eq!(
        store("created_at", "newer_than", "p1y2m").await,
        json!(["P1Y2M"])
    );
    assert_eq!(
        store("subject", "contains", "  a\u{308}rger ").await,
        json!(["ärger"])
    );
    assert_eq!(store("tag", "any_of", " VPN ").await, json!(["VPN"]));
}

/// The operators of fields with a fixed set of values or with ids.
const SET: &[&str] = &["in", "not_in"];

/// Conditions of one field with one of these operators.
fn conditions_of(
    field: &'static str,
    operators: &'static [&'static str],
    values: impl Strategy<Value = Value> + 'static,
) -> BoxedStrategy<Value> {
    (select(operators), values)
        .prop_map(move |(operator, values)| condition(field, operator, values))
        .boxed()
}

fn some_of(values: &'static [&'static str]) -> impl Strategy<Value = Value> {
    subsequence(values, 1..=values.len())
        .prop_shuffle()
        .prop_map(|values| json!(values))
}

fn one_of(values: &'static [&'static str]) -> impl Strategy<Value = Value> {
    select(values).prop_map(|value| json!([value]))
}

fn some_ids() -> impl Strategy<Value = Value> {
    prop::collection::hash_set("[A-Za-z0-9][A-Za-z0-9._~-]{0,63}", 1..5).prop_map(|ids| json!(ids))
}

fn some_uuids() -> impl Strategy<Value = Value> {
    prop::collection::vec(any::<u128>(), 1..4).prop_map(|numbers| {
        let uuids = numbers.into_iter().map(uuid::Uuid::from_u128);
        uuids.map(|uuid| json!(uuid.to_string())).collect()
    })
}

/// Up to three texts, which begin differently.
fn some_texts() -> impl Strategy<Value = Value> {
    prop::collection::vec("[a-zA-Zäöüß€%_'\\\\\"]{1,12}", 1..4).prop_map(|texts| {
        let texts = texts.iter().enumerate();
        texts
            .map(|(n, text)| json!(format!("t{n}{text}")))
            .collect()
    })
}

fn one_text() -> impl Strategy<Value = Value> {
    some_texts().prop_map(|texts| json!([texts[0]]))
}

fn one_time() -> impl Strategy<Value = Value> {
    (0_i64..4_000_000_000).prop_map(|seconds| {
        let time = Timestamp::from_unix_micros(seconds * 1_000_000 + 17).unwrap();
        json!([time.to_string()])
    })
}

fn one_duration() -> impl Strategy<Value = Value> {
    const PATTERNS: &[&str] = &["P{}D", "P{}Y", "PT{}H", "P{}M", "P{}W"];
    (1..99_u32, select(PATTERNS))
        .prop_map(|(n, pattern)| json!([pattern.replace("{}", &n.to_string())]))
}

/// Conditions of every field and value kind, in canonical form.
fn any_condition() -> BoxedStrategy<Value> {
    const BOOLEANS: &[&str] = &["true", "false"];
    const LEVELS: &[&str] = &["low", "medium", "high"];
    const STATES: &[&str] = &["open", "in_progress", "parked", "closed"];
    const CLOSURES: &[&str] = &["completed", "cancelled", "withdrawn"];
    prop_oneof![
        conditions_of("area", SET, some_of(&["A-1", "A-2", "A-3"])),
        conditions_of("ticket_type", SET, some_of(&["T-1", "T-2", "T-3"])),
        conditions_of("status", SET, some_of(STATES)),
        conditions_of("closure", SET, some_of(CLOSURES)),
        conditions_of("urgency", SET, some_of(LEVELS)),
        conditions_of("impact", SET, some_of(LEVELS)),
        conditions_of("tag", &["any_of", "all_of", "none_of"], some_texts()),
        conditions_of("released", &["is"], one_of(BOOLEANS)),
        conditions_of("confidential", &["is"], one_of(BOOLEANS)),
        conditions_of("main_contact", SET, some_ids()),
        conditions_of("main_contact", &["is_self"], Just(json!([]))),
        conditions_of("created_by", SET, some_uuids()),
        conditions_of("created_by", &["is_self"], Just(json!([]))),
        conditions_of("entry_channel", SET, some_ids()),
        conditions_of("project", SET, some_ids()),
        conditions_of("service_contract", SET, some_ids()),
        conditions_of("subject", &["contains", "equals"], one_text()),
        conditions_of("reference_number", &["contains", "equals"], one_text()),
        conditions_of("created_at", &["before", "after"], one_time()),
        conditions_of("created_at", &["older_than", "newer_than"], one_duration()),
    ]
    .boxed()
}

/// Filters of at most three nested groups.
fn any_filter() -> BoxedStrategy<Value> {
    any_condition()
        .prop_recursive(3, 40, 3, |inner| {
            (
                select(&["all", "any", "none"][..]),
                prop::collection::vec(inner, 1..4),
            )
                .prop_map(|(kind, filters)| group(kind, filters))
        })
        .boxed()
}

/// Appends the JSON pointer of each node of `filter`, which is at `pointer`.
fn collect_pointers(filter: &Value, pointer: &str, pointers: &mut Vec<String>) {
    pointers.push(pointer.to_owned());
    for (n, child) in filter["filters"]
        .as_array()
        .into_iter()
        .flatten()
        .enumerate()
    {
        collect_pointers(child, &format!("{pointer}/filters/{n}"), pointers);
    }
}

/// The conditions of a filter, in order.
fn conditions(filter: &Value) -> Vec<&Value> {
    match filter["filters"].as_array() {
        Some(filters) => filters.iter().flat_map(conditions).collect(),
        None => vec![filter],
    }
}

/// The names that the summary of a filter must contain. It describes the first 10 conditions.
fn referenced_names(filter: &Value) -> Vec<String> {
    let mut names = Vec::new();
    for condition in conditions(filter).into_iter().take(10) {
        for id in condition["values"].as_array().unwrap() {
            let id = id.as_str().unwrap();
            names.extend(match condition["field"].as_str() {
                Some("area") => Some(id.replace("A-", "Bereich ")),
                Some("ticket_type") => Some(id.replace("T-", "Art ")),
                Some("created_by") => Some("Änne Schäfer".to_owned()),
                _ => None,
            });
        }
    }
    names
}

/// Replaces the random ids of accesses by that of an existing one.
fn with_access(mut filter: Value, access: &str) -> Value {
    let children = filter.get_mut("filters").and_then(Value::as_array_mut);
    for child in children.into_iter().flatten() {
        *child = with_access(child.take(), access);
    }
    if filter["field"] == "created_by" && filter["operator"] != "is_self" {
        filter["values"] = json!([access]);
    }
    filter
}

/// Makes a node invalid. `variant` selects the defect. Returns the pointer of the expected error,
/// relative to the node.
fn invalidate_node(node: &mut Value, variant: usize) -> &'static str {
    if node["type"] == "condition" {
        return invalidate_condition(node, variant);
    }
    if variant.is_multiple_of(2) {
        node["type"] = json!("some");
        "/type"
    } else {
        node["filters"] = json!([]);
        "/filters"
    }
}

fn invalidate_condition(node: &mut Value, variant: usize) -> &'static str {
    let is_self = node["operator"] == "is_self";
    match variant % 5 {
        0 => {
            node["field"] = json!("color");
            "/field"
        }
        1 => {
            node["operator"] = json!("like");
            "/operator"
        }
        2 => {
            node["type"] = json!("conditions");
            "/type"
        }
        3 => {
            node["values"] = if is_self { json!(["x"]) } else { json!([]) };
            "/values"
        }
        _ if is_self => {
            node["field"] = json!("status");
            "/operator"
        }
        _ => {
            // a control character is invalid for every value kind
            node["values"][0] = json!("\u{7}");
            "/values/0"
        }
    }
}

async fn get_in_language(editor: &Client, path: &str, language: &str) -> Response {
    let request = editor.request("GET", path);
    let request = request.header("accept-language", language);
    request.send().await.is(200)
}

fn assert_summary_is_complete(summary: &str, filter: &Value) {
    assert!(summary.len() > 5 && summary.ends_with('.'), "{summary}");
    for missing_text in ["clause-", "word-", "field-", "joined-", "period-", "{"] {
        assert!(!summary.contains(missing_text), "{summary}");
    }
    for name in referenced_names(filter) {
        assert!(summary.contains(&name), "{name} is missing in: {summary}");
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn random_filters_are_returned_unchanged_with_summaries_in_both_languages(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();
    let access = app.create_access("K-1", "a@b.example", json!({})).await;
    let mut runner = TestRunner::default();
    for n in 0..RANDOM_FILTERS {
        let filter = any_filter().new_tree(&mut runner).unwrap().current();
        let filter = with_access(filter, &access);
        let body = json!({"name": format!("Q{n}"), "filter": filter, "columns": ["subject"]});
        let created = editor.post(QUERIES, body).await.is(201).json;
        assert_eq!(created["filter"], filter);

        let path = format!("{QUERIES}/{}", created["id"].as_str().unwrap());
        let mut summaries = HashSet::new();
        for language in ["de", "en"] {
            let query = get_in_language(&editor, &path, language).await.json;
            assert_eq!(query["filter"], filter);
            let summary = query["summary"].as_str().unwrap();
            assert_summary_is_complete(summary, &filter);
            summaries.insert(summary.to_owned());
        }
        assert_eq!(summaries.len(), 2, "{filter}");
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn cached_list_of_random_filters_has_requested_language(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();
    let access = app.create_access("K-1", "a@b.example", json!({})).await;
    let mut runner = TestRunner::default();
    for n in 0..RANDOM_FILTERS / 20 {
        let filter = any_filter().new_tree(&mut runner).unwrap().current();
        let filter = with_access(filter, &access);
        let body = json!({"name": format!("Q{n}"), "filter": filter, "columns": ["subject"]});
        let created = editor.post(QUERIES, body).await.is(201).json;
        let path = format!("{QUERIES}/{}", created["id"].as_str().unwrap());
        let newest = format!("{QUERIES}?sort=-created_at&limit=1");

        for language in ["de", "en"] {
            let query = get_in_language(&editor, &path, language).await.json;
            // the second read is served from the cache
            for _ in 0..2 {
                let list = get_in_language(&editor, &newest, language).await;
                assert_eq!(list.header("content-language"), language);
                assert_eq!(list.json["items"], json!([query]));
            }
        }
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn random_invalid_filters_return_pointer_of_invalid_node(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();
    let access = app.create_access("K-1", "a@b.example", json!({})).await;
    let mut runner = TestRunner::default();
    for variant in 0..RANDOM_FILTERS {
        let valid = any_filter().new_tree(&mut runner).unwrap().current();
        let mut filter = with_access(valid, &access);
        let mut pointers = Vec::new();
        collect_pointers(&filter, "", &mut pointers);
        let pointer = &pointers[variant * 7 % pointers.len()];
        let member = invalidate_node(filter.pointer_mut(pointer).unwrap(), variant);

        let body = json!({"name": "Q", "filter": filter, "columns": ["subject"]});
        let response = editor.post(QUERIES, body).await;

        let errors = response.errors();
        let is_unknown_member = errors[0].ends_with("unknown_member");
        let response = response.is(if is_unknown_member { 400 } else { 422 });
        let error_pointers: Vec<_> = errors
            .iter()
            .map(|error| error.split(' ').next().unwrap())
            .collect();
        assert_eq!(
            error_pointers,
            [format!("/filter{pointer}{member}")],
            "{filter}: {}",
            response.text
        );
    }
    assert_eq!(editor.get_all(QUERIES).await, [Value::Null; 0]);
}

#[actix_web::test]
async fn ticket_field_labels_use_request_language() {
    let app = TestApp::with_active_partner(Sqlite).await;
    let editor = app.editor();

    let german = get_in_language(&editor, "/ticket-fields", "de").await;
    let english = editor.get("/ticket-fields").await.is(200);

    assert_eq!(german.json["items"][0]["label"], "Bereich");
    assert_eq!(german.header("content-language"), "de");
    assert_eq!(english.json["items"][0]["label"], "Area");
    assert_eq!(english.json["items"].as_array().unwrap().len(), 17);
    assert_eq!(english.header("content-language"), "en");
    assert_ne!(german.etag(), english.etag());
}

#[actix_web::test]
async fn unchanged_ticket_fields_return_304() {
    let app = TestApp::with_active_partner(Sqlite).await;
    let editor = app.editor();
    let etag = editor.get("/ticket-fields").await.is(200).etag();

    let request = editor.request("GET", "/ticket-fields");
    let response = request.header("if-none-match", &etag).send().await;

    response.is(304);
}

/// A filter with an operator of `/ticket-fields` and a valid value.
fn example_filter(field: &Value, operator: &Value, access: &str) -> Value {
    let value = match operator["value_kind"].as_str().unwrap() {
        "area_id" => "A-1",
        "ticket_type_id" => "T-1",
        "word" | "boolean" => field["values"][0]["value"].as_str().unwrap(),
        "access_id" => access,
        "time" => "2026-11-23T08:00:00Z",
        "duration" => "P30D",
        _ => "x",
    };
    let values = if operator["max_values"] == 0 {
        json!([])
    } else {
        json!([value])
    };
    condition(
        field["field"].as_str().unwrap(),
        operator["operator"].as_str().unwrap(),
        values,
    )
}

#[actix_web::test]
async fn listed_operators_are_accepted_and_query_operators_are_rejected_in_rules() {
    let app = TestApp::with_active_partner(Sqlite).await;
    let editor = app.editor();
    let access = app.create_access("K-1", "a@b.example", json!({})).await;
    let fields = editor.get("/ticket-fields").await.is(200).json;

    let mut operator_count = 0;
    for field in fields["items"].as_array().unwrap() {
        for operator in field["operators"].as_array().unwrap() {
            operator_count += 1;
            let name = format!("Operator {operator_count}");
            let filter = example_filter(field, operator, &access);

            let query = json!({"name": name, "filter": filter, "columns": [field["field"]]});
            editor.post(QUERIES, query).await.is(201);

            let rule = json!({"name": name, "filter": filter});
            let is_for_queries_only = operator["queries_only"] == true;
            let status = if is_for_queries_only { 422 } else { 201 };
            editor.post(RULES, rule).await.is(status);
        }
    }
    assert!(operator_count > 30, "{operator_count}");
}

//! Ticket filters: limits, validation errors, and round trips of random filters.

use crate::engines::both_engines;
use proptest::{
    prelude::*,
    sample::{select, subsequence},
    strategy::ValueTree as _,
    test_runner::TestRunner,
};
use rstest::rstest;
use rstest_reuse::apply;
use serde_json::{Value, json};

use crate::support::{Engine, Engine::*, TestApp};

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

/// A filter at a limit, a filter above it, and the error of the latter.
struct LimitCase {
    valid: Value,
    invalid: Value,
    error: String,
}

impl LimitCase {
    fn new(valid: Value, invalid: Value, error: &str) -> Self {
        Self {
            valid,
            invalid,
            error: error.to_owned(),
        }
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn filter_at_limit_is_stored_and_above_limit_returns_422(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();
    let leaf = || condition("status", "in", json!(["open"]));
    let nested = |depth: usize| (0..depth).fold(leaf(), |inner, _| group("all", vec![inner]));
    let contacts = |n: usize| {
        condition(
            "main_contact",
            "in",
            (0..n).map(|n| json!(format!("P-{n}"))).collect(),
        )
    };
    let cases = [
        LimitCase::new(
            nested(3),
            nested(4),
            &format!("/filter{} too_deep", "/filters/0".repeat(3)),
        ),
        LimitCase::new(
            group("any", vec![leaf(); 50]),
            group("any", vec![leaf(); 51]),
            "/filter/filters/50 too_many_conditions",
        ),
        LimitCase::new(
            contacts(100),
            contacts(101),
            "/filter/values too_many_values",
        ),
        LimitCase::new(contacts(1), contacts(0), "/filter/values required"),
        LimitCase::new(
            group("none", vec![leaf()]),
            group("none", vec![]),
            "/filter/filters required",
        ),
        LimitCase::new(
            condition("tag", "all_of", json!(["ß".repeat(100)])),
            condition("tag", "all_of", json!(["ß".repeat(101)])),
            "/filter/values/0 too_long",
        ),
        LimitCase::new(
            condition("subject", "contains", json!(["x".repeat(200)])),
            condition("subject", "contains", json!(["x".repeat(201)])),
            "/filter/values/0 too_long",
        ),
        LimitCase::new(
            condition("project", "in", json!(["x".repeat(64)])),
            condition("project", "in", json!(["x".repeat(65)])),
            "/filter/values/0 invalid_id",
        ),
        LimitCase::new(
            condition("released", "is", json!(["true"])),
            condition("released", "is", json!(["true", "false"])),
            "/filter/values too_many_values",
        ),
        LimitCase::new(
            condition("created_at", "older_than", json!(["P100Y"])),
            condition("created_at", "older_than", json!(["P100YT1S"])),
            "/filter/values/0 invalid_duration",
        ),
    ];
    for (n, case) in cases.into_iter().enumerate() {
        let LimitCase {
            valid,
            invalid,
            error,
        } = case;
        let stored = editor
            .post(
                RULES,
                json!({"name": format!("R{n}"), "filter": valid.clone()}),
            )
            .await
            .is(201);
        assert_eq!(stored.json["filter"], valid);
        let response = editor
            .post(RULES, json!({"name": "Bad", "filter": invalid}))
            .await;
        assert_eq!(
            response.is_problem(422, "validation_failed").errors(),
            [error]
        );
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn large_filters_are_limited_and_listed_in_one_page(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();
    let erp = app.erp();
    let ids: Vec<_> = (0..100).map(|n| format!("A-{}", n + 10)).collect();
    for id in &ids {
        erp.put(
            &format!("/catalog/areas/{id}"),
            json!({"name": id, "color": "#000000"}),
        )
        .await
        .is(201);
    }
    // The largest filter of references: 50 conditions of 100 values.
    let largest = group("any", vec![condition("area", "in", json!(ids)); 50]);
    for n in 0..20 {
        let query = json!({"name": format!("Q{n}"), "filter": largest, "columns": ["subject"]});
        editor.post(QUERIES, query).await.is(201);
    }
    let page = editor.get(QUERIES).await.is(200);
    assert_eq!(page.json["items"].as_array().unwrap().len(), 20);
    assert!(
        page.json["items"][0]["summary"].as_str().unwrap().len() < 5_000,
        "a summary lists only the first values"
    );
}

#[apply(both_engines)]
#[actix_web::test]
async fn errors_of_large_invalid_filters_are_limited(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();
    // At most 100 unknown references are reported.
    let unknown: Vec<_> = (0..100).map(|n| format!("X-{n}")).collect();
    let filter = group("any", vec![condition("area", "in", json!(unknown)); 50]);
    let response = editor
        .post(RULES, json!({"name": "R", "filter": filter}))
        .await
        .is_problem(422, "unknown_reference");
    assert_eq!(response.errors().len(), 100);
    let long_tags: Vec<_> = (0..100).map(|n| format!("{n}{}", "x".repeat(90))).collect();
    let filter = |n: usize| group("any", vec![condition("tag", "any_of", json!(long_tags)); n]);
    editor
        .post(RULES, json!({"name": "R", "filter": filter(6)}))
        .await
        .is(201);
    let response = editor
        .post(RULES, json!({"name": "S", "filter": filter(7)}))
        .await;
    assert_eq!(
        response.is_problem(422, "validation_failed").errors(),
        ["/filter filter_too_large"]
    );
    // Nodes above the limit are skipped.
    let empty_nodes =
        json!({"name": "S", "filter": {"type": "any", "filters": vec![json!({}); 300_000]}});
    let response = editor
        .post(RULES, empty_nodes)
        .await
        .is_problem(422, "validation_failed");
    assert_eq!(response.errors().len(), 51);
}

#[apply(both_engines)]
#[actix_web::test]
async fn invalid_filter_members_return_422_with_pointers(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();
    let invalid = group(
        "all",
        vec![
            condition("color", "in", json!(["red"])),
            condition("area", "contains", json!(["A-1"])),
            group(
                "any",
                vec![
                    condition("created_at", "before", json!(["yesterday"])),
                    json!({"filters": []}),
                ],
            ),
            condition("status", "in", json!(["open", "shut", "open"])),
            condition("created_by", "in", json!(["A-1"])),
            condition("tag", "any_of", json!(["VPN", "vpn", " "])),
            json!({"type": "condition"}),
        ],
    );
    let response = editor
        .post(RULES, json!({"filter": invalid}))
        .await
        .is_problem(422, "validation_failed");
    let expected = [
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
    ];
    assert_eq!(response.errors(), expected);
    assert_eq!(
        editor.get(RULES).await.items("/name"),
        [""; 0],
        "no rule was stored"
    );
}

#[apply(both_engines)]
#[actix_web::test]
async fn unknown_filter_references_return_422_with_pointers(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();
    let unknown = group(
        "any",
        vec![
            condition("area", "in", json!(["A-1", "A-99"])),
            condition("ticket_type", "in", json!(["T-0"])),
        ],
    );
    let response = editor
        .post(RULES, json!({"name": "R", "filter": unknown}))
        .await
        .is_problem(422, "unknown_reference");
    let expected = [
        "/filter/filters/0/values/1 unknown_reference",
        "/filter/filters/1/values/0 unknown_reference",
    ];
    assert_eq!(response.errors(), expected);
    assert_eq!(
        editor.get(RULES).await.items("/name"),
        [""; 0],
        "no rule was stored"
    );
}

#[apply(both_engines)]
#[actix_web::test]
async fn malformed_filters_return_400(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();
    for (filter, code, error) in [
        (json!("all"), "wrong_type", "/filter wrong_type"),
        (json!(["all", []]), "wrong_type", "/filter wrong_type"),
        (
            json!({"type": "all", "filters": {}}),
            "wrong_type",
            "/filter/filters wrong_type",
        ),
        (
            json!({"type": "all", "filters": [["condition"]]}),
            "wrong_type",
            "/filter/filters/0 wrong_type",
        ),
        (
            condition("status", "in", json!([1])),
            "wrong_type",
            "/filter/values/0 wrong_type",
        ),
        (
            json!({"type": "all", "filter": []}),
            "unknown_member",
            "/filter/filter unknown_member",
        ),
        (
            json!({"type": "all", "field": "area",
                "filters": [condition("status", "in", json!(["open"]))]}),
            "unknown_member",
            "/filter/field unknown_member",
        ),
    ] {
        let response = editor
            .post(RULES, json!({"name": "R", "filter": filter}))
            .await
            .is_problem(400, code);
        assert_eq!(response.errors(), [error]);
    }
    let deep = format!(
        r#"{{"name": "R", "filter": {}"#,
        r#"{"type":"all","filters":["#.repeat(100_000)
    );
    let request = editor
        .request("POST", RULES)
        .raw("application/json", deep[..1_000_000].to_owned());
    request.send().await.is_problem(400, "malformed_json");
    assert_eq!(
        editor.get(RULES).await.items("/name"),
        [""; 0],
        "no rule was stored"
    );
}

#[apply(both_engines)]
#[actix_web::test]
async fn rule_filter_with_is_self_returns_422(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();
    let is_self = json!({"name": "R", "filter": condition("main_contact", "is_self", json!([]))});
    assert_eq!(
        editor
            .post(RULES, is_self)
            .await
            .is_problem(422, "validation_failed")
            .errors(),
        ["/filter/operator unknown_value"]
    );
    assert_eq!(
        editor.get(RULES).await.items("/name"),
        [""; 0],
        "no rule was stored"
    );
}

#[apply(both_engines)]
#[actix_web::test]
async fn filter_values_are_stored_in_canonical_form(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    for (n, (field, operator, sent, stored_value)) in [
        (
            "created_at",
            "after",
            "2026-11-23T09:00:00+01:00",
            "2026-11-23T08:00:00.000000Z",
        ),
        ("created_at", "newer_than", "p1y2m", "P1Y2M"),
        ("subject", "contains", "  a\u{308}rger ", "ärger"),
        ("tag", "any_of", " VPN ", "VPN"),
    ]
    .into_iter()
    .enumerate()
    {
        let body =
            json!({"name": format!("R{n}"), "filter": condition(field, operator, json!([sent]))});
        let stored = app.editor().post(RULES, body).await.is(201).json;
        assert_eq!(stored["filter"]["values"], json!([stored_value]));
    }
}

/// Conditions of every field and value kind, in canonical form.
fn any_condition() -> BoxedStrategy<Value> {
    let texts = |prefix: &'static str| {
        prop::collection::vec("[a-zA-Zäöüß€%_'\\\\\"]{1,12}", 1..4).prop_map(move |all| {
            (0..)
                .zip(all)
                .map(|(n, text)| json!(format!("{prefix}{n}{text}")))
                .collect::<Value>()
        })
    };
    let ids = prop::collection::hash_set("[A-Za-z0-9][A-Za-z0-9._~-]{0,63}", 1..5)
        .prop_map(|ids| json!(ids));
    let some_of = |words: &'static [&'static str]| {
        subsequence(words, 1..=words.len())
            .prop_shuffle()
            .prop_map(|values| json!(values))
    };
    let conditions_of =
        |field: &'static str, operators: &'static [&'static str], values: BoxedStrategy<Value>| {
            (select(operators), values)
                .prop_map(move |(operator, values)| condition(field, operator, values))
                .boxed()
        };
    const SET: &[&str] = &["in", "not_in"];
    let first_of =
        |values: BoxedStrategy<Value>| values.prop_map(|values| json!([values[0]])).boxed();
    let uuids = prop::collection::vec(any::<u128>(), 1..4).prop_map(|all| {
        all.into_iter()
            .map(|bits| json!(uuid::Uuid::from_u128(bits).to_string()))
            .collect::<Value>()
    });
    let times = (0_i64..4_000_000_000).prop_map(|seconds| {
        let time = customer_integration::common::timestamp::Timestamp::from_unix_micros(
            seconds * 1_000_000 + 17,
        )
        .unwrap();
        json!([time.to_string()])
    });
    let durations = (
        1..99_u32,
        select(&["P{}D", "P{}Y", "PT{}H", "P{}M", "P{}W"][..]),
    )
        .prop_map(|(n, pattern)| json!([pattern.replace("{}", &n.to_string())]));
    prop_oneof![
        conditions_of("area", SET, some_of(&["A-1", "A-2", "A-3"]).boxed()),
        conditions_of("ticket_type", SET, some_of(&["T-1", "T-2", "T-3"]).boxed()),
        conditions_of(
            "status",
            SET,
            some_of(&["open", "in_progress", "parked", "closed"]).boxed()
        ),
        conditions_of(
            "closure",
            SET,
            some_of(&["completed", "cancelled", "withdrawn"]).boxed()
        ),
        conditions_of("urgency", SET, some_of(&["low", "medium", "high"]).boxed()),
        conditions_of("impact", SET, some_of(&["low", "medium", "high"]).boxed()),
        conditions_of("tag", &["any_of", "all_of", "none_of"], texts("t").boxed()),
        conditions_of(
            "released",
            &["is"],
            first_of(some_of(&["true", "false"]).boxed())
        ),
        conditions_of(
            "confidential",
            &["is"],
            first_of(some_of(&["true", "false"]).boxed())
        ),
        conditions_of("main_contact", SET, ids.clone().boxed()),
        conditions_of("main_contact", &["is_self"], Just(json!([])).boxed()),
        conditions_of("created_by", SET, uuids.boxed()),
        conditions_of("created_by", &["is_self"], Just(json!([])).boxed()),
        conditions_of("entry_channel", SET, ids.clone().boxed()),
        conditions_of("project", SET, ids.clone().boxed()),
        conditions_of("service_contract", SET, ids.boxed()),
        conditions_of(
            "subject",
            &["contains", "equals"],
            first_of(texts("s").boxed())
        ),
        conditions_of(
            "reference_number",
            &["contains", "equals"],
            first_of(texts("r").boxed())
        ),
        conditions_of("created_at", &["before", "after"], times.boxed()),
        conditions_of(
            "created_at",
            &["older_than", "newer_than"],
            durations.boxed()
        ),
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
    if node["type"] != "condition" {
        let defects = [("type", json!("some")), ("filters", json!([]))];
        let (member, value) = defects[variant % 2].clone();
        node[member] = value;
        return ["/type", "/filters"][variant % 2];
    }
    match variant % 5 {
        0 => node["field"] = json!("color"),
        1 => node["operator"] = json!("like"),
        2 => node["type"] = json!("conditions"),
        3 if node["operator"] == "is_self" => node["values"] = json!(["x"]),
        3 => node["values"] = json!([]),
        _ if node["operator"] == "is_self" => node["field"] = json!("status"),
        // A control character is invalid for every value kind.
        _ => node["values"][0] = json!("\u{7}"),
    }
    match variant % 5 {
        0 => "/field",
        1 => "/operator",
        2 => "/type",
        3 => "/values",
        _ if node["operator"] == "is_self" => "/operator",
        _ => "/values/0",
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
        let mut summaries = Vec::new();
        for lang in ["de", "en"] {
            let get_in_language = async |path: &str| {
                editor
                    .request("GET", path)
                    .header("accept-language", lang)
                    .send()
                    .await
            };
            let read = get_in_language(&path).await.is(200).json;
            assert_eq!(read["filter"], filter);
            // Read some lists twice in each language.
            let reads = if n % 20 == 0 { 2 } else { 0 };
            for _ in 0..reads {
                let list = get_in_language(&format!("{QUERIES}?sort=-created_at&limit=1"))
                    .await
                    .is(200);
                assert_eq!(list.header("content-language"), lang);
                assert_eq!(list.json["items"][0], read);
            }
            let summary = read["summary"].as_str().unwrap().to_owned();
            assert!(summary.len() > 5 && summary.ends_with('.'), "{summary}");
            for missing in ["clause-", "word-", "field-", "joined-", "period-", "{"] {
                assert!(!summary.contains(missing), "{summary}");
            }
            for name in referenced_names(&filter) {
                assert!(summary.contains(&name), "{name} is missing in: {summary}");
            }
            summaries.push(summary);
        }
        assert_ne!(summaries[0], summaries[1], "{filter}");
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn random_invalid_filters_return_pointer_of_invalid_node(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();
    let mut runner = TestRunner::default();
    for variant in 0..RANDOM_FILTERS {
        let valid = any_filter().new_tree(&mut runner).unwrap().current();
        let mut pointers = Vec::new();
        collect_pointers(&valid, "", &mut pointers);
        let pointer = &pointers[variant * 7 % pointers.len()];
        let mut invalid = valid.clone();
        let member = invalidate_node(invalid.pointer_mut(pointer).unwrap(), variant);
        let body = json!({"name": "Q", "filter": invalid, "columns": ["subject"]});
        let response = editor.post(QUERIES, body).await;
        let errors = response.errors();
        assert_eq!(
            response.status,
            if errors[0].ends_with("unknown_member") {
                400
            } else {
                422
            },
            "{}",
            response.text
        );
        // All errors refer to the invalid node.
        let error_pointers: Vec<_> = errors
            .iter()
            .map(|error| error.split(' ').next().unwrap())
            .collect();
        assert_eq!(
            error_pointers,
            [format!("/filter{pointer}{member}")],
            "{invalid}"
        );
    }
    assert_eq!(editor.get(QUERIES).await.items("/id"), [""; 0]);
}

#[rstest]
#[actix_web::test]
async fn ticket_field_labels_use_request_language(#[values(Sqlite)] engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();
    let german = editor
        .request("GET", "/ticket-fields")
        .header("accept-language", "de")
        .send()
        .await
        .is(200);
    let english = editor.get("/ticket-fields").await.is(200);
    assert_eq!(german.json["items"][0]["label"], "Bereich");
    assert_eq!(english.json["items"][0]["label"].as_str(), Some("Area"));
    assert_eq!(english.json["items"].as_array().unwrap().len(), 17);
    assert_eq!(german.header("content-language"), "de");
    assert_eq!(english.header("content-language"), "en");
    assert_ne!(german.etag(), english.etag());
    editor
        .request("GET", "/ticket-fields")
        .header("if-none-match", &english.etag())
        .send()
        .await
        .is(304);
}

#[rstest]
#[actix_web::test]
async fn listed_operators_are_accepted_and_query_operators_are_rejected_in_rules(
    #[values(Sqlite)] engine: Engine,
) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();
    let access = app.create_access("K-1", "a@b.example", json!({})).await;
    let fields = editor.get("/ticket-fields").await.is(200);
    let example = |kind: &str, values: &Value| match kind {
        "area_id" => "A-1".to_owned(),
        "ticket_type_id" => "T-1".to_owned(),
        "word" | "boolean" => values[0]["value"].as_str().unwrap().to_owned(),
        "access_id" => access.clone(),
        "time" => "2026-11-23T08:00:00Z".to_owned(),
        "duration" => "P30D".to_owned(),
        _ => "x".to_owned(),
    };
    let mut n = 0;
    for field in fields.json["items"].as_array().unwrap() {
        for operator in field["operators"].as_array().unwrap() {
            n += 1;
            let values = match operator["max_values"].as_u64() {
                Some(0) => json!([]),
                _ => json!([example(
                    operator["value_kind"].as_str().unwrap(),
                    &field["values"]
                )]),
            };
            let filter = condition(
                field["field"].as_str().unwrap(),
                operator["operator"].as_str().unwrap(),
                values,
            );
            let query =
                json!({"name": format!("Q{n}"), "filter": filter, "columns": [field["field"]]});
            editor.post(QUERIES, query).await.is(201);
            let rule = editor
                .post(RULES, json!({"name": format!("R{n}"), "filter": filter}))
                .await;
            rule.is(if operator["queries_only"] == true {
                422
            } else {
                201
            });
        }
    }
    assert!(n > 30, "{n}");
}

//! The ticket filter: its limits, what is told of a bad one, and that random ones survive the way there and back.

use proptest::{
    prelude::*,
    sample::{select, subsequence},
    strategy::ValueTree as _,
    test_runner::TestRunner,
};
use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{Engine, Engine::*, TestApp};

const RULES: &str = "/customer-integrations/K-1/exclusion-rules";
const QUERIES: &str = "/customer-integrations/K-1/queries";
/// Random filters per engine.
const CASES: usize = 120;

fn condition(field: &str, operator: &str, values: Value) -> Value {
    json!({"type": "condition", "field": field, "operator": operator, "values": values})
}

fn group(sort: &str, filters: Vec<Value>) -> Value {
    json!({"type": sort, "filters": filters})
}

#[rstest]
#[actix_web::test]
async fn every_limit_holds_at_one_past_it_and_not_before(
    #[values(Sqlite, Postgres)] engine: Engine,
) {
    let Some(app) = TestApp::ready(engine).await else {
        return;
    };
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
    let at_its_end =
        |pointer: &str, depth: usize| format!("/filter{}{pointer}", "/filters/0".repeat(depth));
    let cases = [
        (
            nested(3),
            nested(4),
            format!("{} too_deep", at_its_end("", 3)),
        ),
        (
            group("any", vec![leaf(); 50]),
            group("any", vec![leaf(); 51]),
            "/filter/filters/50 too_many_conditions".into(),
        ),
        (
            contacts(100),
            contacts(101),
            "/filter/values too_many_values".into(),
        ),
        (contacts(1), contacts(0), "/filter/values required".into()),
        (
            group("none", vec![leaf()]),
            group("none", vec![]),
            "/filter/filters required".into(),
        ),
        (
            condition("tag", "all_of", json!(["ß".repeat(100)])),
            condition("tag", "all_of", json!(["ß".repeat(101)])),
            "/filter/values/0 too_long".into(),
        ),
        (
            condition("subject", "contains", json!(["x".repeat(200)])),
            condition("subject", "contains", json!(["x".repeat(201)])),
            "/filter/values/0 too_long".into(),
        ),
        (
            condition("project", "in", json!(["x".repeat(64)])),
            condition("project", "in", json!(["x".repeat(65)])),
            "/filter/values/0 invalid_id".into(),
        ),
        (
            condition("released", "is", json!(["true"])),
            condition("released", "is", json!(["true", "false"])),
            "/filter/values too_many_values".into(),
        ),
        (
            condition("created_at", "older_than", json!(["P100Y"])),
            condition("created_at", "older_than", json!(["P100YT1S"])),
            "/filter/values/0 invalid_duration".into(),
        ),
    ];
    for (n, (good, bad, error)) in cases.into_iter().enumerate() {
        let stored = editor
            .post(
                RULES,
                json!({"name": format!("R{n}"), "filter": good.clone()}),
            )
            .await
            .is(201);
        assert_eq!(stored.json["filter"], good);
        let refused = editor
            .post(RULES, json!({"name": "Bad", "filter": bad}))
            .await;
        assert_eq!(
            refused.is_problem(422, "validation_failed").errors(),
            [error]
        );
    }
}

#[rstest]
#[actix_web::test]
async fn large_filters_are_bounded_and_many_of_them_make_a_page(
    #[values(Sqlite, Postgres)] engine: Engine,
) {
    let Some(app) = TestApp::ready(engine).await else {
        return;
    };
    let (editor, erp) = (app.editor(), app.erp());
    let ids: Vec<_> = (0..100).map(|n| format!("A-{}", n + 10)).collect();
    for id in &ids {
        erp.put(
            &format!("/catalog/areas/{id}"),
            json!({"name": id, "color": "#000000"}),
        )
        .await
        .is(201);
    }
    // every limit of the filter at once: 50 conditions of 100 values, all of them references
    let full = group("any", vec![condition("area", "in", json!(ids)); 50]);
    for n in 0..20 {
        let query = json!({"name": format!("Q{n}"), "filter": full, "columns": ["subject"]});
        editor.post(QUERIES, query).await.is(201);
    }
    let page = editor.get(QUERIES).await.is(200);
    assert_eq!(page.json["items"].as_array().unwrap().len(), 20);
    assert!(
        page.json["items"][0]["summary"].as_str().unwrap().len() < 5_000,
        "a summary names the first values only"
    );
    // what is unknown is told up to a point
    let unknown: Vec<_> = (0..100).map(|n| format!("X-{n}")).collect();
    let filter = group("any", vec![condition("area", "in", json!(unknown)); 50]);
    let refused = editor
        .post(RULES, json!({"name": "R", "filter": filter}))
        .await
        .is_problem(422, "unknown_reference");
    assert_eq!(refused.errors().len(), 100);
    let long: Vec<_> = (0..100).map(|n| format!("{n}{}", "x".repeat(90))).collect();
    let filter = |n: usize| group("any", vec![condition("tag", "any_of", json!(long)); n]);
    editor
        .post(RULES, json!({"name": "R", "filter": filter(6)}))
        .await
        .is(201);
    let refused = editor
        .post(RULES, json!({"name": "S", "filter": filter(7)}))
        .await;
    assert_eq!(
        refused.is_problem(422, "validation_failed").errors(),
        ["/filter filter_too_large"]
    );
    // a body of nothing but empty nodes is read over
    let empty =
        json!({"name": "S", "filter": {"type": "any", "filters": vec![json!({}); 300_000]}});
    let refused = editor
        .post(RULES, empty)
        .await
        .is_problem(422, "validation_failed");
    assert_eq!(refused.errors().len(), 51);
}

#[rstest]
#[actix_web::test]
async fn everything_that_is_wrong_is_told_at_its_place(#[values(Sqlite, Postgres)] engine: Engine) {
    let Some(app) = TestApp::ready(engine).await else {
        return;
    };
    let editor = app.editor();
    let bad = group(
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
    let refused = editor
        .post(RULES, json!({"filter": bad}))
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
    assert_eq!(refused.errors(), expected);
    // what the catalogue does not know is found out in the transaction
    let unknown = group(
        "any",
        vec![
            condition("area", "in", json!(["A-1", "A-99"])),
            condition("ticket_type", "in", json!(["T-0"])),
        ],
    );
    let refused = editor
        .post(RULES, json!({"name": "R", "filter": unknown}))
        .await
        .is_problem(422, "unknown_reference");
    let expected = [
        "/filter/filters/0/values/1 unknown_reference",
        "/filter/filters/1/values/0 unknown_reference",
    ];
    assert_eq!(refused.errors(), expected);
    // what has no shape cannot be read
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
            json!({"type": "all", "filters": [condition("status", "in", json!(["open"]))], "field": "area"}),
            "unknown_member",
            "/filter/field unknown_member",
        ),
    ] {
        let refused = editor
            .post(RULES, json!({"name": "R", "filter": filter}))
            .await
            .is_problem(400, code);
        assert_eq!(refused.errors(), [error]);
    }
    let deep = format!(
        r#"{{"name": "R", "filter": {}"#,
        r#"{"type":"all","filters":["#.repeat(100_000)
    );
    let request = editor
        .request("POST", RULES)
        .raw("application/json", deep[..1_000_000].to_owned());
    request.send().await.is_problem(400, "malformed_json");
    // rules hold for everybody, so nobody in particular can be meant
    let own = json!({"name": "R", "filter": condition("main_contact", "is_self", json!([]))});
    assert_eq!(
        editor
            .post(RULES, own)
            .await
            .is_problem(422, "validation_failed")
            .errors(),
        ["/filter/operator unknown_value"]
    );
    assert_eq!(
        editor.get(RULES).await.items("/name"),
        [""; 0],
        "nothing was stored"
    );
}

#[rstest]
#[actix_web::test]
async fn values_are_stored_in_their_one_spelling(#[values(Sqlite, Postgres)] engine: Engine) {
    let Some(app) = TestApp::ready(engine).await else {
        return;
    };
    for (n, (field, operator, sent, kept)) in [
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
        assert_eq!(stored["filter"]["values"], json!([kept]));
    }
}

/// Values of every kind, in their one spelling.
fn leaves() -> BoxedStrategy<Value> {
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
    let some = |words: &'static [&'static str]| {
        subsequence(words, 1..=words.len())
            .prop_shuffle()
            .prop_map(|it| json!(it))
    };
    let of =
        |field: &'static str, operators: &'static [&'static str], values: BoxedStrategy<Value>| {
            (select(operators), values)
                .prop_map(move |(operator, values)| condition(field, operator, values))
                .boxed()
        };
    const SET: &[&str] = &["in", "not_in"];
    let one = |values: BoxedStrategy<Value>| values.prop_map(|it| json!([it[0]])).boxed();
    let uuids = prop::collection::vec(any::<u128>(), 1..4).prop_map(|all| {
        all.into_iter()
            .map(|it| json!(uuid::Uuid::from_u128(it).to_string()))
            .collect::<Value>()
    });
    let times = (0_i64..4_000_000_000).prop_map(|seconds| {
        let time = customer_integration::common::timestamp::Timestamp::from_unix_micros(
            seconds * 1_000_000 + 17,
        )
        .unwrap();
        json!([time.to_string()])
    });
    let periods = (
        1..99_u32,
        select(&["P{}D", "P{}Y", "PT{}H", "P{}M", "P{}W"][..]),
    )
        .prop_map(|(n, pattern)| json!([pattern.replace("{}", &n.to_string())]));
    prop_oneof![
        of("area", SET, some(&["A-1", "A-2", "A-3"]).boxed()),
        of("ticket_type", SET, some(&["T-1", "T-2", "T-3"]).boxed()),
        of(
            "status",
            SET,
            some(&["open", "in_progress", "parked", "closed"]).boxed()
        ),
        of(
            "closure",
            SET,
            some(&["completed", "cancelled", "withdrawn"]).boxed()
        ),
        of("urgency", SET, some(&["low", "medium", "high"]).boxed()),
        of("impact", SET, some(&["low", "medium", "high"]).boxed()),
        of("tag", &["any_of", "all_of", "none_of"], texts("t").boxed()),
        of("released", &["is"], one(some(&["true", "false"]).boxed())),
        of(
            "confidential",
            &["is"],
            one(some(&["true", "false"]).boxed())
        ),
        of("main_contact", SET, ids.clone().boxed()),
        of("main_contact", &["is_self"], Just(json!([])).boxed()),
        of("created_by", SET, uuids.boxed()),
        of("created_by", &["is_self"], Just(json!([])).boxed()),
        of("entry_channel", SET, ids.clone().boxed()),
        of("project", SET, ids.clone().boxed()),
        of("service_contract", SET, ids.boxed()),
        of("subject", &["contains", "equals"], one(texts("s").boxed())),
        of(
            "reference_number",
            &["contains", "equals"],
            one(texts("r").boxed())
        ),
        of("created_at", &["before", "after"], times.boxed()),
        of("created_at", &["older_than", "newer_than"], periods.boxed()),
    ]
    .boxed()
}

/// Filters of at most three groups' depth.
fn trees() -> BoxedStrategy<Value> {
    leaves()
        .prop_recursive(3, 40, 3, |inner| {
            (
                select(&["all", "any", "none"][..]),
                prop::collection::vec(inner, 1..4),
            )
                .prop_map(|(sort, filters)| group(sort, filters))
        })
        .boxed()
}

/// Every node of a filter, by its pointer.
fn nodes(filter: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    for (n, child) in filter["filters"]
        .as_array()
        .into_iter()
        .flatten()
        .enumerate()
    {
        nodes(child, &format!("{at}/filters/{n}"), found);
    }
}

/// The names of the catalogue entries that a filter names by their ids.
fn named_by(filter: &Value) -> Vec<String> {
    let children = filter["filters"]
        .as_array()
        .into_iter()
        .flatten()
        .flat_map(named_by);
    let values = filter["values"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|id| id.as_str().unwrap());
    let own = values.filter_map(|id| match filter["field"].as_str() {
        Some("area") => Some(id.replace("A-", "Bereich ")),
        Some("ticket_type") => Some(id.replace("T-", "Art ")),
        _ => None,
    });
    own.chain(children).collect()
}

/// Breaks a node in one of several ways; what the service must name, below the node.
fn break_node(node: &mut Value, way: usize) -> &'static str {
    if node["type"] != "condition" {
        let breaks = [("type", json!("some")), ("filters", json!([]))];
        let (member, value) = breaks[way % 2].clone();
        node[member] = value;
        return ["/type", "/filters"][way % 2];
    }
    match way % 5 {
        0 => node["field"] = json!("color"),
        1 => node["operator"] = json!("like"),
        2 => node["type"] = json!("conditions"),
        3 if node["operator"] == "is_self" => node["values"] = json!(["x"]),
        3 => node["values"] = json!([]),
        _ if node["operator"] == "is_self" => node["field"] = json!("status"),
        // no kind of value takes it: no id, no word, no time, and as a text it is a control character
        _ => node["values"][0] = json!("\u{7}"),
    }
    match way % 5 {
        0 => "/field",
        1 => "/operator",
        2 => "/type",
        3 => "/values",
        _ if node["operator"] == "is_self" => "/operator",
        _ => "/values/0",
    }
}

#[rstest]
#[actix_web::test]
async fn random_filters_come_back_as_given_and_are_said_in_both_languages(
    #[values(Sqlite, Postgres)] engine: Engine,
) {
    let Some(app) = TestApp::ready(engine).await else {
        return;
    };
    let (editor, mut runner) = (app.editor(), TestRunner::default());
    for n in 0..CASES {
        let filter = trees().new_tree(&mut runner).unwrap().current();
        let body = json!({"name": format!("Q{n}"), "filter": filter, "columns": ["subject"]});
        let created = editor.post(QUERIES, body).await.is(201).json;
        assert_eq!(created["filter"], filter);
        let path = format!("{QUERIES}/{}", created["id"].as_str().unwrap());
        let mut said = Vec::new();
        for lang in ["de", "en"] {
            let in_language = async |path: &str| {
                editor
                    .request("GET", path)
                    .header("accept-language", lang)
                    .send()
                    .await
            };
            let read = in_language(&path).await.is(200).json;
            assert_eq!(read["filter"], filter);
            // a page that is read in two languages, and read again
            let reads = if n % 20 == 0 { 2 } else { 0 };
            for _ in 0..reads {
                let list = in_language(&format!("{QUERIES}?sort=-created_at&limit=1"))
                    .await
                    .is(200);
                assert_eq!(
                    (list.header("content-language"), &list.json["items"][0]),
                    (lang, &read)
                );
            }
            let summary = read["summary"].as_str().unwrap().to_owned();
            assert!(summary.len() > 5 && summary.ends_with('.'), "{summary}");
            for missing in ["clause-", "word-", "field-", "joined-", "period-", "{"] {
                assert!(!summary.contains(missing), "{summary}");
            }
            for named in named_by(&filter) {
                assert!(summary.contains(&named), "{named} is not in: {summary}");
            }
            said.push(summary);
        }
        assert_ne!(said[0], said[1], "{filter}");
    }
}

#[rstest]
#[actix_web::test]
async fn of_random_broken_filters_the_broken_node_is_named(
    #[values(Sqlite, Postgres)] engine: Engine,
) {
    let Some(app) = TestApp::ready(engine).await else {
        return;
    };
    let (editor, mut runner) = (app.editor(), TestRunner::default());
    for way in 0..CASES {
        let whole = trees().new_tree(&mut runner).unwrap().current();
        let mut pointers = Vec::new();
        nodes(&whole, "", &mut pointers);
        let pointer = &pointers[way * 7 % pointers.len()];
        let mut broken = whole.clone();
        let within = break_node(broken.pointer_mut(pointer).unwrap(), way);
        let body = json!({"name": "Q", "filter": broken, "columns": ["subject"]});
        let answer = editor.post(QUERIES, body).await;
        let errors = answer.errors();
        assert_eq!(
            answer.status,
            if errors[0].ends_with("unknown_member") {
                400
            } else {
                422
            },
            "{}",
            answer.text
        );
        // a condition of another type keeps its members, which then are in the wrong place
        let named: Vec<_> = errors
            .iter()
            .map(|error| error.split(' ').next().unwrap())
            .collect();
        assert_eq!(named, [format!("/filter{pointer}{within}")], "{broken}");
    }
    assert_eq!(editor.get(QUERIES).await.items("/id"), [""; 0]);
}

#[rstest]
#[actix_web::test]
async fn the_table_of_fields_is_the_one_that_validates(#[values(Sqlite)] engine: Engine) {
    let Some(app) = TestApp::ready(engine).await else {
        return;
    };
    let editor = app.editor();
    let german = editor
        .request("GET", "/ticket-fields")
        .header("accept-language", "de")
        .send()
        .await
        .is(200);
    let english = editor.get("/ticket-fields").await.is(200);
    assert_eq!(german.json["items"][0]["label"], "Bereich");
    assert_eq!(
        (
            english.json["items"][0]["label"].as_str(),
            english.json["items"].as_array().unwrap().len()
        ),
        (Some("Area"), 17)
    );
    assert_eq!(
        (
            german.header("content-language"),
            english.header("content-language")
        ),
        ("de", "en")
    );
    assert_ne!(german.etag(), english.etag());
    editor
        .request("GET", "/ticket-fields")
        .header("if-none-match", &english.etag())
        .send()
        .await
        .is(304);
    let example = |kind: &str, values: &Value| match kind {
        "area_id" => "A-1".to_owned(),
        "ticket_type_id" => "T-1".to_owned(),
        "word" | "boolean" => values[0]["value"].as_str().unwrap().to_owned(),
        "access_id" => "019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e60".to_owned(),
        "time" => "2026-11-23T08:00:00Z".to_owned(),
        "duration" => "P30D".to_owned(),
        _ => "x".to_owned(),
    };
    // whatever the table offers is taken, and what it does not offer is not
    let mut n = 0;
    for field in english.json["items"].as_array().unwrap() {
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

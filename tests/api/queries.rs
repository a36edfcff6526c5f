//! Ticket board queries.

use rstest_reuse::apply;
use serde_json::{Value, json};

use crate::{
    engines::both_engines,
    support::{Client, Engine, TestApp, app::filter},
};

const QUERIES: &str = "/customer-integrations/K-1/queries";
const QUERIES_OF_K2: &str = "/customer-integrations/K-2/queries";
const ORDER: &str = "/customer-integrations/K-1/queries/order";

fn query_path(id: &str) -> String {
    format!("{QUERIES}/{id}")
}

fn query_body(name: &str) -> Value {
    json!({"name": name, "filter": filter(), "columns": ["reference_number", "subject"]})
}

/// The body of a new query with one changed or additional member.
fn query_body_with(member: &str, value: Value) -> Value {
    let mut body = query_body("Q");
    body[member] = value;
    body
}

/// Creates queries with these names and returns their ids.
async fn create_queries(app: &TestApp, names: &[&str]) -> Vec<String> {
    let mut ids = Vec::new();
    for name in names {
        let created = app.editor().post(QUERIES, query_body(name)).await.is(201);
        ids.push(created.json["id"].as_str().unwrap().to_owned());
    }
    ids
}

/// Reads the list of queries with query parameters and returns the names.
async fn list_names(client: &Client, parameters: &str) -> Vec<String> {
    let path = format!("{QUERIES}?{parameters}");
    client.get(&path).await.is(200).items("/name")
}

/// Name, position and version of the queries, in display order.
async fn positions(app: &TestApp) -> Vec<String> {
    let queries = app.editor().get_all(QUERIES).await;
    queries
        .iter()
        .map(|query| {
            let name = query["name"].as_str().unwrap();
            format!("{name} {} v{}", query["position"], query["version"])
        })
        .collect()
}

#[apply(both_engines)]
#[actix_web::test]
async fn new_query_is_appended(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;

    for position in 1..=3 {
        let body = query_body(&format!("Q{position}"));
        let created = app.editor().post(QUERIES, body).await.is(201).json;
        assert_eq!(created["position"], position);
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn query_list_is_sorted_by_position_or_name(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();
    let ids = create_queries(&app, &["Zuletzt", "Mitte", "Anfang"]).await;
    assert_eq!(
        list_names(&editor, "").await,
        ["Zuletzt", "Mitte", "Anfang"]
    );

    editor
        .patch(&query_path(&ids[2]), json!({"position": 0}))
        .await
        .is(200);

    assert_eq!(
        list_names(&editor, "").await,
        ["Anfang", "Zuletzt", "Mitte"]
    );
    assert_eq!(
        list_names(&editor, "sort=-position").await,
        ["Mitte", "Zuletzt", "Anfang"]
    );
    assert_eq!(
        list_names(&editor, "sort=name").await,
        ["Anfang", "Mitte", "Zuletzt"]
    );
}

#[apply(both_engines)]
#[actix_web::test]
async fn query_list_is_filtered_by_activity(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();
    let ids = create_queries(&app, &["A", "B", "C"]).await;

    editor
        .patch(&query_path(&ids[1]), json!({"active": false}))
        .await
        .is(200);

    assert_eq!(list_names(&editor, "active=true").await, ["A", "C"]);
}

#[apply(both_engines)]
#[actix_web::test]
async fn only_queries_can_be_sorted_by_position(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;

    let refused = app
        .editor()
        .get("/customer-integrations/K-1/tags?sort=position")
        .await;

    refused.is_problem(400, "invalid_parameter");
}

#[apply(both_engines)]
#[actix_web::test]
async fn query_without_members_returns_422(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;

    let refused = app.editor().post(QUERIES, json!({})).await;

    assert_eq!(
        refused.is_problem(422, "validation_failed").errors(),
        ["/columns required", "/filter required", "/name required"]
    );
}

/// Asserts that a new query with this member is refused with this error only.
async fn assert_invalid(app: &TestApp, member: &str, value: Value, error: &str) {
    let body = query_body_with(member, value);
    let refused = app.editor().post(QUERIES, body).await;
    assert_eq!(
        refused.is_problem(422, "validation_failed").errors(),
        [error]
    );
}

#[apply(both_engines)]
#[actix_web::test]
async fn query_with_invalid_columns_returns_422(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let refuses = async |columns: Value, error: &str| {
        assert_invalid(&app, "columns", columns, error).await;
    };

    refuses(json!([]), "/columns required").await;
    refuses(json!(["subject", "color"]), "/columns/1 unknown_value").await;
    let repeated = json!(["subject", "area", "subject"]);
    refuses(repeated, "/columns/2 duplicate_value").await;
    refuses(json!(vec!["subject"; 21]), "/columns too_many_values").await;
}

/// A part of the sort order of a query.
fn descending(field: &str) -> Value {
    json!({"field": field, "direction": "descending"})
}

#[apply(both_engines)]
#[actix_web::test]
async fn query_with_invalid_sort_order_returns_422(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let refuses = async |sort: Value, error: &str| {
        assert_invalid(&app, "sort", sort, error).await;
    };

    refuses(json!([descending("tag")]), "/sort/0/field unknown_value").await;
    let repeated_field = json!([descending("area"), {"field": "area"}]);
    refuses(repeated_field, "/sort/1 duplicate_value").await;
    let unknown_direction = json!([{"field": "area", "direction": "up"}]);
    refuses(unknown_direction, "/sort/0/direction unknown_value").await;
    let four_fields = json!(["area", "status", "impact", "urgency"].map(descending));
    refuses(four_fields, "/sort too_many_values").await;
}

#[apply(both_engines)]
#[actix_web::test]
async fn query_with_sort_order_of_arrays_returns_400(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;

    let body = query_body_with("sort", json!([["area", "ascending"]]));
    let refused = app.editor().post(QUERIES, body).await;

    refused.is_problem(400, "wrong_type");
}

#[apply(both_engines)]
#[actix_web::test]
async fn query_with_invalid_position_returns_422(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;

    for position in [-1, 1_000_001] {
        assert_invalid(&app, "position", json!(position), "/position out_of_range").await;
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn query_with_highest_position_is_stored(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;

    let body = query_body_with("position", json!(1_000_000));
    let created = app.editor().post(QUERIES, body).await.is(201);

    assert_eq!(created.json["position"], 1_000_000);
}

#[apply(both_engines)]
#[actix_web::test]
async fn query_with_all_columns_and_three_sort_fields_is_stored(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let columns = [
        "area",
        "ticket_type",
        "status",
        "closure",
        "urgency",
        "impact",
        "tag",
        "released",
        "confidential",
        "main_contact",
        "created_by",
        "entry_channel",
        "project",
        "service_contract",
        "subject",
        "reference_number",
        "created_at",
    ];
    let mut body = query_body_with("columns", json!(columns));
    body["sort"] = json!([
        descending("area"),
        descending("status"),
        {"field": "created_at"},
    ]);

    let created = app.editor().post(QUERIES, body).await.is(201).json;

    assert_eq!(created["columns"], json!(columns));
    assert_eq!(
        created["sort"],
        json!([
            descending("area"),
            descending("status"),
            {"field": "created_at", "direction": "ascending"},
        ])
    );
}

#[apply(both_engines)]
#[actix_web::test]
async fn query_name_of_another_query_returns_409(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();
    editor.post(QUERIES, query_body("Offene")).await.is(201);
    let other = editor
        .post(QUERIES, query_body("Andere"))
        .await
        .is(201)
        .json;
    let other_path = query_path(other["id"].as_str().unwrap());

    let created = editor.post(QUERIES, query_body("OFFENE")).await;
    let renamed = editor.patch(&other_path, json!({"name": "offene"})).await;

    assert_eq!(
        created.is_problem(409, "duplicate_name").errors(),
        ["/name duplicate_name"]
    );
    renamed.is_problem(409, "duplicate_name");
    assert_eq!(editor.get(&other_path).await.is(200).json, other);
}

#[apply(both_engines)]
#[actix_web::test]
async fn query_name_of_another_partner_is_accepted(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    app.activate_partner("K-2").await;

    for path in [QUERIES, QUERIES_OF_K2] {
        app.editor().post(path, query_body("Offene")).await.is(201);
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn query_filter_with_is_self_is_stored_and_summarized(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let filter = json!({"type": "any", "filters": [
        {"type": "condition", "field": "main_contact", "operator": "is_self"},
        {"type": "condition", "field": "created_by", "operator": "is_self", "values": []},
    ]});

    let body = query_body_with("filter", filter);
    let created = app.editor().post(QUERIES, body).await.is(201).json;

    assert_eq!(created["filter"]["filters"][0]["values"], json!([]));
    assert_eq!(
        created["summary"],
        "Main contact is the access itself or creator is the access itself."
    );
}

#[apply(both_engines)]
#[actix_web::test]
async fn query_filter_is_replaced_as_a_whole(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();
    let group = json!({"type": "any", "filters": [filter(), filter()]});
    let created = editor.post(QUERIES, query_body_with("filter", group)).await;
    let path = query_path(created.is(201).json["id"].as_str().unwrap());

    let replaced = editor.patch(&path, json!({"filter": filter()})).await;
    let without_conditions = json!({"filter": {"type": "all", "filters": []}});
    let empty = editor.patch(&path, without_conditions).await;
    let removed = editor.patch(&path, json!({"filter": null})).await;

    assert_eq!(replaced.is(200).json["filter"], filter());
    assert_eq!(
        empty.is_problem(422, "validation_failed").errors(),
        ["/filter/filters required"]
    );
    removed.is_problem(400, "wrong_type");
}

#[apply(both_engines)]
#[actix_web::test]
async fn order_of_queries_is_set_in_one_change(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let ids = create_queries(&app, &["A", "B", "C", "D"]).await;
    let counts_before = app.history_counts(Some("K-1")).await;

    let order = json!({"query_ids": [ids[2], ids[0], ids[1], ids[3]]});
    let ordered = app.editor().put(ORDER, order.clone()).await.is(200);

    assert_eq!(ordered.json, order);
    assert_eq!(
        positions(&app).await,
        ["C 1 v2", "A 2 v2", "B 3 v2", "D 4 v1"]
    );
    let counts_after = app.history_counts(Some("K-1")).await;
    assert_eq!(counts_after["query_order updated"], 1);
    assert_eq!(
        counts_after.values().sum::<usize>(),
        counts_before.values().sum::<usize>() + 1
    );
    let history = app
        .reader()
        .get("/customer-integrations/K-1/history?limit=1")
        .await
        .is(200);
    assert_eq!(history.json["items"][0]["before"]["query_ids"], json!(ids));
}

#[apply(both_engines)]
#[actix_web::test]
async fn repeated_order_of_queries_changes_nothing(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let ids = create_queries(&app, &["A", "B"]).await;
    let order = json!({"query_ids": [ids[1], ids[0]]});
    app.editor().put(ORDER, order.clone()).await.is(200);
    let counts_before = app.history_counts(Some("K-1")).await;

    app.editor().put(ORDER, order).await.is(200);

    assert_eq!(positions(&app).await, ["B 1 v2", "A 2 v2"]);
    assert_eq!(app.history_counts(Some("K-1")).await, counts_before);
}

#[apply(both_engines)]
#[actix_web::test]
async fn order_without_a_query_returns_409(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let ids = create_queries(&app, &["A", "B"]).await;

    let refused = app
        .editor()
        .put(ORDER, json!({"query_ids": [ids[1]]}))
        .await;

    let problem = refused.is_problem(409, "incomplete_order").json;
    assert_eq!(
        problem["references"],
        json!([{"kind": "query", "id": ids[0], "name": "A"}])
    );
    assert_eq!(positions(&app).await, ["A 1 v1", "B 2 v1"]);
}

#[apply(both_engines)]
#[actix_web::test]
async fn order_with_query_of_another_partner_returns_422(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    app.activate_partner("K-2").await;
    let editor = app.editor();
    let ids = create_queries(&app, &["A", "B"]).await;
    let foreign = editor.post(QUERIES_OF_K2, query_body("A")).await.is(201);

    let order = json!({"query_ids": [ids[1], foreign.json["id"], ids[0]]});
    let refused = editor.put(ORDER, order).await;

    assert_eq!(
        refused.is_problem(422, "unknown_reference").errors(),
        ["/query_ids/1 unknown_reference"]
    );
    assert_eq!(positions(&app).await, ["A 1 v1", "B 2 v1"]);
}

#[apply(both_engines)]
#[actix_web::test]
async fn order_with_repeated_query_returns_422(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let ids = create_queries(&app, &["A", "B"]).await;

    let order = json!({"query_ids": [ids[0], ids[1], ids[0]]});
    let refused = app.editor().put(ORDER, order).await;

    assert_eq!(
        refused.is_problem(422, "validation_failed").errors(),
        ["/query_ids/2 duplicate_value"]
    );
    assert_eq!(positions(&app).await, ["A 1 v1", "B 2 v1"]);
}

#[apply(both_engines)]
#[actix_web::test]
async fn order_of_queries_of_unknown_partner_returns_404(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let path = "/customer-integrations/K-99/queries/order";

    let refused = app.editor().put(path, json!({"query_ids": []})).await;

    refused.is_problem(404, "not_found");
}

#[apply(both_engines)]
#[actix_web::test]
async fn taken_position_moves_following_queries_back(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let ids = create_queries(&app, &["A", "B", "C"]).await;

    app.editor()
        .patch(&query_path(&ids[2]), json!({"position": 1}))
        .await
        .is(200);

    assert_eq!(positions(&app).await, ["C 1 v2", "A 2 v2", "B 3 v2"]);
}

#[apply(both_engines)]
#[actix_web::test]
async fn query_appended_to_highest_position_moves_previous_queries_forward(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    create_queries(&app, &["A"]).await;
    let last = query_body_with("position", json!(1_000_000));
    app.editor().post(QUERIES, last).await.is(201);

    create_queries(&app, &["E"]).await;

    assert_eq!(
        positions(&app).await,
        ["A 1 v1", "Q 999999 v2", "E 1000000 v1"]
    );
}

#[apply(both_engines)]
#[actix_web::test]
async fn order_of_queries_allows_only_put(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;

    for method in ["GET", "PATCH", "DELETE", "POST"] {
        let request = app.editor().request(method, ORDER);
        let response = request.json(json!({})).send().await;

        let refused = response.is_problem(405, "method_not_allowed");
        assert_eq!(refused.header("allow"), "OPTIONS, PUT", "{method}");
    }
}

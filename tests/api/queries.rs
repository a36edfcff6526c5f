//! Ticket board queries.

use crate::engines::both_engines;
use rstest_reuse::apply;
use serde_json::{Value, json};

use crate::support::{Engine, TestApp, app::filter};

const QUERIES: &str = "/customer-integrations/K-1/queries";

fn query_body(name: &str) -> Value {
    json!({"name": name, "filter": filter(), "columns": ["reference_number", "subject"]})
}

#[apply(both_engines)]
#[actix_web::test]
async fn queries_are_sorted_by_position_by_default(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();
    let mut paths = Vec::new();
    for name in ["Zuletzt", "Mitte", "Anfang"] {
        let created = editor.post(QUERIES, query_body(name)).await.is(201).json;
        assert_eq!(
            created["position"],
            json!(paths.len() + 1),
            "a new query is appended"
        );
        paths.push(format!("{QUERIES}/{}", created["id"].as_str().unwrap()));
    }
    let names = async |path: &str| editor.get(path).await.is(200).items("/name");
    assert_eq!(names(QUERIES).await, ["Zuletzt", "Mitte", "Anfang"]);
    editor
        .patch(&paths[2], json!({"position": 0}))
        .await
        .is(200);
    assert_eq!(names(QUERIES).await, ["Anfang", "Zuletzt", "Mitte"]);
    assert_eq!(
        names(&format!("{QUERIES}?sort=-position")).await,
        ["Mitte", "Zuletzt", "Anfang"]
    );
    assert_eq!(
        names(&format!("{QUERIES}?sort=name")).await,
        ["Anfang", "Mitte", "Zuletzt"]
    );
    editor
        .patch(&paths[1], json!({"active": false}))
        .await
        .is(200);
    assert_eq!(
        names(&format!("{QUERIES}?active=true")).await,
        ["Anfang", "Zuletzt"]
    );
    editor
        .get("/customer-integrations/K-1/tags?sort=position")
        .await
        .is_problem(400, "invalid_parameter");
}

#[apply(both_engines)]
#[actix_web::test]
async fn invalid_query_members_return_422_with_pointers(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();
    let refused = async |body: Value| {
        editor
            .post(QUERIES, body)
            .await
            .is_problem(422, "validation_failed")
            .errors()
    };
    assert_eq!(
        refused(json!({})).await,
        ["/columns required", "/filter required", "/name required"]
    );
    let query_with = |member: &str, value: Value| {
        let mut body = query_body("Q");
        body[member] = value;
        body
    };
    assert_eq!(
        refused(query_with("columns", json!([]))).await,
        ["/columns required"]
    );
    assert_eq!(
        refused(query_with("columns", json!(["subject", "color"]))).await,
        ["/columns/1 unknown_value"]
    );
    assert_eq!(
        refused(query_with("columns", json!(["subject", "area", "subject"]))).await,
        ["/columns/2 duplicate_value"]
    );
    assert_eq!(
        refused(query_with("columns", json!(vec!["subject"; 21]))).await,
        ["/columns too_many_values"]
    );
    let by = |field: &str| json!({"field": field, "direction": "descending"});
    assert_eq!(
        refused(query_with("sort", json!([by("tag")]))).await,
        ["/sort/0/field unknown_value"]
    );
    assert_eq!(
        refused(query_with("sort", json!([by("area"), {"field": "area"}]))).await,
        ["/sort/1 duplicate_value"]
    );
    assert_eq!(
        refused(query_with(
            "sort",
            json!([{"field": "area", "direction": "up"}])
        ))
        .await,
        ["/sort/0/direction unknown_value"]
    );
    let four = json!([by("area"), by("status"), by("impact"), by("urgency")]);
    assert_eq!(
        refused(query_with("sort", four)).await,
        ["/sort too_many_values"]
    );
    assert_eq!(
        refused(query_with("position", json!(-1))).await,
        ["/position out_of_range"]
    );
    assert_eq!(
        refused(query_with("position", json!(1_000_001))).await,
        ["/position out_of_range"]
    );
    editor
        .post(QUERIES, query_with("sort", json!([["area", "ascending"]])))
        .await
        .is_problem(400, "wrong_type");
    editor
        .post(QUERIES, query_with("position", json!(1_000_000)))
        .await
        .is(201);
}

#[apply(both_engines)]
#[actix_web::test]
async fn query_with_all_columns_and_three_sort_fields_is_stored(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();
    let by = |field: &str| json!({"field": field, "direction": "descending"});
    let mut body = query_body("Breit");
    body["columns"] = json!([
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
        "created_at"
    ]);
    body["sort"] = json!([by("area"), by("status"), {"field": "created_at"}]);
    let created = editor.post(QUERIES, body.clone()).await.is(201).json;
    assert_eq!(created["columns"], body["columns"]);
    assert_eq!(
        created["sort"][2],
        json!({"field": "created_at", "direction": "ascending"})
    );
}

#[apply(both_engines)]
#[actix_web::test]
async fn query_name_is_unique_per_partner(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    app.activate_partner("K-2").await;
    let editor = app.editor();
    editor.post(QUERIES, query_body("Offene")).await.is(201);
    let refused = editor
        .post(QUERIES, query_body("OFFENE"))
        .await
        .is_problem(409, "duplicate_name");
    assert_eq!(refused.errors(), ["/name duplicate_name"]);
    editor
        .post("/customer-integrations/K-2/queries", query_body("Offene"))
        .await
        .is(201);
    let other = editor
        .post(QUERIES, query_body("Andere"))
        .await
        .is(201)
        .json;
    let path = format!("{QUERIES}/{}", other["id"].as_str().unwrap());
    editor
        .patch(&path, json!({"name": "offene"}))
        .await
        .is_problem(409, "duplicate_name");
    assert_eq!(editor.get(&path).await.is(200).json, other);
}

#[apply(both_engines)]
#[actix_web::test]
async fn query_filter_accepts_is_self_and_is_replaced_as_a_whole(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();
    let mut body = query_body("Meine");
    body["filter"] = json!({"type": "any", "filters": [
        {"type": "condition", "field": "main_contact", "operator": "is_self"},
        {"type": "condition", "field": "created_by", "operator": "is_self", "values": []}]});
    let created = editor.post(QUERIES, body).await.is(201).json;
    assert_eq!(created["filter"]["filters"][0]["values"], json!([]));
    assert_eq!(
        created["summary"],
        "Main contact is the access itself or creator is the access itself."
    );
    let path = format!("{QUERIES}/{}", created["id"].as_str().unwrap());
    let replaced = editor
        .patch(&path, json!({"filter": filter()}))
        .await
        .is(200);
    assert_eq!(replaced.json["filter"], filter());
    let refused = editor
        .patch(&path, json!({"filter": {"type": "all", "filters": []}}))
        .await;
    assert_eq!(
        refused.is_problem(422, "validation_failed").errors(),
        ["/filter/filters required"]
    );
    editor
        .patch(&path, json!({"filter": null}))
        .await
        .is_problem(400, "wrong_type");
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

/// Name, position and version of the queries, in display order.
async fn order(app: &TestApp) -> Vec<String> {
    let items = app.editor().get_all(QUERIES).await;
    items
        .iter()
        .map(|query| {
            let name = query["name"].as_str().unwrap();
            format!("{name} {} v{}", query["position"], query["version"])
        })
        .collect()
}

#[apply(both_engines)]
#[actix_web::test]
async fn order_of_queries_is_set_in_one_change(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    app.activate_partner("K-2").await;
    let editor = app.editor();
    let ids = create_queries(&app, &["A", "B", "C", "D"]).await;
    let path = format!("{QUERIES}/order");
    let before = app.history_counts(Some("K-1")).await;
    let wanted = json!({"query_ids": [ids[2], ids[0], ids[1], ids[3]]});
    let done = editor.put(&path, wanted.clone()).await.is(200);
    assert_eq!(done.json, wanted);
    let expected = ["C 1 v2", "A 2 v2", "B 3 v2", "D 4 v1"];
    assert_eq!(order(&app).await, expected);
    let after = app.history_counts(Some("K-1")).await;
    assert_eq!(after["query_order updated"], 1);
    assert_eq!(
        after.values().sum::<usize>(),
        before.values().sum::<usize>() + 1
    );
    // Repeated, it changes nothing.
    editor.put(&path, wanted).await.is(200);
    assert_eq!(order(&app).await, expected);
    assert_eq!(app.history_counts(Some("K-1")).await, after);
    let history = app
        .reader()
        .get("/customer-integrations/K-1/history?limit=1")
        .await
        .is(200);
    assert_eq!(history.json["items"][0]["before"]["query_ids"], json!(ids));
}

#[apply(both_engines)]
#[actix_web::test]
async fn order_with_missing_or_unknown_queries_is_rejected(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    app.activate_partner("K-2").await;
    let editor = app.editor();
    let ids = create_queries(&app, &["A", "B"]).await;
    let foreign = editor
        .post("/customer-integrations/K-2/queries", query_body("A"))
        .await
        .is(201);
    let path = format!("{QUERIES}/order");
    let incomplete = editor.put(&path, json!({"query_ids": [ids[1]]})).await;
    let incomplete = incomplete.is_problem(409, "incomplete_order");
    assert_eq!(
        incomplete.json["references"],
        json!([{"kind": "query", "id": ids[0], "name": "A"}])
    );
    let unknown = json!({"query_ids": [ids[1], foreign.json["id"], ids[0]]});
    let unknown = editor.put(&path, unknown).await;
    let unknown = unknown.is_problem(422, "unknown_reference");
    assert_eq!(unknown.errors(), ["/query_ids/1 unknown_reference"]);
    let twice = json!({"query_ids": [ids[0], ids[1], ids[0]]});
    let twice = editor.put(&path, twice).await;
    let twice = twice.is_problem(422, "validation_failed");
    assert_eq!(twice.errors(), ["/query_ids/2 duplicate_value"]);
    assert_eq!(order(&app).await, ["A 1 v1", "B 2 v1"]);
    editor
        .put(
            "/customer-integrations/K-99/queries/order",
            json!({"query_ids": []}),
        )
        .await
        .is_problem(404, "not_found");
}

#[apply(both_engines)]
#[actix_web::test]
async fn position_of_another_query_is_freed(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();
    let ids = create_queries(&app, &["A", "B", "C"]).await;
    editor
        .patch(&format!("{QUERIES}/{}", ids[2]), json!({"position": 1}))
        .await
        .is(200);
    assert_eq!(order(&app).await, ["C 1 v2", "A 2 v2", "B 3 v2"]);
    let mut body = query_body("D");
    body["position"] = json!(1_000_000);
    editor.post(QUERIES, body).await.is(201);
    // After the highest position, the previous queries move down.
    editor.post(QUERIES, query_body("E")).await.is(201);
    assert_eq!(
        order(&app).await,
        ["C 1 v2", "A 2 v2", "B 3 v2", "D 999999 v2", "E 1000000 v1"]
    );
}

#[apply(both_engines)]
#[actix_web::test]
async fn order_of_queries_is_no_query(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let path = "/customer-integrations/K-1/queries/order";

    for method in ["GET", "PATCH", "DELETE", "POST"] {
        let request = app.editor().request(method, path);
        let response = request.json(json!({})).send().await;

        response.is_problem(405, "method_not_allowed");
    }
    let response = app.editor().delete(path).await;
    assert_eq!(response.header("allow"), "OPTIONS, PUT");
}

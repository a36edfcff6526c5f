//! The catalog, which the ERP system writes.

use rstest_reuse::apply;
use serde_json::{Value, json};

use crate::{
    engines::both_engines,
    support::{Engine, Response, TestApp},
};

/// A catalog entry to create, and a body that changes it.
struct Entry {
    path: &'static str,
    body: Value,
    changed_body: Value,
}

/// One entry of each kind.
fn entries() -> [Entry; 4] {
    [
        Entry {
            path: "/catalog/business-partners/K-1",
            body: json!({"name": "A", "search_name": "A"}),
            changed_body: json!({"name": "B", "search_name": "A"}),
        },
        Entry {
            path: "/catalog/areas/A-1",
            body: json!({"name": "A", "color": "#aabbcc"}),
            changed_body: json!({"name": "A", "color": "#AABBCD"}),
        },
        Entry {
            path: "/catalog/ticket-types/T-1",
            body: json!({"name": "A", "kind": "standard"}),
            changed_body: json!({"name": "A", "kind": "dynamic"}),
        },
        Entry {
            path: "/catalog/plan-boards/B-1",
            body: json!({"name": "A"}),
            changed_body: json!({"name": "A", "description": "D"}),
        },
    ]
}

#[apply(both_engines)]
#[actix_web::test]
async fn catalog_put_creates_replaces_or_leaves_entry_unchanged(engine: Engine) {
    let app = TestApp::start(engine).await;
    let erp = app.erp();

    for Entry {
        path,
        body,
        changed_body,
    } in entries()
    {
        let created = erp.put(path, body.clone()).await.is(201);
        assert_eq!(created.json["version"], 1);
        assert_eq!(created.json["active"], true);

        let unchanged = erp.put(path, body).await.is(200);
        assert_eq!(unchanged.json, created.json);

        let replaced = erp.put(path, changed_body).await.is(200);
        assert_eq!(replaced.json["version"], 2);
        assert_eq!(erp.get(path).await.is(200).json, replaced.json);
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn catalog_put_with_active_false_retires_entry(engine: Engine) {
    let app = TestApp::start(engine).await;
    let erp = app.erp();

    for Entry { path, mut body, .. } in entries() {
        erp.put(path, body.clone()).await.is(201);
        body["active"] = json!(false);
        let retired = erp.put(path, body).await.is(200);
        assert_eq!(retired.json["active"], false);
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn create_only_put_of_existing_entry_returns_412(engine: Engine) {
    let app = TestApp::start(engine).await;
    let erp = app.erp();

    for Entry { path, body, .. } in entries() {
        erp.put(path, body.clone()).await.is(201);
        let create_only = erp.request("PUT", path).header("if-none-match", "*");
        create_only
            .json(body)
            .send()
            .await
            .is_problem(412, "precondition_failed");
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn area_color_is_upper_case_and_start_ticket_types_default_to_null(engine: Engine) {
    let app = TestApp::start(engine).await;
    let body = json!({"name": "A", "color": "#aabbcd"});

    app.erp().put("/catalog/areas/A-1", body).await.is(201);

    let area = app.reader().get("/catalog/areas/A-1").await.is(200).json;
    assert_eq!(area["color"], "#AABBCD");
    assert_eq!(area["start_ticket_types"], Value::Null);
}

async fn put_start_ticket_types(app: &TestApp, ids: Value) -> Response {
    let area = json!({"name": "A", "color": "#000000", "start_ticket_types": ids});
    app.erp().put("/catalog/areas/A-1", area).await
}

#[apply(both_engines)]
#[actix_web::test]
async fn area_put_with_known_start_ticket_types_stores_their_order(engine: Engine) {
    let app = TestApp::with_catalog(engine).await;

    for ids in [json!([]), json!(["T-2", "T-1"]), Value::Null] {
        let area = put_start_ticket_types(&app, ids.clone()).await.is(200);
        assert_eq!(area.json["start_ticket_types"], ids);
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn area_put_with_unknown_start_ticket_types_returns_422(engine: Engine) {
    let app = TestApp::with_catalog(engine).await;

    let refused = put_start_ticket_types(&app, json!(["T-1", "X", "Y"])).await;
    assert_eq!(
        refused.is_problem(422, "unknown_reference").errors(),
        [
            "/start_ticket_types/1 unknown_reference",
            "/start_ticket_types/2 unknown_reference"
        ]
    );

    let ids: Vec<_> = (0..500).map(|n| format!("X-{n}")).collect();
    let refused = put_start_ticket_types(&app, json!(ids)).await;
    let errors = refused.is_problem(422, "unknown_reference").errors();
    assert_eq!(errors.len(), 200, "the documented maximum of errors");

    let area = app.reader().get("/catalog/areas/A-1").await.is(200).json;
    assert_eq!(area["start_ticket_types"], Value::Null);
}

#[apply(both_engines)]
#[actix_web::test]
async fn area_put_with_repeated_or_too_many_start_ticket_types_returns_422(engine: Engine) {
    let app = TestApp::with_catalog(engine).await;

    let refused = put_start_ticket_types(&app, json!(["T-1", "T-1"])).await;
    assert_eq!(
        refused.is_problem(422, "validation_failed").errors(),
        ["/start_ticket_types/1 duplicate_value"]
    );

    let ids: Vec<_> = (0..501).map(|n| format!("X{n}")).collect();
    let refused = put_start_ticket_types(&app, json!(ids)).await;
    assert_eq!(
        refused.is_problem(422, "validation_failed").errors(),
        ["/start_ticket_types too_many_values"]
    );

    let area = app.reader().get("/catalog/areas/A-1").await.is(200).json;
    assert_eq!(area["start_ticket_types"], Value::Null);
}

#[apply(both_engines)]
#[actix_web::test]
async fn grantable_to_lists_active_entries_not_yet_granted(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let ids = async |query: &str| {
        let list = app.reader().get(&format!("/catalog/{query}")).await;
        list.is(200).items("/id")
    };

    assert_eq!(ids("areas?grantable_to=K-1").await, ["A-2", "A-3"]);
    assert_eq!(ids("areas?grantable_to=K-2").await, ["A-1", "A-2", "A-3"]);
    assert_eq!(ids("ticket-types?grantable_to=K-1").await, ["T-2", "T-3"]);
    assert_eq!(ids("plan-boards?grantable_to=K-1").await, ["B-1"]);

    let retired = json!({"name": "Bereich 2", "color": "#00AAFF", "active": false});
    app.erp().put("/catalog/areas/A-2", retired).await.is(200);
    assert_eq!(ids("areas?grantable_to=K-1").await, ["A-3"]);
    assert_eq!(ids("areas?active=false").await, ["A-2"]);
}

#[apply(both_engines)]
#[actix_web::test]
async fn grantable_to_unknown_partner_returns_404_and_malformed_id_400(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let reader = app.reader();

    reader
        .get("/catalog/areas?grantable_to=K-99")
        .await
        .is_problem(404, "not_found");
    reader
        .get("/catalog/areas?grantable_to=-")
        .await
        .is_problem(400, "invalid_parameter");
    reader
        .get("/catalog/business-partners?grantable_to=K-1")
        .await
        .is_problem(400, "unknown_parameter");
}

const PARTNERS: &str = "/catalog/business-partners";

#[apply(both_engines)]
#[actix_web::test]
async fn partner_list_contains_only_the_partner_of_a_limited_token(engine: Engine) {
    let app = TestApp::with_catalog(engine).await;
    let limited = app.editor_of("K-1");

    // the second round reads cached lists, which must not be shared between tokens
    for round in 0..2 {
        let all = app.reader().get(PARTNERS).await.is(200).items("/id");
        assert!(all.len() > 1, "round {round}");
        let own = limited.get(PARTNERS).await.is(200).items("/id");
        assert_eq!(own, ["K-1"], "round {round}");
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn partner_list_has_another_etag_for_another_token(engine: Engine) {
    let app = TestApp::with_catalog(engine).await;
    let etag = app.editor_of("K-1").get(PARTNERS).await.is(200).etag();

    for other in [app.reader(), app.editor_of("K-2")] {
        let request = other
            .request("GET", PARTNERS)
            .header("if-none-match", &etag);
        assert_ne!(request.send().await.is(200).etag(), etag);
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn other_partner_with_limited_token_is_reported_as_unknown(engine: Engine) {
    let app = TestApp::with_catalog(engine).await;
    let limited = app.editor_of("K-1");

    limited.get(&format!("{PARTNERS}/K-1")).await.is(200);
    let foreign = limited.get(&format!("{PARTNERS}/K-2")).await;
    let unknown = limited.get(&format!("{PARTNERS}/K-9")).await;
    assert_eq!(
        foreign.is_problem(404, "not_found").json["detail"],
        unknown.is_problem(404, "not_found").json["detail"]
    );
    limited
        .get("/catalog/areas?grantable_to=K-2")
        .await
        .is_problem(404, "not_found");
}

#[apply(both_engines)]
#[actix_web::test]
async fn catalog_put_with_partner_limited_token_returns_403(engine: Engine) {
    let app = TestApp::with_catalog(engine).await;
    let body = json!({"name": "A", "color": "#000000"});

    let response = app.editor_of("K-1").put("/catalog/areas/A-1", body).await;

    response.is_problem(403, "partner_restricted");
    let area = app.reader().get("/catalog/areas/A-1").await.is(200).json;
    assert_eq!(area["name"], "Bereich 1");
}

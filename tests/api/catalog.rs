//! The catalog, which the ERP system writes.

use crate::engines::both_engines;
use rstest_reuse::apply;
use serde_json::{Value, json};

use crate::support::{Engine, TestApp};

#[apply(both_engines)]
#[actix_web::test]
async fn catalog_put_creates_replaces_or_leaves_entry_unchanged(engine: Engine) {
    let app = TestApp::start(engine).await;
    let erp = app.erp();
    for (path, body, changed_body) in [
        (
            "business-partners/K-1",
            json!({"name": "A", "search_name": "A"}),
            json!({"name": "B", "search_name": "A"}),
        ),
        (
            "areas/A-1",
            json!({"name": "A", "color": "#aabbcc"}),
            json!({"name": "A", "color": "#AABBCD"}),
        ),
        (
            "ticket-types/T-1",
            json!({"name": "A", "kind": "standard"}),
            json!({"name": "A", "kind": "dynamic"}),
        ),
        (
            "plan-boards/B-1",
            json!({"name": "A"}),
            json!({"name": "A", "description": "D"}),
        ),
    ] {
        let path = format!("/catalog/{path}");
        let created = erp.put(&path, body.clone()).await.is(201);
        assert_eq!(created.json["version"], 1);
        assert_eq!(created.json["active"], true);
        assert_eq!(
            erp.put(&path, body.clone()).await.is(200).json,
            created.json
        );
        let replaced = erp.put(&path, changed_body.clone()).await.is(200);
        assert_eq!(replaced.json["version"], 2);
        assert_eq!(erp.get(&path).await.is(200).json, replaced.json);
        let mut retired = changed_body;
        retired["active"] = json!(false);
        assert_eq!(erp.put(&path, retired).await.is(200).json["active"], false);
        let create_only = erp
            .request("PUT", &path)
            .header("if-none-match", "*")
            .json(body)
            .send()
            .await;
        create_only.is_problem(412, "precondition_failed");
    }
    let area = erp.get("/catalog/areas/A-1").await.is(200).json;
    assert_eq!(area["color"], "#AABBCD");
    assert_eq!(area["start_ticket_types"], Value::Null);
}

#[apply(both_engines)]
#[actix_web::test]
async fn area_put_with_unknown_or_duplicate_start_ticket_types_returns_422(engine: Engine) {
    let app = TestApp::with_catalog(engine).await;
    let erp = app.erp();
    let path = "/catalog/areas/A-1";
    let area = |ids: Value| json!({"name": "A", "color": "#000000", "start_ticket_types": ids});
    for ids in [json!([]), json!(["T-2", "T-1"]), Value::Null] {
        assert_eq!(
            erp.put(path, area(ids.clone())).await.is(200).json["start_ticket_types"],
            ids
        );
    }
    let refused = erp
        .put(path, area(json!(["T-1", "X", "Y"])))
        .await
        .is_problem(422, "unknown_reference");
    assert_eq!(
        refused.errors(),
        [
            "/start_ticket_types/1 unknown_reference",
            "/start_ticket_types/2 unknown_reference"
        ]
    );
    let unknown: Vec<_> = (0..500).map(|number| format!("X-{number}")).collect();
    let refused = erp
        .put(path, area(json!(unknown)))
        .await
        .is_problem(422, "unknown_reference");
    assert_eq!(
        refused.errors().len(),
        200,
        "the documented maximum of errors"
    );
    let refused = erp
        .put(path, area(json!(["T-1", "T-1"])))
        .await
        .is_problem(422, "validation_failed");
    assert_eq!(refused.errors(), ["/start_ticket_types/1 duplicate_value"]);
    let many: Vec<_> = (0..501).map(|n| format!("X{n}")).collect();
    let refused = erp
        .put(path, area(json!(many)))
        .await
        .is_problem(422, "validation_failed");
    assert_eq!(refused.errors(), ["/start_ticket_types too_many_values"]);
    assert_eq!(
        erp.get(path).await.is(200).json["start_ticket_types"],
        Value::Null
    );
}

#[apply(both_engines)]
#[actix_web::test]
async fn grantable_to_lists_active_entries_not_yet_granted(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let reader = app.reader();
    let erp = app.erp();
    let ids = async |path: &str| {
        reader
            .get(&format!("/catalog/{path}"))
            .await
            .is(200)
            .items("/id")
    };
    assert_eq!(ids("areas?grantable_to=K-1").await, ["A-2", "A-3"]);
    assert_eq!(ids("areas?grantable_to=K-2").await, ["A-1", "A-2", "A-3"]);
    assert_eq!(ids("ticket-types?grantable_to=K-1").await, ["T-2", "T-3"]);
    assert_eq!(ids("plan-boards?grantable_to=K-1").await, ["B-1"]);
    erp.put(
        "/catalog/areas/A-2",
        json!({"name": "Bereich 2", "color": "#00AAFF", "active": false}),
    )
    .await
    .is(200);
    assert_eq!(ids("areas?grantable_to=K-1").await, ["A-3"]);
    assert_eq!(ids("areas?active=false").await, ["A-2"]);
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

#[apply(both_engines)]
#[actix_web::test]
async fn partner_limited_token_reads_own_partner_and_cannot_write_catalog(engine: Engine) {
    let app = TestApp::with_catalog(engine).await;
    let own = app.editor_of("K-1");
    // the second round reads cached lists, which must not be shared between tokens
    for round in 0..2 {
        assert!(
            app.reader()
                .get("/catalog/business-partners")
                .await
                .is(200)
                .items("/id")
                .len()
                > 1,
            "round {round}"
        );
        assert_eq!(
            own.get("/catalog/business-partners")
                .await
                .is(200)
                .items("/id"),
            ["K-1"]
        );
    }
    // the same URL has other contents for other tokens, so their ETags must differ
    let etag = own.get("/catalog/business-partners").await.etag();
    for other in [app.reader(), app.editor_of("K-2")] {
        let request = other
            .request("GET", "/catalog/business-partners")
            .header("if-none-match", &etag);
        assert_ne!(request.send().await.is(200).etag(), etag);
    }
    own.get("/catalog/business-partners/K-1").await.is(200);
    let foreign = own
        .get("/catalog/business-partners/K-2")
        .await
        .is_problem(404, "not_found");
    let unknown = own
        .get("/catalog/business-partners/K-9")
        .await
        .is_problem(404, "not_found");
    assert_eq!(foreign.json["detail"], unknown.json["detail"]);
    own.get("/catalog/areas?grantable_to=K-2")
        .await
        .is_problem(404, "not_found");
    let body = json!({"name": "A", "color": "#000000"});
    own.put("/catalog/areas/A-1", body)
        .await
        .is_problem(403, "partner_restricted");
    assert_eq!(
        app.reader().get("/catalog/areas/A-1").await.json["name"],
        "Bereich 1"
    );
}

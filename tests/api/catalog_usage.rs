//! The users of catalog entries, and the plan boards that limited tokens see.

use crate::engines::both_engines;
use rstest_reuse::apply;
use serde_json::{Value, json};

use crate::support::{Engine, TestApp};

#[apply(both_engines)]
#[actix_web::test]
async fn limited_token_reads_only_shared_plan_boards(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    app.activate_partner("K-2").await;
    let erp = app.erp();
    for board in ["B-2", "B-3"] {
        erp.put(
            &format!("/catalog/plan-boards/{board}"),
            json!({"name": format!("Board {board}"), "description": "secret"}),
        )
        .await
        .is(201);
    }
    erp.put("/customer-integrations/K-1/plan-boards/B-2", Value::Null)
        .await
        .is(201);
    erp.put("/customer-integrations/K-2/plan-boards/B-3", Value::Null)
        .await
        .is(201);
    let limited = app.editor_of("K-1");
    let list = limited.get("/catalog/plan-boards").await.is(200);
    assert_eq!(list.items("/id"), ["B-2"]);
    limited.get("/catalog/plan-boards/B-2").await.is(200);
    for hidden in ["B-1", "B-3", "B-99"] {
        limited
            .get(&format!("/catalog/plan-boards/{hidden}"))
            .await
            .is_problem(404, "not_found");
    }
    // The list changes with the shares, also for a client that has it.
    erp.delete("/customer-integrations/K-1/plan-boards/B-2")
        .await
        .is(204);
    let changed = limited
        .request("GET", "/catalog/plan-boards")
        .header("if-none-match", &list.etag())
        .send()
        .await
        .is(200);
    assert_eq!(changed.items("/id"), [""; 0]);
    assert_eq!(
        app.reader()
            .get("/catalog/plan-boards")
            .await
            .items("/id")
            .len(),
        3
    );
}

#[apply(both_engines)]
#[actix_web::test]
async fn integrations_are_filtered_by_granted_entry(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    app.activate_partner("K-2").await;
    app.editor()
        .put("/customer-integrations/K-2/areas/A-2", Value::Null)
        .await
        .is(201);
    app.erp()
        .put("/customer-integrations/K-1/plan-boards/B-1", Value::Null)
        .await
        .is(201);
    let reader = app.reader();
    for (filter, expected) in [
        ("area_id=A-1", vec!["K-1", "K-2"]),
        ("area_id=A-2", vec!["K-2"]),
        ("area_id=A-3", vec![]),
        ("ticket_type_id=T-1", vec!["K-1", "K-2"]),
        ("plan_board_id=B-1", vec!["K-1"]),
        ("area_id=A-2&plan_board_id=B-1", vec![]),
    ] {
        let page = reader
            .get(&format!("/customer-integrations?{filter}&count=true"))
            .await
            .is(200);
        assert_eq!(page.items("/business_partner/id"), expected, "{filter}");
        assert_eq!(page.json["total_count"], expected.len(), "{filter}");
    }
    assert_eq!(
        app.editor_of("K-1")
            .get("/customer-integrations?area_id=A-1")
            .await
            .is(200)
            .items("/business_partner/id"),
        ["K-1"]
    );
}

#[apply(both_engines)]
#[actix_web::test]
async fn usage_is_counted_on_demand(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    app.activate_partner("K-2").await;
    let reader = app.reader();
    for (list, expected) in [
        ("areas", vec![2, 0, 0]),
        ("ticket-types", vec![2, 0, 0]),
        ("plan-boards", vec![0]),
    ] {
        let path = format!("/catalog/{list}");
        let used = reader
            .get(&format!("{path}?include_usage=true"))
            .await
            .is(200);
        let counts: Vec<_> = used.json["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| entry["usage_count"].as_i64().unwrap())
            .collect();
        assert_eq!(counts, expected, "{list}");
        let plain = reader.get(&path).await.is(200);
        assert!(
            plain.json["items"][0].get("usage_count").is_none(),
            "{list}"
        );
    }
    let path = "/catalog/areas?include_usage=true";
    let before = reader.get(path).await.is(200).etag();
    app.editor()
        .put("/customer-integrations/K-1/areas/A-2", Value::Null)
        .await
        .is(201);
    assert_ne!(reader.get(path).await.is(200).etag(), before);
    app.editor_of("K-1")
        .get(path)
        .await
        .is_problem(403, "partner_restricted");
}

#[apply(both_engines)]
#[actix_web::test]
async fn plan_board_description_may_be_null(engine: Engine) {
    let app = TestApp::with_catalog(engine).await;
    let body = json!({"name": "Board", "description": null});
    let board = app
        .erp()
        .put("/catalog/plan-boards/B-1", body)
        .await
        .is(200);
    assert_eq!(board.json["description"], "");
}

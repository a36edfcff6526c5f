//! The users of catalog entries, and the plan boards that partner tokens see.

use rstest_reuse::apply;
use serde_json::{Value, json};

use crate::{
    engines::both_engines,
    support::{Engine, TestApp},
};

const BOARDS: &str = "/catalog/plan-boards";

/// Three plan boards, of which B-2 is granted to K-1 and B-3 to K-2.
async fn app_with_plan_boards(engine: Engine) -> TestApp {
    let app = TestApp::with_active_partner(engine).await;
    app.activate_partner("K-2").await;
    let erp = app.erp();
    for id in ["B-2", "B-3"] {
        let board = json!({"name": format!("Board {id}"), "description": "secret"});
        erp.put(&format!("{BOARDS}/{id}"), board).await.is(201);
    }
    for grant in ["K-1/plan-boards/B-2", "K-2/plan-boards/B-3"] {
        let path = format!("/customer-integrations/{grant}");
        erp.put(&path, Value::Null).await.is(201);
    }
    app
}

#[apply(both_engines)]
#[actix_web::test]
async fn partner_token_reads_only_granted_plan_boards(engine: Engine) {
    let app = app_with_plan_boards(engine).await;
    let limited = app.editor_of("K-1");

    let list = limited.get(BOARDS).await.is(200);
    assert_eq!(list.items("/id"), ["B-2"]);
    limited.get(&format!("{BOARDS}/B-2")).await.is(200);
    for hidden in ["B-1", "B-3", "B-99"] {
        let response = limited.get(&format!("{BOARDS}/{hidden}")).await;
        response.is_problem(404, "not_found");
    }

    let all = app.reader().get(BOARDS).await.is(200);
    assert_eq!(all.items("/id"), ["B-1", "B-2", "B-3"]);
}

#[apply(both_engines)]
#[actix_web::test]
async fn revoked_plan_board_changes_etag_of_list_with_partner_token(engine: Engine) {
    let app = app_with_plan_boards(engine).await;
    let limited = app.editor_of("K-1");
    let etag = limited.get(BOARDS).await.is(200).etag();

    app.erp()
        .delete("/customer-integrations/K-1/plan-boards/B-2")
        .await
        .is(204);

    let request = limited.request("GET", BOARDS);
    let changed = request.header("if-none-match", &etag).send().await;
    assert_eq!(changed.is(200).items("/id"), [""; 0]);
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
    let list_ids = async |filter: &str| {
        let path = format!("/customer-integrations?{filter}&count=true");
        let page = app.reader().get(&path).await.is(200);
        let ids = page.items("/business_partner/id");
        assert_eq!(page.json["total_count"], ids.len(), "{filter}");
        ids
    };

    assert_eq!(list_ids("area_id=A-1").await, ["K-1", "K-2"]);
    assert_eq!(list_ids("area_id=A-2").await, ["K-2"]);
    assert_eq!(list_ids("area_id=A-3").await, [""; 0]);
    assert_eq!(list_ids("ticket_type_id=T-1").await, ["K-1", "K-2"]);
    assert_eq!(list_ids("plan_board_id=B-1").await, ["K-1"]);
    assert_eq!(list_ids("area_id=A-2&plan_board_id=B-1").await, [""; 0]);
}

#[apply(both_engines)]
#[actix_web::test]
async fn filtered_integrations_with_partner_token_are_of_its_partner_only(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    app.activate_partner("K-2").await;

    let page = app
        .editor_of("K-1")
        .get("/customer-integrations?area_id=A-1")
        .await
        .is(200);

    assert_eq!(page.items("/business_partner/id"), ["K-1"]);
}

#[apply(both_engines)]
#[actix_web::test]
async fn usage_is_counted_on_request(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    app.activate_partner("K-2").await;
    let usage_counts = async |list: &str| {
        let path = format!("/catalog/{list}?include_usage=true");
        let page = app.reader().get(&path).await.is(200).json;
        let entries = page["items"].as_array().unwrap();
        entries
            .iter()
            .map(|entry| entry["usage_count"].as_u64().unwrap())
            .collect::<Vec<_>>()
    };

    assert_eq!(usage_counts("areas").await, [2, 0, 0]);
    assert_eq!(usage_counts("ticket-types").await, [2, 0, 0]);
    assert_eq!(usage_counts("plan-boards").await, [0]);
}

#[apply(both_engines)]
#[actix_web::test]
async fn usage_is_omitted_by_default(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;

    for list in ["areas", "ticket-types", "plan-boards"] {
        let path = format!("/catalog/{list}");
        let page = app.reader().get(&path).await.is(200).json;
        assert_eq!(page["items"][0].get("usage_count"), None, "{list}");
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn new_grant_changes_etag_of_list_with_usage(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let etag = async || {
        let list = app.reader().get("/catalog/areas?include_usage=true").await;
        list.is(200).etag()
    };
    let before = etag().await;

    app.editor()
        .put("/customer-integrations/K-1/areas/A-2", Value::Null)
        .await
        .is(201);

    assert_ne!(etag().await, before);
}

#[apply(both_engines)]
#[actix_web::test]
async fn usage_with_partner_token_returns_403(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;

    let refused = app
        .editor_of("K-1")
        .get("/catalog/areas?include_usage=true")
        .await;

    refused.is_problem(403, "partner_restricted");
}

#[apply(both_engines)]
#[actix_web::test]
async fn plan_board_description_may_be_null(engine: Engine) {
    let app = TestApp::with_catalog(engine).await;

    let board = json!({"name": "Board", "description": null});
    let updated = app.erp().put(&format!("{BOARDS}/B-1"), board).await;

    assert_eq!(updated.is(200).json["description"], "");
}

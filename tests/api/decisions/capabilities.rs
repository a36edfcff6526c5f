//! Capabilities of accesses.

use rstest_reuse::apply;
use serde_json::{Value, json};

use super::Fixture;
use crate::{engines::both_engines, support::Engine};

/// The names of the entries in a list of the capabilities.
fn names_of(capabilities: &Value, list: &str) -> Vec<Value> {
    capabilities[list]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["name"].clone())
        .collect()
}

#[apply(both_engines)]
#[actix_web::test]
async fn capabilities_list_visible_areas_tags_queries_and_boards(engine: Engine) {
    let fixture = Fixture::with_capabilities(engine).await;

    let response = fixture
        .ticket_system
        .get(&fixture.capabilities_path())
        .await;

    let capabilities = response.is(200).json;
    let ticket_types =
        json!([{"ticket_type_id": "T-1", "name": "Art 1", "approval_required": false}]);
    let visible_area = json!({
        "area_id": "A-1",
        "name": "Bereich 1",
        "view": true,
        "create": true,
        "ticket_types": ticket_types,
    });
    let hidden_area = json!({
        "area_id": "A-2",
        "name": "Bereich 2",
        "view": false,
        "create": true,
        "ticket_types": ticket_types,
    });
    assert_eq!(capabilities["access_id"], json!(fixture.access));
    assert_eq!(capabilities["effective"], true);
    assert_eq!(capabilities["areas"], json!([visible_area, hidden_area]));
    assert_eq!(names_of(&capabilities, "tags"), ["Netz", "Überall"]);
    assert_eq!(names_of(&capabilities, "queries"), ["Q1"]);
    assert_eq!(names_of(&capabilities, "plan_boards"), ["Board"]);
}

#[apply(both_engines)]
#[actix_web::test]
async fn capabilities_return_304_after_unrelated_change(engine: Engine) {
    let fixture = Fixture::with_capabilities(engine).await;
    let path = fixture.capabilities_path();
    let etag = fixture.ticket_system.get(&path).await.is(200).etag();
    fixture.get_if_none_match(&path, &etag).await.is(304);

    let other_area = json!({"name": "Anderer", "color": "#000000"});
    let erp = fixture.app.erp();
    erp.put("/catalog/areas/A-9", other_area).await.is(201);

    // the second request is served from the cache
    for _ in 0..2 {
        fixture.get_if_none_match(&path, &etag).await.is(304);
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn retired_area_and_its_tags_leave_capabilities_until_it_returns(engine: Engine) {
    let fixture = Fixture::with_capabilities(engine).await;
    let path = fixture.capabilities_path();
    let etag = fixture.ticket_system.get(&path).await.is(200).etag();
    let put_area = async |active: bool| {
        let area = json!({"name": "Bereich 2", "color": "#00aaff", "active": active});
        let erp = fixture.app.erp();
        erp.put("/catalog/areas/A-2", area).await.is(200);
    };

    put_area(false).await;
    let reduced = fixture.get_if_none_match(&path, &etag).await.is(200);
    assert_eq!(names_of(&reduced.json, "tags"), ["Überall"]);
    assert_eq!(reduced.json["areas"].as_array().unwrap().len(), 1);

    put_area(true).await;
    fixture.get_if_none_match(&path, &etag).await.is(304);
}

#[apply(both_engines)]
#[actix_web::test]
async fn capabilities_of_ineffective_access_are_empty(engine: Engine) {
    let fixture = Fixture::with_capabilities(engine).await;
    let path = fixture.capabilities_path();
    let etag = fixture.ticket_system.get(&path).await.is(200).etag();

    fixture
        .app
        .editor()
        .patch(&fixture.access_path(), json!({"active": false}))
        .await
        .is(200);

    let response = fixture.get_if_none_match(&path, &etag).await;
    let capabilities = response.is(200).json;
    assert_eq!(capabilities["effective"], false);
    for area in capabilities["areas"].as_array().unwrap() {
        assert_eq!(area["view"], false);
        assert_eq!(area["create"], false);
        assert_eq!(area["ticket_types"], json!([]));
    }
    for list in ["tags", "queries", "plan_boards"] {
        assert_eq!(capabilities[list], json!([]), "{list}");
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn capabilities_of_access_under_other_partner_return_404(engine: Engine) {
    let fixture = Fixture::with_capabilities(engine).await;
    let path = fixture.capabilities_path().replace("K-1", "K-2");

    let read = fixture.ticket_system.get(&path).await;
    let conditional_read = fixture.get_if_none_match(&path, "\"x\"").await;

    read.is_problem(404, "not_found");
    conditional_read.is_problem(404, "not_found");
}

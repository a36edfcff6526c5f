//! Lists: totals, orders, selection by ids, several values of a filter, and links to the next page.

use crate::engines::both_engines;
use rstest_reuse::apply;
use serde_json::{Value, json};

use crate::support::{Engine, TestApp, app::filter};

const K1: &str = "/customer-integrations/K-1";
const ACCESSES: &str = "/customer-integrations/K-1/accesses";

/// Three accesses of K-1, created in this order.
async fn three_accesses(app: &TestApp) -> [String; 3] {
    [
        app.create_access(
            "K-1",
            "c@b.example",
            json!({"last_name": "Albers", "role": "editor", "contact_id": "P-1"}),
        )
        .await,
        app.create_access(
            "K-1",
            "a@b.example",
            json!({"last_name": "Zimmer", "role": "observer"}),
        )
        .await,
        app.create_access(
            "K-1",
            "b@b.example",
            json!({"last_name": "Maier", "role": "dispatcher"}),
        )
        .await,
    ]
}

#[apply(both_engines)]
#[actix_web::test]
async fn count_returns_total_on_every_page(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    three_accesses(&app).await;
    let reader = app.reader();
    let first = reader
        .get(&format!("{ACCESSES}?count=true&limit=2"))
        .await
        .is(200);
    assert_eq!(first.json["total_count"], 3);
    let cursor = first.json["next_cursor"].as_str().unwrap();
    let last = reader
        .get(&format!("{ACCESSES}?count=true&limit=2&cursor={cursor}"))
        .await
        .is(200);
    assert_eq!(last.json["items"].as_array().unwrap().len(), 1);
    assert_eq!(last.json["total_count"], 3);
    let filtered = reader
        .get(&format!("{ACCESSES}?count=true&q=maier&limit=1"))
        .await
        .is(200);
    assert_eq!(filtered.json["total_count"], 1);
    let uncounted = reader.get(ACCESSES).await.is(200);
    assert_eq!(uncounted.json["total_count"], Value::Null);
    for list in [
        "/customer-integrations",
        "/catalog/areas",
        "/catalog/business-partners",
        "/exclusion-rules",
    ] {
        let page = reader.get(&format!("{list}?count=true")).await.is(200);
        let items = page.json["items"].as_array().unwrap().len();
        assert_eq!(page.json["total_count"], items, "{list}");
    }
    let refused = reader.get(&format!("{ACCESSES}?count=yes")).await;
    let refused = refused.is_problem(400, "invalid_parameter");
    assert_eq!(refused.errors(), ["count unknown_value"]);
}

#[apply(both_engines)]
#[actix_web::test]
async fn accesses_are_sorted_by_every_column_of_a_grid(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let [albers, ..] = three_accesses(&app).await;
    app.editor()
        .patch(&format!("{ACCESSES}/{albers}"), json!({"language": "en"}))
        .await
        .is(200);
    let reader = app.reader();
    for (sort, expected) in [
        ("name", ["Albers", "Maier", "Zimmer"]),
        ("email", ["Zimmer", "Maier", "Albers"]),
        ("role", ["Maier", "Albers", "Zimmer"]),
        ("created_at", ["Albers", "Zimmer", "Maier"]),
        ("updated_at", ["Zimmer", "Maier", "Albers"]),
    ] {
        let sorted = reader
            .get_all(&format!("{ACCESSES}?sort={sort}&limit=1"))
            .await;
        let names: Vec<_> = sorted.iter().map(|access| &access["last_name"]).collect();
        assert_eq!(names, expected, "{sort}");
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn filter_with_several_values_matches_any_of_them(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    three_accesses(&app).await;
    let editor = app.editor();
    let names = async |filter: &str| {
        let page = editor.get(&format!("{ACCESSES}?{filter}")).await.is(200);
        page.items("/last_name")
    };
    assert_eq!(names("role=editor,dispatcher").await, ["Albers", "Maier"]);
    assert_eq!(names("role=observer").await, ["Zimmer"]);
    assert_eq!(names("contact_id=P-1").await, ["Albers"]);
    editor
        .get(&format!("{ACCESSES}?role=editor,admin"))
        .await
        .is_problem(400, "invalid_parameter");
    let tags = format!("{K1}/tags");
    for area in ["A-2", "A-3"] {
        editor
            .put(&format!("{K1}/areas/{area}"), Value::Null)
            .await
            .is(201);
    }
    for area in ["A-1", "A-2", "A-3"] {
        let tag = json!({"name": format!("Tag {area}"), "area_id": area});
        editor.post(&tags, tag).await.is(201);
    }
    let selected = editor
        .get(&format!("{tags}?area_id=A-1,A-3"))
        .await
        .is(200)
        .items("/area_id");
    assert_eq!(selected, ["A-1", "A-3"]);
}

#[apply(both_engines)]
#[actix_web::test]
async fn ids_select_items_of_own_list_only(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    app.activate_partner("K-2").await;
    let [first, _, third] = three_accesses(&app).await;
    let foreign = app.create_access("K-2", "z@b.example", json!({})).await;
    let reader = app.reader();
    let selected = reader
        .get(&format!("{ACCESSES}?ids={first},{third},{foreign}"))
        .await
        .is(200);
    assert_eq!(selected.items("/id"), [first.as_str(), third.as_str()]);
    let areas = reader.get("/catalog/areas?ids=A-3,A-1,A-99").await.is(200);
    assert_eq!(areas.items("/id"), ["A-1", "A-3"]);
    let granted = reader.get(&format!("{K1}/areas?ids=A-1,A-2")).await.is(200);
    assert_eq!(granted.items("/area_id"), ["A-1"]);
    let partners = reader.get("/customer-integrations?ids=K-2").await.is(200);
    assert_eq!(partners.items("/business_partner/id"), ["K-2"]);
    let too_many = vec!["A-1"; 101].join(",");
    for (ids, error) in [
        (too_many.as_str(), "ids too_many_values"),
        ("", "ids invalid_id"),
        ("not-a-uuid", "ids invalid_id"),
    ] {
        let refused = reader.get(&format!("{ACCESSES}?ids={ids}")).await;
        let refused = refused.is_problem(400, "invalid_parameter");
        assert_eq!(refused.errors(), [error], "{ids}");
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn link_leads_through_all_pages(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    three_accesses(&app).await;
    let reader = app.reader();
    for start in [
        "/customer-integrations/K-1/accesses?limit=1&q=b%20example",
        "/catalog/areas?limit=1",
        "/customer-integrations?limit=1",
        "/customer-integrations/K-1/history?limit=1",
    ] {
        let mut path = start.to_owned();
        let mut seen = Vec::new();
        loop {
            // the second response comes from the cache
            let page = reader.get(&path).await.is(200);
            let again = reader.get(&path).await.is(200);
            assert_eq!(page.header("link"), again.header("link"), "{path}");
            seen.extend(page.json["items"].as_array().unwrap().clone());
            let link = page.header("link");
            assert_eq!(
                link.is_empty(),
                page.json["next_cursor"].is_null(),
                "{path}"
            );
            let Some(next) = link
                .strip_prefix("</api/v1")
                .and_then(|link| link.strip_suffix(">; rel=\"next\""))
            else {
                break;
            };
            path = next.to_owned();
        }
        assert!(seen.len() > 1, "{start}");
        assert_eq!(seen, reader.get_all(start).await, "{start}");
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn counts_distinguish_active_and_global_resources(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.global_rules_editor();
    let rule =
        |name: &str, active: bool| json!({"name": name, "filter": filter(), "active": active});
    let query = |name: &str, active: bool| {
        let mut query = rule(name, active);
        query["columns"] = json!(["subject"]);
        query
    };
    for (name, active) in [("A", true), ("B", false), ("C", true)] {
        editor
            .post(&format!("{K1}/queries"), query(name, active))
            .await
            .is(201);
    }
    editor
        .post(&format!("{K1}/exclusion-rules"), rule("A", false))
        .await
        .is(201);
    editor
        .post("/exclusion-rules", rule("A", true))
        .await
        .is(201);
    editor
        .post("/exclusion-rules", rule("B", false))
        .await
        .is(201);
    let counts = editor.get(K1).await.is(200).json["counts"].clone();
    for (member, expected) in [
        ("queries", 3),
        ("active_queries", 2),
        ("exclusion_rules", 1),
        ("active_exclusion_rules", 0),
        ("global_exclusion_rules", 2),
        ("active_global_exclusion_rules", 1),
    ] {
        assert_eq!(counts[member], expected, "{member}");
    }
}

//! Lists: totals, orders, selection by ids, several values of a filter, and links to the next page.

use rstest_reuse::apply;
use serde_json::{Value, json};

use crate::{
    engines::both_engines,
    support::{Client, Engine, Response, TestApp, app::filter},
};

const K1: &str = "/customer-integrations/K-1";
const ACCESSES: &str = "/customer-integrations/K-1/accesses";

/// An app with three accesses of K-1: Albers, Zimmer and Maier, created in this order.
struct Fixture {
    app: TestApp,
    /// The id of an access.
    albers: String,
    /// The id of an access.
    maier: String,
}

impl Fixture {
    async fn start(engine: Engine) -> Self {
        let app = TestApp::with_active_partner(engine).await;
        let albers = json!({"last_name": "Albers", "role": "editor", "contact_id": "P-1"});
        let zimmer = json!({"last_name": "Zimmer", "role": "observer"});
        let maier = json!({"last_name": "Maier", "role": "dispatcher"});
        let albers = app.create_access("K-1", "c@b.example", albers).await;
        app.create_access("K-1", "a@b.example", zimmer).await;
        let maier = app.create_access("K-1", "b@b.example", maier).await;
        Self { app, albers, maier }
    }

    /// Reads a page of the accesses with query parameters.
    async fn list(&self, parameters: &str) -> Response {
        let path = format!("{ACCESSES}?{parameters}");
        self.app.reader().get(&path).await
    }

    async fn list_last_names(&self, parameters: &str) -> Vec<String> {
        self.list(parameters).await.is(200).items("/last_name")
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn total_count_is_the_same_on_every_page(engine: Engine) {
    let fixture = Fixture::start(engine).await;

    let first = fixture.list("count=true&limit=2").await.is(200).json;
    let cursor = first["next_cursor"].as_str().unwrap();
    let next_page = format!("count=true&limit=2&cursor={cursor}");
    let last = fixture.list(&next_page).await.is(200).json;

    assert_eq!(first["total_count"], 3);
    assert_eq!(last["items"].as_array().unwrap().len(), 1);
    assert_eq!(last["total_count"], 3);
}

#[apply(both_engines)]
#[actix_web::test]
async fn total_count_includes_only_matching_items(engine: Engine) {
    let fixture = Fixture::start(engine).await;

    let page = fixture.list("count=true&q=maier&limit=1").await.is(200);

    assert_eq!(page.json["total_count"], 1);
}

#[apply(both_engines)]
#[actix_web::test]
async fn total_count_is_null_without_count_parameter(engine: Engine) {
    let fixture = Fixture::start(engine).await;

    let page = fixture.list("").await.is(200);

    assert_eq!(page.json["total_count"], Value::Null);
}

#[apply(both_engines)]
#[actix_web::test]
async fn total_count_equals_number_of_items_of_short_list(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;

    for list in [
        "/customer-integrations",
        "/catalog/areas",
        "/catalog/business-partners",
        "/exclusion-rules",
    ] {
        let path = format!("{list}?count=true");
        let page = app.reader().get(&path).await.is(200).json;
        let item_count = page["items"].as_array().unwrap().len();
        assert_eq!(page["total_count"], item_count, "{list}");
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn invalid_count_parameter_returns_400(engine: Engine) {
    let fixture = Fixture::start(engine).await;

    let refused = fixture.list("count=yes").await;

    assert_eq!(
        refused.is_problem(400, "invalid_parameter").errors(),
        ["count unknown_value"]
    );
}

#[apply(both_engines)]
#[actix_web::test]
async fn accesses_are_sorted_by_every_column_of_a_grid(engine: Engine) {
    let fixture = Fixture::start(engine).await;
    let access = format!("{ACCESSES}/{}", fixture.albers);
    fixture
        .app
        .editor()
        .patch(&access, json!({"language": "en"}))
        .await
        .is(200);
    let sorted_by = async |sort: &str| {
        let path = format!("{ACCESSES}?sort={sort}&limit=1");
        let accesses = fixture.app.reader().get_all(&path).await;
        accesses
            .iter()
            .map(|access| access["last_name"].clone())
            .collect::<Vec<_>>()
    };

    assert_eq!(sorted_by("name").await, ["Albers", "Maier", "Zimmer"]);
    assert_eq!(sorted_by("email").await, ["Zimmer", "Maier", "Albers"]);
    assert_eq!(sorted_by("role").await, ["Maier", "Albers", "Zimmer"]);
    assert_eq!(sorted_by("created_at").await, ["Albers", "Zimmer", "Maier"]);
    assert_eq!(sorted_by("updated_at").await, ["Zimmer", "Maier", "Albers"]);
}

#[apply(both_engines)]
#[actix_web::test]
async fn filter_with_several_values_matches_any_of_them(engine: Engine) {
    let fixture = Fixture::start(engine).await;

    assert_eq!(
        fixture.list_last_names("role=editor,dispatcher").await,
        ["Albers", "Maier"]
    );
    assert_eq!(fixture.list_last_names("role=observer").await, ["Zimmer"]);
    assert_eq!(fixture.list_last_names("contact_id=P-1").await, ["Albers"]);
}

#[apply(both_engines)]
#[actix_web::test]
async fn filter_with_unknown_value_returns_400(engine: Engine) {
    let fixture = Fixture::start(engine).await;

    let refused = fixture.list("role=editor,admin").await;

    refused.is_problem(400, "invalid_parameter");
}

#[apply(both_engines)]
#[actix_web::test]
async fn tag_filter_with_several_areas_matches_any_of_them(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();
    let tags = format!("{K1}/tags");
    for area in ["A-2", "A-3"] {
        let path = format!("{K1}/areas/{area}");
        editor.put(&path, Value::Null).await.is(201);
    }
    for area in ["A-1", "A-2", "A-3"] {
        let tag = json!({"name": format!("Tag {area}"), "area_id": area});
        editor.post(&tags, tag).await.is(201);
    }

    let selected = editor.get(&format!("{tags}?area_id=A-1,A-3")).await;

    assert_eq!(selected.is(200).items("/area_id"), ["A-1", "A-3"]);
}

#[apply(both_engines)]
#[actix_web::test]
async fn ids_select_items_of_own_list_only(engine: Engine) {
    let fixture = Fixture::start(engine).await;
    let app = &fixture.app;
    app.activate_partner("K-2").await;
    let foreign = app.create_access("K-2", "z@b.example", json!({})).await;

    let ids = [&fixture.albers, &fixture.maier, &foreign].map(String::as_str);
    let selected = fixture.list(&format!("ids={}", ids.join(","))).await;

    assert_eq!(
        selected.is(200).items("/id"),
        [fixture.albers, fixture.maier]
    );
}

#[apply(both_engines)]
#[actix_web::test]
async fn ids_select_items_of_lists_with_ids_of_the_erp(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let select = async |path: &str, id: &str| app.reader().get(path).await.is(200).items(id);

    let areas = select("/catalog/areas?ids=A-3,A-1,A-99", "/id").await;
    let grants = select(&format!("{K1}/areas?ids=A-1,A-2"), "/area_id").await;
    let partners = "/customer-integrations?ids=K-2";
    let partners = select(partners, "/business_partner/id").await;

    assert_eq!(areas, ["A-1", "A-3"]);
    assert_eq!(grants, ["A-1"]);
    assert_eq!(partners, ["K-2"]);
}

#[apply(both_engines)]
#[actix_web::test]
async fn invalid_ids_parameter_returns_400(engine: Engine) {
    let fixture = Fixture::start(engine).await;
    let error = async |ids: &str| {
        let refused = fixture.list(&format!("ids={ids}")).await;
        refused.is_problem(400, "invalid_parameter").errors()
    };

    let too_many = vec!["A-1"; 101].join(",");
    assert_eq!(error(&too_many).await, ["ids too_many_values"]);
    assert_eq!(error("").await, ["ids invalid_id"]);
    assert_eq!(error("not-a-uuid").await, ["ids invalid_id"]);
}

/// The path of the next page in the header `Link`.
fn next_path(page: &Response) -> Option<String> {
    let link = page.header("link").strip_prefix("</api/v1")?;
    let path = link.strip_suffix(">; rel=\"next\"")?;
    Some(path.to_owned())
}

/// Follows the links from page to page and returns all items. Reads each page twice: the second
/// response comes from the cache.
async fn follow_links(client: &Client, first_path: &str) -> Vec<Value> {
    let mut items = Vec::new();
    let mut path = Some(first_path.to_owned());
    while let Some(current) = path {
        let page = client.get(&current).await.is(200);
        let cached = client.get(&current).await.is(200);
        assert_eq!(page.header("link"), cached.header("link"), "{current}");
        assert_eq!(
            page.header("link").is_empty(),
            page.json["next_cursor"].is_null(),
            "{current}"
        );
        items.extend(page.json["items"].as_array().unwrap().clone());
        path = next_path(&page);
    }
    items
}

#[apply(both_engines)]
#[actix_web::test]
async fn link_leads_through_all_pages(engine: Engine) {
    let fixture = Fixture::start(engine).await;
    let reader = fixture.app.reader();

    for list in [
        "/customer-integrations/K-1/accesses?limit=1&q=b%20example",
        "/catalog/areas?limit=1",
        "/customer-integrations?limit=1",
        "/customer-integrations/K-1/history?limit=1",
    ] {
        let items = follow_links(&reader, list).await;
        assert!(items.len() > 1, "{list}");
        assert_eq!(items, reader.get_all(list).await, "{list}");
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn counts_distinguish_active_and_global_resources(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.global_rules_editor();
    let create = async |list: &str, body: Value| editor.post(list, body).await.is(201);
    let queries = format!("{K1}/queries");
    for query in [
        json!({"name": "A", "filter": filter(), "columns": ["subject"]}),
        json!({"name": "B", "filter": filter(), "columns": ["subject"], "active": false}),
        json!({"name": "C", "filter": filter(), "columns": ["subject"]}),
    ] {
        create(&queries, query).await;
    }
    let rule = json!({"name": "A", "filter": filter()});
    let inactive_rule = json!({"name": "B", "filter": filter(), "active": false});
    create(&format!("{K1}/exclusion-rules"), inactive_rule.clone()).await;
    create("/exclusion-rules", rule).await;
    create("/exclusion-rules", inactive_rule).await;

    let integration = editor.get(K1).await.is(200).json;

    let counts = &integration["counts"];
    assert_eq!(counts["queries"], 3);
    assert_eq!(counts["active_queries"], 2);
    assert_eq!(counts["exclusion_rules"], 1);
    assert_eq!(counts["active_exclusion_rules"], 0);
    assert_eq!(counts["global_exclusion_rules"], 2);
    assert_eq!(counts["active_global_exclusion_rules"], 1);
}

//! Paging, order and search of all lists. A test fails if a documented list is missing from
//! [`LISTS`].

use std::collections::HashSet;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rstest::rstest;
use rstest_reuse::{apply, template};
use serde_json::{Value, json};

use super::list_case::{LISTS, ListCase, UNPAGED};
use crate::{
    engines::both_engines,
    support::{Engine, Engine::*, TestApp, document::OPERATIONS},
};

/// Every list of [`LISTS`], on both engines.
#[template]
#[rstest]
#[case::sqlite(Sqlite)]
#[ignore = "needs PostgreSQL"]
#[case::postgres(Postgres)]
fn all_lists(
    #[case] engine: Engine,
    #[values(
        "list_catalog_business_partners",
        "list_catalog_areas",
        "list_catalog_ticket_types",
        "list_catalog_plan_boards",
        "list_customer_integrations",
        "list_accesses",
        "list_all_accesses",
        "list_areas",
        "list_ticket_types",
        "list_plan_boards",
        "list_tags",
        "list_queries",
        "list_exclusion_rules",
        "list_global_exclusion_rules",
        "list_history",
        "list_system_history"
    )]
    operation: &str,
) {
}

#[test]
fn table_contains_every_documented_list() {
    let mut documented: Vec<_> = OPERATIONS
        .iter()
        .filter(|operation| operation.is_list())
        .map(|operation| operation.id.as_str())
        .collect();
    let mut listed: Vec<_> = LISTS
        .iter()
        .map(|list| list.operation)
        .chain(UNPAGED)
        .collect();
    documented.sort_unstable();
    listed.sort_unstable();

    assert_eq!(documented, listed);
}

/// Names that collide, differ only in case or accents, or contain characters that are special in
/// SQL.
const NAMES: [&str; 10] = [
    "Ähre",
    "ahre",
    "Zebra",
    "zebra",
    "100 % 'quoted'",
    "a_b",
    "ß",
    "ss",
    "\u{1F600}",
    "\u{301}",
];

async fn add_items(app: &TestApp, list: &ListCase) {
    for (n, name) in NAMES.iter().enumerate() {
        list.add(app, n, name).await;
    }
}

#[apply(all_lists)]
#[actix_web::test]
async fn pages_contain_every_item_once(engine: Engine, operation: &str) {
    let app = TestApp::with_active_partner(engine).await;
    let list = ListCase::of(operation);
    add_items(&app, list).await;

    for sort in list.orders() {
        let path = list.path_sorted_by(&sort);
        let whole = read_ids(&app, list, &format!("{path}limit=200")).await;
        assert!(whole.len() >= NAMES.len());
        for limit in [1, 2, 5] {
            let paged = read_ids(&app, list, &format!("{path}limit={limit}")).await;
            assert_eq!(paged, whole, "sorted by {sort}, {limit} per page");
        }
    }
}

async fn read_ids(app: &TestApp, list: &ListCase, path: &str) -> Vec<String> {
    list.ids(&app.reader().get_all(path).await)
}

#[apply(all_lists)]
#[actix_web::test]
async fn descending_order_is_the_reverse_of_ascending_order(engine: Engine, operation: &str) {
    let app = TestApp::with_active_partner(engine).await;
    let list = ListCase::of(operation);
    add_items(&app, list).await;

    for sort in list.orders() {
        let Some(opposite) = ListCase::reverse_of(&sort) else {
            continue;
        };
        let ids = read_ids(&app, list, &list.path_sorted_by(&sort)).await;
        let opposite_path = format!("{}limit=3", list.path_sorted_by(&opposite));
        let mut reversed = read_ids(&app, list, &opposite_path).await;
        reversed.reverse();
        assert_eq!(reversed, ids, "{sort} is not the reverse of {opposite}");
    }
}

#[apply(all_lists)]
#[actix_web::test]
async fn paging_during_writes_returns_unchanged_items_once(engine: Engine, operation: &str) {
    let app = TestApp::with_active_partner(engine).await;
    let list = ListCase::of(operation);
    add_items(&app, list).await;

    for (round, sort) in list.orders().into_iter().enumerate() {
        let path = format!("{}limit=4", list.path_sorted_by(&sort));
        let before = read_ids(&app, list, &path).await;
        let first_page = app.reader().get(&path).await.is(200);

        for (n, name) in ["Aaa", "Mmm", "Zzz"].into_iter().enumerate() {
            list.add(&app, 100 + 3 * round + n, name).await;
        }
        // an item of the first page, the item that the cursor points to, and one of a later page
        let candidates = [1, 3, 6].map(|n| before[n].clone());
        let can_delete = list.delete(&app, &candidates).await;

        let cursor = first_page.json["next_cursor"].as_str().unwrap().to_owned();
        let other_pages = app.reader().get_all_after(&path, Some(cursor)).await;
        let mut seen = first_page.items(list.id);
        seen.extend(list.ids(&other_pages));

        let is_unchanged =
            |id: &&String| before.contains(id) && !(can_delete && candidates.contains(id));
        let unchanged: Vec<_> = before.iter().filter(is_unchanged).collect();
        let seen_unchanged: Vec<_> = seen.iter().filter(is_unchanged).collect();
        assert_eq!(seen_unchanged, unchanged, "sorted by {sort}");
        let distinct: HashSet<_> = seen.iter().collect();
        assert_eq!(distinct.len(), seen.len(), "sorted by {sort}");
    }
}

#[apply(all_lists)]
#[actix_web::test]
async fn cursor_of_another_list_or_order_returns_400(engine: Engine, operation: &str) {
    let app = TestApp::with_active_partner(engine).await;
    let list = ListCase::of(operation);
    let reader = app.reader();
    add_items(&app, list).await;

    for sort in list.orders() {
        let first_page = reader
            .get(&format!("{}limit=4", list.path_sorted_by(&sort)))
            .await
            .is(200);
        let cursor = first_page.json["next_cursor"].as_str().unwrap();
        let other_list = LISTS
            .iter()
            .find(|other| other.operation != list.operation && other.orders().contains(&sort))
            .map(|other| other.path_sorted_by(&sort));
        let other_order =
            ListCase::reverse_of(&sort).map(|opposite| list.path_sorted_by(&opposite));
        for path in other_list.into_iter().chain(other_order) {
            reader
                .get(&format!("{path}cursor={cursor}"))
                .await
                .is_problem(400, "invalid_cursor");
        }
    }
}

/// Names with ligatures, accents and characters that are special in SQL patterns.
const SEARCHED_NAMES: [&str; 9] = [
    "ℋotel ㎒ ™",
    "Straße",
    "STRASSE",
    "ﬁne",
    "100 % sure",
    "under_score",
    r"back\slash",
    "Ünïcödé",
    "\u{301}",
];

#[apply(both_engines)]
#[actix_web::test]
async fn search_ignores_case_accents_and_ligatures(engine: Engine) {
    struct Search {
        text: &'static str,
        found: &'static [&'static str],
    }
    let search = |text, found| Search { text, found };
    let app = TestApp::with_active_partner(engine).await;
    let areas = ListCase::of("list_catalog_areas");
    for (n, name) in SEARCHED_NAMES.iter().enumerate() {
        areas.add(&app, n, name).await;
    }

    for Search { text, found } in [
        search("hotel mhz tm", &["ℋotel ㎒ ™"]),
        search("ℋOTEL", &["ℋotel ㎒ ™"]),
        search("straße", &["STRASSE", "Straße"]),
        search("STRASSE", &["STRASSE", "Straße"]),
        search("ﬁ", &["ﬁne"]),
        search("FI", &["ﬁne"]),
        search("%", &["100 % sure"]),
        search("_", &["under_score"]),
        search("\\", &[r"back\slash"]),
        search("UNICODE", &["Ünïcödé"]),
        search("\u{301}", &[]),
        search("´ ¨", &[]),
    ] {
        let query = serde_urlencoded::to_string([("q", text)]).unwrap();
        let path = format!("/catalog/areas?{query}");
        let mut names = app.reader().get(&path).await.is(200).items("/name");
        names.sort_unstable();
        assert_eq!(names, found, "{text}");
    }
}

/// Cursors are not signed, so clients can forge them.
#[apply(both_engines)]
#[actix_web::test]
async fn cursor_with_forged_time_returns_400(
    engine: Engine,
    #[values(
        "-009999-06-01T00:00:00Z",
        "0000-12-31T23:59:59Z",
        "+010000-01-01T00:00:00Z",
        "infinity",
        ""
    )]
    time: &str,
) {
    let app = TestApp::with_active_partner(engine).await;
    let id = app.create_access("K-1", "a@b.example", json!({})).await;
    let position = json!({"s": "CreatedAt", "d": false, "k": time, "i": id}).to_string();
    let cursor = URL_SAFE_NO_PAD.encode(position);
    let path = format!("/customer-integrations/K-1/accesses?sort=created_at&cursor={cursor}");
    app.reader()
        .get(&path)
        .await
        .is_problem(400, "invalid_cursor");
}

#[rstest]
#[ignore = "needs PostgreSQL"]
#[actix_web::test]
async fn sort_order_is_equal_on_both_engines(
    #[values(
        "list_catalog_business_partners",
        "list_customer_integrations",
        "list_accesses"
    )]
    operation: &str,
) {
    let list = ListCase::of(operation);

    let on_sqlite = sorted_names(Sqlite, list).await;
    let on_postgres = sorted_names(Postgres, list).await;

    assert_eq!(on_sqlite, on_postgres);
}

async fn sorted_names(engine: Engine, list: &ListCase) -> Vec<Value> {
    let app = TestApp::with_active_partner(engine).await;
    add_items(&app, list).await;
    let name = match list.operation {
        "list_accesses" => "/last_name",
        "list_customer_integrations" => "/business_partner/name",
        _ => "/name",
    };
    let items = app.reader().get_all(list.path).await;
    items
        .iter()
        .map(|item| item.pointer(name).unwrap().clone())
        .collect()
}

#[apply(all_lists)]
#[actix_web::test]
async fn unchanged_list_returns_304(engine: Engine, operation: &str) {
    let app = TestApp::with_active_partner(engine).await;
    let list = ListCase::of(operation);
    let reader = app.reader();
    let etag = reader.get(list.path).await.is(200).etag();
    let get_if_changed = async || {
        let request = reader.request("GET", list.path);
        request.header("if-none-match", &etag).send().await
    };

    let unchanged = get_if_changed().await.is(304);
    assert_eq!(unchanged.text, "");
    assert_eq!(unchanged.etag(), etag);

    list.add(&app, 1, "New").await;
    let changed = get_if_changed().await.is(200);
    assert_ne!(changed.etag(), etag);
}

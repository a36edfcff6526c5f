//! Behavior that all resources share: paging, ETags, preconditions and CORS. The tests fail if a
//! documented list is missing from the table.

use std::collections::HashSet;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rstest::rstest;
use rstest_reuse::{apply, template};
use serde_json::{Value, json};

use crate::{
    engines::both_engines,
    support::{
        Client, Engine,
        Engine::*,
        Response, TestApp,
        app::{Ids, filter},
        document::{OPERATIONS, Operation},
    },
};

/// A documented list.
struct ListCase {
    operation: &'static str,
    /// The path relative to `/api/v1`, for the data of [`TestApp::with_active_partner`].
    path: &'static str,
    /// A JSON pointer to the id of an item.
    id: &'static str,
}

const LISTS: [ListCase; 16] = [
    ListCase {
        operation: "list_catalog_business_partners",
        path: "/catalog/business-partners",
        id: "/id",
    },
    ListCase {
        operation: "list_catalog_areas",
        path: "/catalog/areas",
        id: "/id",
    },
    ListCase {
        operation: "list_catalog_ticket_types",
        path: "/catalog/ticket-types",
        id: "/id",
    },
    ListCase {
        operation: "list_catalog_plan_boards",
        path: "/catalog/plan-boards",
        id: "/id",
    },
    ListCase {
        operation: "list_customer_integrations",
        path: "/customer-integrations",
        id: "/business_partner/id",
    },
    ListCase {
        operation: "list_accesses",
        path: "/customer-integrations/K-1/accesses",
        id: "/id",
    },
    ListCase {
        operation: "list_all_accesses",
        path: "/accesses",
        id: "/id",
    },
    ListCase {
        operation: "list_areas",
        path: "/customer-integrations/K-1/areas",
        id: "/area_id",
    },
    ListCase {
        operation: "list_ticket_types",
        path: "/customer-integrations/K-1/ticket-types",
        id: "/ticket_type_id",
    },
    ListCase {
        operation: "list_plan_boards",
        path: "/customer-integrations/K-1/plan-boards",
        id: "/plan_board_id",
    },
    ListCase {
        operation: "list_tags",
        path: "/customer-integrations/K-1/tags",
        id: "/id",
    },
    ListCase {
        operation: "list_queries",
        path: "/customer-integrations/K-1/queries",
        id: "/id",
    },
    ListCase {
        operation: "list_exclusion_rules",
        path: "/customer-integrations/K-1/exclusion-rules",
        id: "/id",
    },
    ListCase {
        operation: "list_global_exclusion_rules",
        path: "/exclusion-rules",
        id: "/id",
    },
    ListCase {
        operation: "list_history",
        path: "/customer-integrations/K-1/history",
        id: "/id",
    },
    ListCase {
        operation: "list_system_history",
        path: "/history",
        id: "/id",
    },
];

/// Lists without paging, because they are short and constant.
const UNPAGED: [&str; 1] = ["list_ticket_fields"];

impl ListCase {
    fn of(operation: &str) -> &'static Self {
        LISTS
            .iter()
            .find(|list| list.operation == operation)
            .expect("a list of the table")
    }

    /// Adds an item that sorts as `name`. Names may repeat, `n` must be unique.
    async fn add(&self, app: &TestApp, n: usize, name: &str) {
        let id = format!("X-{n:03}");
        let unique_name = format!("{name} {n}");
        match self.operation {
            "list_catalog_business_partners" | "list_customer_integrations" => {
                put_catalog_entry(app, "business-partners", &id, name).await;
            }
            "list_catalog_areas" => put_catalog_entry(app, "areas", &id, name).await,
            "list_catalog_ticket_types" => put_catalog_entry(app, "ticket-types", &id, name).await,
            "list_catalog_plan_boards" => put_catalog_entry(app, "plan-boards", &id, name).await,
            "list_areas" => {
                put_catalog_entry(app, "areas", &id, name).await;
                self.put_grant(&app.editor(), &id).await;
            }
            "list_ticket_types" => {
                put_catalog_entry(app, "ticket-types", &id, name).await;
                self.put_grant(&app.editor(), &id).await;
            }
            "list_plan_boards" => {
                put_catalog_entry(app, "plan-boards", &id, name).await;
                self.put_grant(&app.erp(), &id).await;
            }
            "list_accesses" | "list_all_accesses" => {
                let email = format!("x{n}@b.example");
                app.create_access("K-1", &email, json!({"last_name": name}))
                    .await;
            }
            "list_tags" => self.post(app, json!({"name": unique_name})).await,
            // every change adds a history entry
            "list_history" | "list_system_history" => {
                let tags = Self::of("list_tags");
                tags.post(app, json!({"name": unique_name})).await;
            }
            "list_queries" => {
                let query =
                    json!({"name": unique_name, "filter": filter(), "columns": ["subject"]});
                self.post(app, query).await;
            }
            "list_exclusion_rules" | "list_global_exclusion_rules" => {
                let rule = json!({"name": unique_name, "filter": filter()});
                self.post(app, rule).await;
            }
            unknown => panic!("no way to add an item to {unknown}"),
        }
    }

    async fn put_grant(&self, client: &Client, id: &str) {
        let path = format!("{}/{id}", self.path);
        client.put(&path, Value::Null).await.is(201);
    }

    async fn post(&self, app: &TestApp, body: Value) {
        app.global_rules_editor()
            .post(self.path, body)
            .await
            .is(201);
    }

    /// The documented sort orders, or an empty one if the list has no `sort` parameter.
    fn orders(&self) -> Vec<String> {
        let operation = OPERATIONS
            .iter()
            .find(|operation| operation.id == self.operation)
            .unwrap();
        let parameters = operation.value["parameters"].as_array().unwrap();
        let Some(sort) = parameters
            .iter()
            .find(|parameter| parameter["name"] == "sort")
        else {
            return vec![String::new()];
        };
        let orders = sort["schema"]["enum"].as_array().expect("sort is an enum");
        orders
            .iter()
            .map(|order| order.as_str().unwrap().to_owned())
            .collect()
    }

    /// The path of the list in this order, ready for more query parameters.
    fn path_sorted_by(&self, sort: &str) -> String {
        if sort.is_empty() {
            format!("{}?", self.path)
        } else {
            format!("{}?sort={sort}&", self.path)
        }
    }

    /// The opposite order; `None` for the empty one.
    fn reverse_of(sort: &str) -> Option<String> {
        let reversed = sort
            .strip_prefix('-')
            .map_or_else(|| format!("-{sort}"), ToOwned::to_owned);
        (!sort.is_empty()).then_some(reversed)
    }

    fn ids(&self, items: &[Value]) -> Vec<String> {
        items
            .iter()
            .map(|item| item.pointer(self.id).unwrap().as_str().unwrap().to_owned())
            .collect()
    }

    /// Deletes items. Returns whether the API can delete items of this list.
    async fn delete(&self, app: &TestApp, ids: &[String]) -> bool {
        let deletes_item = |operation: &&Operation| {
            let list_path = operation.path.rsplit_once('/').map(|(list, _)| list);
            operation.method == "DELETE"
                && list_path == Some(&format!("/api/v1{}", self.path_template()))
        };
        let Some(operation) = OPERATIONS.iter().find(deletes_item) else {
            return false;
        };
        for id in ids {
            app.client_with_scope(&operation.scope)
                .delete(&format!("{}/{id}", self.path))
                .await
                .is(204);
        }
        true
    }

    /// The path as documented.
    fn path_template(&self) -> String {
        self.path.replace("K-1", "{business_partner_id}")
    }
}

async fn put_catalog_entry(app: &TestApp, kind: &str, id: &str, name: &str) {
    let body = match kind {
        "business-partners" => json!({"name": name, "search_name": "X"}),
        "areas" => json!({"name": name, "color": "#000000"}),
        "ticket-types" => json!({"name": name, "kind": "dynamic"}),
        "plan-boards" => json!({"name": name}),
        unknown => panic!("unknown kind {unknown}"),
    };
    app.erp()
        .put(&format!("/catalog/{kind}/{id}"), body)
        .await
        .is(201);
}

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

/// An ETag without its language suffix.
pub fn without_language(etag: &str) -> String {
    etag.split_once('+')
        .map_or_else(|| etag.to_owned(), |(state, _)| format!("{state}\""))
}

/// A write that changes a single resource.
struct Write {
    /// The path, with a placeholder such as `TAG` for an id.
    path: &'static str,
    method: &'static str,
    /// JSON, or empty for no body.
    body: &'static str,
}

/// One write of each kind.
const WRITES: &[Write] = &[
    Write {
        path: "/customer-integrations/K-1",
        method: "PATCH",
        body: r#"{"active": false}"#,
    },
    Write {
        path: "/customer-integrations/K-1/accesses/ACCESS",
        method: "PATCH",
        body: r#"{"language": "en"}"#,
    },
    Write {
        path: "/customer-integrations/K-1/areas/A-2",
        method: "DELETE",
        body: "",
    },
    Write {
        path: "/customer-integrations/K-1/ticket-types/T-2",
        method: "PUT",
        body: r#"{"approval_required": true}"#,
    },
    Write {
        path: "/catalog/business-partners/K-1",
        method: "PUT",
        body: r#"{"name": "Other", "search_name": "P1"}"#,
    },
    Write {
        path: "/catalog/areas/A-1",
        method: "PUT",
        body: r##"{"name": "Other", "color": "#00AAFF"}"##,
    },
    Write {
        path: "/catalog/ticket-types/T-1",
        method: "PUT",
        body: r#"{"name": "Other", "kind": "standard"}"#,
    },
    Write {
        path: "/customer-integrations/K-1/plan-boards/B-1",
        method: "DELETE",
        body: "",
    },
    Write {
        path: "/catalog/plan-boards/B-1",
        method: "PUT",
        body: r#"{"name": "Other"}"#,
    },
    Write {
        path: "/customer-integrations/K-1/tags/TAG",
        method: "PATCH",
        body: r#"{"name": "Other"}"#,
    },
    Write {
        path: "/customer-integrations/K-1/tags/TAG",
        method: "DELETE",
        body: "",
    },
    Write {
        path: "/customer-integrations/K-1/queries/QUERY",
        method: "PATCH",
        body: r#"{"position": 7}"#,
    },
    Write {
        path: "/customer-integrations/K-1/exclusion-rules/RULE",
        method: "PATCH",
        body: r#"{"active": false}"#,
    },
    Write {
        path: "/exclusion-rules/GLOBAL",
        method: "PATCH",
        body: r#"{"description": "Other"}"#,
    },
    Write {
        path: "/exclusion-rules/GLOBAL",
        method: "DELETE",
        body: "",
    },
];

/// A write to an existing resource, and the state before it.
struct ConditionalWrite {
    client: Client,
    method: &'static str,
    path: String,
    body: &'static str,
    before: Response,
}

/// Creates the resources of [`WRITES`].
async fn create_resources(app: &TestApp) -> Ids {
    for grant in ["areas/A-2", "ticket-types/T-2"] {
        let path = format!("/customer-integrations/K-1/{grant}");
        app.editor().put(&path, Value::Null).await.is(201);
    }
    app.create_one_of_each().await
}

impl ConditionalWrite {
    async fn new(app: &TestApp, ids: &Ids, write: &Write) -> Self {
        let path = write
            .path
            .replace("ACCESS", &ids.access)
            .replace("TAG", &ids.tag)
            .replace("QUERY", &ids.query)
            .replace("RULE", &ids.rule)
            .replace("GLOBAL", &ids.global_rule);
        let client = app.client_with_scope(
            "integration:read integration:write global-rules:write catalog:read catalog:write",
        );
        let before = client.get(&path).await.is(200);
        Self {
            client,
            method: write.method,
            path,
            body: write.body,
            before,
        }
    }

    async fn send(&self, header: &str, value: &str) -> Response {
        let request = self.client.request(self.method, &self.path);
        let request = request.header(header, value);
        if self.body.is_empty() {
            request.send().await
        } else {
            request.raw("application/json", self.body).send().await
        }
    }

    async fn get_if_none_match(&self, etags: &str) -> Response {
        let request = self.client.request("GET", &self.path);
        request.header("if-none-match", etags).send().await
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn read_with_current_etag_returns_304(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let ids = create_resources(&app).await;

    for write in WRITES {
        let write = ConditionalWrite::new(&app, &ids, write).await;
        let etag = write.before.etag();

        assert!(
            etag.starts_with('"') && etag.ends_with('"'),
            "{etag} must be a strong ETag"
        );
        write.get_if_none_match(&etag).await.is(304);
        write
            .get_if_none_match(&format!("\"x\", W/{etag}"))
            .await
            .is(304);
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn write_with_stale_condition_returns_412_and_changes_nothing(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let ids = create_resources(&app).await;

    for write in WRITES {
        let write = ConditionalWrite::new(&app, &ids, write).await;
        let etag = write.before.etag();

        for stale in ["\"0\"", "\"999\"", "\"1x\"", &format!("W/{etag}"), "\"\""] {
            let response = write.send("if-match", stale).await;
            let refused = response.is_problem(412, "precondition_failed");
            assert_eq!(
                refused.etag(),
                without_language(&etag),
                "412 returns the current ETag without the language"
            );
        }
        if write.method == "PUT" {
            let create_only = write.send("if-none-match", "*").await;
            create_only.is_problem(412, "precondition_failed");
        }

        let after = write.client.get(&write.path).await.is(200);
        assert_eq!(after.json, write.before.json);
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn write_with_malformed_if_match_returns_400_and_changes_nothing(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let ids = create_resources(&app).await;

    for write in WRITES {
        let write = ConditionalWrite::new(&app, &ids, write).await;

        let response = write.send("if-match", "3").await;

        response.is_problem(400, "invalid_parameter");
        let after = write.client.get(&write.path).await.is(200);
        assert_eq!(after.json, write.before.json);
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn write_with_current_etag_is_accepted_and_changes_the_etag(engine: Engine) {
    for write in WRITES.iter().filter(|write| write.method != "DELETE") {
        let app = TestApp::with_active_partner(engine).await;
        let ids = create_resources(&app).await;
        let write = ConditionalWrite::new(&app, &ids, write).await;
        let etag = write.before.etag();

        let written = write
            .send("if-match", &format!("\"nope\", {etag}"))
            .await
            .is(200);

        let after = write.get_if_none_match(&etag).await.is(200);
        assert_eq!(after.etag(), written.etag());
        assert_eq!(after.json, written.json);
        assert_ne!(after.etag(), etag);
    }
}

/// Items of lists have no ETag, so clients may use their version.
#[apply(both_engines)]
#[actix_web::test]
async fn write_with_version_as_if_match_is_accepted(engine: Engine) {
    for write in WRITES.iter().filter(|write| write.method != "DELETE") {
        let app = TestApp::with_active_partner(engine).await;
        let ids = create_resources(&app).await;
        let write = ConditionalWrite::new(&app, &ids, write).await;
        let before = &write.before.json;
        let version = before.get("revision").unwrap_or(&before["version"]);

        write
            .send("if-match", &format!("\"{version}\""))
            .await
            .is(200);
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn deletion_with_current_etag_is_accepted_once(engine: Engine) {
    for write in WRITES.iter().filter(|write| write.method == "DELETE") {
        let app = TestApp::with_active_partner(engine).await;
        let ids = create_resources(&app).await;
        let write = ConditionalWrite::new(&app, &ids, write).await;
        let etag = write.before.etag();

        write
            .send("if-match", &format!("\"nope\", {etag}"))
            .await
            .is(204);
        write
            .send("if-match", "*")
            .await
            .is_problem(404, "not_found");
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn if_match_on_missing_resource_returns_412(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let area = "/customer-integrations/K-1/areas/A-2";

    let request = app.editor().request("PUT", area).header("if-match", "*");
    let response = request.send().await;

    response.is_problem(412, "precondition_failed");
    app.reader().get(area).await.is_problem(404, "not_found");
}

#[apply(both_engines)]
#[actix_web::test]
async fn if_none_match_any_restricts_put_to_creation(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let put_new = async || {
        let editor = app.editor();
        let request = editor.request("PUT", "/customer-integrations/K-1/areas/A-2");
        request.header("if-none-match", "*").send().await
    };

    put_new().await.is(201);
    put_new().await.is_problem(412, "precondition_failed");
}

const ALLOWED_ORIGIN: &str = "https://portal.example";

async fn send_preflight(app: &TestApp, origin: &str) -> reqwest::Response {
    let url = format!("{}/api/v1/customer-integrations/K-1", app.origin);
    reqwest::Client::new()
        .request(reqwest::Method::OPTIONS, url)
        .header("origin", origin)
        .header("access-control-request-method", "PATCH")
        .header(
            "access-control-request-headers",
            "authorization,if-match,content-type",
        )
        .send()
        .await
        .unwrap()
}

#[actix_web::test]
async fn cors_preflight_allows_configured_origins_only() {
    let app = TestApp::with_active_partner(Sqlite).await;

    let allowed = send_preflight(&app, ALLOWED_ORIGIN).await;
    let refused = send_preflight(&app, "https://evil.example").await;

    assert_eq!(allowed.status(), 200);
    assert_eq!(
        allowed.headers()["access-control-allow-origin"],
        ALLOWED_ORIGIN
    );
    let allow_origin = refused.headers().get("access-control-allow-origin");
    assert_eq!(allow_origin, None);
}

#[actix_web::test]
async fn cors_exposes_headers_and_problems() {
    let app = TestApp::with_active_partner(Sqlite).await;
    let get = async |path: &str| {
        let client = app.reader();
        let request = client.request("GET", path);
        request.header("origin", ALLOWED_ORIGIN).send().await
    };

    let read = get("/customer-integrations/K-1").await.is(200);
    let exposed = read.header("access-control-expose-headers").to_lowercase();
    for header in ["etag", "location", "x-request-id"] {
        assert!(exposed.contains(header), "{exposed}");
    }

    let problem = get("/customer-integrations/K-99").await.is(404);
    assert_eq!(
        problem.header("access-control-allow-origin"),
        ALLOWED_ORIGIN
    );
}

#[actix_web::test]
async fn cors_without_allowed_origins_sends_no_cors_headers() {
    let app = TestApp::with_settings(|config| config.cors_allowed_origins.clear()).await;
    let send = async |method: &str| {
        let client = app.erp();
        let request = client.request(method, "/catalog/areas");
        request
            .header("origin", ALLOWED_ORIGIN)
            .header("access-control-request-method", "PUT")
            .send()
            .await
    };

    let preflight = send("OPTIONS").await.is_problem(405, "method_not_allowed");
    let read = send("GET").await.is(200);

    for response in [preflight, read] {
        assert_eq!(response.header("access-control-allow-origin"), "");
        assert!(!response.header("vary").to_lowercase().contains("origin"));
    }
}

//! Behavior that all resources share: paging, ETags, preconditions and CORS. The tests fail if a
//! documented list is missing from the table.

use crate::engines::both_engines;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rstest::rstest;
use rstest_reuse::apply;
use serde_json::{Value, json};

use crate::support::{
    Engine,
    Engine::*,
    TestApp,
    app::filter,
    document::{OPERATIONS, Operation},
};

/// A documented list; `add` adds an item to it.
struct ListCase {
    operation: &'static str,
    /// Relative to the base path of the API, for the data of [`TestApp::with_active_partner`].
    path: &'static str,
    /// JSON pointer to the ID of an item.
    id: &'static str,
}

const LISTS: [ListCase; 15] = [
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
        let erp = app.erp();
        let editor = app.editor();
        let id = format!("X-{n:03}");
        let area = json!({"name": name, "color": "#000000"});
        let ticket_type = json!({"name": name, "kind": "dynamic"});
        match self.operation {
            "list_catalog_business_partners" | "list_customer_integrations" => {
                let partner = json!({"name": name, "search_name": "X"});
                erp.put(&format!("/catalog/business-partners/{id}"), partner)
                    .await
                    .is(201);
            }
            "list_catalog_areas" => {
                _ = erp.put(&format!("/catalog/areas/{id}"), area).await.is(201);
            }
            "list_catalog_ticket_types" => {
                _ = erp
                    .put(&format!("/catalog/ticket-types/{id}"), ticket_type)
                    .await
                    .is(201);
            }
            "list_catalog_plan_boards" => {
                erp.put(&format!("/catalog/plan-boards/{id}"), json!({"name": name}))
                    .await
                    .is(201);
            }
            "list_accesses" | "list_all_accesses" => drop(
                app.access(
                    "K-1",
                    &format!("x{n}@b.example"),
                    json!({"last_name": name}),
                )
                .await,
            ),
            "list_areas" => {
                erp.put(&format!("/catalog/areas/{id}"), area).await.is(201);
                editor
                    .put(&format!("{}/{id}", self.path), Value::Null)
                    .await
                    .is(201);
            }
            "list_ticket_types" => {
                erp.put(&format!("/catalog/ticket-types/{id}"), ticket_type)
                    .await
                    .is(201);
                editor
                    .put(&format!("{}/{id}", self.path), Value::Null)
                    .await
                    .is(201);
            }
            "list_plan_boards" => {
                erp.put(&format!("/catalog/plan-boards/{id}"), json!({"name": name}))
                    .await
                    .is(201);
                erp.put(&format!("{}/{id}", self.path), Value::Null)
                    .await
                    .is(201);
            }
            // every change adds a history entry
            "list_tags" | "list_history" => {
                let tag = json!({"name": format!("{name} {n}")});
                editor
                    .post("/customer-integrations/K-1/tags", tag)
                    .await
                    .is(201);
            }
            "list_queries" => {
                let query = json!({
                    "name": format!("{name} {n}"),
                    "filter": filter(),
                    "columns": ["subject"],
                });
                editor.post(self.path, query).await.is(201);
            }
            "list_exclusion_rules" | "list_global_exclusion_rules" => {
                let rule = json!({"name": format!("{name} {n}"), "filter": filter()});
                app.global_rules_editor()
                    .post(self.path, rule)
                    .await
                    .is(201);
            }
            unknown => panic!("no way to add an item to {unknown}"),
        }
    }

    /// Returns the documented sort orders, or an empty one if the list has no `sort` parameter.
    fn orders(&self) -> Vec<String> {
        let operation = OPERATIONS
            .iter()
            .find(|operation| operation.id == self.operation)
            .unwrap();
        let parameters = operation.value["parameters"].as_array().unwrap();
        let sort = parameters
            .iter()
            .find(|parameter| parameter["name"] == "sort");
        let orders = sort.map(|sort| {
            sort["schema"]["enum"]
                .as_array()
                .expect("sort is an enum")
                .clone()
        });
        orders.map_or(vec![String::new()], |orders| {
            orders
                .iter()
                .map(|order| order.as_str().unwrap().to_owned())
                .collect()
        })
    }

    /// Returns the path of the list in this order, ready for more query parameters.
    fn path_sorted_by(&self, sort: &str) -> String {
        if sort.is_empty() {
            format!("{}?", self.path)
        } else {
            format!("{}?sort={sort}&", self.path)
        }
    }

    /// Returns the opposite order.
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

    /// Deletes items. Returns false if the API cannot delete items of this list.
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
            app.with_scope(&operation.scope)
                .delete(&format!("{}/{id}", self.path))
                .await
                .is(204);
        }
        true
    }

    /// Returns the path as documented.
    fn path_template(&self) -> String {
        self.path.replace("K-1", "{business_partner_id}")
    }
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

#[apply(both_engines)]
#[actix_web::test]
async fn pages_contain_every_item_once(
    engine: Engine,
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
        "list_history"
    )]
    operation: &str,
) {
    let app = TestApp::with_active_partner(engine).await;
    let list = ListCase::of(operation);
    let reader = app.reader();
    for (n, name) in NAMES.iter().enumerate() {
        list.add(&app, n, name).await;
    }
    for sort in list.orders() {
        let path = list.path_sorted_by(&sort);
        let whole = list.ids(&reader.all(&format!("{path}limit=200")).await);
        assert!(whole.len() >= NAMES.len(), "{}", list.operation);
        for limit in [1, 2, 5] {
            let paged = list.ids(&reader.all(&format!("{path}limit={limit}")).await);
            assert_eq!(
                paged, whole,
                "{} by {sort}, {limit} at a time",
                list.operation
            );
        }
        let Some(reversed) = ListCase::reverse_of(&sort) else {
            continue;
        };
        let mut reversed_ids = list.ids(
            &reader
                .all(&format!("{}limit=3", list.path_sorted_by(&reversed)))
                .await,
        );
        reversed_ids.reverse();
        assert_eq!(
            reversed_ids, whole,
            "{} by {sort} is not the reverse of {reversed}",
            list.operation
        );
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn paging_during_writes_returns_unchanged_items_once(
    engine: Engine,
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
        "list_history"
    )]
    operation: &str,
) {
    let app = TestApp::with_active_partner(engine).await;
    let list = ListCase::of(operation);
    let reader = app.reader();
    for (n, name) in NAMES.iter().enumerate() {
        list.add(&app, n, name).await;
    }
    for (round, sort) in list.orders().into_iter().enumerate() {
        let path = list.path_sorted_by(&sort);
        let before = list.ids(&reader.all(&path).await);
        let first = reader.get(&format!("{path}limit=4")).await.is(200);
        for (n, name) in ["Aaa", "Mmm", "Zzz"].into_iter().enumerate() {
            list.add(&app, 100 + 3 * round + n, name).await;
        }
        // an item of the first page, the item that the cursor points to, and one of a later page
        let candidates: Vec<_> = [1, 3, 6].into_iter().map(|n| before[n].clone()).collect();
        let deleted = if list.delete(&app, &candidates).await {
            candidates
        } else {
            Vec::new()
        };
        let cursor = first.json["next_cursor"].as_str().unwrap().to_owned();
        let rest = reader
            .all_after(&format!("{path}limit=4"), Some(cursor.clone()))
            .await;
        let seen: Vec<_> = first
            .items(list.id)
            .into_iter()
            .chain(list.ids(&rest))
            .collect();
        let untouched: Vec<_> = before
            .iter()
            .filter(|id| !deleted.contains(id))
            .cloned()
            .collect();
        let seen_untouched: Vec<_> = seen
            .iter()
            .filter(|id| untouched.contains(id))
            .cloned()
            .collect();
        assert_eq!(
            seen_untouched, untouched,
            "{} by {sort} lost or repeated an item",
            list.operation
        );
        assert_eq!(
            seen.iter().collect::<std::collections::HashSet<_>>().len(),
            seen.len(),
            "{}",
            list.operation
        );
        // a cursor is valid only for its own list and order
        let other_list = LISTS
            .iter()
            .find(|other| other.operation != list.operation && other.orders().contains(&sort));
        if let Some(other_list) = other_list {
            let other = format!("{}cursor={cursor}", other_list.path_sorted_by(&sort));
            reader.get(&other).await.is_problem(400, "invalid_cursor");
        }
        if let Some(reversed) = ListCase::reverse_of(&sort) {
            let other = format!("{}cursor={cursor}", list.path_sorted_by(&reversed));
            reader.get(&other).await.is_problem(400, "invalid_cursor");
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

/// A search text and the names it finds.
struct Search {
    q: &'static str,
    found: &'static [&'static str],
}

const SEARCHES: &[Search] = &[
    Search {
        q: "hotel mhz tm",
        found: &["ℋotel ㎒ ™"],
    },
    Search {
        q: "ℋOTEL",
        found: &["ℋotel ㎒ ™"],
    },
    Search {
        q: "straße",
        found: &["STRASSE", "Straße"],
    },
    Search {
        q: "STRASSE",
        found: &["STRASSE", "Straße"],
    },
    Search {
        q: "ﬁ",
        found: &["ﬁne"],
    },
    Search {
        q: "FI",
        found: &["ﬁne"],
    },
    Search {
        q: "%",
        found: &["100 % sure"],
    },
    Search {
        q: "_",
        found: &["under_score"],
    },
    Search {
        q: "\\",
        found: &[r"back\slash"],
    },
    Search {
        q: "UNICODE",
        found: &["Ünïcödé"],
    },
    Search {
        q: "\u{301}",
        found: &[],
    },
    Search {
        q: "´ ¨",
        found: &[],
    },
];

#[apply(both_engines)]
#[actix_web::test]
async fn search_ignores_case_accents_and_ligatures(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    for (n, name) in SEARCHED_NAMES.iter().enumerate() {
        ListCase::of("list_catalog_areas").add(&app, n, name).await;
    }
    for Search { q, found } in SEARCHES {
        let path = format!(
            "/catalog/areas?{}",
            serde_urlencoded::to_string([("q", q)]).unwrap()
        );
        let mut names = app.reader().get(&path).await.is(200).items("/name");
        names.sort_unstable();
        assert_eq!(names, *found, "{q}");
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
    let id = app.access("K-1", "a@b.example", json!({})).await;
    let position = json!({"s": "CreatedAt", "d": false, "k": time, "i": id}).to_string();
    let cursor = URL_SAFE_NO_PAD.encode(position);
    let path = format!("/customer-integrations/K-1/accesses?sort=created_at&cursor={cursor}");
    app.reader()
        .get(&path)
        .await
        .is_problem(400, "invalid_cursor");
}

#[rstest]
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
    let mut orders = Vec::new();
    for engine in [Sqlite, Postgres] {
        let app = TestApp::with_active_partner(engine).await;
        for (n, name) in NAMES.iter().enumerate() {
            list.add(&app, n, name).await;
        }
        let name = if list.operation == "list_accesses" {
            "last_name"
        } else {
            "name"
        };
        let items = app.reader().all(list.path).await;
        let names: Vec<_> = items
            .iter()
            .map(|item| {
                item.get(name)
                    .or(item.pointer("/business_partner/name"))
                    .unwrap()
                    .clone()
            })
            .collect();
        orders.push(names);
    }
    assert_eq!(orders[0], orders[1]);
}

#[apply(both_engines)]
#[actix_web::test]
async fn unchanged_list_returns_304(
    engine: Engine,
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
        "list_history"
    )]
    operation: &str,
) {
    let app = TestApp::with_active_partner(engine).await;
    let list = ListCase::of(operation);
    let reader = app.reader();
    let etag = reader.get(list.path).await.is(200).etag();
    let conditional_read = async || {
        reader
            .request("GET", list.path)
            .header("if-none-match", &etag)
            .send()
            .await
    };
    let unchanged = conditional_read().await.is(304);
    assert_eq!(unchanged.text, "");
    assert_eq!(unchanged.etag(), etag);
    list.add(&app, 1, "New").await;
    assert_ne!(conditional_read().await.is(200).etag(), etag);
}

/// Returns an ETag without its language suffix.
fn without_language(etag: &str) -> String {
    etag.split_once('+')
        .map_or_else(|| etag.to_owned(), |(state, _)| format!("{state}\""))
}

struct Write {
    path: &'static str,
    method: &'static str,
    body: &'static str,
}

/// Writes that change a single resource.
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

#[apply(both_engines)]
#[actix_web::test]
async fn write_with_stale_if_match_returns_412(engine: Engine) {
    for write in WRITES {
        check_conditional_write(&TestApp::with_active_partner(engine).await, write).await;
    }
}

async fn check_conditional_write(app: &TestApp, write: &Write) {
    let &Write { path, method, body } = write;
    let ids = app.create_one_of_each().await;
    app.editor()
        .put("/customer-integrations/K-1/areas/A-2", Value::Null)
        .await
        .is(201);
    app.editor()
        .put("/customer-integrations/K-1/ticket-types/T-2", Value::Null)
        .await
        .is(201);
    let ids_by_placeholder = [
        ("ACCESS", &ids.access),
        ("TAG", &ids.tag),
        ("QUERY", &ids.query),
        ("RULE", &ids.rule),
        ("GLOBAL", &ids.global_rule),
    ];
    let path = ids_by_placeholder
        .iter()
        .fold(path.to_owned(), |path, (placeholder, id)| {
            path.replace(placeholder, id)
        });
    let caller = app.with_scope(
        "integration:read integration:write global-rules:write catalog:read catalog:write",
    );
    let current = caller.get(&path).await.is(200);
    let etag = current.etag();
    assert!(
        etag.starts_with('"') && etag.ends_with('"'),
        "{etag} must be a strong ETag"
    );
    let send = async |header: &str, value: &str| {
        let request = caller.request(method, &path).header(header, value);
        if body.is_empty() {
            request.send().await
        } else {
            request
                .raw("application/json", body.to_owned())
                .send()
                .await
        }
    };
    caller
        .request("GET", &path)
        .header("if-none-match", &etag)
        .send()
        .await
        .is(304);
    caller
        .request("GET", &path)
        .header("if-none-match", &format!("\"x\", W/{etag}"))
        .send()
        .await
        .is(304);
    for stale in ["\"0\"", "\"999\"", "\"1x\"", &format!("W/{etag}"), "\"\""] {
        let refused = send("if-match", stale)
            .await
            .is_problem(412, "precondition_failed");
        // the ETag of a 412 has no language suffix
        assert_eq!(
            refused.etag(),
            without_language(&etag),
            "412 returns the current ETag"
        );
    }
    send("if-match", "3")
        .await
        .is_problem(400, "invalid_parameter");
    if method == "PUT" {
        send("if-none-match", "*")
            .await
            .is_problem(412, "precondition_failed");
    }
    assert_eq!(
        caller.get(&path).await.is(200).json,
        current.json,
        "a refused write changes nothing"
    );
    let written = send("if-match", &format!("\"nope\", {etag}")).await;
    assert!(matches!(written.status, 200 | 204), "{}", written.text);
    if method == "DELETE" {
        send("if-match", "*").await.is_problem(404, "not_found");
        return;
    }
    let after = caller.get(&path).await.is(200);
    assert_eq!(after.etag(), written.etag());
    assert_eq!(after.json, written.json);
    assert_ne!(after.etag(), etag);
    caller
        .request("GET", &path)
        .header("if-none-match", &etag)
        .send()
        .await
        .is(200);
    // the version or revision alone is accepted too, because items of lists have no ETag
    let version = after
        .json
        .get("revision")
        .unwrap_or(&after.json["version"])
        .to_string();
    send("if-match", &format!("\"{version}\"")).await.is(200);
}

#[apply(both_engines)]
#[actix_web::test]
async fn if_match_on_missing_resource_returns_412(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();
    let path = "/customer-integrations/K-1/areas/A-2";
    editor
        .request("PUT", path)
        .header("if-match", "*")
        .send()
        .await
        .is_problem(412, "precondition_failed");
    editor.get(path).await.is_problem(404, "not_found");
    editor
        .request("PUT", path)
        .header("if-none-match", "*")
        .send()
        .await
        .is(201);
    editor
        .request("PUT", path)
        .header("if-none-match", "*")
        .send()
        .await
        .is_problem(412, "precondition_failed");
}

#[rstest]
#[actix_web::test]
async fn cors_allows_configured_origins_only(#[values(Sqlite)] engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let preflight = async |origin: &str| {
        let request = reqwest::Client::new().request(
            reqwest::Method::OPTIONS,
            format!("{}/api/v1/customer-integrations/K-1", app.base),
        );
        request
            .header("origin", origin)
            .header("access-control-request-method", "PATCH")
            .header(
                "access-control-request-headers",
                "authorization,if-match,content-type",
            )
            .send()
            .await
            .unwrap()
    };
    let allowed = preflight("https://portal.example").await;
    assert_eq!(allowed.status(), 200);
    assert_eq!(
        allowed.headers()["access-control-allow-origin"],
        "https://portal.example"
    );
    let refused = preflight("https://evil.example").await;
    assert!(
        !refused
            .headers()
            .contains_key("access-control-allow-origin")
    );
    let read = app
        .reader()
        .request("GET", "/customer-integrations/K-1")
        .header("origin", "https://portal.example");
    let exposed = read
        .send()
        .await
        .is(200)
        .header("access-control-expose-headers")
        .to_lowercase();
    for header in ["etag", "location", "x-request-id"] {
        assert!(exposed.contains(header), "{exposed}");
    }
    // problems are readable across origins too
    let problem = app
        .reader()
        .request("GET", "/customer-integrations/K-99")
        .header("origin", "https://portal.example");
    assert_eq!(
        problem
            .send()
            .await
            .is(404)
            .header("access-control-allow-origin"),
        "https://portal.example"
    );
}

#[actix_web::test]
async fn cors_without_allowed_origins_sends_no_cors_headers() {
    let app = TestApp::with_settings(|config| config.cors_allowed_origins.clear()).await;
    let cross_origin = |method: &str| {
        let request = app
            .erp()
            .request(method, "/catalog/areas")
            .header("origin", "https://portal.example");
        request.header("access-control-request-method", "PUT")
    };
    let responses = [
        cross_origin("OPTIONS")
            .send()
            .await
            .is_problem(405, "method_not_allowed"),
        cross_origin("GET").send().await.is(200),
    ];
    for response in responses {
        assert_eq!(response.header("access-control-allow-origin"), "");
        assert!(!response.header("vary").to_lowercase().contains("origin"));
    }
}

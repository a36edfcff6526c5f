//! What all resources promise alike: paging, tags, preconditions, CORS. A new list or a new write without a row fails.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{
    Engine,
    Engine::*,
    TestApp,
    app::filter,
    document::{OPERATIONS, Operation},
};

/// A list of the document; `add` knows how to add an item to it.
struct Listed {
    operation: &'static str,
    /// Below the API's base, in an application made by [`TestApp::ready`].
    path: &'static str,
    /// Where an item's id is, as a JSON pointer.
    id: &'static str,
}

const LISTS: [Listed; 14] = [
    Listed {
        operation: "list_catalog_business_partners",
        path: "/catalog/business-partners",
        id: "/id",
    },
    Listed {
        operation: "list_catalog_areas",
        path: "/catalog/areas",
        id: "/id",
    },
    Listed {
        operation: "list_catalog_ticket_types",
        path: "/catalog/ticket-types",
        id: "/id",
    },
    Listed {
        operation: "list_catalog_plan_boards",
        path: "/catalog/plan-boards",
        id: "/id",
    },
    Listed {
        operation: "list_customer_integrations",
        path: "/customer-integrations",
        id: "/business_partner/id",
    },
    Listed {
        operation: "list_accesses",
        path: "/customer-integrations/K-1/accesses",
        id: "/id",
    },
    Listed {
        operation: "list_areas",
        path: "/customer-integrations/K-1/areas",
        id: "/area_id",
    },
    Listed {
        operation: "list_ticket_types",
        path: "/customer-integrations/K-1/ticket-types",
        id: "/ticket_type_id",
    },
    Listed {
        operation: "list_plan_boards",
        path: "/customer-integrations/K-1/plan-boards",
        id: "/plan_board_id",
    },
    Listed {
        operation: "list_tags",
        path: "/customer-integrations/K-1/tags",
        id: "/id",
    },
    Listed {
        operation: "list_queries",
        path: "/customer-integrations/K-1/queries",
        id: "/id",
    },
    Listed {
        operation: "list_exclusion_rules",
        path: "/customer-integrations/K-1/exclusion-rules",
        id: "/id",
    },
    Listed {
        operation: "list_global_exclusion_rules",
        path: "/exclusion-rules",
        id: "/id",
    },
    Listed {
        operation: "list_history",
        path: "/customer-integrations/K-1/history",
        id: "/id",
    },
];

/// Lists that are not paged: they are the same for everybody, and short.
const UNPAGED: [&str; 1] = ["list_ticket_fields"];

impl Listed {
    /// Adds an item that sorts as `name`; names may repeat, `n` may not.
    async fn add(&self, app: &TestApp, n: usize, name: &str) {
        let (erp, editor) = (app.erp(), app.editor());
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
                _ = erp.put(&format!("/catalog/areas/{id}"), area).await.is(201)
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
            "list_accesses" => drop(
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
            // a change of any sort makes an entry
            "list_tags" | "list_history" => {
                let tag = json!({"name": format!("{name} {n}")});
                editor
                    .post("/customer-integrations/K-1/tags", tag)
                    .await
                    .is(201);
            }
            "list_queries" => {
                let query = json!({"name": format!("{name} {n}"), "filter": filter(), "columns": ["subject"]});
                editor.post(self.path, query).await.is(201);
            }
            "list_exclusion_rules" | "list_global_exclusion_rules" => {
                let rule = json!({"name": format!("{name} {n}"), "filter": filter()});
                app.ruler().post(self.path, rule).await.is(201);
            }
            unknown => panic!("{unknown}"),
        }
    }
}

impl Listed {
    /// The orders that the document names; an empty one where there is no choice.
    fn orders(&self) -> Vec<String> {
        let operation = OPERATIONS
            .iter()
            .find(|it| it.id == self.operation)
            .unwrap();
        let parameters = operation.value["parameters"].as_array().unwrap();
        let sort = parameters.iter().find(|it| it["name"] == "sort");
        let orders = sort.map(|sort| {
            sort["schema"]["enum"]
                .as_array()
                .expect("the orders")
                .clone()
        });
        orders.map_or(vec![String::new()], |orders| {
            orders
                .iter()
                .map(|it| it.as_str().unwrap().to_owned())
                .collect()
        })
    }

    fn path_by(&self, sort: &str) -> String {
        if sort.is_empty() {
            format!("{}?", self.path)
        } else {
            format!("{}?sort={sort}&", self.path)
        }
    }

    fn mirror_of(sort: &str) -> Option<String> {
        let mirrored = sort
            .strip_prefix('-')
            .map_or_else(|| format!("-{sort}"), ToOwned::to_owned);
        (!sort.is_empty()).then_some(mirrored)
    }

    fn ids(&self, items: &[Value]) -> Vec<String> {
        items
            .iter()
            .map(|it| it.pointer(self.id).unwrap().as_str().unwrap().to_owned())
            .collect()
    }

    /// Deletes items; false where these cannot be deleted.
    async fn delete(&self, app: &TestApp, ids: &[String]) -> bool {
        let deletes = |it: &&Operation| {
            let item = it.path.rsplit_once('/').map(|(list, _)| list);
            it.method == "DELETE" && item == Some(&format!("/api/v1{}", self.shape()))
        };
        let Some(operation) = OPERATIONS.iter().find(deletes) else {
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

    /// The path as the document writes it.
    fn shape(&self) -> String {
        self.path.replace("K-1", "{business_partner_id}")
    }
}

#[test]
fn every_list_is_in_the_table() {
    let mut documented: Vec<_> = OPERATIONS
        .iter()
        .filter(|it| it.is_list())
        .map(|it| it.id.as_str())
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

/// Names that collide, differ in case and accents only, or hold what SQL and cursors might trip over.
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

#[rstest]
#[actix_web::test]
async fn pages_neither_lose_nor_repeat(
    #[values(Sqlite, Postgres)] engine: Engine,
    #[values(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13)] list: usize,
) {
    let Some(app) = TestApp::ready(engine).await else {
        return;
    };
    let (list, reader) = (&LISTS[list], app.reader());
    for (n, name) in NAMES.iter().enumerate() {
        list.add(&app, n, name).await;
    }
    for sort in list.orders() {
        let path = list.path_by(&sort);
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
        let Some(mirrored) = Listed::mirror_of(&sort) else {
            continue;
        };
        let mut backwards = list.ids(
            &reader
                .all(&format!("{}limit=3", list.path_by(&mirrored)))
                .await,
        );
        backwards.reverse();
        assert_eq!(
            backwards, whole,
            "{} by {sort} is not the mirror of {mirrored}",
            list.operation
        );
    }
}

#[rstest]
#[actix_web::test]
async fn paging_goes_on_while_others_write(
    #[values(Sqlite, Postgres)] engine: Engine,
    #[values(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13)] list: usize,
) {
    let Some(app) = TestApp::ready(engine).await else {
        return;
    };
    let (list, reader) = (&LISTS[list], app.reader());
    for (n, name) in NAMES.iter().enumerate() {
        list.add(&app, n, name).await;
    }
    for (round, sort) in list.orders().into_iter().enumerate() {
        let path = list.path_by(&sort);
        let before = list.ids(&reader.all(&path).await);
        let first = reader.get(&format!("{path}limit=4")).await.is(200);
        for (n, name) in ["Aaa", "Mmm", "Zzz"].into_iter().enumerate() {
            list.add(&app, 100 + 3 * round + n, name).await;
        }
        // one that was on the first page, the one its cursor names, and one that is still to come
        let gone: Vec<_> = [1, 3, 6].into_iter().map(|n| before[n].clone()).collect();
        let gone = if list.delete(&app, &gone).await {
            gone
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
            .filter(|id| !gone.contains(id))
            .cloned()
            .collect();
        let again: Vec<_> = seen
            .iter()
            .filter(|id| untouched.contains(id))
            .cloned()
            .collect();
        assert_eq!(
            again, untouched,
            "{} by {sort} lost or repeated an item",
            list.operation
        );
        assert_eq!(
            seen.iter().collect::<std::collections::HashSet<_>>().len(),
            seen.len(),
            "{}",
            list.operation
        );
        // a place in one list means nothing in another
        let others = LISTS
            .iter()
            .filter(|it| it.operation != list.operation && it.orders().contains(&sort));
        for elsewhere in others.take(1) {
            let other = format!("{}cursor={cursor}", elsewhere.path_by(&sort));
            reader.get(&other).await.is_problem(400, "invalid_cursor");
        }
        if let Some(mirrored) = Listed::mirror_of(&sort) {
            let other = format!("{}cursor={cursor}", list.path_by(&mirrored));
            reader.get(&other).await.is_problem(400, "invalid_cursor");
        }
    }
}

/// Names that are hard to search for.
const HARD: [&str; 9] = [
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

#[rstest]
#[case("hotel mhz tm", &["ℋotel ㎒ ™"])]
#[case("ℋOTEL", &["ℋotel ㎒ ™"])]
#[case("straße", &["STRASSE", "Straße"])]
#[case("STRASSE", &["STRASSE", "Straße"])]
#[case("ﬁ", &["ﬁne"])]
#[case("FI", &["ﬁne"])]
#[case("%", &["100 % sure"])]
#[case("_", &["under_score"])]
#[case("\\", &[r"back\slash"])]
#[case("UNICODE", &["Ünïcödé"])]
#[case("\u{301}", &[])]
#[case("´ ¨", &[])]
#[actix_web::test]
async fn a_search_finds_the_same_on_both_engines(
    #[values(Sqlite, Postgres)] engine: Engine,
    #[case] q: &str,
    #[case] found: &[&str],
) {
    let Some(app) = TestApp::ready(engine).await else {
        return;
    };
    for (n, name) in HARD.iter().enumerate() {
        LISTS[1].add(&app, n, name).await;
    }
    let path = format!(
        "/catalog/areas?{}",
        serde_urlencoded::to_string([("q", q)]).unwrap()
    );
    let mut names = app.reader().get(&path).await.is(200).items("/name");
    names.sort_unstable();
    assert_eq!(names, found);
}

/// Cursors are not secret, so anybody can make one.
#[rstest]
#[actix_web::test]
async fn forged_times_in_cursors_are_refused(
    #[values(Sqlite, Postgres)] engine: Engine,
    #[values(
        "-009999-06-01T00:00:00Z",
        "0000-12-31T23:59:59Z",
        "+010000-01-01T00:00:00Z",
        "infinity",
        ""
    )]
    time: &str,
) {
    let Some(app) = TestApp::ready(engine).await else {
        return;
    };
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
async fn both_engines_sort_alike(#[values(0, 4, 5)] list: usize) {
    let mut orders = Vec::new();
    for engine in [Sqlite, Postgres] {
        let Some(app) = TestApp::ready(engine).await else {
            return;
        };
        for (n, name) in NAMES.iter().enumerate() {
            LISTS[list].add(&app, n, name).await;
        }
        let name = if LISTS[list].operation == "list_accesses" {
            "last_name"
        } else {
            "name"
        };
        let items = app.reader().all(LISTS[list].path).await;
        let names: Vec<_> = items
            .iter()
            .map(|it| {
                it.get(name)
                    .or(it.pointer("/business_partner/name"))
                    .unwrap()
                    .clone()
            })
            .collect();
        orders.push(names);
    }
    assert_eq!(orders[0], orders[1]);
}

#[rstest]
#[actix_web::test]
async fn lists_answer_304_until_something_changes(
    #[values(Sqlite, Postgres)] engine: Engine,
    #[values(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13)] list: usize,
) {
    let Some(app) = TestApp::ready(engine).await else {
        return;
    };
    let (list, reader) = (&LISTS[list], app.reader());
    let tag = reader.get(list.path).await.is(200).etag();
    let again = async || {
        reader
            .request("GET", list.path)
            .header("if-none-match", &tag)
            .send()
            .await
    };
    let same = again().await.is(304);
    assert_eq!((same.text.as_str(), same.etag()), ("", tag.clone()));
    list.add(&app, 1, "New").await;
    assert_ne!(again().await.is(200).etag(), tag);
}

/// Single resources with a write that changes them.
const SINGLES: [(&str, &str, &str); 15] = [
    (
        "/customer-integrations/K-1",
        "PATCH",
        r#"{"active": false}"#,
    ),
    (
        "/customer-integrations/K-1/accesses/ACCESS",
        "PATCH",
        r#"{"language": "en"}"#,
    ),
    ("/customer-integrations/K-1/areas/A-2", "DELETE", ""),
    (
        "/customer-integrations/K-1/ticket-types/T-2",
        "PUT",
        r#"{"approval_required": true}"#,
    ),
    (
        "/catalog/business-partners/K-1",
        "PUT",
        r#"{"name": "Other", "search_name": "P1"}"#,
    ),
    (
        "/catalog/areas/A-1",
        "PUT",
        r##"{"name": "Other", "color": "#00AAFF"}"##,
    ),
    (
        "/catalog/ticket-types/T-1",
        "PUT",
        r#"{"name": "Other", "kind": "standard"}"#,
    ),
    ("/customer-integrations/K-1/plan-boards/B-1", "DELETE", ""),
    ("/catalog/plan-boards/B-1", "PUT", r#"{"name": "Other"}"#),
    (
        "/customer-integrations/K-1/tags/TAG",
        "PATCH",
        r#"{"name": "Other"}"#,
    ),
    ("/customer-integrations/K-1/tags/TAG", "DELETE", ""),
    (
        "/customer-integrations/K-1/queries/QUERY",
        "PATCH",
        r#"{"position": 7}"#,
    ),
    (
        "/customer-integrations/K-1/exclusion-rules/RULE",
        "PATCH",
        r#"{"active": false}"#,
    ),
    (
        "/exclusion-rules/GLOBAL",
        "PATCH",
        r#"{"description": "Other"}"#,
    ),
    ("/exclusion-rules/GLOBAL", "DELETE", ""),
];

/// A tag without the language it speaks of.
fn state_of(tag: &str) -> String {
    tag.split_once('+')
        .map_or_else(|| tag.to_owned(), |(state, _)| format!("{state}\""))
}

#[rstest]
#[actix_web::test]
async fn tags_guard_every_write(
    #[values(Sqlite, Postgres)] engine: Engine,
    #[values(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14)] single: usize,
) {
    let Some(app) = TestApp::ready(engine).await else {
        return;
    };
    let ids = app.furnish().await;
    app.editor()
        .put("/customer-integrations/K-1/areas/A-2", Value::Null)
        .await
        .is(201);
    app.editor()
        .put("/customer-integrations/K-1/ticket-types/T-2", Value::Null)
        .await
        .is(201);
    let (path, method, body) = SINGLES[single];
    let named = [
        ("ACCESS", &ids.access),
        ("TAG", &ids.tag),
        ("QUERY", &ids.query),
        ("RULE", &ids.rule),
        ("GLOBAL", &ids.global_rule),
    ];
    let path = named
        .iter()
        .fold(path.to_owned(), |path, (name, id)| path.replace(name, id));
    let caller = app.with_scope(
        "integration:read integration:write global-rules:write catalog:read catalog:write",
    );
    let current = caller.get(&path).await.is(200);
    let tag = current.etag();
    assert!(
        tag.starts_with('"') && tag.ends_with('"'),
        "{tag} must be a strong tag"
    );
    let write = async |header: &str, value: &str| {
        let request = caller.request(method, &path).header(header, value);
        if body.is_empty() {
            request.send().await
        } else {
            request.raw("application/json", body).send().await
        }
    };
    caller
        .request("GET", &path)
        .header("if-none-match", &tag)
        .send()
        .await
        .is(304);
    caller
        .request("GET", &path)
        .header("if-none-match", &format!("\"x\", W/{tag}"))
        .send()
        .await
        .is(304);
    for stale in ["\"0\"", "\"999\"", "\"1x\"", &format!("W/{tag}"), "\"\""] {
        let refused = write("if-match", stale)
            .await
            .is_problem(412, "precondition_failed");
        // in whatever language the resource is shown
        assert_eq!(refused.etag(), state_of(&tag), "412 tells the current tag");
    }
    write("if-match", "3")
        .await
        .is_problem(400, "invalid_parameter");
    if method == "PUT" {
        write("if-none-match", "*")
            .await
            .is_problem(412, "precondition_failed");
    }
    assert_eq!(
        caller.get(&path).await.is(200).json,
        current.json,
        "a refused write changes nothing"
    );
    let done = write("if-match", &format!("\"nope\", {tag}")).await;
    assert!(matches!(done.status, 200 | 204), "{}", done.text);
    if method == "DELETE" {
        write("if-match", "*").await.is_problem(404, "not_found");
        return;
    }
    let after = caller.get(&path).await.is(200);
    assert_eq!((after.etag(), &after.json), (done.etag(), &done.json));
    assert_ne!(after.etag(), tag);
    caller
        .request("GET", &path)
        .header("if-none-match", &tag)
        .send()
        .await
        .is(200);
    // the bare version, or the integration's revision, will do: it is what an item of a list shows
    let version = after
        .json
        .get("revision")
        .unwrap_or(&after.json["version"])
        .to_string();
    write("if-match", &format!("\"{version}\"")).await.is(200);
}

#[rstest]
#[actix_web::test]
async fn if_match_on_what_does_not_exist_is_not_met(#[values(Sqlite, Postgres)] engine: Engine) {
    let Some(app) = TestApp::ready(engine).await else {
        return;
    };
    let (editor, path) = (app.editor(), "/customer-integrations/K-1/areas/A-2");
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
async fn pages_of_allowed_origins_may_call(#[values(Sqlite)] engine: Engine) {
    let Some(app) = TestApp::ready(engine).await else {
        return;
    };
    let preflight = async |origin: &str| {
        let request = reqwest::Client::new().request(
            reqwest::Method::OPTIONS,
            format!("{}/api/v1/customer-integrations/K-1", app.base),
        );
        let asked = request
            .header("origin", origin)
            .header("access-control-request-method", "PATCH");
        asked
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
    // a problem can be read by the page as well
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
async fn where_no_origin_is_allowed_no_page_is_told_that_it_may_call() {
    let app = TestApp::changed(|config| config.cors_allowed_origins.clear()).await;
    let from_page = |method: &str| {
        let request = app
            .erp()
            .request(method, "/catalog/areas")
            .header("origin", "https://portal.example");
        request.header("access-control-request-method", "PUT")
    };
    let answers = [
        from_page("OPTIONS")
            .send()
            .await
            .is_problem(405, "method_not_allowed"),
        from_page("GET").send().await.is(200),
    ];
    for answer in answers {
        assert_eq!(answer.header("access-control-allow-origin"), "");
        assert!(!answer.header("vary").to_lowercase().contains("origin"));
    }
}

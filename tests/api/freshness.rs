//! Decisions and conditional requests with concurrent writes and a second instance: current,
//! consistent, and with few statements.

use std::{
    process::Command,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
};

use customer_integration::{app::App, db, tokens::Claims};
use futures_util::future::join_all;
use rstest::rstest;
use rstest_reuse::apply;
use serde_json::{Value, json};

use crate::engines::{all_engines, both_engines};
use crate::support::{
    Client, Engine,
    Engine::*,
    TestApp,
    app::{Storage, claims, config},
};

const K1: &str = "/customer-integrations/K-1";
const PARTNER_RULES: &str = "/customer-integrations/K-1/exclusion-rules";
const GLOBAL_RULES: &str = "/exclusion-rules";
const TICKET_VISIBILITY: &str = "/decisions/ticket-visibility";

/// Creates an access of K-1 that sees all tickets of the partner. Returns its id.
async fn create_access(app: &TestApp) -> String {
    let ticket_visibility = json!({"ticket_visibility": "partner"});
    app.create_access("K-1", "a@b.example", ticket_visibility)
        .await
}

/// Creates a rule that excludes all tickets in area A-1. Returns its path.
async fn create_area_rule(app: &TestApp, list: &str) -> String {
    let filter = json!({"type": "condition", "field": "area", "operator": "in", "values": ["A-1"]});
    let created = app
        .global_rules_editor()
        .post(list, json!({"name": "R", "filter": filter}))
        .await
        .is(201);
    format!("{list}/{}", created.json["id"].as_str().unwrap())
}

fn ticket_of(partner: &str) -> Value {
    json!({"ticket_id": "1", "business_partner_id": partner, "area_id": "A-1",
        "internal": false, "confidential": false})
}

async fn is_visible(client: &Client, access: &str) -> bool {
    let request = json!({"access_id": access, "tickets": [ticket_of("K-1")]});
    let response = client.post(TICKET_VISIBILITY, request).await.is(200);
    response.json["decisions"][0]["visible"].as_bool().unwrap()
}

/// Runs `work` while eight clients of `app` repeat `request`.
async fn run_under_load(app: &TestApp, request: impl AsyncFn(&Client), work: impl Future) {
    let stop = AtomicBool::new(false);
    let requests = AtomicUsize::new(0);
    let load = join_all((0..8).map(async |_| {
        let client = app.reader();
        while !stop.load(Ordering::Relaxed) {
            request(&client).await;
            requests.fetch_add(1, Ordering::Relaxed);
        }
    }));
    let work = async {
        work.await;
        stop.store(true, Ordering::Relaxed);
    };
    tokio::join!(work, load);
    assert!(requests.into_inner() > 20, "too few concurrent requests");
}

/// Two instances with one database. Writes go to `writer`, decisions to `other`.
struct TwoInstances {
    writer: TestApp,
    other: TestApp,
    reader: Client,
    access: String,
}

impl TwoInstances {
    async fn start(engine: Engine) -> Self {
        let writer = TestApp::with_active_partner(engine).await;
        let access = create_access(&writer).await;
        writer.create_access("K-1", "c@d.example", json!({})).await;
        let other = writer.start_second_instance().await;
        Self {
            reader: other.reader(),
            writer,
            other,
            access,
        }
    }

    /// Repeats `writes` while the other instance decides for other clients.
    async fn repeat_under_load(&self, writes: impl AsyncFn()) {
        let decide = async |client: &Client| {
            is_visible(client, &self.access).await;
        };
        run_under_load(&self.other, decide, async {
            for _ in 0..6 {
                writes().await;
            }
        })
        .await;
    }

    #[track_caller]
    fn assert_visible(&self) -> impl Future<Output = ()> {
        self.assert_visibility(true)
    }

    #[track_caller]
    fn assert_hidden(&self) -> impl Future<Output = ()> {
        self.assert_visibility(false)
    }

    #[track_caller]
    fn assert_visibility(&self, expected: bool) -> impl Future<Output = ()> {
        let caller = std::panic::Location::caller();
        async move {
            let visible = is_visible(&self.reader, &self.access).await;
            assert_eq!(visible, expected, "stale decision at {caller}");
        }
    }
}

#[rstest]
#[ignore = "needs PostgreSQL"]
#[actix_web::test]
async fn change_of_access_affects_next_decision_of_another_instance(
    #[values(Postgres, Serializable)] engine: Engine,
) {
    let instances = TwoInstances::start(engine).await;
    let editor = instances.writer.editor();
    let access = format!("{K1}/accesses/{}", instances.access);

    let toggle_access = async || {
        editor
            .patch(&access, json!({"active": false}))
            .await
            .is(200);
        instances.assert_hidden().await;
        editor.patch(&access, json!({"active": true})).await.is(200);
        instances.assert_visible().await;
    };
    instances.repeat_under_load(toggle_access).await;
}

#[rstest]
#[ignore = "needs PostgreSQL"]
#[actix_web::test]
async fn change_of_rules_affects_next_decision_of_another_instance(
    #[values(Postgres, Serializable)] engine: Engine,
    #[values(PARTNER_RULES, GLOBAL_RULES)] list: &str,
) {
    let instances = TwoInstances::start(engine).await;
    let editor = instances.writer.global_rules_editor();

    let create_and_delete_rule = async || {
        let rule = create_area_rule(&instances.writer, list).await;
        instances.assert_hidden().await;
        editor.delete(&rule).await.is(204);
        instances.assert_visible().await;
    };
    instances.repeat_under_load(create_and_delete_rule).await;
}

#[rstest]
#[ignore = "needs PostgreSQL"]
#[actix_web::test]
async fn change_of_catalog_affects_next_decision_of_another_instance(
    #[values(Postgres, Serializable)] engine: Engine,
) {
    let instances = TwoInstances::start(engine).await;
    let erp = instances.writer.erp();
    let area = |active: bool| json!({"name": "Bereich 1", "color": "#00aaff", "active": active});

    let toggle_area = async || {
        erp.put("/catalog/areas/A-1", area(false)).await.is(200);
        instances.assert_hidden().await;
        erp.put("/catalog/areas/A-1", area(true)).await.is(200);
        instances.assert_visible().await;
    };
    instances.repeat_under_load(toggle_area).await;
}

/// In every state a rule or the inactive access hides the ticket. Only a decision that mixes two
/// states can show it.
#[apply(all_engines)]
#[actix_web::test]
async fn concurrent_writes_never_produce_mixed_decision(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let access = create_access(&app).await;
    let partner_rule = create_area_rule(&app, PARTNER_RULES).await;
    let global_rule = create_area_rule(&app, GLOBAL_RULES).await;
    let access_path = format!("{K1}/accesses/{access}");
    let editor = app.global_rules_editor();
    let set_active = async |path: &str, active: bool| {
        editor.patch(path, json!({"active": active})).await.is(200);
    };

    let assert_hidden = async |client: &Client| {
        let visible = is_visible(client, &access).await;
        assert!(!visible, "decision mixes two states");
    };
    let writes = async {
        for _ in 0..10 {
            // one of the rules is always active
            set_active(&partner_rule, true).await;
            set_active(&global_rule, false).await;
            set_active(&global_rule, true).await;
            set_active(&partner_rule, false).await;
            // then only the inactive access hides the ticket
            set_active(&access_path, false).await;
            set_active(&partner_rule, true).await;
            set_active(&global_rule, false).await;
            set_active(&partner_rule, false).await;
            set_active(&global_rule, true).await;
            set_active(&access_path, true).await;
        }
    };
    run_under_load(&app, assert_hidden, writes).await;
}

#[derive(Debug, Clone, Copy)]
enum ChangedResource {
    Tag,
    PlanBoard,
    GlobalRule,
}

#[apply(both_engines)]
#[actix_web::test]
async fn conditional_get_after_change_returns_200(
    engine: Engine,
    #[values(
        ChangedResource::Tag,
        ChangedResource::PlanBoard,
        ChangedResource::GlobalRule
    )]
    changed: ChangedResource,
) {
    let app = TestApp::with_active_partner(engine).await;
    let ids = app.create_one_of_each().await;
    let second_instance = match engine {
        Sqlite => None,
        _ => Some(app.start_second_instance().await),
    };
    let read_instance = second_instance.as_ref().unwrap_or(&app);
    let reader = read_instance.reader();
    let rename = async |name: &str| {
        let body = json!({"name": name});
        let rule = format!("{GLOBAL_RULES}/{}", ids.global_rule);
        let tag = format!("{K1}/tags/{}", ids.tag);
        let response = match changed {
            ChangedResource::Tag => app.editor().patch(&tag, body).await,
            ChangedResource::PlanBoard => app.erp().put("/catalog/plan-boards/B-1", body).await,
            ChangedResource::GlobalRule => app.global_rules_editor().patch(&rule, body).await,
        };
        response.is(200);
    };
    let changed_list = match changed {
        ChangedResource::Tag => format!("{K1}/tags"),
        ChangedResource::PlanBoard => format!("{K1}/plan-boards"),
        ChangedResource::GlobalRule => GLOBAL_RULES.to_owned(),
    };

    let decide = async |client: &Client| {
        is_visible(client, &ids.access).await;
    };
    let changes = async {
        for round in 0..4 {
            let name = format!("Name {round}");
            let etags = read_etags(&reader).await;
            rename(&name).await;
            assert_modified(&reader, &etags).await;
            let list = reader.get(&changed_list).await.is(200);
            assert_eq!(list.items("/name"), [name]);
        }
    };
    run_under_load(read_instance, decide, changes).await;
}

/// Reads representations of K-1. Returns each path with its ETag.
async fn read_etags(reader: &Client) -> Vec<(String, String)> {
    let lists = [
        "",
        "/tags",
        "/queries",
        "/accesses",
        "/areas",
        "/exclusion-rules",
        "/history",
    ];
    let mut etags = Vec::new();
    for list in lists {
        let path = format!("{K1}{list}");
        let etag = reader.get(&path).await.is(200).etag();
        let request = reader.request("GET", &path).header("if-none-match", &etag);
        request.send().await.is(304);
        etags.push((path, etag));
    }
    etags
}

async fn assert_modified(reader: &Client, etags: &[(String, String)]) {
    for (path, etag) in etags {
        let request = reader.request("GET", path).header("if-none-match", etag);
        request.send().await.is(200);
        assert_ne!(reader.get(path).await.is(200).etag(), *etag, "{path}");
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn repeated_conditional_get_of_unknown_partner_returns_404(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    for _ in 0..2 {
        let request = app
            .reader()
            .request("GET", "/customer-integrations/K-9/tags")
            .header("if-none-match", "\"1-c1.g1\"");
        request.send().await.is_problem(404, "not_found");
    }
}

/// Counts the SELECT statements of the service that mention `table`.
async fn count_selects(app: &TestApp, table: &str) -> i64 {
    let sql = format!(
        "SELECT coalesce(sum(calls), 0)::text AS text FROM pg_stat_statements
         WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
           AND query LIKE 'SELECT%{table}%'"
    );
    app.storage.query_texts(&sql).await[0].parse().unwrap()
}

async fn enable_statement_statistics(app: &TestApp) {
    app.storage
        .try_execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
        .await
        .unwrap();
}

async fn assert_concurrent_decisions_are_visible(client: &Client, access: &str, requests: usize) {
    let visible = join_all((0..requests).map(|_| is_visible(client, access))).await;
    assert!(visible.into_iter().all(|visible| visible));
}

#[ignore = "needs PostgreSQL"]
#[actix_web::test]
async fn concurrent_decisions_load_rules_once() {
    let app = TestApp::with_active_partner(Postgres).await;
    let access = create_access(&app).await;
    enable_statement_statistics(&app).await;
    let selects_before = count_selects(&app, "exclusion_rules").await;

    assert_concurrent_decisions_are_visible(&app.reader(), &access, 200).await;

    // one statement loads the partner's rules, one the global rules
    let selects = count_selects(&app, "exclusion_rules").await - selects_before;
    assert_eq!(selects, 2);
}

#[ignore = "needs PostgreSQL"]
#[actix_web::test]
async fn concurrent_decisions_share_revision_queries() {
    let app = TestApp::with_active_partner(Postgres).await;
    let access = create_access(&app).await;
    enable_statement_statistics(&app).await;
    let reader = app.reader();
    assert_concurrent_decisions_are_visible(&reader, &access, 200).await;
    let selects_before = count_selects(&app, "shared_revisions").await;

    for _ in 0..5 {
        assert_concurrent_decisions_are_visible(&reader, &access, 200).await;
    }

    let selects = count_selects(&app, "shared_revisions").await - selects_before;
    assert!(
        (5..500).contains(&selects),
        "{selects} statements for 1000 requests"
    );
}

#[actix_web::test]
async fn second_service_on_sqlite_file_is_rejected() {
    let app = TestApp::start(Sqlite).await;

    let Err(error) = App::build(config(&app.storage.url())).await else {
        panic!("the second service started")
    };

    let message = format!("{error:#}");
    assert!(message.contains("one process at a time"), "{message}");
}

#[actix_web::test]
async fn migrate_command_on_sqlite_file_in_use_is_rejected() {
    let app = TestApp::start(Sqlite).await;

    let output = Command::new(env!("CARGO_BIN_EXE_customer-integration"))
        .args(["migrate", "--database-url", &app.storage.url()])
        .output()
        .unwrap();

    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success(), "{stderr}");
    assert!(stderr.contains("one process at a time"), "{stderr}");
}

#[test]
fn locking_database_in_missing_directory_fails() {
    let url = "sqlite://nowhere/at/all.db".parse().unwrap();
    drop(db::lock_database(&url).unwrap_err());
}

#[ignore = "needs PostgreSQL"]
#[actix_web::test]
async fn decision_is_retried_after_connection_was_terminated() {
    let app = TestApp::with_active_partner(Postgres).await;
    let access = create_access(&app).await;
    let Storage::Postgres { name, server, .. } = &app.storage else {
        unreachable!("the engine is PostgreSQL")
    };
    let terminate_connections =
        format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
    let reader = app.reader();

    for _ in 0..10 {
        server.execute("postgres", &terminate_connections).await;
        assert_concurrent_decisions_are_visible(&reader, &access, 8).await;
    }
}

/// An email address can move to another partner. Tokens of that partner resolve it immediately.
#[apply(both_engines)]
#[actix_web::test]
async fn moved_email_resolves_to_new_access(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    app.activate_partner("K-2").await;
    let first_access = format!("{K1}/accesses/{}", create_access(&app).await);
    let request_for =
        |partner: &str| json!({"access_email": "a@b.example", "tickets": [ticket_of(partner)]});
    let unrestricted = app.client_with_scope("decisions:read");
    let restricted = app.client_with_claims(&Claims {
        business_partner_id: Some("K-2".parse().unwrap()),
        ..claims("decisions:read")
    });
    unrestricted
        .post(TICKET_VISIBILITY, request_for("K-1"))
        .await
        .is(200);
    restricted
        .post(TICKET_VISIBILITY, request_for("K-2"))
        .await
        .is_problem(422, "unknown_access");

    app.editor()
        .patch(&first_access, json!({"email": "c@d.example"}))
        .await
        .is(200);
    let ticket_visibility = json!({"ticket_visibility": "partner"});
    app.create_access("K-2", "A@b.example", ticket_visibility)
        .await;

    let response = restricted
        .post(TICKET_VISIBILITY, request_for("K-2"))
        .await
        .is(200);
    assert_eq!(response.json["decisions"][0]["visible"], true);
}

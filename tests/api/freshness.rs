//! Decisions are current, consistent and cheap, also with concurrent writes and two instances.

use crate::engines::{all_engines, both_engines};
use rstest_reuse::apply;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use customer_integration::{app::App, db, tokens::Claims};
use futures_util::future::{join, join_all};
use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{
    Client, Engine,
    Engine::*,
    TestApp,
    app::{Storage, claims, config},
};

const K1: &str = "/customer-integrations/K-1";
const RULES: &str = "/customer-integrations/K-1/exclusion-rules";

fn visibility_request(access: &str) -> Value {
    json!({"access_id": access, "tickets": [{
        "ticket_id": "1", "business_partner_id": "K-1", "area_id": "A-1",
        "internal": false, "confidential": false}]})
}

async fn is_visible(client: &Client, access: &str) -> bool {
    let answer = client
        .post("/decisions/ticket-visibility", visibility_request(access))
        .await
        .is(200);
    answer.json["decisions"][0]["visible"].as_bool().unwrap()
}

fn area_a1_filter() -> Value {
    json!({"type": "condition", "field": "area", "operator": "in", "values": ["A-1"]})
}

/// Sends requests until `stop` is set, so that requests are always in flight.
async fn query_until_stopped(
    client: Client,
    access: &str,
    stop: &AtomicBool,
    requests: &AtomicUsize,
) {
    while !stop.load(Ordering::Relaxed) {
        is_visible(&client, access).await;
        requests.fetch_add(1, Ordering::Relaxed);
    }
}

#[rstest]
#[ignore = "needs PostgreSQL"]
#[actix_web::test]
async fn committed_change_is_visible_to_next_decision_of_another_instance(
    #[values(Postgres, Serializable)] engine: Engine,
) {
    let app = TestApp::with_active_partner(engine).await;
    let access = app
        .create_access(
            "K-1",
            "a@b.example",
            json!({"ticket_visibility": "partner"}),
        )
        .await;
    app.create_access("K-1", "c@d.example", json!({})).await;
    let other = app.start_second_instance().await;
    let system = other.client_with_scope("decisions:read");
    let stop = AtomicBool::new(false);
    let requests = AtomicUsize::new(0);
    let readers = join_all((0..8).map(|_| {
        query_until_stopped(
            other.client_with_scope("decisions:read"),
            &access,
            &stop,
            &requests,
        )
    }));
    let area = |active: bool| json!({"name": "Bereich 1", "color": "#00aaff", "active": active});
    let writes = async {
        let editor = app.editor();
        let erp = app.erp();
        let ruler = app.global_rules_editor();
        for round in 0..6 {
            let path = format!("{K1}/accesses/{access}");
            editor.patch(&path, json!({"active": false})).await.is(200);
            assert!(!is_visible(&system, &access).await, "access, round {round}");
            editor.patch(&path, json!({"active": true})).await.is(200);
            assert!(is_visible(&system, &access).await, "access, round {round}");
            for list in [RULES, "/exclusion-rules"] {
                let rule = ruler
                    .post(list, json!({"name": "R", "filter": area_a1_filter()}))
                    .await
                    .is(201)
                    .json;
                assert!(!is_visible(&system, &access).await, "{list}, round {round}");
                ruler
                    .delete(&format!("{list}/{}", rule["id"].as_str().unwrap()))
                    .await
                    .is(204);
                assert!(is_visible(&system, &access).await, "{list}, round {round}");
            }
            erp.put("/catalog/areas/A-1", area(false)).await.is(200);
            assert!(!is_visible(&system, &access).await, "area, round {round}");
            erp.put("/catalog/areas/A-1", area(true)).await.is(200);
            assert!(is_visible(&system, &access).await, "area, round {round}");
        }
        stop.store(true, Ordering::Relaxed);
    };
    tokio::join!(writes, readers);
    assert!(requests.into_inner() > 20, "too few concurrent requests");
}

/// In every state a rule or the inactive access hides the ticket. Only a decision that mixes two
/// states can show it.
#[apply(all_engines)]
#[actix_web::test]
async fn concurrent_writes_never_produce_mixed_decision(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let access = app
        .create_access(
            "K-1",
            "a@b.example",
            json!({"ticket_visibility": "partner"}),
        )
        .await;
    let rule = |list: &'static str| {
        let ruler = app.global_rules_editor();
        let filter = area_a1_filter();
        async move {
            let created = ruler
                .post(list, json!({"name": "R", "filter": filter}))
                .await
                .is(201)
                .json;
            format!("{list}/{}", created["id"].as_str().unwrap())
        }
    };
    let own = rule(RULES).await;
    let global = rule("/exclusion-rules").await;
    let stop = AtomicBool::new(false);
    let requests = AtomicUsize::new(0);
    let readers = join_all((0..8).map(async |_| {
        let system = app.client_with_scope("decisions:read");
        while !stop.load(Ordering::Relaxed) {
            assert!(
                !is_visible(&system, &access).await,
                "decision mixes two states"
            );
            requests.fetch_add(1, Ordering::Relaxed);
        }
    }));
    let writes = async {
        let ruler = app.global_rules_editor();
        for _ in 0..10 {
            // Toggle the rules so that one of them is always active.
            let toggles = [
                (&own, true),
                (&global, false),
                (&global, true),
                (&own, false),
            ];
            for (path, active) in toggles {
                ruler.patch(path, json!({"active": active})).await.is(200);
            }
            let access = format!("{K1}/accesses/{access}");
            app.editor()
                .patch(&access, json!({"active": false}))
                .await
                .is(200);
            ruler.patch(&own, json!({"active": true})).await.is(200);
            ruler.patch(&global, json!({"active": false})).await.is(200);
            ruler.patch(&own, json!({"active": false})).await.is(200);
            // Now only the inactive access hides the ticket.
            ruler.patch(&global, json!({"active": true})).await.is(200);
            app.editor()
                .patch(&access, json!({"active": true}))
                .await
                .is(200);
        }
        stop.store(true, Ordering::Relaxed);
    };
    tokio::join!(writes, readers);
    assert!(requests.into_inner() > 20, "too few concurrent requests");
}

#[apply(both_engines)]
#[actix_web::test]
async fn conditional_get_after_change_returns_200(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let ids = app.create_one_of_each().await;
    let other = if engine == Sqlite {
        None
    } else {
        Some(app.start_second_instance().await)
    };
    let stop = AtomicBool::new(false);
    let requests = AtomicUsize::new(0);
    let lists = [
        "tags",
        "queries",
        "accesses",
        "areas",
        "exclusion-rules",
        "history",
    ]
    .map(|list| format!("{K1}/{list}"));
    let lists = [vec![K1.to_owned()], lists.to_vec()].concat();
    let reader = other.as_ref().unwrap_or(&app).reader();
    let readers = join_all((0..4).map(|_| {
        query_until_stopped(
            other.as_ref().unwrap_or(&app).reader(),
            &ids.access,
            &stop,
            &requests,
        )
    }));
    let writes = async {
        let editor = app.editor();
        let erp = app.erp();
        let ruler = app.global_rules_editor();
        for round in 0..4 {
            let name = format!("Name {round}");
            for change in 0..3 {
                let mut etags = Vec::new();
                for list in &lists {
                    let etag = reader.get(list).await.is(200).etag();
                    reader
                        .request("GET", list)
                        .header("if-none-match", &etag)
                        .send()
                        .await
                        .is(304);
                    etags.push(etag);
                }
                match change {
                    0 => editor
                        .patch(&format!("{K1}/tags/{}", ids.tag), json!({"name": name}))
                        .await
                        .is(200),
                    1 => erp
                        .put("/catalog/plan-boards/B-1", json!({"name": name}))
                        .await
                        .is(200),
                    _ => ruler
                        .patch(
                            &format!("/exclusion-rules/{}", ids.global_rule),
                            json!({"name": name}),
                        )
                        .await
                        .is(200),
                };
                for (list, etag) in lists.iter().zip(&etags) {
                    reader
                        .request("GET", list)
                        .header("if-none-match", etag)
                        .send()
                        .await
                        .is(200);
                    assert_ne!(reader.get(list).await.is(200).etag(), *etag, "{list}");
                }
                assert_eq!(
                    reader.get(&lists[1]).await.json["items"][0]["name"],
                    *name,
                    "round {round}, change {change}"
                );
            }
        }
        stop.store(true, Ordering::Relaxed);
    };
    join(writes, readers).await;
    // Repeated requests for an unknown partner return the same problem.
    for _ in 0..2 {
        let request = reader
            .request("GET", "/customer-integrations/K-9/tags")
            .header("if-none-match", "\"1-c1.g1\"");
        request.send().await.is_problem(404, "not_found");
    }
}

#[ignore = "needs PostgreSQL"]
#[actix_web::test]
async fn concurrent_decisions_share_statements_and_load_partner_once() {
    let app = TestApp::with_active_partner(Postgres).await;
    let access = app
        .create_access(
            "K-1",
            "a@b.example",
            json!({"ticket_visibility": "partner"}),
        )
        .await;
    app.storage
        .try_execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
        .await
        .unwrap();
    let count_selects = async |table: &str| -> i64 {
        let sql = format!(
            "SELECT coalesce(sum(calls), 0)::text AS text FROM pg_stat_statements
             WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
               AND query LIKE 'SELECT%{table}%'"
        );
        app.storage.query_texts(&sql).await[0].parse().unwrap()
    };
    let send_requests = async |n: usize| {
        let system = app.client_with_scope("decisions:read");
        let answers = join_all((0..n).map(|_| is_visible(&system, &access))).await;
        assert!(answers.into_iter().all(|visible| visible));
    };
    let rule_selects_before = count_selects("exclusion_rules").await;
    send_requests(200).await;
    // One statement loads the partner's rules, one the global rules.
    assert_eq!(
        count_selects("exclusion_rules").await - rule_selects_before,
        2
    );
    let revision_selects_before = count_selects("shared_revisions").await;
    for _ in 0..5 {
        send_requests(200).await;
    }
    let revision_selects = count_selects("shared_revisions").await - revision_selects_before;
    assert!(
        (5..500).contains(&revision_selects),
        "{revision_selects} statements for 1000 requests"
    );
}

#[actix_web::test]
async fn second_process_on_sqlite_file_is_rejected() {
    let app = TestApp::start(Sqlite).await;
    let url = app.storage.url();
    let Err(error) = App::build(config(&url)).await else {
        panic!("the second process started")
    };
    assert!(
        format!("{error:#}").contains("one process at a time"),
        "{error:#}"
    );
    let migrate = std::process::Command::new(env!("CARGO_BIN_EXE_customer-integration"))
        .args(["migrate", "--database-url", &url])
        .output()
        .unwrap();
    let stderr = String::from_utf8(migrate.stderr).unwrap();
    assert!(
        !migrate.status.success() && stderr.contains("one process at a time"),
        "{stderr}"
    );
    drop(db::lock_database(&"sqlite://nowhere/at/all.db".parse().unwrap()).unwrap_err());
}

#[ignore = "needs PostgreSQL"]
#[actix_web::test]
async fn decision_is_retried_after_connection_was_terminated() {
    let app = TestApp::with_active_partner(Postgres).await;
    let access = app
        .create_access(
            "K-1",
            "a@b.example",
            json!({"ticket_visibility": "partner"}),
        )
        .await;
    let Storage::Postgres { name, server, .. } = &app.storage else {
        panic!()
    };
    let terminate_connections =
        format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
    let system = app.client_with_scope("decisions:read");
    for _ in 0..10 {
        server.execute("postgres", &terminate_connections).await;
        assert!(
            join_all((0..8).map(|_| is_visible(&system, &access)))
                .await
                .into_iter()
                .all(|visible| visible)
        );
    }
}

/// An email address can move to another partner. Tokens of that partner resolve it immediately.
#[apply(both_engines)]
#[actix_web::test]
async fn moved_email_resolves_to_new_access(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    app.activate_partner("K-2").await;
    let first = app
        .create_access(
            "K-1",
            "a@b.example",
            json!({"ticket_visibility": "partner"}),
        )
        .await;
    let request_by_email = |partner: &str| {
        json!({"access_email": "a@b.example", "tickets": [{
            "ticket_id": "1", "business_partner_id": partner, "area_id": "A-1",
            "internal": false, "confidential": false}]})
    };
    let all = claims("decisions:read");
    let path = "/decisions/ticket-visibility";
    let limited = app.client_with_claims(&Claims {
        business_partner_id: Some("K-2".parse().unwrap()),
        ..claims("decisions:read")
    });
    app.client_with_claims(&all)
        .post(path, request_by_email("K-1"))
        .await
        .is(200);
    limited
        .post(path, request_by_email("K-2"))
        .await
        .is_problem(422, "unknown_access");
    app.editor()
        .patch(
            &format!("{K1}/accesses/{first}"),
            json!({"email": "c@d.example"}),
        )
        .await
        .is(200);
    app.create_access(
        "K-2",
        "A@b.example",
        json!({"ticket_visibility": "partner"}),
    )
    .await;
    let answer = limited.post(path, request_by_email("K-2")).await.is(200);
    assert_eq!(answer.json["decisions"][0]["visible"], true);
}

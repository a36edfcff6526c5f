//! No decision is older than its request, none mixes two states, and asking is cheap.

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

fn question(access: &str) -> Value {
    json!({"access_id": access, "tickets": [
        {"ticket_id": "1", "business_partner_id": "K-1", "area_id": "A-1", "internal": false, "confidential": false}]})
}

async fn sees(client: &Client, access: &str) -> bool {
    let answer = client
        .post("/decisions/ticket-visibility", question(access))
        .await
        .is(200);
    answer.json["decisions"][0]["visible"].as_bool().unwrap()
}

fn all_of_a1() -> Value {
    json!({"type": "condition", "field": "area", "operator": "in", "values": ["A-1"]})
}

/// Asks without end, so that questions are always under way.
async fn keep_asking(client: Client, access: &str, stop: &AtomicBool, asked: &AtomicUsize) {
    while !stop.load(Ordering::Relaxed) {
        sees(&client, access).await;
        asked.fetch_add(1, Ordering::Relaxed);
    }
}

#[rstest]
#[actix_web::test]
async fn what_one_instance_acknowledged_counts_for_the_next_question_to_another(
    #[values(Postgres, Serializable)] engine: Engine,
) {
    let Some(app) = TestApp::ready(engine).await else {
        return;
    };
    let access = app
        .access(
            "K-1",
            "a@b.example",
            json!({"ticket_visibility": "partner"}),
        )
        .await;
    app.access("K-1", "c@d.example", json!({})).await;
    let other = app.second().await;
    let system = other.with_scope("decisions:read");
    let (stop, asked) = (AtomicBool::new(false), AtomicUsize::new(0));
    let load = join_all(
        (0..8).map(|_| keep_asking(other.with_scope("decisions:read"), &access, &stop, &asked)),
    );
    let area = |active: bool| json!({"name": "Bereich 1", "color": "#00aaff", "active": active});
    let writes = async {
        let (editor, erp, ruler) = (app.editor(), app.erp(), app.ruler());
        for round in 0..6 {
            let path = format!("{K1}/accesses/{access}");
            editor.patch(&path, json!({"active": false})).await.is(200);
            assert!(!sees(&system, &access).await, "access, round {round}");
            editor.patch(&path, json!({"active": true})).await.is(200);
            assert!(sees(&system, &access).await, "access, round {round}");
            for list in [RULES, "/exclusion-rules"] {
                let rule = ruler
                    .post(list, json!({"name": "R", "filter": all_of_a1()}))
                    .await
                    .is(201)
                    .json;
                assert!(!sees(&system, &access).await, "{list}, round {round}");
                ruler
                    .delete(&format!("{list}/{}", rule["id"].as_str().unwrap()))
                    .await
                    .is(204);
                assert!(sees(&system, &access).await, "{list}, round {round}");
            }
            erp.put("/catalog/areas/A-1", area(false)).await.is(200);
            assert!(!sees(&system, &access).await, "area, round {round}");
            erp.put("/catalog/areas/A-1", area(true)).await.is(200);
            assert!(sees(&system, &access).await, "area, round {round}");
        }
        stop.store(true, Ordering::Relaxed);
    };
    tokio::join!(writes, load);
    assert!(asked.into_inner() > 20, "nobody asked meanwhile");
}

/// The ticket is hidden by one rule or by the other at every moment; who took each from another moment would show it.
#[rstest]
#[actix_web::test]
async fn no_answer_mixes_two_states(#[values(Sqlite, Postgres, Serializable)] engine: Engine) {
    let Some(app) = TestApp::ready(engine).await else {
        return;
    };
    let access = app
        .access(
            "K-1",
            "a@b.example",
            json!({"ticket_visibility": "partner"}),
        )
        .await;
    let rule = |list: &'static str| {
        let (ruler, filter) = (app.ruler(), all_of_a1());
        async move {
            let created = ruler
                .post(list, json!({"name": "R", "filter": filter}))
                .await
                .is(201)
                .json;
            format!("{list}/{}", created["id"].as_str().unwrap())
        }
    };
    let (own, global) = (rule(RULES).await, rule("/exclusion-rules").await);
    let (stop, asked) = (AtomicBool::new(false), AtomicUsize::new(0));
    let readers = join_all((0..8).map(async |_| {
        let system = app.with_scope("decisions:read");
        while !stop.load(Ordering::Relaxed) {
            assert!(!sees(&system, &access).await, "a state that never was");
            asked.fetch_add(1, Ordering::Relaxed);
        }
    }));
    let writes = async {
        let ruler = app.ruler();
        for _ in 0..10 {
            // the third thing that decides changes as well
            let off = [
                (&own, true),
                (&global, false),
                (&global, true),
                (&own, false),
            ];
            for (path, active) in off {
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
            // nothing hides the ticket now but that the access is inactive
            ruler.patch(&global, json!({"active": true})).await.is(200);
            app.editor()
                .patch(&access, json!({"active": true}))
                .await
                .is(200);
        }
        stop.store(true, Ordering::Relaxed);
    };
    tokio::join!(writes, readers);
    assert!(asked.into_inner() > 20, "nobody asked meanwhile");
}

#[rstest]
#[actix_web::test]
async fn nothing_that_was_changed_is_said_to_be_unchanged(
    #[values(Sqlite, Postgres)] engine: Engine,
) {
    let Some(app) = TestApp::ready(engine).await else {
        return;
    };
    let ids = app.furnish().await;
    let other = if engine == Sqlite {
        None
    } else {
        Some(app.second().await)
    };
    let (stop, asked) = (AtomicBool::new(false), AtomicUsize::new(0));
    let lists = [
        "tags",
        "queries",
        "accesses",
        "areas",
        "exclusion-rules",
        "history",
    ]
    .map(|it| format!("{K1}/{it}"));
    let lists = [vec![K1.to_owned()], lists.to_vec()].concat();
    let reader = other.as_ref().unwrap_or(&app).reader();
    let load = join_all((0..4).map(|_| {
        keep_asking(
            other.as_ref().unwrap_or(&app).reader(),
            &ids.access,
            &stop,
            &asked,
        )
    }));
    let writes = async {
        let (editor, erp, ruler) = (app.editor(), app.erp(), app.ruler());
        for round in 0..4 {
            let name = format!("Name {round}");
            for change in 0..3 {
                let mut tags = Vec::new();
                for list in &lists {
                    tags.push(reader.get(list).await.is(200).etag());
                    reader
                        .request("GET", list)
                        .header("if-none-match", &tags[tags.len() - 1])
                        .send()
                        .await
                        .is(304);
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
                for (list, tag) in lists.iter().zip(&tags) {
                    reader
                        .request("GET", list)
                        .header("if-none-match", tag)
                        .send()
                        .await
                        .is(200);
                    assert_ne!(reader.get(list).await.is(200).etag(), *tag, "{list}");
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
    join(writes, load).await;
    // no such partner, however often it is asked for
    for _ in 0..2 {
        let request = reader
            .request("GET", "/customer-integrations/K-9/tags")
            .header("if-none-match", "\"1-c1.g1\"");
        request.send().await.is_problem(404, "not_found");
    }
}

#[actix_web::test]
async fn many_questions_are_few_statements_and_a_cold_partner_is_read_once() {
    let Some(app) = TestApp::ready(Postgres).await else {
        return;
    };
    let access = app
        .access(
            "K-1",
            "a@b.example",
            json!({"ticket_visibility": "partner"}),
        )
        .await;
    app.storage
        .try_execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
        .await
        .unwrap();
    let calls = async |table: &str| -> i64 {
        let sql = format!(
            "SELECT coalesce(sum(calls), 0)::text AS text FROM pg_stat_statements
             WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND query LIKE 'SELECT%{table}%'"
        );
        app.storage.texts(&sql).await[0].parse().unwrap()
    };
    let ask = async |n: usize| {
        let system = app.with_scope("decisions:read");
        let answers = join_all((0..n).map(|_| sees(&system, &access))).await;
        assert!(answers.into_iter().all(|visible| visible));
    };
    let rules = calls("exclusion_rules").await;
    ask(200).await;
    // the partner's rules, and the global ones
    assert_eq!(calls("exclusion_rules").await - rules, 2);
    let asked = calls("shared_revisions").await;
    for _ in 0..5 {
        ask(200).await;
    }
    let asked = calls("shared_revisions").await - asked;
    assert!(
        (5..500).contains(&asked),
        "{asked} statements for 1000 questions"
    );
}

#[actix_web::test]
async fn a_second_process_on_an_sqlite_file_is_refused() {
    let Some(app) = TestApp::start(Sqlite).await else {
        return;
    };
    let url = app.storage.url();
    let Err(refused) = App::build(config(&url)).await else {
        panic!("a second one was let in")
    };
    assert!(
        format!("{refused:#}").contains("one process at a time"),
        "{refused:#}"
    );
    let migrate = std::process::Command::new(env!("CARGO_BIN_EXE_customer-integration"))
        .args(["migrate", "--database-url", &url])
        .output()
        .unwrap();
    let said = String::from_utf8(migrate.stderr).unwrap();
    assert!(
        !migrate.status.success() && said.contains("one process at a time"),
        "{said}"
    );
    // PostgreSQL is for any number of processes
    if let Some(app) = TestApp::start(Postgres).await {
        drop(app.second().await);
    }
    drop(db::lock_database(&"sqlite://nowhere/at/all.db".parse().unwrap()).unwrap_err());
}

#[actix_web::test]
async fn questions_are_answered_again_when_their_connection_was_killed() {
    let Some(app) = TestApp::ready(Postgres).await else {
        return;
    };
    let access = app
        .access(
            "K-1",
            "a@b.example",
            json!({"ticket_visibility": "partner"}),
        )
        .await;
    let Storage::Postgres { name, server, .. } = &app.storage else {
        panic!()
    };
    let kill =
        format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
    let system = app.with_scope("decisions:read");
    for _ in 0..10 {
        server.execute("postgres", &kill).await;
        assert!(
            join_all((0..8).map(|_| sees(&system, &access)))
                .await
                .into_iter()
                .all(|visible| visible)
        );
    }
}

/// An e-mail address that one partner gave up is another one's at once, also for those who may not know of the first.
#[rstest]
#[actix_web::test]
async fn an_address_that_moved_is_its_new_access(#[values(Sqlite, Postgres)] engine: Engine) {
    let Some(app) = TestApp::ready(engine).await else {
        return;
    };
    app.make_ready("K-2").await;
    let first = app
        .access(
            "K-1",
            "a@b.example",
            json!({"ticket_visibility": "partner"}),
        )
        .await;
    let by_address = |partner: &str| {
        json!({"access_email": "a@b.example", "tickets": [{"ticket_id": "1", "business_partner_id": partner,
            "area_id": "A-1", "internal": false, "confidential": false}]})
    };
    let (all, path) = (claims("decisions:read"), "/decisions/ticket-visibility");
    let limited = app.with_claims(&Claims {
        business_partner_id: Some("K-2".parse().unwrap()),
        ..claims("decisions:read")
    });
    app.with_claims(&all)
        .post(path, by_address("K-1"))
        .await
        .is(200);
    limited
        .post(path, by_address("K-2"))
        .await
        .is_problem(422, "unknown_access");
    app.editor()
        .patch(
            &format!("{K1}/accesses/{first}"),
            json!({"email": "c@d.example"}),
        )
        .await
        .is(200);
    app.access(
        "K-2",
        "A@b.example",
        json!({"ticket_visibility": "partner"}),
    )
    .await;
    let answer = limited.post(path, by_address("K-2")).await.is(200);
    assert_eq!(answer.json["decisions"][0]["visible"], true);
}

//! Rules under concurrency: R2 and R3 hold in every state anybody can read, and no update is lost.

use crate::engines::{all_engines, both_engines};
use rstest_reuse::apply;
use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::Duration,
};

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::{Client, Engine, TestApp, panics};

const K1: &str = "/customer-integrations/K-1";
/// Clients that write at once.
const CLIENTS: usize = 64;
/// Requests of each.
const ROUNDS: usize = 12;
/// How often the clients may have to rush until each outcome was seen. Usually once is enough.
const MOST_RUSHES: usize = 20;

/// One round of a client: half of them switch accesses, the others take away and give back the only
/// area or ticket type.
async fn act(client: &Client, n: usize, round: usize, access: &str) -> u16 {
    let access = format!("{K1}/accesses/{access}");
    let area = format!("{K1}/areas/A-1");
    let ticket_type = format!("{K1}/ticket-types/T-1");
    let answer = match (n % 4, round % 2) {
        (0 | 1, 0) => client.patch(&access, json!({"active": true})).await,
        (0 | 1, _) => client.patch(&access, json!({"active": false})).await,
        (2, 0) => client.delete(&area).await,
        (2, _) => client.put(&area, Value::Null).await,
        (_, 0) => client.delete(&ticket_type).await,
        _ => client.put(&ticket_type, Value::Null).await,
    };
    answer.status
}

/// Reads states until `stop` is set; each must obey R2 and R3.
async fn watch(client: Client, seen: &AtomicUsize, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        let counts = client.get(K1).await.is(200).json["counts"].clone();
        let complete = counts["areas"] != 0 && counts["ticket_types"] != 0;
        assert!(
            counts["active_accesses"] == 0 || complete,
            "invalid state: {counts}"
        );
        seen.fetch_add(1, Ordering::Relaxed);
    }
}

/// All clients at once, each with several requests.
async fn rush(app: &TestApp, accesses: &[String]) -> Vec<u16> {
    let clients = (0..CLIENTS).map(async |n| {
        let client = app.editor();
        let mut answers = Vec::new();
        for round in 0..ROUNDS {
            answers.push(act(&client, n, n + round, &accesses[n % accesses.len()]).await);
        }
        answers
    });
    join_all(clients).await.into_iter().flatten().collect()
}

#[apply(all_engines)]
#[actix_web::test]
async fn active_access_always_has_area_and_ticket_type(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    // few accesses, so that now and then none of them is active and a removal may win
    let mut accesses = Vec::new();
    for n in 0..3 {
        accesses.push(
            app.create_access("K-1", &format!("a{n}@b.example"), json!({"active": false}))
                .await,
        );
    }
    let stop = AtomicBool::new(false);
    let seen = AtomicUsize::new(0);
    let watchers = join_all((0..4).map(|_| watch(app.reader(), &seen, &stop)));
    let race = async {
        let mut answers = Vec::new();
        for _ in 0..MOST_RUSHES {
            answers.extend(rush(&app, &accesses).await);
            // both sides won and lost, and were looked at meanwhile
            if seen.load(Ordering::Relaxed) >= 20
                && [200, 204, 409]
                    .iter()
                    .all(|status| answers.contains(status))
            {
                break;
            }
        }
        stop.store(true, Ordering::Relaxed);
        answers
    };
    let (answers, _) = tokio::join!(race, watchers);
    assert!(
        answers
            .iter()
            .all(|status| matches!(status, 200 | 201 | 204 | 404 | 409)),
        "{answers:?}"
    );
    let count = |wanted: u16| answers.iter().filter(|status| **status == wanted).count();
    let race = (
        count(200) > 0,
        count(204) > 0,
        count(409) > 0,
        seen.into_inner() >= 20,
    );
    assert_eq!(
        race,
        (true, true, true, true),
        "no race took place: 200, 204, 409, states looked at"
    );
}

#[apply(all_engines)]
#[actix_web::test]
async fn concurrent_patches_lose_no_update(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let id = app.create_access("K-1", "a@b.example", json!({})).await;
    let access = format!("{K1}/accesses/{id}");
    let won = AtomicUsize::new(0);
    join_all((0..50).map(async |n| {
        let client = app.editor();
        for round in 0..4 {
            let tag = client.get(&access).await.is(200).etag();
            let body = json!({"last_name": format!("Name {n} {round}")});
            let answer = client
                .request("PATCH", &access)
                .header("if-match", &tag)
                .json(body)
                .send()
                .await;
            match answer.status {
                200 => drop(won.fetch_add(1, Ordering::Relaxed)),
                412 => {}
                other => panic!("{other}: {}", answer.text),
            }
        }
    }))
    .await;
    let won = won.into_inner();
    assert!(
        (1..200).contains(&won),
        "somebody must win, and somebody lose: {won}"
    );
    assert_eq!(
        app.reader().get(&access).await.is(200).json["version"],
        1 + won
    );
    assert_eq!(app.history_counts(Some("K-1")).await["access updated"], won);
}

#[apply(all_engines)]
#[actix_web::test]
async fn concurrent_posts_assign_email_once(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    app.activate_partner("K-2").await;
    let answers = join_all((0..20).map(async |n| {
        let path = format!("/customer-integrations/K-{}/accesses", 1 + n % 2);
        let body = json!({"first_name": "A", "last_name": "B", "email": "a@b.example"});
        app.editor().post(&path, body).await.status
    }))
    .await;
    assert_eq!(
        answers.iter().filter(|status| **status == 201).count(),
        1,
        "{answers:?}"
    );
    assert_eq!(
        answers.iter().filter(|status| **status == 409).count(),
        19,
        "{answers:?}"
    );
}

/// Clients that change the e-mail address of one access.
const SWAPPERS: usize = 4;

/// Two accesses of two partners swap their e-mail addresses back and forth. A write waits for the other one's entry of the
/// unique index; when both do, PostgreSQL aborts one of them.
#[apply(all_engines)]
#[actix_web::test]
async fn concurrent_email_swaps_never_fail(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    app.activate_partner("K-2").await;
    let mut accesses = Vec::new();
    for (partner, email) in [("K-1", "a@b.example"), ("K-2", "b@b.example")] {
        let id = app.create_access(partner, email, json!({})).await;
        accesses.push(format!("/customer-integrations/{partner}/accesses/{id}"));
    }
    let clients = (0..2 * SWAPPERS).map(async |n| {
        let client = app.editor();
        let mut answers = Vec::new();
        for round in 0..ROUNDS {
            let email = ["a@b.example", "b@b.example", "c@b.example"][(n + round) % 3];
            answers.push(
                client
                    .patch(&accesses[n % 2], json!({"email": email}))
                    .await
                    .status,
            );
        }
        answers
    });
    let answers: Vec<u16> = join_all(clients).await.into_iter().flatten().collect();
    assert!(
        answers.iter().all(|status| matches!(status, 200 | 409)),
        "{answers:?}"
    );
    assert!(
        answers.iter().all(|status| matches!(status, 200 | 409)),
        "{answers:?}"
    );
}

/// Aborted requests, each aborted at a different time.
const HANG_UPS: u32 = 100;
/// Additional delay before each next request is aborted.
const HANG_UP_STEP: Duration = Duration::from_micros(60);

#[apply(both_engines)]
#[actix_web::test]
async fn aborted_writes_are_atomic(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();
    let patient = app.editor();
    let panics = panics::count();
    for n in 0..HANG_UPS {
        let body = json!({"first_name": "A", "last_name": "B", "email": format!("a{n}@b.example")});
        editor
            .request("POST", "/customer-integrations/K-1/accesses")
            .json(body)
            .disconnect_after(HANG_UP_STEP * n)
            .await;
    }
    // nothing is stuck, and whatever was done was done whole, also by those that are still at it
    patient
        .put(&format!("{K1}/areas/A-2"), Value::Null)
        .await
        .is(201);
    let sql = "SELECT revision || ' ' || (SELECT count(*) FROM accesses) || ' ' || (SELECT count(*) FROM history h
        WHERE h.business_partner_id = 'K-1') || ' ' || (SELECT count(*) FROM history h WHERE h.resource = 'access') AS text
        FROM customer_integrations WHERE business_partner_id = 'K-1'";
    let counts: Vec<i64> = app.storage.query_texts(sql).await[0]
        .split(' ')
        .map(|count| count.parse().unwrap())
        .collect();
    let [revision, accesses, entries, created] = counts[..] else {
        panic!("{counts:?}")
    };
    assert_eq!((revision, accesses), (entries + 1, created));
    assert_eq!(panics::count(), panics, "the service panicked");
}

#[apply(both_engines)]
#[actix_web::test]
async fn aborted_reads_leave_connections_usable(
    engine: Engine,
    #[values(
        "/customer-integrations/K-1",
        "/customer-integrations/K-1/areas/A-1",
        "/customer-integrations/K-1/accesses?limit=200",
        "/catalog/areas",
        "//health/ready"
    )]
    path: &'static str,
) {
    let app = TestApp::with_active_partner(engine).await;
    app.create_access("K-1", "a@b.example", json!({})).await;
    let panics = panics::count();
    let hasty = app.reader();
    let patient = app.reader();
    for n in 0..HANG_UPS {
        hasty
            .request("GET", path)
            .disconnect_after(HANG_UP_STEP * n)
            .await;
    }
    // more at once than there are connections in the pool, so that each of them is used again
    for answer in join_all((0..32).map(|_| patient.get(path))).await {
        answer.is(200);
    }
    assert_eq!(panics::count(), panics, "the service panicked");
}

#[apply(all_engines)]
#[actix_web::test]
async fn tag_never_references_an_ungranted_area(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let tag = app
        .editor()
        .post(&format!("{K1}/tags"), json!({"name": "VPN"}))
        .await
        .is(201)
        .json;
    let tag = format!("{K1}/tags/{}", tag["id"].as_str().unwrap());
    let area = format!("{K1}/areas/A-2");
    let answers = join_all((0..16).map(async |n| {
        let client = app.editor();
        let mut answers = Vec::new();
        for round in 0..10 {
            let answer = match (n % 4, round % 2) {
                (0, _) => client.put(&area, Value::Null).await,
                (1, _) => client.delete(&area).await,
                (_, 0) => client.patch(&tag, json!({"area_id": "A-2"})).await,
                _ => client.patch(&tag, json!({"area_id": null})).await,
            };
            answers.push(answer.status);
        }
        answers
    }))
    .await;
    let answers: Vec<u16> = answers.into_iter().flatten().collect();
    assert!(
        answers
            .iter()
            .all(|status| matches!(status, 200 | 201 | 204 | 404 | 409 | 422)),
        "{answers:?}"
    );
    // the tag and the grant agree
    let bound = app.reader().get(&tag).await.is(200).json["area_id"] == "A-2";
    let granted = app.reader().get(&area).await.status == 200;
    assert!(granted || !bound);
}

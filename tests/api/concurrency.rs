//! Rules under concurrency: R2 and R3 hold in every state that clients can read, and no update is
//! lost.

use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::Duration,
};

use futures_util::future::join_all;
use rstest_reuse::apply;
use serde_json::{Value, json};

use crate::{
    engines::{all_engines, both_engines},
    support::{Client, Engine, TestApp, panics},
};

const K1: &str = "/customer-integrations/K-1";
/// The number of clients that write concurrently.
const WRITERS: usize = 64;
/// The number of requests that each client sends in one round.
const REQUESTS_PER_WRITER: usize = 12;
/// The limit of rounds until every outcome occurred. One is usually enough.
const MAX_ROUNDS: usize = 20;
/// The number of states that must be read while clients write.
const MIN_READS: usize = 20;

fn count(statuses: &[u16], status: u16) -> usize {
    statuses
        .iter()
        .filter(|candidate| **candidate == status)
        .count()
}

/// Sends one request that may conflict with others. Half of the writers activate and deactivate an
/// access; the others revoke and grant the only area or the only ticket type.
async fn send_conflicting_write(client: &Client, writer: usize, n: usize, access: &str) -> u16 {
    let access = format!("{K1}/accesses/{access}");
    let area = format!("{K1}/areas/A-1");
    let ticket_type = format!("{K1}/ticket-types/T-1");
    let response = match (writer % 4, n % 2) {
        (0 | 1, 0) => client.patch(&access, json!({"active": true})).await,
        (0 | 1, _) => client.patch(&access, json!({"active": false})).await,
        (2, 0) => client.delete(&area).await,
        (2, _) => client.put(&area, Value::Null).await,
        (_, 0) => client.delete(&ticket_type).await,
        _ => client.put(&ticket_type, Value::Null).await,
    };
    response.status
}

/// Runs one round of all writers and returns the statuses of their responses.
async fn run_writers(app: &TestApp, accesses: &[String]) -> Vec<u16> {
    let writers = (0..WRITERS).map(async |writer| {
        let client = app.editor();
        let access = &accesses[writer % accesses.len()];
        let mut statuses = Vec::new();
        for n in 0..REQUESTS_PER_WRITER {
            statuses.push(send_conflicting_write(&client, writer, writer + n, access).await);
        }
        statuses
    });
    join_all(writers).await.into_iter().flatten().collect()
}

/// Reads states until `stop` is set. Panics if a state violates R2 or R3.
async fn assert_rules_hold_until(stop: &AtomicBool, client: Client, reads: &AtomicUsize) {
    while !stop.load(Ordering::Relaxed) {
        let counts = client.get(K1).await.is(200).json["counts"].clone();
        let has_grants = counts["areas"] != 0 && counts["ticket_types"] != 0;
        assert!(
            counts["active_accesses"] == 0 || has_grants,
            "invalid state: {counts}"
        );
        reads.fetch_add(1, Ordering::Relaxed);
    }
}

#[apply(all_engines)]
#[actix_web::test]
async fn active_access_always_has_area_and_ticket_type(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    // few accesses, so that sometimes none is active and a revocation succeeds
    let mut accesses = Vec::new();
    for n in 0..3 {
        let email = format!("a{n}@b.example");
        let inactive = json!({"active": false});
        accesses.push(app.create_access("K-1", &email, inactive).await);
    }
    let reads = AtomicUsize::new(0);
    let stop = AtomicBool::new(false);

    let readers = join_all((0..4).map(|_| assert_rules_hold_until(&stop, app.reader(), &reads)));
    let writers = async {
        let mut statuses = Vec::new();
        for _ in 0..MAX_ROUNDS {
            statuses.extend(run_writers(&app, &accesses).await);
            let every_outcome_occurred = [200, 204, 409]
                .iter()
                .all(|status| statuses.contains(status));
            if every_outcome_occurred && reads.load(Ordering::Relaxed) >= MIN_READS {
                break;
            }
        }
        stop.store(true, Ordering::Relaxed);
        statuses
    };
    let (statuses, _) = tokio::join!(writers, readers);

    let all_expected = statuses
        .iter()
        .all(|status| matches!(status, 200 | 201 | 204 | 404 | 409));
    assert!(all_expected, "{statuses:?}");
    for status in [200, 204, 409] {
        assert!(count(&statuses, status) > 0, "no request returned {status}");
    }
    let reads = reads.into_inner();
    assert!(reads >= MIN_READS, "only {reads} states were read");
}

#[apply(all_engines)]
#[actix_web::test]
async fn concurrent_patches_lose_no_update(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let id = app.create_access("K-1", "a@b.example", json!({})).await;
    let access = format!("{K1}/accesses/{id}");

    let writers = (0..50).map(async |writer| {
        let client = app.editor();
        let mut statuses = Vec::new();
        for n in 0..4 {
            let etag = client.get(&access).await.is(200).etag();
            let patch = json!({"last_name": format!("Name {writer} {n}")});
            let request = client.request("PATCH", &access).header("if-match", &etag);
            statuses.push(request.json(patch).send().await.status);
        }
        statuses
    });
    let statuses: Vec<u16> = join_all(writers).await.into_iter().flatten().collect();

    let updates = count(&statuses, 200);
    assert_eq!(updates + count(&statuses, 412), 200, "{statuses:?}");
    assert!(
        (1..200).contains(&updates),
        "some requests must succeed and some fail: {updates} succeeded"
    );
    let access = app.reader().get(&access).await.is(200).json;
    assert_eq!(access["version"], 1 + updates);
    let history = app.history_counts(Some("K-1")).await;
    assert_eq!(history["access updated"], updates);
}

#[apply(all_engines)]
#[actix_web::test]
async fn concurrent_posts_assign_email_once(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    app.activate_partner("K-2").await;

    let statuses = join_all((0..20).map(async |n| {
        let path = format!("/customer-integrations/K-{}/accesses", 1 + n % 2);
        let body = json!({"first_name": "A", "last_name": "B", "email": "a@b.example"});
        app.editor().post(&path, body).await.status
    }))
    .await;

    assert_eq!(count(&statuses, 201), 1, "{statuses:?}");
    assert_eq!(count(&statuses, 409), 19, "{statuses:?}");
}

/// Two accesses of different partners exchange their email addresses. Each write waits for the
/// other one's entry of the unique index, so PostgreSQL detects deadlocks and aborts transactions.
#[apply(all_engines)]
#[actix_web::test]
async fn concurrent_email_swaps_never_fail(engine: Engine) {
    const EMAILS: [&str; 3] = ["a@b.example", "b@b.example", "c@b.example"];
    let app = TestApp::with_active_partner(engine).await;
    app.activate_partner("K-2").await;
    let first = app.create_access("K-1", EMAILS[0], json!({})).await;
    let second = app.create_access("K-2", EMAILS[1], json!({})).await;
    let accesses = [
        format!("/customer-integrations/K-1/accesses/{first}"),
        format!("/customer-integrations/K-2/accesses/{second}"),
    ];

    let writers = (0..8).map(async |writer| {
        let client = app.editor();
        let mut statuses = Vec::new();
        for n in 0..REQUESTS_PER_WRITER {
            let patch = json!({"email": EMAILS[(writer + n) % 3]});
            statuses.push(client.patch(&accesses[writer % 2], patch).await.status);
        }
        statuses
    });
    let statuses: Vec<u16> = join_all(writers).await.into_iter().flatten().collect();

    let all_expected = statuses.iter().all(|status| matches!(status, 200 | 409));
    assert!(all_expected, "{statuses:?}");
}

/// The number of aborted requests, each aborted at a different time.
const ABORTED_REQUESTS: u32 = 100;
/// The difference between the delays after which consecutive requests are aborted.
const ABORT_DELAY_STEP: Duration = Duration::from_micros(60);

#[apply(both_engines)]
#[actix_web::test]
async fn aborted_writes_are_atomic(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();
    let panics_before = panics::count();

    for n in 0..ABORTED_REQUESTS {
        let email = format!("a{n}@b.example");
        let body = json!({"first_name": "A", "last_name": "B", "email": email});
        editor
            .request("POST", &format!("{K1}/accesses"))
            .json(body)
            .disconnect_after(ABORT_DELAY_STEP * n)
            .await;
    }

    // the service still writes, and counts agree even while aborted requests are running
    app.editor()
        .put(&format!("{K1}/areas/A-2"), Value::Null)
        .await
        .is(201);
    let counts = count_access_writes(&app).await;
    assert_eq!(counts.revision, counts.history_entries + 1);
    assert_eq!(counts.accesses, counts.created_entries);
    assert_eq!(panics::count(), panics_before, "the service panicked");
}

struct WriteCounts {
    /// The revision of K-1.
    revision: i64,
    accesses: i64,
    /// The history entries of K-1.
    history_entries: i64,
    /// The history entries of accesses.
    created_entries: i64,
}

/// Reads all counts in one statement, that is, of one state.
async fn count_access_writes(app: &TestApp) -> WriteCounts {
    let sql = "SELECT revision
            || ' ' || (SELECT count(*) FROM accesses)
            || ' ' || (SELECT count(*) FROM history h WHERE h.business_partner_id = 'K-1')
            || ' ' || (SELECT count(*) FROM history h WHERE h.resource = 'access') AS text
        FROM customer_integrations WHERE business_partner_id = 'K-1'";
    let row = app.storage.query_texts(sql).await.remove(0);
    let counts: Vec<i64> = row.split(' ').map(|count| count.parse().unwrap()).collect();
    let [revision, accesses, history_entries, created_entries] = counts[..] else {
        panic!("{counts:?}")
    };
    WriteCounts {
        revision,
        accesses,
        history_entries,
        created_entries,
    }
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
    let panics_before = panics::count();

    let aborting_client = app.reader();
    for n in 0..ABORTED_REQUESTS {
        aborting_client
            .request("GET", path)
            .disconnect_after(ABORT_DELAY_STEP * n)
            .await;
    }

    // more concurrent requests than connections in the pool, so that every connection is reused
    let reader = app.reader();
    for response in join_all((0..32).map(|_| reader.get(path))).await {
        response.is(200);
    }
    assert_eq!(panics::count(), panics_before, "the service panicked");
}

#[apply(all_engines)]
#[actix_web::test]
async fn tag_never_references_an_ungranted_area(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let created = app
        .editor()
        .post(&format!("{K1}/tags"), json!({"name": "VPN"}))
        .await
        .is(201);
    let tag = format!("{K1}/tags/{}", created.json["id"].as_str().unwrap());
    let area = format!("{K1}/areas/A-2");

    let writers = (0..16).map(async |writer| {
        let client = app.editor();
        let mut statuses = Vec::new();
        for n in 0..10 {
            let response = match (writer % 4, n % 2) {
                (0, _) => client.put(&area, Value::Null).await,
                (1, _) => client.delete(&area).await,
                (_, 0) => client.patch(&tag, json!({"area_id": "A-2"})).await,
                _ => client.patch(&tag, json!({"area_id": null})).await,
            };
            statuses.push(response.status);
        }
        statuses
    });
    let statuses: Vec<u16> = join_all(writers).await.into_iter().flatten().collect();

    let all_expected = statuses
        .iter()
        .all(|status| matches!(status, 200 | 201 | 204 | 404 | 409 | 422));
    assert!(all_expected, "{statuses:?}");
    let is_bound = app.reader().get(&tag).await.is(200).json["area_id"] == "A-2";
    let is_granted = app.reader().get(&area).await.status == 200;
    assert!(is_granted || !is_bound);
}

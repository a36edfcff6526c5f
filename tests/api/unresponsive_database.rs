//! An unresponsive database: requests fail within the time limit.

use std::time::{Duration, Instant};

use customer_integration::{config::Config, db::DbOptions};
use futures_util::future::join_all;
use serde_json::json;

use crate::support::{
    Client,
    Engine::Postgres,
    TestApp,
    app::{Storage, config},
    proxy::Proxy,
};

const K1: &str = "/customer-integrations/K-1";

/// Starts a service with an active partner and a time limit for database operations.
async fn start_with_time_limit(
    storage: Storage,
    url: &str,
    pool_size: usize,
    request_limit: Duration,
) -> TestApp {
    let database_options = DbOptions {
        pool_size,
        request_limit,
        ..DbOptions::default()
    };
    let config = Config {
        database_options,
        ..config(url)
    };
    let app = TestApp::with_config(storage, config).await;
    app.fill_catalog().await;
    app.activate_partner("K-1").await;
    app
}

/// Starts a service with an active partner that reaches PostgreSQL through a proxy.
async fn start_behind_proxy(pool_size: usize, request_limit: Duration) -> (TestApp, Proxy) {
    let storage = Storage::migrated(Postgres).await;
    let Storage::Postgres { server, name, .. } = &storage else {
        unreachable!("the engine is PostgreSQL")
    };
    let proxy = Proxy::to(server, name).await;
    let app = start_with_time_limit(storage, &proxy.url(), pool_size, request_limit).await;
    (app, proxy)
}

#[ignore = "needs PostgreSQL"]
#[actix_web::test]
async fn unresponsive_connection_is_replaced_in_pool() {
    let (app, proxy) = start_behind_proxy(1, Duration::from_millis(300)).await;
    let editor = app.editor();
    let path = format!("{K1}/accesses");

    proxy.freeze();
    editor.get(&path).await.is_problem(503, "unavailable");
    proxy.thaw();

    editor.get(&path).await.is(200);
}

#[ignore = "needs PostgreSQL"]
#[actix_web::test]
async fn unresponsive_database_returns_503_until_reachable() {
    let (app, proxy) = start_behind_proxy(1, Duration::from_millis(300)).await;
    let id = app.create_access("K-1", "a@b.example", json!({})).await;
    let access = format!("{K1}/accesses/{id}");
    let editor = app.editor();
    let anonymous = app.anonymous();

    proxy.freeze();
    let started = Instant::now();
    let (ready, read, written) = tokio::join!(
        anonymous.get("//health/ready"),
        editor.get(K1),
        editor.patch(&access, json!({"language": "en"})),
    );
    let elapsed = started.elapsed();
    proxy.thaw();

    assert!(elapsed < Duration::from_secs(3), "{elapsed:?}");
    for response in [ready, read, written] {
        let problem = response.is_problem(503, "unavailable");
        assert_eq!(problem.header("retry-after"), "1");
    }
    anonymous.get("//health/ready").await.is(200);
    let patched = editor.patch(&access, json!({"language": "en"})).await;
    assert_eq!(patched.is(200).json["version"], 2);
}

const TIME_LIMIT: Duration = Duration::from_secs(2);
/// Less than two time limits: a request that takes longer has waited for the database twice.
const LESS_THAN_TWO_LIMITS: Duration = Duration::from_millis(3500);

/// Reads the tags of K-1, which must fail. Returns the time it took.
async fn time_failing_read(client: &Client) -> Duration {
    let started = Instant::now();
    client
        .get(&format!("{K1}/tags"))
        .await
        .is_problem(503, "unavailable");
    started.elapsed()
}

#[ignore = "needs PostgreSQL"]
#[actix_web::test]
async fn request_that_shares_timed_out_query_fails_after_one_time_limit() {
    let (app, proxy) = start_behind_proxy(4, TIME_LIMIT).await;
    let editor = app.editor();
    // Concurrent requests fill the pool. A request without a connection would fail sooner.
    let lists = ["areas", "ticket-types", "queries", "exclusion-rules"];
    join_all(lists.map(async |list| editor.get(&format!("{K1}/{list}")).await.is(200))).await;
    proxy.freeze();

    let delayed_read = async {
        // The query of the first request is in progress. This request shares the next one.
        tokio::time::sleep(Duration::from_millis(300)).await;
        time_failing_read(&editor).await
    };
    let (first, second) = tokio::join!(time_failing_read(&editor), delayed_read);

    assert!(first < LESS_THAN_TWO_LIMITS, "{first:?}");
    assert!(second < LESS_THAN_TWO_LIMITS, "{second:?}");
}

#[ignore = "needs PostgreSQL"]
#[actix_web::test]
async fn page_read_after_timeout_is_not_retried() {
    let storage = Storage::migrated(Postgres).await;
    let Storage::Postgres { server, name, .. } = &storage else {
        unreachable!("the engine is PostgreSQL")
    };
    let url = server.url_of(name);
    let competitor = server.client(name).await;
    let app = start_with_time_limit(storage, &url, 4, TIME_LIMIT).await;
    let editor = app.editor();
    competitor
        .batch_execute("BEGIN; LOCK TABLE tags")
        .await
        .unwrap();

    let lock_integrations = async {
        // The request has read the revision by now. Reading it again would block.
        tokio::time::sleep(Duration::from_millis(500)).await;
        competitor
            .batch_execute("LOCK TABLE customer_integrations")
            .await
            .unwrap();
    };
    let (elapsed, ()) = tokio::join!(time_failing_read(&editor), lock_integrations);

    assert!(elapsed < LESS_THAN_TWO_LIMITS, "{elapsed:?}");
}

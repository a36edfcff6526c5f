//! An unresponsive database: requests fail within the time limit.

use std::time::{Duration, Instant};

use customer_integration::{config::Config, db::DbOptions};
use futures_util::future::join_all;
use serde_json::json;

use crate::support::{
    Engine::Postgres,
    TestApp,
    app::{Storage, config},
    proxy::Proxy,
};

#[ignore = "needs PostgreSQL"]
#[actix_web::test]
async fn unresponsive_database_returns_503_until_reachable() {
    let storage = Storage::migrated(Postgres).await;
    let Storage::Postgres { server, name, .. } = &storage else {
        panic!()
    };
    let proxy = Proxy::to(server, name).await;
    let options = DbOptions {
        pool_size: 1,
        request_limit: Duration::from_millis(300),
        ..DbOptions::default()
    };
    let config = Config {
        database_options: options,
        ..config(&proxy.url())
    };
    let app = TestApp::with_config(storage, config).await;
    app.fill_catalog().await;
    app.activate_partner("K-1").await;
    let id = app.create_access("K-1", "a@b.example", json!({})).await;
    let access = format!("/customer-integrations/K-1/accesses/{id}");
    let list = "/customer-integrations/K-1/accesses";
    let editor = app.editor();
    let platform = app.anonymous();

    proxy.freeze();
    editor.get(list).await.is_problem(503, "unavailable");
    proxy.thaw();
    // the silent connection was closed, else it would hold the only place in the pool for good
    editor.get(list).await.is(200);

    proxy.freeze();
    let started = Instant::now();
    let (ready, read, written) = tokio::join!(
        platform.get("//health/ready"),
        editor.get("/customer-integrations/K-1"),
        editor.patch(&access, json!({"language": "en"})),
    );
    assert!(
        started.elapsed() < Duration::from_secs(3),
        "{:?}",
        started.elapsed()
    );
    for answer in [ready, read, written] {
        assert_eq!(
            answer.is_problem(503, "unavailable").header("retry-after"),
            "1"
        );
    }
    proxy.thaw();
    platform.get("//health/ready").await.is(200);
    assert_eq!(
        editor
            .patch(&access, json!({"language": "en"}))
            .await
            .is(200)
            .json["version"],
        2
    );
}

/// A service that waits for PostgreSQL no longer than 2 seconds, with something to be read.
async fn impatient(storage: Storage, url: &str) -> TestApp {
    let options = DbOptions {
        pool_size: 4,
        request_limit: Duration::from_secs(2),
        ..DbOptions::default()
    };
    let app = TestApp::with_config(
        storage,
        Config {
            database_options: options,
            ..config(url)
        },
    )
    .await;
    app.fill_catalog().await;
    app.activate_partner("K-1").await;
    app
}

/// Less than twice as long as an impatient service waits.
const ONCE: Duration = Duration::from_millis(3500);

#[ignore = "needs PostgreSQL"]
#[actix_web::test]
async fn shared_query_timeout_is_not_waited_for_twice() {
    let storage = Storage::migrated(Postgres).await;
    let Storage::Postgres { server, name, .. } = &storage else {
        panic!()
    };
    let proxy = Proxy::to(server, name).await;
    let app = impatient(storage, &proxy.url()).await;
    let editor = app.editor();
    // at once, so that there are several connections; a request without one would fail sooner
    let lists = ["areas", "ticket-types", "queries", "exclusion-rules"];
    join_all(lists.map(async |list| {
        editor
            .get(&format!("/customer-integrations/K-1/{list}"))
            .await
            .is(200)
    }))
    .await;
    proxy.freeze();
    let ask = async |after: u64| {
        tokio::time::sleep(Duration::from_millis(after)).await;
        let started = Instant::now();
        editor
            .get("/customer-integrations/K-1/tags")
            .await
            .is_problem(503, "unavailable");
        started.elapsed()
    };
    // the second one comes while the first one's question is under way, and shares the next
    let (first, second) = tokio::join!(ask(0), ask(300));
    assert!(first < ONCE && second < ONCE, "{first:?}, {second:?}");
}

#[ignore = "needs PostgreSQL"]
#[actix_web::test]
async fn page_read_timeout_is_not_retried() {
    let storage = Storage::migrated(Postgres).await;
    let Storage::Postgres { server, name, .. } = &storage else {
        panic!()
    };
    let url = server.url_of(name);
    let rival = server.client(name).await;
    let app = impatient(storage, &url).await;
    let editor = app.editor();
    rival.batch_execute("BEGIN; LOCK TABLE tags").await.unwrap();
    let read = async {
        let started = Instant::now();
        editor
            .get("/customer-integrations/K-1/tags")
            .await
            .is_problem(503, "unavailable");
        started.elapsed()
    };
    // after its tag was looked up, and before it could be once more
    let lock = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        rival
            .batch_execute("LOCK TABLE customer_integrations")
            .await
            .unwrap();
    };
    let (elapsed, ()) = tokio::join!(read, lock);
    assert!(elapsed < ONCE, "{elapsed:?}");
}

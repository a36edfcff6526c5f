//! The databases themselves: migrations, what is stored where, and connections that die.

use crate::engines::both_engines;
use customer_integration::{
    app::App,
    config::Config,
    db::{
        Conn, Db, DbOptions,
        migrations::{self, Direction},
    },
};
use diesel::{IntoSql as _, TextExpressionMethods as _, sql_types::Text};
use futures_util::future::join_all;
use rstest::rstest;
use rstest_reuse::apply;
use serde_json::json;

use crate::support::{
    Engine,
    Engine::*,
    TestApp,
    app::{Storage, config},
    postgres::postgres,
};

/// Tables and columns, in a form common to both engines.
async fn columns(storage: &Storage) -> Vec<String> {
    let sql = match storage {
        Storage::Sqlite { .. } => {
            "SELECT m.name || '.' || c.name || CASE c.\"notnull\" WHEN 1 THEN ' not null' ELSE '' END AS text
             FROM sqlite_master m JOIN pragma_table_xinfo(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'"
        }
        Storage::Postgres { .. } => {
            "SELECT table_name || '.' || column_name || CASE is_nullable WHEN 'NO' THEN ' not null' ELSE '' END AS text
             FROM information_schema.columns WHERE table_schema = 'public'"
        }
    };
    let ours =
        |column: &String| !column.starts_with("__diesel") && !column.starts_with("migration_lock");
    let mut columns: Vec<_> = storage.texts(sql).await.into_iter().filter(ours).collect();
    columns.sort();
    columns
}

async fn indexes(storage: &Storage) -> Vec<String> {
    let sql = match storage {
        Storage::Sqlite { .. } => {
            "SELECT name AS text FROM sqlite_master WHERE type = 'index' AND name NOT LIKE 'sqlite_%'"
        }
        Storage::Postgres { .. } => {
            "SELECT indexname::text AS text FROM pg_indexes WHERE schemaname = 'public' AND indexname LIKE '%idx'"
        }
    };
    let mut indexes: Vec<_> = storage
        .texts(sql)
        .await
        .into_iter()
        .filter(|name| name.ends_with("_idx"))
        .collect();
    indexes.sort();
    indexes
}

#[apply(both_engines)]
#[actix_web::test]
async fn migrations_run_up_down_and_up_again(engine: Engine) {
    let storage = Storage::new(engine, false).await;
    let url = storage.url().parse().unwrap();
    let applied = migrations::migrate(&url, Direction::Up).await.unwrap();
    assert!(applied >= 3);
    let first = (columns(&storage).await, indexes(&storage).await);
    assert!(first.0.len() > 50 && first.1.len() > 5);
    assert_eq!(migrations::migrate(&url, Direction::Up).await.unwrap(), 0);
    assert_eq!(
        migrations::migrate(&url, Direction::Down).await.unwrap(),
        applied
    );
    assert_eq!(columns(&storage).await, [""; 0], "down must leave nothing");
    assert_eq!(migrations::pending(&url).await.unwrap(), applied);
    assert_eq!(
        migrations::migrate(&url, Direction::Up).await.unwrap(),
        applied
    );
    assert_eq!((columns(&storage).await, indexes(&storage).await), first);
    assert_eq!(migrations::pending(&url).await.unwrap(), 0);
}

#[ignore = "needs PostgreSQL"]
#[actix_web::test]
async fn both_engines_have_the_same_tables_and_indexes() {
    let sqlite = Storage::new(Sqlite, true).await;
    let postgres = Storage::new(Postgres, true).await;
    assert_eq!(columns(&sqlite).await, columns(&postgres).await);
    assert_eq!(indexes(&sqlite).await, indexes(&postgres).await);
}

#[ignore = "needs PostgreSQL"]
#[actix_web::test]
async fn every_foreign_key_on_postgres_has_an_index() {
    let storage = Storage::new(Postgres, true).await;
    // a foreign key whose columns are not the first ones of some index
    let sql = "SELECT c.conrelid::regclass::text || ' ' || c.conname AS text FROM pg_constraint c
        WHERE c.contype = 'f' AND c.connamespace = 'public'::regnamespace AND NOT EXISTS (
            SELECT 1 FROM pg_index i WHERE i.indrelid = c.conrelid
            AND (i.indkey::smallint[])[0:cardinality(c.conkey) - 1] @> c.conkey)";
    assert_eq!(storage.texts(sql).await, [""; 0]);
}

#[ignore = "needs PostgreSQL"]
#[actix_web::test]
async fn four_instances_migrate_an_empty_database_concurrently() {
    for round in 0..20 {
        let storage = Storage::new(Postgres, false).await;
        let instances = join_all((0..4).map(|_| App::build(config(&storage.url())))).await;
        for instance in instances {
            let app = instance.unwrap_or_else(|error| panic!("round {round}: {error:#}"));
            drop(app.handle().stop(false));
        }
        assert_eq!(
            migrations::pending(&storage.url().parse().unwrap())
                .await
                .unwrap(),
            0
        );
    }
}

#[ignore = "needs PostgreSQL"]
#[actix_web::test]
async fn write_on_read_only_server_returns_503() {
    let app = TestApp::start(Postgres).await;
    let Storage::Postgres { server, name, .. } = &app.storage else {
        panic!()
    };
    let put = async || {
        app.erp()
            .put(
                "/catalog/areas/A-1",
                json!({"name": "A", "color": "#00aaff"}),
            )
            .await
    };
    let read_only =
        |on: &str| format!("ALTER DATABASE \"{name}\" SET default_transaction_read_only = {on}");
    server.execute("postgres", &read_only("on")).await;
    let kill =
        format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
    server.execute("postgres", &kill).await;
    assert_eq!(
        put()
            .await
            .is_problem(503, "unavailable")
            .header("retry-after"),
        "1"
    );
    app.reader().get("/catalog/areas").await.is(200);
    server.execute("postgres", &read_only("off")).await;
    // read-only connections were not returned to the pool
    put().await.is(201);
}

#[ignore = "needs PostgreSQL"]
#[actix_web::test]
async fn killed_connections_are_replaced_without_a_failed_request() {
    let app = TestApp::with_active_partner(Postgres).await;
    let Storage::Postgres { name, .. } = &app.storage else {
        panic!()
    };
    let server = postgres().await;
    let kill =
        format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
    for round in 0..10 {
        server.execute("postgres", &kill).await;
        app.reader()
            .get("/customer-integrations/K-1/accesses")
            .await
            .is(200);
        app.reader().get("/customer-integrations/K-1").await.is(200);
        server.execute("postgres", &kill).await;
        app.access("K-1", &format!("a{round}@b.example"), json!({}))
            .await;
    }
    assert_eq!(app.history(Some("K-1")).await["access created"], 10);
}

/// The server of the tests does not speak English (see support), and not every role may choose the language of messages.
#[rstest]
#[case::role_may_choose("-c deadlock_timeout=2s")]
#[case::role_may_not("-c deadlock_timeout=2s -c role=pg_monitor")]
#[ignore = "needs PostgreSQL"]
#[actix_web::test]
async fn deadlock_is_retried_in_any_message_language(#[case] options: &str) {
    let storage = Storage::new(Postgres, true).await;
    let Storage::Postgres { server, name, .. } = &storage else {
        panic!()
    };
    server
        .execute(
            name,
            "GRANT ALL ON ALL TABLES IN SCHEMA public TO pg_monitor",
        )
        .await;
    let config = Config {
        migrate_on_start: false,
        ..config(&server.url_with(name, options))
    };
    let rival = server.client(name).await;
    let app = TestApp::with_config(storage, config).await;
    app.fill_catalog().await;
    app.activate_partner("K-1").await;
    let id = app.access("K-1", "a@b.example", json!({})).await;
    app.access("K-1", "rival@b.example", json!({})).await;

    // the rival never looks for deadlocks, so that the service is the one that is aborted
    let begin = "SET deadlock_timeout = '1h'; BEGIN; UPDATE accesses SET email = 'wanted@b.example' WHERE email LIKE 'rival%'";
    rival.batch_execute(begin).await.unwrap();
    let wanted = json!({"email": "wanted@b.example"});
    let path = format!("/customer-integrations/K-1/accesses/{id}");
    let editor = app.editor();
    let (answer, ()) = tokio::join!(editor.patch(&path, wanted), async {
        let waiting = "SELECT pid::text FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
        while app.storage.texts(waiting).await.is_empty() {}
        let locked_by_the_service =
            "UPDATE customer_integrations SET version = version WHERE business_partner_id = 'K-1'";
        rival.batch_execute(locked_by_the_service).await.unwrap();
        rival.batch_execute("ROLLBACK").await.unwrap();
    });
    assert_eq!(answer.is(200).json["email"], "wanted@b.example");
}

#[ignore = "needs PostgreSQL"]
#[actix_web::test]
async fn lock_timeout_returns_503() {
    let storage = Storage::new(Postgres, true).await;
    let Storage::Postgres { server, name, .. } = &storage else {
        panic!()
    };
    let config = config(&server.url_with(name, "-c lock_timeout=50ms"));
    let rival = server.client(name).await;
    let app = TestApp::with_config(storage, config).await;
    app.fill_catalog().await;
    app.activate_partner("K-1").await;
    rival
        .batch_execute("BEGIN; UPDATE customer_integrations SET version = version")
        .await
        .unwrap();
    let refused = app
        .editor()
        .patch("/customer-integrations/K-1", json!({"active": false}))
        .await;
    assert_eq!(
        refused.is_problem(503, "unavailable").header("retry-after"),
        "1"
    );
}

#[rstest]
#[ignore = "needs PostgreSQL"]
#[actix_web::test]
async fn one_worker_can_use_all_connections(#[values(1, 3, 8)] workers: usize) {
    let storage = Storage::new(Postgres, true).await;
    let options = DbOptions {
        pool_size: 4,
        workers,
        ..DbOptions::default()
    };
    let db = Db::open(&storage.url().parse().unwrap(), options).unwrap();
    assert_eq!((db.pool().max, db.pool().used), (4, 0));
    // passed only by four at once
    let barrier = tokio::sync::Barrier::new(4);
    let hold = || db.read(async |_| Ok(barrier.wait().await.is_leader()));
    let (a, b, c, d) = tokio::join!(hold(), hold(), hold(), hold());
    assert!([a, b, c, d].iter().all(Result::is_ok));
    assert_eq!((db.pool().idle, db.pool().used), (4, 0));
}

#[ignore = "needs PostgreSQL"]
#[actix_web::test]
async fn pool_replaces_connections_of_ended_worker() {
    use diesel_async::RunQueryDsl as _;
    let storage = Storage::new(Postgres, true).await;
    let db = Db::open(
        &storage.url().parse().unwrap(),
        DbOptions {
            pool_size: 2,
            ..DbOptions::default()
        },
    )
    .unwrap();
    let select_one = async |db: &Db| {
        db.read(async |conn| {
            let Conn::Postgres(conn) = conn else { panic!() };
            Ok(diesel::sql_query("SELECT 1").execute(conn).await?)
        })
        .await
    };
    let first = db.clone();
    let worker = std::thread::spawn(move || {
        actix_web::rt::System::new()
            .block_on(select_one(&first))
            .unwrap()
    });
    assert_eq!(worker.join().unwrap(), 1);
    assert_eq!(db.pool().idle, 1);
    // the one that is left has nobody who drives it, and nobody is left to open another one
    assert_eq!(
        (
            select_one(&db).await.unwrap(),
            select_one(&db).await.unwrap()
        ),
        (1, 1)
    );
}

#[apply(both_engines)]
#[actix_web::test]
async fn like_is_case_sensitive(engine: Engine) {
    use diesel_async::RunQueryDsl as _;
    let storage = Storage::new(engine, false).await;
    let db = Db::open(&storage.url().parse().unwrap(), DbOptions::default()).unwrap();
    let like = diesel::select("a".into_sql::<Text>().like("A"));
    let alike: bool = db
        .read(async |conn| {
            Ok(match conn {
                Conn::Sqlite(c) => like.first(c).await?,
                Conn::Postgres(c) => like.first(c).await?,
            })
        })
        .await
        .unwrap();
    assert!(!alike);
}

#[apply(both_engines)]
#[actix_web::test]
async fn schema_constraints_reject_invalid_rows(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    app.access(
        "K-1",
        "a@b.example",
        json!({"role": "editor", "approver": true}),
    )
    .await;
    for sql in [
        "UPDATE accesses SET role = 'observer'",
        "UPDATE accesses SET role = 'boss'",
        "UPDATE accesses SET email = ''",
        "UPDATE accesses SET business_partner_id = 'K-99'",
        "UPDATE accesses SET version = 0",
        "UPDATE customer_integrations SET activated_at = NULL WHERE active",
        "UPDATE grants SET entry_id = 'A-99' WHERE kind = 'area'",
        "UPDATE catalog_entries SET color = 'red' WHERE kind = 'area'",
        "UPDATE catalog_entries SET start_ticket_types = 'no json' WHERE kind = 'area'",
        "UPDATE history SET after = 'no json' WHERE action = 'created'",
        "UPDATE catalog_entries SET color = NULL WHERE kind = 'area'",
        "DELETE FROM catalog_entries WHERE id = 'A-1'",
        "UPDATE history SET action = 'deleted' WHERE action = 'created'",
    ] {
        assert!(
            app.storage.try_execute(sql).await.is_err(),
            "{engine:?} took: {sql}"
        );
    }
}

/// The rights that docs/operations.md names.
#[ignore = "needs PostgreSQL"]
#[actix_web::test]
async fn service_needs_only_rights_on_rows() {
    let storage = Storage::new(Postgres, true).await;
    let Storage::Postgres { server, name, .. } = &storage else {
        panic!()
    };
    let grant = "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO pg_monitor";
    server.execute(name, grant).await;
    let config = Config {
        migrate_on_start: false,
        ..config(&server.url_with(name, "-c role=pg_monitor"))
    };
    let app = TestApp::with_config(storage, config).await;
    app.anonymous().get("//health/ready").await.is(200);
    app.fill_catalog().await;
    app.activate_partner("K-1").await;
    let id = app.access("K-1", "a@b.example", json!({})).await;
    let path = format!("/customer-integrations/K-1/accesses/{id}");
    app.editor()
        .patch(&path, json!({"language": "en"}))
        .await
        .is(200);
    assert_eq!(app.history(Some("K-1")).await["access created"], 1);
}

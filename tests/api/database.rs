//! The databases themselves: migrations, schema, and lost connections.

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

use crate::{
    engines::both_engines,
    support::{
        Engine,
        Engine::*,
        TestApp,
        app::{Storage, config},
        postgres::Postgres as PostgresServer,
        raw_http::wait_until,
    },
};

/// The tables, columns and indexes of a database, in a form that both engines share.
#[derive(Debug, PartialEq)]
struct Schema {
    /// `table.column`, followed by `not null` where it applies.
    columns: Vec<String>,
    indexes: Vec<String>,
}

impl Schema {
    async fn of(storage: &Storage) -> Self {
        let mut columns = storage.query_texts(columns_sql(storage)).await;
        columns.retain(|column| {
            !column.starts_with("__diesel") && !column.starts_with("migration_lock")
        });
        columns.sort();
        let mut indexes = storage.query_texts(indexes_sql(storage)).await;
        indexes.retain(|index| index.ends_with("_idx"));
        indexes.sort();
        Self { columns, indexes }
    }
}

fn columns_sql(storage: &Storage) -> &'static str {
    match storage {
        Storage::Sqlite { .. } => {
            "SELECT m.name || '.' || c.name
                || CASE c.\"notnull\" WHEN 1 THEN ' not null' ELSE '' END AS text
             FROM sqlite_master m JOIN pragma_table_xinfo(m.name) c
             WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'"
        }
        Storage::Postgres { .. } => {
            "SELECT table_name || '.' || column_name
                || CASE is_nullable WHEN 'NO' THEN ' not null' ELSE '' END AS text
             FROM information_schema.columns WHERE table_schema = 'public'"
        }
    }
}

/// The indexes that both engines have. Trigram indexes (`…_trgm`) exist only on PostgreSQL.
fn indexes_sql(storage: &Storage) -> &'static str {
    match storage {
        Storage::Sqlite { .. } => {
            "SELECT name AS text FROM sqlite_master
             WHERE type = 'index' AND name NOT LIKE 'sqlite_%'"
        }
        Storage::Postgres { .. } => {
            "SELECT indexname::text AS text FROM pg_indexes
             WHERE schemaname = 'public' AND indexname LIKE '%idx'"
        }
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn migrations_run_up_down_and_up_again(engine: Engine) {
    let storage = Storage::empty(engine).await;
    let url = storage.url().parse().unwrap();
    let migrate = async |direction| migrations::migrate(&url, direction).await.unwrap();
    let pending = async || migrations::pending(&url).await.unwrap();

    let applied = migrate(Direction::Up).await;
    assert!(applied >= 3);
    let schema = Schema::of(&storage).await;
    assert!(schema.columns.len() > 50 && schema.indexes.len() > 5);
    assert_eq!(migrate(Direction::Up).await, 0);

    assert_eq!(migrate(Direction::Down).await, applied);
    let columns = Schema::of(&storage).await.columns;
    assert_eq!(columns, [""; 0], "down must leave nothing");
    assert_eq!(pending().await, applied);

    assert_eq!(migrate(Direction::Up).await, applied);
    assert_eq!(Schema::of(&storage).await, schema);
    assert_eq!(pending().await, 0);
}

#[ignore = "needs PostgreSQL"]
#[actix_web::test]
async fn both_engines_have_the_same_tables_and_indexes() {
    let sqlite = Storage::migrated(Sqlite).await;
    let postgres = Storage::migrated(Postgres).await;

    assert_eq!(Schema::of(&sqlite).await, Schema::of(&postgres).await);
}

#[ignore = "needs PostgreSQL"]
#[actix_web::test]
async fn every_foreign_key_on_postgres_has_an_index() {
    let storage = Storage::migrated(Postgres).await;
    // foreign keys whose columns are not the first columns of any index
    let sql = "SELECT c.conrelid::regclass::text || ' ' || c.conname AS text FROM pg_constraint c
        WHERE c.contype = 'f' AND c.connamespace = 'public'::regnamespace AND NOT EXISTS (
            SELECT 1 FROM pg_index i WHERE i.indrelid = c.conrelid
            AND (i.indkey::smallint[])[0:cardinality(c.conkey) - 1] @> c.conkey)";

    assert_eq!(storage.query_texts(sql).await, [""; 0]);
}

#[ignore = "needs PostgreSQL"]
#[actix_web::test]
async fn four_instances_migrate_an_empty_database_concurrently() {
    for round in 0..20 {
        let storage = Storage::empty(Postgres).await;

        let instances = join_all((0..4).map(|_| App::build(config(&storage.url())))).await;

        for instance in instances {
            let app = instance.unwrap_or_else(|error| panic!("round {round}: {error:#}"));
            drop(app.handle().stop(false));
        }
        let url = storage.url().parse().unwrap();
        assert_eq!(migrations::pending(&url).await.unwrap(), 0);
    }
}

/// The PostgreSQL server of a test and the name of its database.
fn server_and_name(storage: &Storage) -> (&'static PostgresServer, &str) {
    let Storage::Postgres { server, name, .. } = storage else {
        panic!("not a PostgreSQL database")
    };
    (server, name)
}

async fn kill_connections(server: &PostgresServer, database: &str) {
    let sql = format!(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'"
    );
    server.execute("postgres", &sql).await;
}

#[ignore = "needs PostgreSQL"]
#[actix_web::test]
async fn write_on_read_only_server_returns_503() {
    let app = TestApp::start(Postgres).await;
    let (server, name) = server_and_name(&app.storage);
    let set_read_only = async |value: &str| {
        let sql = format!("ALTER DATABASE \"{name}\" SET default_transaction_read_only = {value}");
        server.execute("postgres", &sql).await;
    };
    let put_area = async || {
        let area = json!({"name": "A", "color": "#00aaff"});
        app.erp().put("/catalog/areas/A-1", area).await
    };

    set_read_only("on").await;
    kill_connections(server, name).await;
    let refused = put_area().await.is_problem(503, "unavailable");
    assert_eq!(refused.header("retry-after"), "1");
    app.reader().get("/catalog/areas").await.is(200);

    // the service did not return read-only connections to its pool
    set_read_only("off").await;
    put_area().await.is(201);
}

#[ignore = "needs PostgreSQL"]
#[actix_web::test]
async fn killed_connections_are_replaced_without_a_failed_request() {
    let app = TestApp::with_active_partner(Postgres).await;
    let (server, name) = server_and_name(&app.storage);
    let reader = app.reader();

    for round in 0..10 {
        kill_connections(server, name).await;
        reader
            .get("/customer-integrations/K-1/accesses")
            .await
            .is(200);
        reader.get("/customer-integrations/K-1").await.is(200);

        kill_connections(server, name).await;
        let email = format!("a{round}@b.example");
        app.create_access("K-1", &email, json!({})).await;
    }

    let history = app.history_counts(Some("K-1")).await;
    assert_eq!(history["access created"], 10);
}

/// The server of the tests sends German messages. Only some roles may change the language.
#[rstest]
#[case::role_may_change_language("-c deadlock_timeout=2s")]
#[case::role_may_not_change_language("-c deadlock_timeout=2s -c role=pg_monitor")]
#[ignore = "needs PostgreSQL"]
#[actix_web::test]
async fn deadlock_is_retried_in_any_message_language(#[case] options: &str) {
    let storage = Storage::migrated(Postgres).await;
    let (server, name) = server_and_name(&storage);
    let grant = "GRANT ALL ON ALL TABLES IN SCHEMA public TO pg_monitor";
    server.execute(name, grant).await;
    let other_client = server.client(name).await;
    let config = Config {
        migrate_on_start: false,
        ..config(&server.url_with(name, options))
    };
    let app = TestApp::with_config(storage, config).await;
    app.fill_catalog().await;
    app.activate_partner("K-1").await;
    let id = app.create_access("K-1", "a@b.example", json!({})).await;
    app.create_access("K-1", "other@b.example", json!({})).await;

    // the other client detects no deadlocks, so PostgreSQL aborts the transaction of the service
    other_client
        .batch_execute(
            "SET deadlock_timeout = '1h'; BEGIN;
             UPDATE accesses SET email = 'new@b.example' WHERE email LIKE 'other%'",
        )
        .await
        .unwrap();
    let path = format!("/customer-integrations/K-1/accesses/{id}");
    let editor = app.editor();
    let (response, ()) = tokio::join!(
        editor.patch(&path, json!({"email": "new@b.example"})),
        async {
            wait_for_blocked_statement(&app.storage).await;
            cause_deadlock(&other_client).await;
        }
    );

    assert_eq!(response.is(200).json["email"], "new@b.example");
}

async fn wait_for_blocked_statement(storage: &Storage) {
    let sql = "SELECT pid::text FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'";
    wait_until("a statement waits for a lock", async || {
        !storage.query_texts(sql).await.is_empty()
    })
    .await;
}

/// Waits for a row that the service has locked until the service is aborted, then rolls back.
async fn cause_deadlock(client: &tokio_postgres::Client) {
    client
        .batch_execute(
            "UPDATE customer_integrations SET version = version WHERE business_partner_id = 'K-1'",
        )
        .await
        .unwrap();
    client.batch_execute("ROLLBACK").await.unwrap();
}

#[ignore = "needs PostgreSQL"]
#[actix_web::test]
async fn lock_timeout_returns_503() {
    let storage = Storage::migrated(Postgres).await;
    let (server, name) = server_and_name(&storage);
    let other_client = server.client(name).await;
    let config = config(&server.url_with(name, "-c lock_timeout=50ms"));
    let app = TestApp::with_config(storage, config).await;
    app.fill_catalog().await;
    app.activate_partner("K-1").await;

    other_client
        .batch_execute("BEGIN; UPDATE customer_integrations SET version = version")
        .await
        .unwrap();
    let response = app
        .editor()
        .patch("/customer-integrations/K-1", json!({"active": false}))
        .await;

    let refused = response.is_problem(503, "unavailable");
    assert_eq!(refused.header("retry-after"), "1");
}

#[rstest]
#[ignore = "needs PostgreSQL"]
#[actix_web::test]
async fn one_worker_can_use_all_connections(#[values(1, 3, 8)] workers: usize) {
    let storage = Storage::migrated(Postgres).await;
    let options = DbOptions {
        pool_size: 4,
        workers,
        ..DbOptions::default()
    };
    let db = Db::open(&storage.url().parse().unwrap(), options).unwrap();
    assert_eq!(db.pool().max, 4);
    assert_eq!(db.pool().used, 0);

    // only four concurrent reads pass the barrier
    let barrier = tokio::sync::Barrier::new(4);
    let reads = (0..4).map(|_| db.read(async |_| Ok(barrier.wait().await.is_leader())));
    let results = join_all(reads).await;

    assert!(results.iter().all(Result::is_ok));
    assert_eq!(db.pool().idle, 4);
    assert_eq!(db.pool().used, 0);
}

/// Runs a statement on a connection of the pool.
async fn select_one(db: &Db) -> usize {
    use diesel_async::RunQueryDsl as _;
    db.read(async |conn| {
        let Conn::Postgres(conn) = conn else {
            panic!("not a PostgreSQL connection")
        };
        Ok(diesel::sql_query("SELECT 1").execute(conn).await?)
    })
    .await
    .unwrap()
}

#[ignore = "needs PostgreSQL"]
#[actix_web::test]
async fn pool_replaces_connections_of_ended_worker() {
    let storage = Storage::migrated(Postgres).await;
    let options = DbOptions {
        pool_size: 2,
        ..DbOptions::default()
    };
    let db = Db::open(&storage.url().parse().unwrap(), options).unwrap();

    let worker_db = db.clone();
    let worker =
        std::thread::spawn(move || actix_web::rt::System::new().block_on(select_one(&worker_db)));
    assert_eq!(worker.join().unwrap(), 1);
    assert_eq!(db.pool().idle, 1);

    // nothing drives the idle connection any more, since its worker has ended
    assert_eq!(select_one(&db).await, 1);
    assert_eq!(select_one(&db).await, 1);
}

#[apply(both_engines)]
#[actix_web::test]
async fn like_is_case_sensitive(engine: Engine) {
    use diesel_async::RunQueryDsl as _;
    let storage = Storage::empty(engine).await;
    let db = Db::open(&storage.url().parse().unwrap(), DbOptions::default()).unwrap();

    let query = diesel::select("a".into_sql::<Text>().like("A"));
    let is_match: bool = db
        .read(async |conn| {
            Ok(match conn {
                Conn::Sqlite(conn) => query.first(conn).await?,
                Conn::Postgres(conn) => query.first(conn).await?,
            })
        })
        .await
        .unwrap();

    assert!(!is_match);
}

#[apply(both_engines)]
#[actix_web::test]
async fn schema_constraints_reject_invalid_rows(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let approver = json!({"role": "editor", "approver": true});
    app.create_access("K-1", "a@b.example", approver).await;

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
            "accepted: {sql}"
        );
    }
}

/// The rights that docs/operations.md names.
#[ignore = "needs PostgreSQL"]
#[actix_web::test]
async fn service_needs_only_rights_on_rows() {
    let storage = Storage::migrated(Postgres).await;
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
    let id = app.create_access("K-1", "a@b.example", json!({})).await;
    let path = format!("/customer-integrations/K-1/accesses/{id}");
    app.editor()
        .patch(&path, json!({"language": "en"}))
        .await
        .is(200);
    assert_eq!(app.history_counts(Some("K-1")).await["access created"], 1);
}

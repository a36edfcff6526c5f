//! One server and one database per test, built by the same constructor as in the binary.

use std::{collections::BTreeMap, path::PathBuf};

use customer_integration::{
    app::App,
    common::timestamp::Timestamp,
    config::{Config, Limits, ShutdownConfig},
    db::{
        DbOptions,
        migrations::{self, Direction},
    },
    tokens::{self, Audience, Claims, TokenSettings},
};
use diesel::{Connection as _, RunQueryDsl as _, sql_types};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::OnceCell;

use super::{
    client::Client,
    document::Operation,
    postgres::{Postgres, postgres},
};

/// The database engines under test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
    /// PostgreSQL with `default_transaction_isolation = serializable`.
    Serializable,
}

pub const ISSUER: &str = "https://issuer.example";
pub const AUDIENCE: &str = "customer-integration";
pub const SECRET: &str = "a key for tests, at least 32 bytes long";

/// A running service.
pub struct TestApp {
    /// The URL of the service, without a path.
    pub origin: String,
    pub storage: Storage,
    handle: actix_web::dev::ServerHandle,
}

/// The database of a test; removed when the test ends.
pub enum Storage {
    Sqlite {
        _directory: TempDir,
        path: String,
    },
    /// `borrowed`: owned by another [`TestApp`], which drops it.
    Postgres {
        server: &'static Postgres,
        name: String,
        serializable: bool,
        borrowed: bool,
    },
}

impl Storage {
    /// Creates a database with the current schema.
    pub async fn migrated(engine: Engine) -> Self {
        if engine == Engine::Sqlite {
            let (storage, path) = Self::empty_sqlite();
            std::fs::copy(sqlite_template().await, path).unwrap();
            return storage;
        }
        let server = postgres().await;
        let name = server.create_migrated_database().await;
        Self::on_server(server, name, engine)
    }

    /// Creates a database without tables.
    pub async fn empty(engine: Engine) -> Self {
        if engine == Engine::Sqlite {
            return Self::empty_sqlite().0;
        }
        let server = postgres().await;
        let name = server.create_empty_database().await;
        Self::on_server(server, name, engine)
    }

    fn empty_sqlite() -> (Self, PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("test.db");
        let storage = Self::Sqlite {
            path: path.display().to_string(),
            _directory: directory,
        };
        (storage, path)
    }

    fn on_server(server: &'static Postgres, name: String, engine: Engine) -> Self {
        Self::Postgres {
            server,
            name,
            serializable: engine == Engine::Serializable,
            borrowed: false,
        }
    }

    /// The database URL for the service.
    pub fn url(&self) -> String {
        match self {
            Self::Sqlite { path, .. } => format!("sqlite://{path}"),
            Self::Postgres {
                server,
                name,
                serializable: false,
                ..
            } => server.url_of(name),
            Self::Postgres {
                server,
                name,
                serializable: true,
                ..
            } => server.url_with(name, "-c default_transaction_isolation=serializable"),
        }
    }

    /// Runs a statement directly on the database, bypassing the service.
    pub async fn try_execute(&self, sql: &str) -> Result<(), String> {
        match self {
            Self::Sqlite { path, .. } => {
                let mut conn = diesel::SqliteConnection::establish(path).unwrap();
                diesel::sql_query("PRAGMA foreign_keys = ON")
                    .execute(&mut conn)
                    .unwrap();
                diesel::sql_query(sql)
                    .execute(&mut conn)
                    .map(drop)
                    .map_err(|error| error.to_string())
            }
            Self::Postgres { server, name, .. } => server
                .client(name)
                .await
                .batch_execute(sql)
                .await
                .map_err(|error| error.to_string()),
        }
    }

    /// Runs a query with one text column, named `text`, directly on the database.
    pub async fn query_texts(&self, sql: &str) -> Vec<String> {
        #[derive(diesel::QueryableByName)]
        struct Row {
            #[diesel(sql_type = sql_types::Text)]
            text: String,
        }
        match self {
            Self::Sqlite { path, .. } => {
                let mut conn = diesel::SqliteConnection::establish(path).unwrap();
                let rows: Vec<Row> = diesel::sql_query(sql).load(&mut conn).unwrap();
                rows.into_iter().map(|row| row.text).collect()
            }
            Self::Postgres { server, name, .. } => {
                let rows = server.client(name).await.query(sql, &[]).await.unwrap();
                rows.iter().map(|row| row.get(0)).collect()
            }
        }
    }
}

impl Drop for Storage {
    fn drop(&mut self) {
        if let Self::Postgres {
            server,
            name,
            borrowed: false,
            ..
        } = self
        {
            server.drop_database(std::mem::take(name));
        }
    }
}

const SQLITE_TEMPLATE: &str = "template.db";

/// The path of a migrated SQLite file, which tests copy. Created once per process.
async fn sqlite_template() -> PathBuf {
    static DIRECTORY: OnceCell<TempDir> = OnceCell::const_new();
    let directory = DIRECTORY.get_or_init(create_sqlite_template).await;
    directory.path().join(SQLITE_TEMPLATE)
}

async fn create_sqlite_template() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(SQLITE_TEMPLATE).display().to_string();
    let url = format!("sqlite://{path}").parse().unwrap();
    migrations::migrate(&url, Direction::Up).await.unwrap();

    // only the main file is copied, so it must contain everything
    let mut conn = diesel::SqliteConnection::establish(&path).unwrap();
    diesel::sql_query("PRAGMA wal_checkpoint(TRUNCATE)")
        .execute(&mut conn)
        .unwrap();
    directory
}

/// The default settings of a service under test.
pub fn config(url: &str) -> Config {
    Config {
        bind_address: "127.0.0.1:0".to_owned(),
        database: url.parse().unwrap(),
        database_options: DbOptions {
            pool_size: 8,
            ..DbOptions::default()
        },
        tokens: tokens(),
        public_url: None,
        cors_allowed_origins: vec!["https://portal.example".to_owned()],
        worker_threads: 2,
        migrate_on_start: true,
        decision_cache_bytes: 8 * 1024 * 1024,
        page_cache_bytes: 8 * 1024 * 1024,
        limits: Limits::default(),
        stopping: ShutdownConfig::default(),
        metrics_bind_address: None,
        otlp_endpoint: None,
    }
}

pub fn tokens() -> TokenSettings {
    TokenSettings::hs256(ISSUER, AUDIENCE, SECRET)
}

/// The claims of a valid token.
pub fn claims(scope: &str) -> Claims {
    Claims {
        iss: ISSUER.to_owned(),
        aud: Audience::One(AUDIENCE.to_owned()),
        exp: Timestamp::now().plus_seconds(3600).unix_micros() / 1_000_000,
        nbf: None,
        sub: "anna.admin".to_owned(),
        scope: scope.to_owned(),
        client_id: Some("spa".to_owned()),
        name: None,
        act: None,
        business_partner_id: None,
    }
}

impl TestApp {
    /// Starts a service with an empty, migrated database.
    pub async fn start(engine: Engine) -> Self {
        Self::with_storage(Storage::migrated(engine).await).await
    }

    /// Starts a service with the given database.
    pub async fn with_storage(storage: Storage) -> Self {
        let config = config(&storage.url());
        Self::with_config(storage, config).await
    }

    /// Starts a service with SQLite and changed settings.
    pub async fn with_settings(change: impl FnOnce(&mut Config)) -> Self {
        let storage = Storage::migrated(Engine::Sqlite).await;
        let mut config = config(&storage.url());
        change(&mut config);
        Self::with_config(storage, config).await
    }

    /// Starts a service with the given settings.
    pub async fn with_config(storage: Storage, config: Config) -> Self {
        let app = App::build(config).await.unwrap();
        let origin = format!("http://{}", app.address);
        let handle = app.handle();
        actix_web::rt::spawn(app.run());
        Self {
            origin,
            storage,
            handle,
        }
    }

    /// Starts another instance with the same database. Panics with SQLite, which allows only one.
    pub async fn start_second_instance(&self) -> Self {
        let Storage::Postgres {
            server,
            name,
            serializable,
            ..
        } = &self.storage
        else {
            panic!("SQLite allows only one instance")
        };
        Self::with_storage(Storage::Postgres {
            server,
            name: name.clone(),
            serializable: *serializable,
            borrowed: true,
        })
        .await
    }

    /// Starts a service with catalog entries: business partners K-1 and K-2, areas,
    /// ticket types T-1 to T-3, plan board B-1.
    pub async fn with_catalog(engine: Engine) -> Self {
        let app = Self::start(engine).await;
        app.fill_catalog().await;
        app
    }

    /// Creates the catalog entries that [`Self::with_catalog`] lists.
    pub async fn fill_catalog(&self) {
        let erp = self.erp();
        for n in 1..=3 {
            erp.put(
                &format!("/catalog/ticket-types/T-{n}"),
                json!({"name": format!("Art {n}"), "kind": "standard"}),
            )
            .await
            .is(201);
            erp.put(
                &format!("/catalog/areas/A-{n}"),
                json!({"name": format!("Bereich {n}"), "color": "#00aaff"}),
            )
            .await
            .is(201);
        }
        erp.put("/catalog/plan-boards/B-1", json!({"name": "Board"}))
            .await
            .is(201);
        for n in 1..=2 {
            let partner = json!({"name": format!("Partner {n}"), "search_name": format!("P{n}")});
            erp.put(&format!("/catalog/business-partners/K-{n}"), partner)
                .await
                .is(201);
        }
    }

    /// Starts a service with catalog entries and, for K-1, an active integration with area A-1 and
    /// ticket type T-1.
    pub async fn with_active_partner(engine: Engine) -> Self {
        let app = Self::with_catalog(engine).await;
        app.activate_partner("K-1").await;
        app
    }

    /// Activates the integration of a partner and grants A-1 and T-1.
    pub async fn activate_partner(&self, partner: &str) {
        let editor = self.editor();
        editor
            .patch(
                &format!("/customer-integrations/{partner}"),
                json!({"active": true}),
            )
            .await
            .is(200);
        editor
            .put(
                &format!("/customer-integrations/{partner}/areas/A-1"),
                Value::Null,
            )
            .await
            .is(201);
        editor
            .put(
                &format!("/customer-integrations/{partner}/ticket-types/T-1"),
                Value::Null,
            )
            .await
            .is(201);
    }

    /// A client without a token.
    pub fn anonymous(&self) -> Client {
        Client::new(&self.origin, None)
    }

    /// A client with the given claims.
    pub fn client_with_claims(&self, claims: &Claims) -> Client {
        Client::new(&self.origin, Some(tokens::sign(&tokens(), claims).unwrap()))
    }

    /// A client with the given space-separated scopes.
    pub fn client_with_scope(&self, scope: &str) -> Client {
        self.client_with_claims(&claims(scope))
    }

    /// A client that may read everything.
    pub fn reader(&self) -> Client {
        self.client_with_scope("integration:read catalog:read audit:read decisions:read")
    }

    /// A client that may write exclusion rules, both of one partner and global.
    pub fn global_rules_editor(&self) -> Client {
        self.client_with_scope("integration:read integration:write global-rules:write")
    }

    /// A client with the scopes of the administration tab.
    pub fn editor(&self) -> Client {
        self.client_with_scope("integration:read integration:write catalog:read")
    }

    /// The ERP system: a client that may write the catalog.
    pub fn erp(&self) -> Client {
        self.client_with_claims(&Claims {
            sub: "erp".to_owned(),
            ..claims("catalog:read catalog:write integration:read")
        })
    }

    /// A client whose token is restricted to one partner.
    pub fn editor_of(&self, partner: &str) -> Client {
        self.client_with_claims(&Claims {
            business_partner_id: Some(partner.parse().unwrap()),
            ..claims("integration:read integration:write catalog:read catalog:write")
        })
    }

    /// Creates an access of a partner and returns its id. The members of `more` are added to the
    /// body.
    pub async fn create_access(&self, partner: &str, email: &str, more: Value) -> String {
        let mut body = json!({"first_name": "Änne", "last_name": "Schäfer", "email": email});
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().cloned().unwrap_or_default());
        let created = self
            .editor()
            .post(&format!("/customer-integrations/{partner}/accesses"), body)
            .await
            .is(201);
        created.json["id"].as_str().unwrap().to_owned()
    }

    /// Counts the history entries of a partner, or of the catalog, by `resource action`.
    pub async fn history_counts(&self, partner: Option<&str>) -> BTreeMap<String, usize> {
        let condition = partner.map_or("business_partner_id IS NULL".to_owned(), |id| {
            format!("business_partner_id = '{id}'")
        });
        let sql =
            format!("SELECT resource || ' ' || action AS text FROM history WHERE {condition}");
        let mut counts = BTreeMap::new();
        for entry in self.storage.query_texts(&sql).await {
            *counts.entry(entry).or_default() += 1;
        }
        counts
    }
}

/// The ids of one resource of each kind, all of K-1.
#[derive(Debug, Clone)]
pub struct Ids {
    pub area: String,
    pub ticket_type: String,
    pub plan_board: String,
    pub access: String,
    pub tag: String,
    pub query: String,
    pub rule: String,
    pub global_rule: String,
}

impl Ids {
    /// The path of an operation for a partner, relative to `/api/v1`.
    pub fn path(&self, operation: &Operation, partner: &str) -> String {
        let rule = if operation.path.contains("{business_partner_id}") {
            &self.rule
        } else {
            &self.global_rule
        };
        let ids = [
            ("business_partner_id", partner),
            ("area_id", &self.area),
            ("ticket_type_id", &self.ticket_type),
            ("plan_board_id", &self.plan_board),
            ("access_id", &self.access),
            ("tag_id", &self.tag),
            ("query_id", &self.query),
            ("rule_id", rule),
        ];
        let path = operation.path_with(&ids);
        assert!(
            !path.contains('{'),
            "{} has a path parameter that `Ids` does not cover",
            operation.id
        );
        path.strip_prefix("/api/v1").unwrap().to_owned()
    }
}

/// A filter that is valid in queries and in rules.
pub fn filter() -> Value {
    json!({"type": "condition", "field": "status", "operator": "in", "values": ["closed"]})
}

impl TestApp {
    /// Creates one resource of each kind for K-1, which must be active, with A-1 and T-1 granted.
    pub async fn create_one_of_each(&self) -> Ids {
        self.erp()
            .put("/customer-integrations/K-1/plan-boards/B-1", Value::Null)
            .await
            .is(201);
        let create = async |path: &str, body: Value| {
            let created = self.global_rules_editor().post(path, body).await.is(201);
            created.json["id"].as_str().unwrap().to_owned()
        };
        let rule = json!({"name": "Rule", "filter": filter()});
        let query = json!({"name": "Query", "filter": filter(), "columns": ["subject"]});
        Ids {
            area: "A-1".to_owned(),
            ticket_type: "T-1".to_owned(),
            plan_board: "B-1".to_owned(),
            access: self.create_access("K-1", "a@b.example", json!({})).await,
            tag: create("/customer-integrations/K-1/tags", json!({"name": "Tag"})).await,
            query: create("/customer-integrations/K-1/queries", query).await,
            rule: create("/customer-integrations/K-1/exclusion-rules", rule.clone()).await,
            global_rule: create("/exclusion-rules", rule).await,
        }
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        // starts the shutdown only; the database is dropped with FORCE right after
        drop(self.handle.stop(false));
    }
}

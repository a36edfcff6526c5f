//! Schema migrations. They are embedded, have the same names on both databases, and are safe if
//! several instances start at once.
//!
//! `diesel_migrations` does not lock. On SQLite all migrations run in one immediate transaction. On
//! PostgreSQL a second connection locks the row of `migration_lock` until the migrations are done.
//! This is not an advisory lock, because not all databases with PostgreSQL's protocol support
//! those.

use std::{pin::pin, sync::LazyLock, time::Duration};

use anyhow::Context as _;
use diesel::migration::MigrationSource;
use diesel_async::{
    AsyncPgConnection, RunQueryDsl as _, SimpleAsyncConnection as _,
    async_connection_wrapper::AsyncConnectionWrapper,
};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use secrecy::ExposeSecret as _;
use tokio::time::timeout;

use super::{
    connect::{connect_postgres, connect_sqlite},
    database::{DatabaseUrl, Db},
    with_conn,
};
use crate::common::{Error, Result};

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// Attempts of `CREATE TABLE IF NOT EXISTS`, which can fail on PostgreSQL if run concurrently.
const LOCK_TABLE_ATTEMPTS: u32 = 20;
/// Time limit for connecting. A URL may list several hosts, which are tried in turn.
const CONNECT_TIMEOUT: Duration = Duration::from_mins(1);
/// Interval of the log message while waiting for another instance.
const WAIT_LOG_INTERVAL: Duration = Duration::from_secs(10);

/// The direction of a migration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Apply all pending migrations.
    Up,
    /// Revert all migrations.
    Down,
}

/// Applies or reverts migrations and returns their number.
pub async fn migrate(url: &DatabaseUrl, direction: Direction) -> anyhow::Result<usize> {
    match url {
        DatabaseUrl::Sqlite(path) => {
            let path = path.clone();
            tokio::task::spawn_blocking(move || {
                let mut conn = connect_sqlite(&path)?;
                conn.immediate_transaction(|conn| {
                    run(conn, SQLITE, direction).map_err(MigrationError)
                })
                .map_err(|MigrationError(error)| error)
            })
            .await?
        }
        DatabaseUrl::Postgres(url) => {
            let lock = hold_lock(url.expose_secret()).await?;
            let conn = connect(url.expose_secret()).await?;
            let result = tokio::task::spawn_blocking(move || {
                run(
                    &mut AsyncConnectionWrapper::<AsyncPgConnection>::from(conn),
                    POSTGRES,
                    direction,
                )
            })
            .await?;
            drop(lock);
            result
        }
    }
}

diesel::table! {
    __diesel_schema_migrations (version) {
        version -> Text,
    }
}

/// The version of the latest embedded migration.
static LATEST: LazyLock<String> = LazyLock::new(|| {
    let embedded =
        MigrationSource::<diesel::sqlite::Sqlite>::migrations(&SQLITE).unwrap_or_default();
    embedded
        .iter()
        .map(|migration| migration.name().version().to_string())
        .max()
        .unwrap_or_default()
});

/// Whether the latest embedded migration has been applied. One cheap query, for readiness probes.
pub async fn is_current(db: &Db) -> Result<bool> {
    use __diesel_schema_migrations::{table, version};
    use diesel::{ExpressionMethods as _, QueryDsl as _, dsl::count_star};
    let applied: Result<i64> = db
        .ping(async |conn| {
            Ok(with_conn!(conn, |c| table
                .filter(version.eq(LATEST.as_str()))
                .select(count_star())
                .first(c))?)
        })
        .await;
    match applied {
        Ok(applied) => Ok(applied > 0),
        // Without any migration, the table of applied migrations is missing too.
        Err(Error::MigrationsPending(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

/// The number of pending migrations.
pub async fn pending(url: &DatabaseUrl) -> anyhow::Result<usize> {
    match url {
        DatabaseUrl::Sqlite(path) => {
            let path = path.clone();
            tokio::task::spawn_blocking(move || count_pending(&mut connect_sqlite(&path)?, SQLITE))
                .await?
        }
        DatabaseUrl::Postgres(url) => {
            let conn = connect(url.expose_secret()).await?;
            tokio::task::spawn_blocking(move || {
                count_pending(
                    &mut AsyncConnectionWrapper::<AsyncPgConnection>::from(conn),
                    POSTGRES,
                )
            })
            .await?
        }
    }
}

fn run<C, DB>(
    conn: &mut C,
    source: impl MigrationSource<DB>,
    direction: Direction,
) -> anyhow::Result<usize>
where
    C: MigrationHarness<DB>,
    DB: diesel::backend::Backend,
{
    let versions = match direction {
        Direction::Up => conn.run_pending_migrations(source),
        Direction::Down => conn.revert_all_migrations(source),
    };
    Ok(versions
        .map_err(|error| anyhow::anyhow!("migration failed: {error}"))?
        .len())
}

fn count_pending<C, DB>(conn: &mut C, source: impl MigrationSource<DB>) -> anyhow::Result<usize>
where
    C: MigrationHarness<DB>,
    DB: diesel::backend::Backend,
{
    Ok(conn
        .pending_migrations(source)
        .map_err(|error| anyhow::anyhow!("{error}"))?
        .len())
}

/// Connects, with a time limit in case the server accepts the connection but does not respond.
async fn connect(url: &str) -> anyhow::Result<AsyncPgConnection> {
    let connected = timeout(CONNECT_TIMEOUT, connect_postgres(url)).await;
    Ok(connected.context("the database accepted a connection but did not respond")??)
}

/// Opens a connection whose transaction holds the migration lock.
///
/// Another instance may need a long time for large tables, so there is no time limit. But the
/// server must notice if that instance is gone, so its keepalives are shortened from the system
/// default of two hours.
async fn hold_lock(url: &str) -> anyhow::Result<AsyncPgConnection> {
    let mut conn = connect(url).await?;
    let keepalives = "SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; \
                      SET tcp_keepalives_count = 3";
    conn.batch_execute(keepalives).await?;
    let mut attempt = 0;
    while let Err(error) = conn
        .batch_execute("CREATE TABLE IF NOT EXISTS migration_lock (id INTEGER PRIMARY KEY)")
        .await
    {
        attempt += 1;
        if attempt == LOCK_TABLE_ATTEMPTS {
            return Err(error.into());
        }
        super::back_off(attempt).await;
    }
    conn.batch_execute("INSERT INTO migration_lock (id) VALUES (1) ON CONFLICT DO NOTHING")
        .await?;
    conn.batch_execute("BEGIN ISOLATION LEVEL READ COMMITTED")
        .await?;
    let lock = diesel::sql_query("SELECT id FROM migration_lock WHERE id = 1 FOR UPDATE");
    with_wait_log(lock.execute(&mut conn)).await?;
    Ok(conn)
}

/// Waits for the lock, and logs that at intervals.
async fn with_wait_log<T>(lock: impl Future<Output = T>) -> T {
    let mut lock = pin!(lock);
    loop {
        if let Ok(locked) = timeout(WAIT_LOG_INTERVAL, &mut lock).await {
            return locked;
        }
        tracing::warn!("waiting for another instance to finish its migrations");
    }
}

/// An [`anyhow::Error`] that diesel's transaction accepts.
struct MigrationError(anyhow::Error);

impl From<diesel::result::Error> for MigrationError {
    fn from(error: diesel::result::Error) -> Self {
        Self(error.into())
    }
}

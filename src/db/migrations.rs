//! Migrations: embedded, the same names on both engines, and safe when several instances start at once.
//!
//! `diesel_migrations` takes no lock of its own. On SQLite all of them run in one immediate transaction. On PostgreSQL a
//! second connection holds the row of `migration_lock` meanwhile; the lock ends with that connection, however it ends.
//! No advisory lock: distributed engines that speak PostgreSQL's protocol do not all have them.

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
use crate::common::Result;

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// How often `CREATE TABLE IF NOT EXISTS` is tried: PostgreSQL lets two of them collide.
const LOCK_TABLE_ATTEMPTS: u32 = 20;
/// How long a server may take to answer who connects; it may have several hosts to try.
const CONNECT_PATIENCE: Duration = Duration::from_mins(1);
/// After how long, again and again, it is told that another instance is waited for.
const WAIT_LOG_INTERVAL: Duration = Duration::from_secs(10);

/// What to do with the schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Apply what is pending.
    Up,
    /// Revert everything.
    Down,
}

/// Brings the schema up to date (or takes it all down), and tells how many migrations that took.
pub async fn migrate(url: &DatabaseUrl, direction: Direction) -> anyhow::Result<usize> {
    match url {
        DatabaseUrl::Sqlite(path) => {
            let path = path.clone();
            tokio::task::spawn_blocking(move || {
                let mut conn = connect_sqlite(&path)?;
                conn.immediate_transaction(|conn| run(conn, SQLITE, direction).map_err(Failed))
                    .map_err(|Failed(error)| error)
            })
            .await?
        }
        DatabaseUrl::Postgres(url) => {
            let lock = hold_lock(url.expose_secret()).await?;
            let conn = connect(url.expose_secret()).await?;
            let outcome = tokio::task::spawn_blocking(move || {
                run(
                    &mut AsyncConnectionWrapper::<AsyncPgConnection>::from(conn),
                    POSTGRES,
                    direction,
                )
            })
            .await?;
            drop(lock);
            outcome
        }
    }
}

diesel::table! {
    __diesel_schema_migrations (version) {
        version -> Text,
    }
}

/// The last migration this binary knows.
static LATEST: LazyLock<String> = LazyLock::new(|| {
    let known = MigrationSource::<diesel::sqlite::Sqlite>::migrations(&SQLITE).unwrap_or_default();
    known
        .iter()
        .map(|migration| migration.name().version().to_string())
        .max()
        .unwrap_or_default()
});

/// Whether the database has all the tables and columns this binary needs: one cheap query, for readiness.
pub async fn is_current(db: &Db) -> Result<bool> {
    use __diesel_schema_migrations::{table, version};
    use diesel::{ExpressionMethods as _, QueryDsl as _, dsl::count_star};
    let applied: i64 = db
        .probe(async |conn| {
            Ok(with_conn!(conn, |c| table
                .filter(version.eq(LATEST.as_str()))
                .select(count_star())
                .first(c))?)
        })
        .await?;
    Ok(applied > 0)
}

/// The versions this binary knows and the database lacks.
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

/// A connection, unless the server takes it and then says nothing.
async fn connect(url: &str) -> anyhow::Result<AsyncPgConnection> {
    let connected = timeout(CONNECT_PATIENCE, connect_postgres(url)).await;
    Ok(connected.context("the database took a connection and did not answer")??)
}

/// A connection whose open transaction holds the lock's row. Another instance may take its time with large tables, so it is waited
/// for as long as it lives; that it does is for the server to find out, whose keepalives are otherwise those of its system: two hours.
async fn hold_lock(url: &str) -> anyhow::Result<AsyncPgConnection> {
    let mut conn = connect(url).await?;
    let alive = "SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3";
    conn.batch_execute(alive).await?;
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

/// Waits for the lock, and says so from time to time.
async fn with_wait_log<T>(lock: impl Future<Output = T>) -> T {
    let mut lock = pin!(lock);
    loop {
        if let Ok(locked) = timeout(WAIT_LOG_INTERVAL, &mut lock).await {
            return locked;
        }
        tracing::warn!("waiting for another instance, which migrates the database");
    }
}

/// Lets an [`anyhow::Error`] travel through diesel's transaction.
struct Failed(anyhow::Error);

impl From<diesel::result::Error> for Failed {
    fn from(error: diesel::result::Error) -> Self {
        Self(error.into())
    }
}

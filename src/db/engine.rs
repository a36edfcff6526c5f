//! Opening the database: which engine, which pools, and how each connection is set up.

use std::{str::FromStr, time::Duration};

use diesel::{ConnectionError, ConnectionResult, SqliteConnection};
use diesel_async::{
    AsyncConnection as _, AsyncPgConnection, SimpleAsyncConnection as _,
    pooled_connection::{
        AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod,
        deadpool::{Object, Pool, PoolError},
    },
};
use futures_util::{FutureExt as _, future::BoxFuture};
use secrecy::{ExposeSecret as _, SecretString};

use super::conn::{Conn, SqliteConn};
use crate::kernel::{Error, Result};

/// How long a request waits for a free connection before it is told to come back later.
const CHECK_OUT_TIMEOUT: Duration = Duration::from_secs(5);

/// Where the data is. Only known schemes can be expressed, so nothing is ever opened by guessing.
#[derive(Debug, Clone)]
pub enum DatabaseUrl {
    /// `sqlite://path`: a file, created when missing.
    Sqlite(String),
    /// `postgres://…` or `postgresql://…`; may hold a password.
    Postgres(SecretString),
}

impl FromStr for DatabaseUrl {
    type Err = String;

    fn from_str(url: &str) -> Result<Self, String> {
        if let Some(path) = url.strip_prefix("sqlite://") {
            return match path {
                "" | ":memory:" => Err("DATABASE_URL must name a file: sqlite://path/to/file.db".to_owned()),
                path => Ok(Self::Sqlite(path.to_owned())),
            };
        }
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Ok(Self::Postgres(SecretString::from(url)));
        }
        let scheme = url.split_once("://").map_or("none", |(scheme, _)| scheme);
        Err(format!("DATABASE_URL must begin with sqlite:// or postgres://, its scheme is: {scheme}"))
    }
}

/// Sizes of the pools.
#[derive(Debug, Clone, Copy)]
pub struct DbOptions {
    /// Connections to PostgreSQL, or SQLite connections for reading.
    pub pool_size: usize,
}

/// The database, ready for use. Cheap to clone.
#[derive(Clone)]
pub enum Db {
    Sqlite { writer: Pool<SqliteConn>, readers: Pool<SqliteConn> },
    Postgres { pool: Pool<AsyncPgConnection> },
}

impl Db {
    /// Builds the pools. Connections are opened when first needed, so this succeeds while the database is away.
    pub fn open(url: &DatabaseUrl, options: DbOptions) -> anyhow::Result<Self> {
        Ok(match url {
            DatabaseUrl::Sqlite(path) => Self::Sqlite {
                writer: pool(path, |path| open_sqlite(path, "OFF"), 1)?,
                readers: pool(path, |path| open_sqlite(path, "ON"), options.pool_size)?,
            },
            DatabaseUrl::Postgres(url) => {
                Self::Postgres { pool: pool(url.expose_secret(), open_postgres, options.pool_size)? }
            }
        })
    }

    pub(super) async fn reader(&self) -> Result<Conn> {
        match self {
            Self::Sqlite { readers, .. } => check_out(readers).await.map(Conn::Sqlite),
            Self::Postgres { pool } => check_out(pool).await.map(Conn::Postgres),
        }
    }

    pub(super) async fn writer(&self) -> Result<Conn> {
        match self {
            Self::Sqlite { writer, .. } => check_out(writer).await.map(Conn::Sqlite),
            Self::Postgres { pool } => check_out(pool).await.map(Conn::Postgres),
        }
    }

    /// The engine's name, for logs and health.
    pub fn engine(&self) -> &'static str {
        match self {
            Self::Sqlite { .. } => "sqlite",
            Self::Postgres { .. } => "postgres",
        }
    }
}

/// A pool that does not test connections with a query at check-out (that costs up to 40 %): a connection that closed is
/// recognised without one, and one that dies in use is replaced by the doors' second attempt.
fn pool<C>(url: &str, open: fn(&str) -> BoxFuture<'_, ConnectionResult<C>>, size: usize) -> anyhow::Result<Pool<C>>
where
    C: diesel_async::AsyncConnection + diesel_async::pooled_connection::PoolableConnection + 'static,
    AsyncDieselConnectionManager<C>:
        deadpool::managed::Manager<Type = C, Error = diesel_async::pooled_connection::PoolError>,
{
    let mut config = ManagerConfig::<C>::default();
    config.recycling_method = RecyclingMethod::Fast;
    config.custom_setup = Box::new(open);
    let manager = AsyncDieselConnectionManager::new_with_config(url, config);
    let builder = deadpool::managed::Pool::builder(manager).max_size(size).runtime(deadpool::Runtime::Tokio1);
    Ok(builder.wait_timeout(Some(CHECK_OUT_TIMEOUT)).create_timeout(Some(CHECK_OUT_TIMEOUT)).build()?)
}

async fn check_out<C>(pool: &Pool<C>) -> Result<Object<C>>
where
    AsyncDieselConnectionManager<C>:
        deadpool::managed::Manager<Type = C, Error = diesel_async::pooled_connection::PoolError>,
    C: diesel_async::AsyncConnection + 'static,
{
    pool.get().await.map_err(|error: PoolError| Error::Unavailable(error.to_string()))
}

/// WAL lets readers go on while one writes; FULL makes "acknowledged" mean "on disk".
fn open_sqlite<'a>(path: &'a str, query_only: &'static str) -> BoxFuture<'a, ConnectionResult<SqliteConn>> {
    async move {
        let mut conn = SqliteConn::establish(path).await?;
        let pragmas = format!(
            "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
             PRAGMA foreign_keys = ON; PRAGMA query_only = {query_only};"
        );
        conn.batch_execute(&pragmas).await.map_err(ConnectionError::CouldntSetupConfiguration)?;
        Ok(conn)
    }
    .boxed()
}

/// A connection for requests: no statement, no lock and no forgotten transaction may hold it for long.
fn open_postgres(url: &str) -> BoxFuture<'_, ConnectionResult<AsyncPgConnection>> {
    async move {
        let mut conn = connect_postgres(url).await?;
        let limits = "SET statement_timeout = '10s'; SET idle_in_transaction_session_timeout = '15s'";
        conn.batch_execute(limits).await.map_err(ConnectionError::CouldntSetupConfiguration)?;
        // Errors are told apart by their English texts, since diesel does not pass on the SQLSTATE. Only superusers and
        // roles with GRANT SET ON PARAMETER may choose the language; others are refused here, which does no harm but for
        // fewer errors being understood. As a start-up option it would make the connection fail.
        let _ = conn.batch_execute("SET lc_messages = 'C'").await;
        Ok(conn)
    }
    .boxed()
}

/// A plain connection; TLS as the URL's `sslmode` says, with the operating system's roots.
pub(super) async fn connect_postgres(url: &str) -> ConnectionResult<AsyncPgConnection> {
    let bad = |error: anyhow::Error| ConnectionError::BadConnection(format!("{error:#}"));
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| bad(error.into()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let tls = tokio_postgres_rustls::MakeRustlsConnect::new(tls);
    let (client, connection) = tokio_postgres::connect(url, tls).await.map_err(|error| bad(error.into()))?;
    AsyncPgConnection::try_from_client_and_connection(client, connection).await
}

/// A synchronous SQLite connection for migrations.
pub(super) fn connect_sqlite(path: &str) -> ConnectionResult<SqliteConnection> {
    use diesel::{Connection as _, connection::SimpleConnection as _};
    let mut conn = SqliteConnection::establish(path)
        .map_err(|error| ConnectionError::BadConnection(format!("cannot open {path}: {error}")))?;
    conn.batch_execute("PRAGMA busy_timeout = 30000; PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON;")
        .map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(conn)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case("sqlite://data/x.db", true)]
    #[case("sqlite:///var/lib/x.db", true)]
    #[case("postgres://u:p@h/db", true)]
    #[case("postgresql:///db?host=/run", true)]
    #[case("sqlite://", false)]
    #[case("sqlite://:memory:", false)]
    #[case("mysql://u:secret@h/db", false)]
    #[case("data.db", false)]
    fn the_scheme_chooses_the_engine(#[case] url: &str, #[case] good: bool) {
        let parsed = url.parse::<DatabaseUrl>();
        assert_eq!(parsed.is_ok(), good, "{parsed:?}");
        assert!(!format!("{parsed:?}").contains("secret"), "a refused URL must not be repeated");
    }
}

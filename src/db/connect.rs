//! Opening single connections.

use anyhow::Context as _;
use diesel::{ConnectionError, ConnectionResult, SqliteConnection};
use diesel_async::{AsyncConnection as _, AsyncPgConnection, SimpleAsyncConnection as _};
use futures_util::{FutureExt as _, future::BoxFuture};
use tokio_postgres::{Client, Connection, Socket, tls::MakeTlsConnect};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{
    connection::SqliteConn,
    postgres_settings::{PostgresSettings, describe},
};

/// A connection with TLS.
type RustlsStream<S> = <MakeRustlsConnect as MakeTlsConnect<S>>::Stream;

/// Opens a connection to SQLite.
///
/// With WAL, readers continue during a write. With FULL, an acknowledged write is on disk. LIKE is
/// made case-sensitive as on PostgreSQL; the pragma is deprecated, but a test checks that the
/// bundled version supports it.
pub(super) fn open_sqlite<'a>(
    path: &'a str,
    query_only: &'static str,
) -> BoxFuture<'a, ConnectionResult<SqliteConn>> {
    async move {
        let mut conn = SqliteConn::establish(path).await?;
        let pragmas = format!(
            "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
             PRAGMA foreign_keys = ON; PRAGMA case_sensitive_like = ON; \
             PRAGMA query_only = {query_only};"
        );
        conn.batch_execute(&pragmas)
            .await
            .map_err(ConnectionError::CouldntSetupConfiguration)?;
        Ok(conn)
    }
    .boxed()
}

/// Opens a connection to PostgreSQL for requests, with time limits for statements and idle
/// transactions.
pub(super) fn open_postgres(url: &str) -> BoxFuture<'_, ConnectionResult<AsyncPgConnection>> {
    async move {
        let mut conn = connect_postgres(url).await?;
        // Every statement uses an index, whatever its values are, except searches (see
        // `Conn::plan_for_values`). Without this setting, statements about partners that are larger
        // than the average are planned for every execution, which takes longer than the execution.
        let settings = "SET statement_timeout = '10s'; \
             SET idle_in_transaction_session_timeout = '15s'; \
             SET plan_cache_mode = force_generic_plan";
        conn.batch_execute(settings)
            .await
            .map_err(ConnectionError::CouldntSetupConfiguration)?;
        // Errors are recognized by their English messages, because diesel does not expose the
        // SQLSTATE. Only superusers and roles with GRANT SET ON PARAMETER may set the language. For
        // others this statement fails and fewer errors are recognized; as a start-up option it
        // would fail the connection.
        let _ = conn.batch_execute("SET lc_messages = 'C'").await;
        Ok(conn)
    }
    .boxed()
}

/// Opens a plain connection.
pub(super) async fn connect_postgres(url: &str) -> ConnectionResult<AsyncPgConnection> {
    let (client, connection) = connect_client(url).await.map_err(bad_connection)?;
    AsyncPgConnection::try_from_client_and_connection(client, connection).await
}

/// Opens a plain connection of the driver. Errors name the host, the port, the database and the
/// user. `sslmode` of the URL controls TLS.
pub(super) async fn connect_client(
    url: &str,
) -> anyhow::Result<(Client, Connection<Socket, RustlsStream<Socket>>)> {
    let PostgresSettings { config, tls } = PostgresSettings::parse(url)?;
    config
        .connect(tls.connector()?)
        .await
        .with_context(|| format!("cannot connect to {}", describe(&config)))
}

fn bad_connection(error: impl Into<anyhow::Error>) -> ConnectionError {
    ConnectionError::BadConnection(format!("{:#}", error.into()))
}

/// A synchronous SQLite connection for migrations.
pub(super) fn connect_sqlite(path: &str) -> ConnectionResult<SqliteConnection> {
    use diesel::{Connection as _, connection::SimpleConnection as _};
    let mut conn = SqliteConnection::establish(path)
        .map_err(|error| ConnectionError::BadConnection(format!("cannot open {path}: {error}")))?;
    conn.batch_execute(
        "PRAGMA busy_timeout = 30000; PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON;",
    )
    .map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(conn)
}

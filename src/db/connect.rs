//! How one connection is set up, of either engine.

use std::sync::{Arc, LazyLock};

use diesel::{ConnectionError, ConnectionResult, SqliteConnection};
use diesel_async::{AsyncConnection as _, AsyncPgConnection, SimpleAsyncConnection as _};
use futures_util::{FutureExt as _, future::BoxFuture};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::conn::SqliteConn;

/// WAL lets readers go on while one writes; FULL makes "acknowledged" mean "on disk".
pub(super) fn open_sqlite<'a>(path: &'a str, query_only: &'static str) -> BoxFuture<'a, ConnectionResult<SqliteConn>> {
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
pub(super) fn open_postgres(url: &str) -> BoxFuture<'_, ConnectionResult<AsyncPgConnection>> {
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
    let tls = TLS.clone().map_err(|error| bad(error.into()))?;
    let (client, connection) = tokio_postgres::connect(url, tls).await.map_err(|error| bad(error.into()))?;
    AsyncPgConnection::try_from_client_and_connection(client, connection).await
}

/// How PostgreSQL is spoken to over TLS. Reading the operating system's roots takes its time, so it is done once.
static TLS: LazyLock<Result<MakeRustlsConnect, rustls::Error>> = LazyLock::new(|| {
    let native = rustls_native_certs::load_native_certs();
    for error in &native.errors {
        tracing::warn!(%error, "some of the operating system's root certificates cannot be used");
    }
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates(native.certs);
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(MakeRustlsConnect::new(config.with_root_certificates(roots).with_no_client_auth()))
});

/// A synchronous SQLite connection for migrations.
pub(super) fn connect_sqlite(path: &str) -> ConnectionResult<SqliteConnection> {
    use diesel::{Connection as _, connection::SimpleConnection as _};
    let mut conn = SqliteConnection::establish(path)
        .map_err(|error| ConnectionError::BadConnection(format!("cannot open {path}: {error}")))?;
    conn.batch_execute("PRAGMA busy_timeout = 30000; PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON;")
        .map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(conn)
}

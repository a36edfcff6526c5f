//! How one connection is set up, of either engine.

use std::{
    sync::{Arc, LazyLock},
    time::Duration,
};

use diesel::{ConnectionError, ConnectionResult, SqliteConnection};
use diesel_async::{AsyncConnection as _, AsyncPgConnection, SimpleAsyncConnection as _};
use futures_util::{FutureExt as _, future::BoxFuture};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::connection::SqliteConn;

/// WAL lets readers go on while one writes; FULL makes "acknowledged" mean "on disk"; LIKE is to tell case apart as
/// PostgreSQL's does (the pragma is deprecated, but the bundled version has it, and a test sees to it).
pub(super) fn open_sqlite<'a>(
    path: &'a str,
    query_only: &'static str,
) -> BoxFuture<'a, ConnectionResult<SqliteConn>> {
    async move {
        let mut conn = SqliteConn::establish(path).await?;
        let pragmas = format!(
            "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
             PRAGMA foreign_keys = ON; PRAGMA case_sensitive_like = ON; PRAGMA query_only = {query_only};"
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
        let limits =
            "SET statement_timeout = '10s'; SET idle_in_transaction_session_timeout = '15s'";
        conn.batch_execute(limits)
            .await
            .map_err(ConnectionError::CouldntSetupConfiguration)?;
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
    let settings = settings(url).map_err(|error| bad(error.into()))?;
    let (client, connection) = settings
        .connect(tls)
        .await
        .map_err(|error| bad(error.into()))?;
    AsyncPgConnection::try_from_client_and_connection(client, connection).await
}

/// How long a server may take to accept a connection; `connect_timeout` of a URL.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a connection may be silent before its other end is asked whether it is still there; `keepalives_idle`.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(30);
/// How long to wait between two such questions; `keepalives_interval`.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(5);
/// After how many such questions without an answer a connection counts as broken; `keepalives_retries`.
const KEEPALIVE_RETRIES: u32 = 3;
/// How long what was sent may stay unconfirmed before a connection counts as broken; `tcp_user_timeout`.
const TCP_USER_TIMEOUT: Duration = Duration::from_secs(15);
/// What tokio-postgres takes for `keepalives_idle` when a URL does not say.
const UNTOLD_KEEPALIVE_IDLE: Duration = Duration::from_hours(2);

/// What a URL says, and for what it leaves open our limits: a server that vanishes is noticed in seconds, not in hours.
fn settings(url: &str) -> Result<tokio_postgres::Config, tokio_postgres::Error> {
    let mut settings: tokio_postgres::Config = url.parse()?;
    if settings.get_connect_timeout().is_none() {
        settings.connect_timeout(CONNECT_TIMEOUT);
    }
    if settings.get_keepalives_idle() == UNTOLD_KEEPALIVE_IDLE {
        settings.keepalives_idle(KEEPALIVE_IDLE);
    }
    if settings.get_keepalives_interval().is_none() {
        settings.keepalives_interval(KEEPALIVE_INTERVAL);
    }
    if settings.get_keepalives_retries().is_none() {
        settings.keepalives_retries(KEEPALIVE_RETRIES);
    }
    if settings.get_tcp_user_timeout().is_none() {
        settings.tcp_user_timeout(TCP_USER_TIMEOUT);
    }
    Ok(settings)
}

/// How PostgreSQL is serialize_summary to over TLS. Reading the operating system's roots takes its time, so it is done once.
static TLS: LazyLock<Result<MakeRustlsConnect, rustls::Error>> = LazyLock::new(|| {
    let native = rustls_native_certs::load_native_certs();
    for error in &native.errors {
        tracing::warn!(%error, "some of the operating system's root certificates cannot be used");
    }
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates(native.certs);
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?;
    Ok(MakeRustlsConnect::new(
        config.with_root_certificates(roots).with_no_client_auth(),
    ))
});

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_overrules_our_limits() {
        let ours = settings("postgres://u@h/d").unwrap();
        assert_eq!(ours.get_connect_timeout(), Some(&CONNECT_TIMEOUT));
        assert_eq!(ours.get_keepalives_idle(), KEEPALIVE_IDLE);
        assert_eq!(ours.get_keepalives_interval(), Some(KEEPALIVE_INTERVAL));
        assert_eq!(ours.get_keepalives_retries(), Some(KEEPALIVE_RETRIES));
        assert_eq!(ours.get_tcp_user_timeout(), Some(&TCP_USER_TIMEOUT));
        let told = "connect_timeout=1&keepalives_idle=2&keepalives_interval=3&keepalives_retries=4&tcp_user_timeout=5";
        let theirs = settings(&format!("postgres://u@h/d?{told}")).unwrap();
        assert_eq!(theirs.get_connect_timeout(), Some(&Duration::from_secs(1)));
        assert_eq!(theirs.get_keepalives_idle(), Duration::from_secs(2));
        assert_eq!(
            theirs.get_keepalives_interval(),
            Some(Duration::from_secs(3))
        );
        assert_eq!(theirs.get_keepalives_retries(), Some(4));
        assert_eq!(theirs.get_tcp_user_timeout(), Some(&Duration::from_secs(5)));
    }
}

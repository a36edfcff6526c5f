//! Opening single connections.

use std::{
    sync::{Arc, LazyLock},
    time::Duration,
};

use diesel::{ConnectionError, ConnectionResult, SqliteConnection};
use diesel_async::{AsyncConnection as _, AsyncPgConnection, SimpleAsyncConnection as _};
use futures_util::{FutureExt as _, future::BoxFuture};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::connection::SqliteConn;

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
        let limits =
            "SET statement_timeout = '10s'; SET idle_in_transaction_session_timeout = '15s'";
        conn.batch_execute(limits)
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

/// Opens a plain connection. `sslmode` of the URL controls TLS, which trusts the system's root
/// certificates.
pub(super) async fn connect_postgres(url: &str) -> ConnectionResult<AsyncPgConnection> {
    let tls = TLS.clone().map_err(bad_connection)?;
    let settings = settings(url).map_err(bad_connection)?;
    let (client, connection) = settings.connect(tls).await.map_err(bad_connection)?;
    AsyncPgConnection::try_from_client_and_connection(client, connection).await
}

fn bad_connection(error: impl Into<anyhow::Error>) -> ConnectionError {
    ConnectionError::BadConnection(format!("{:#}", error.into()))
}

/// Default of `connect_timeout`: time limit for establishing a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Default of `keepalives_idle`: idle time before the first keepalive probe.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(30);
/// Default of `keepalives_interval`: time between keepalive probes.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(5);
/// Default of `keepalives_retries`: failed probes after which a connection is considered
/// broken.
const KEEPALIVE_RETRIES: u32 = 3;
/// Default of `tcp_user_timeout`: time sent data may stay unacknowledged before a connection is
/// considered broken.
const TCP_USER_TIMEOUT: Duration = Duration::from_secs(15);
/// tokio-postgres' default of `keepalives_idle`, which indicates that the URL does not set it.
const UNSET_KEEPALIVE_IDLE: Duration = Duration::from_hours(2);

/// The settings of the URL, completed with the defaults above, so that an unreachable server is
/// noticed in seconds instead of hours.
fn settings(url: &str) -> Result<tokio_postgres::Config, tokio_postgres::Error> {
    let mut settings: tokio_postgres::Config = url.parse()?;
    if settings.get_connect_timeout().is_none() {
        settings.connect_timeout(CONNECT_TIMEOUT);
    }
    if settings.get_keepalives_idle() == UNSET_KEEPALIVE_IDLE {
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

/// The TLS configuration for PostgreSQL. Built once, because loading the system's root certificates
/// is slow.
static TLS: LazyLock<Result<MakeRustlsConnect, rustls::Error>> = LazyLock::new(|| {
    let native = rustls_native_certs::load_native_certs();
    for error in &native.errors {
        tracing::warn!(%error, "cannot load some of the system's root certificates");
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
    fn url_overrides_default_limits() {
        let defaults = settings("postgres://u@h/d").unwrap();
        assert_eq!(defaults.get_connect_timeout(), Some(&CONNECT_TIMEOUT));
        assert_eq!(defaults.get_keepalives_idle(), KEEPALIVE_IDLE);
        assert_eq!(defaults.get_keepalives_interval(), Some(KEEPALIVE_INTERVAL));
        assert_eq!(defaults.get_keepalives_retries(), Some(KEEPALIVE_RETRIES));
        assert_eq!(defaults.get_tcp_user_timeout(), Some(&TCP_USER_TIMEOUT));
        let query = "connect_timeout=1&keepalives_idle=2&keepalives_interval=3\
                     &keepalives_retries=4&tcp_user_timeout=5";
        let custom = settings(&format!("postgres://u@h/d?{query}")).unwrap();
        assert_eq!(custom.get_connect_timeout(), Some(&Duration::from_secs(1)));
        assert_eq!(custom.get_keepalives_idle(), Duration::from_secs(2));
        assert_eq!(
            custom.get_keepalives_interval(),
            Some(Duration::from_secs(3))
        );
        assert_eq!(custom.get_keepalives_retries(), Some(4));
        assert_eq!(custom.get_tcp_user_timeout(), Some(&Duration::from_secs(5)));
    }
}

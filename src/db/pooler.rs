//! Detects connection poolers that share server sessions between connections, such as
//! `PgBouncer` in transaction mode.
//!
//! The service depends on its sessions: statements are prepared once per connection, and time
//! limits are set when a connection is opened.

use std::time::Duration;

use anyhow::Context as _;
use secrecy::ExposeSecret as _;
use tokio::time::timeout;
use tokio_postgres::{Client, SimpleQueryMessage};

use super::{connect::connect_client, database::DatabaseUrl};

/// Time limit of the check. Longer than connecting to each of several hosts.
const LIMIT: Duration = Duration::from_secs(30);

/// Why it is not certain that each connection has its own session.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// Connections share sessions.
    #[error(
        "a connection pooler in front of PostgreSQL shares sessions between connections, such as \
         PgBouncer with pool_mode = transaction. Use pool_mode = session, or connect to \
         PostgreSQL directly"
    )]
    Shared,
    /// The database cannot be reached.
    #[error(transparent)]
    Unreachable(#[from] anyhow::Error),
}

/// Checks that no connection pooler shares sessions between connections. Does nothing on SQLite.
///
/// # Errors
///
/// See [`SessionError`].
pub async fn check_sessions(url: &DatabaseUrl) -> Result<(), SessionError> {
    match url {
        DatabaseUrl::Sqlite(_) => Ok(()),
        DatabaseUrl::Postgres(url) => timeout(LIMIT, compare_sessions(url.expose_secret()))
            .await
            .context("the database did not respond in time")?,
    }
}

/// Checks that two connections have different sessions.
///
/// The second connection holds its session in a transaction. A pooler either gave it the session
/// that the first one used before, or has to give the first one a different session than before.
async fn compare_sessions(url: &str) -> Result<(), SessionError> {
    let first = open(url).await?;
    let before = backend_pid(&first).await?;
    let second = open(url).await?;
    second
        .batch_execute("BEGIN")
        .await
        .map_err(anyhow::Error::from)?;
    if backend_pid(&second).await? == before || backend_pid(&first).await? != before {
        return Err(SessionError::Shared);
    }
    Ok(())
}

/// Opens a connection, which is closed when the client is dropped.
async fn open(url: &str) -> anyhow::Result<Client> {
    let (client, connection) = connect_client(url).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// The process of the server that executes statements of a connection. Not a prepared statement,
/// because those fail if sessions are shared.
async fn backend_pid(client: &Client) -> anyhow::Result<String> {
    let messages = client.simple_query("SELECT pg_backend_pid()").await?;
    messages
        .iter()
        .find_map(|message| match message {
            SimpleQueryMessage::Row(row) => row.get(0).map(ToOwned::to_owned),
            _ => None,
        })
        .context("PostgreSQL returned no process id")
}

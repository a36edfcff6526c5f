//! How long the database may keep somebody waiting.
//!
//! The server limits its statements itself, but a server that is gone or a network that swallows packets limits nothing.
//! So what is asked of PostgreSQL is abandoned here when its time is up, and its connection is closed: what that one is
//! still doing is unknown. SQLite is a file: nothing lies between, locks are waited for no longer than its `busy_timeout`,
//! and its statements cannot be abandoned half-way, so they have no deadline.

use tokio::time::{Instant, timeout_at};

use super::Conn;
use crate::common::{Error, Result};

/// When the database's time for something is up, if ever.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadline(Option<Instant>);

/// The time was up.
pub(super) struct Elapsed;

impl From<Elapsed> for Error {
    fn from(_: Elapsed) -> Self {
        Self::Unavailable("the database did not answer in time".to_owned())
    }
}

impl Deadline {
    /// There is none.
    pub const NEVER: Self = Self(None);

    /// That moment.
    pub fn at(time: Instant) -> Self {
        Self(Some(time))
    }

    /// Waits for `work`, but no longer than this; then drops it.
    pub async fn keep<T>(self, work: impl Future<Output = T>) -> Result<T, Elapsed> {
        match self.0 {
            Some(time) => timeout_at(time, work).await.map_err(|_| Elapsed),
            None => Ok(work.await),
        }
    }

    /// Runs `work` on a connection and gives the connection back for more, or to its pool when the work failed. A
    /// connection that broke, or whose work was abandoned, is closed.
    pub async fn run<T>(
        self,
        mut conn: Conn,
        work: impl AsyncFnOnce(&mut Conn) -> Result<T>,
    ) -> Result<(Conn, T)> {
        match self.keep(work(&mut conn)).await {
            Ok(Ok(done)) => Ok((conn, done)),
            Ok(Err(error)) => {
                if matches!(error, Error::ConnectionLost(_)) {
                    conn.close();
                }
                Err(error)
            }
            Err(late) => {
                conn.close();
                Err(late.into())
            }
        }
    }
}

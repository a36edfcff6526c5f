//! Time limits of database operations.
//!
//! PostgreSQL limits its statements itself, but that does not help if the server is gone or the
//! network drops packets. So an operation is abandoned when its time is up, and its connection is
//! closed, because the state of that connection is unknown. SQLite needs no deadline: there is no
//! network, locks are limited by `busy_timeout`, and a running statement cannot be abandoned.

use tokio::time::{Instant, timeout_at};

use super::Conn;
use crate::common::{Error, Result};

/// When the time of an operation is up, if ever.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadline(Option<Instant>);

/// The deadline has passed.
pub(super) struct Elapsed;

impl From<Elapsed> for Error {
    fn from(_: Elapsed) -> Self {
        Self::Unavailable("the database did not respond in time".to_owned())
    }
}

impl Deadline {
    /// No deadline.
    pub const NEVER: Self = Self(None);

    pub fn at(time: Instant) -> Self {
        Self(Some(time))
    }

    /// Runs `work` until the deadline, then drops it.
    pub async fn limit<T>(self, work: impl Future<Output = T>) -> Result<T, Elapsed> {
        match self.0 {
            Some(time) => timeout_at(time, work).await.map_err(|_| Elapsed),
            None => Ok(work.await),
        }
    }

    /// Runs `work` on a connection until the deadline and returns the connection.
    ///
    /// If the work fails, the connection returns to its pool. If the connection breaks or the
    /// deadline passes, it is closed.
    pub async fn run<T>(
        self,
        mut conn: Conn,
        work: impl AsyncFnOnce(&mut Conn) -> Result<T>,
    ) -> Result<(Conn, T)> {
        match self.limit(work(&mut conn)).await {
            Ok(Ok(value)) => Ok((conn, value)),
            Ok(Err(error)) => {
                if matches!(error, Error::ConnectionLost(_)) {
                    conn.close();
                }
                Err(error)
            }
            Err(elapsed) => {
                conn.close();
                Err(elapsed.into())
            }
        }
    }
}

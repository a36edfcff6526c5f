//! The two engines behind one set of queries, and the doors through which the rooms reach them.
//!
//! * [`Db::transact`]: every write. One transaction that locks its aggregate, checks, writes, bumps the revision and
//!   records history; repeated from the start when the engine aborts it in favour of another.
//! * [`Db::read`], [`Db::look`]: one or several statements, each on its own.
//! * [`Db::snapshot`]: several statements that see one and the same state.
//! * [`Db::probe`]: as [`Db::read`], for those who cannot wait long.
//!
//! The engine is chosen by the scheme of the URL, never by trying. SQLite gets one connection for writing, for which
//! writers queue fairly in memory instead of polling the file's lock, and several for reading that cannot write. The file belongs
//! to one process ([`lock_database()`]), which therefore knows what has changed ([`CommitCounters`]).

pub mod batch_loader;
mod commit_counters;
mod connect;
mod connection;
mod database;
mod deadline;
pub mod migrations;
mod paging;
mod per_worker;
mod pool;
pub mod query_time;
pub mod revision_lookup;
pub mod schema;
pub mod singleflight;
pub mod sql_types;
mod sqlite_executor;
mod sqlite_lock;
pub mod unique_violation;
mod unit_of_work;

use std::time::Duration;

pub use commit_counters::{CommitCounters, VersionVector};
pub use connection::Conn;
pub(crate) use connection::{SqliteConn, with_conn};
pub use database::{DatabaseUrl, Db, DbOptions};
pub(crate) use paging::{keyset, paged, patterns};
pub(crate) use per_worker::PerWorker;
pub use revision_lookup::RevisionLookup;
pub use sqlite_lock::{FileLock, lock_database};
pub use unit_of_work::{Aggregate, Tx};

use deadline::Deadline;
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use tokio::time::Instant;

use crate::common::{Error, Result, page::PageRequest};

/// How much is read at most.
#[derive(Debug, Clone, Copy)]
pub enum ReadCost {
    /// Rows that an index leads to, of something that has a limit: a page of one partner's.
    Lookup,
    /// Anything else.
    Scan,
}

impl ReadCost {
    /// That of a page of one partner's. A search may look at all there are.
    pub fn of(page: &PageRequest) -> Self {
        if page.words.is_empty() {
            Self::Lookup
        } else {
            Self::Scan
        }
    }
}

/// How often a read is tried when the engine aborts it or a pooled connection turns out to be dead.
const READ_ATTEMPTS: u32 = 4;

impl Db {
    /// Looks up a few rows by their keys, each statement on its own.
    pub async fn read<T>(&self, work: impl AsyncFn(&mut Conn) -> Result<T>) -> Result<T> {
        self.look(ReadCost::Lookup, work).await
    }

    /// Looks up rows by their keys for those who have waited since then.
    pub async fn read_since<T>(
        &self,
        since: Instant,
        work: impl AsyncFn(&mut Conn) -> Result<T>,
    ) -> Result<T> {
        self.reading(ReadCost::Lookup, self.request_deadline_since(since), work)
            .await
    }

    /// Runs statements that change nothing, each on its own.
    pub async fn look<T>(
        &self,
        reach: ReadCost,
        work: impl AsyncFn(&mut Conn) -> Result<T>,
    ) -> Result<T> {
        self.reading(reach, self.request_deadline(), work).await
    }

    /// Runs statements that change nothing, each on its own, and gives up early.
    pub async fn probe<T>(&self, work: impl AsyncFn(&mut Conn) -> Result<T>) -> Result<T> {
        self.reading(ReadCost::Scan, self.readiness_deadline(), work)
            .await
    }

    /// Runs statements that change nothing and all see the same state of the database.
    pub async fn snapshot<T>(
        &self,
        reach: ReadCost,
        work: impl AsyncFn(&mut Conn) -> Result<T>,
    ) -> Result<T> {
        let read = async |conn: &mut Conn| {
            conn.begin_snapshot().await?;
            let outcome = work(conn).await;
            conn.rollback().await?;
            outcome
        };
        self.reading(reach, self.request_deadline(), read).await
    }

    /// All attempts together have until `deadline`.
    async fn reading<T>(
        &self,
        reach: ReadCost,
        deadline: Deadline,
        work: impl AsyncFn(&mut Conn) -> Result<T>,
    ) -> Result<T> {
        // it holds the connection and much beside, and would be moved about with whatever may have to read
        sqlite_executor::within(reach, Box::pin(self.attempts(deadline, work))).await
    }

    async fn attempts<T>(
        &self,
        deadline: Deadline,
        work: impl AsyncFn(&mut Conn) -> Result<T>,
    ) -> Result<T> {
        let mut attempt = 1;
        loop {
            let conn = query_time::count(deadline.keep(self.reader())).await??;
            match query_time::count(deadline.run(conn, async |conn| work(conn).await)).await {
                Err(error) if attempt < READ_ATTEMPTS && is_retryable(&error) => {
                    back_off(attempt).await;
                    attempt += 1;
                }
                outcome => return outcome.map(|(_, done)| done),
            }
        }
    }
}

/// Waits a random while that doubles with every attempt, so that rivals do not meet again.
async fn back_off(attempt: u32) {
    let ceiling = 1_000_u64 << attempt.min(7);
    tokio::time::sleep(Duration::from_micros(rand::random_range(
        ceiling / 4..ceiling,
    )))
    .await;
}

/// Whether another attempt may fare better.
fn is_retryable(error: &Error) -> bool {
    matches!(error, Error::Aborted(_) | Error::ConnectionLost(_)) || is_unclassified(error)
}

/// Whether the engine failed for a reason we do not understand. diesel tells few of PostgreSQL's SQLSTATEs apart and keeps
/// the others to itself; what is left is a text in the server's language. It may be a deadlock or a server that is being
/// stopped, so what is not committed is tried again; but a few times only, for it may as well be a fault of ours.
fn is_unclassified(error: &Error) -> bool {
    let Error::Internal(cause) = error else {
        return false;
    };
    matches!(
        cause.downcast_ref(),
        Some(DieselError::DatabaseError(DatabaseErrorKind::Unknown, _))
    )
}

/// What a failed statement means for the caller. An expected violation of a constraint is looked at before, by
/// [`unique_violation::constraint`]. The texts are PostgreSQL's English ones, which its connections ask for where they may; in
/// any other language the error stays unexplained, see [`is_unclassified`].
impl From<DieselError> for Error {
    fn from(error: DieselError) -> Self {
        use DatabaseErrorKind::{
            ClosedConnection, ReadOnlyTransaction, SerializationFailure, UnableToSendCommand,
        };
        match &error {
            DieselError::DatabaseError(SerializationFailure, info) => {
                Self::Aborted(info.message().to_owned())
            }
            // a server that takes no writes, for the moment or any more: another connection may lead to one that does
            DieselError::DatabaseError(
                UnableToSendCommand | ClosedConnection | ReadOnlyTransaction,
                info,
            ) => Self::ConnectionLost(info.message().to_owned()),
            DieselError::DatabaseError(DatabaseErrorKind::Unknown, info) => match info.message() {
                message if message.starts_with("deadlock detected") => {
                    Self::Aborted(message.to_owned())
                }
                message if message.starts_with("terminating connection") => {
                    Self::ConnectionLost(message.to_owned())
                }
                message if is_full(message) => Self::StorageFull(message.to_owned()),
                message if is_out_of_reach(message) => Self::Unavailable(message.to_owned()),
                _ => Self::Internal(error.into()),
            },
            DieselError::BrokenTransactionManager => Self::ConnectionLost(error.to_string()),
            _ => Self::Internal(error.into()),
        }
    }
}

/// Whether the engine could not get at its data in time, or at all: a disk may come back.
fn is_out_of_reach(message: &str) -> bool {
    const OF_SQLITE: [&str; 4] = [
        "database is locked",
        "disk I/O error",
        "attempt to write a readonly database",
        "unable to open database file",
    ];
    message.starts_with("canceling statement") || OF_SQLITE.contains(&message)
}

/// Whether there is no room left: SQLite's words, and PostgreSQL's with the operating system's or for a write that ended early.
fn is_full(message: &str) -> bool {
    message == "database or disk is full"
        || message.contains("No space left on device")
        || message.starts_with("could not extend file")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(kind: DatabaseErrorKind, message: &str) -> Error {
        DieselError::DatabaseError(kind, Box::new(message.to_owned())).into()
    }

    #[test]
    fn failures_that_may_pass_are_known_in_english_and_suspected_in_other_languages() {
        use DatabaseErrorKind::*;
        assert!(matches!(
            told(Unknown, "deadlock detected"),
            Error::Aborted(_)
        ));
        assert!(matches!(told(SerializationFailure, "?"), Error::Aborted(_)));
        assert!(matches!(
            told(
                Unknown,
                "terminating connection due to administrator command"
            ),
            Error::ConnectionLost(_)
        ));
        assert!(matches!(
            told(Unknown, "canceling statement due to statement timeout"),
            Error::Unavailable(_)
        ));
        assert!(matches!(
            told(Unknown, "disk I/O error"),
            Error::Unavailable(_)
        ));
        for full in [
            "could not extend file \"base/5/2_fsm\": wrote only 4096 of 8192 bytes",
            "database or disk is full",
            "could not extend file \"base/5/1\": No space left on device",
        ] {
            assert!(matches!(told(Unknown, full), Error::StorageFull(_)));
        }
        let suspected = told(Unknown, "Verklemmung entdeckt");
        assert_eq!(suspected.code(), crate::common::Code::InternalError);
        assert!(is_retryable(&suspected));
        assert!(!is_retryable(&told(CheckViolation, "?")));
        assert!(!is_retryable(&Error::Internal(anyhow::anyhow!(
            "a fault of ours"
        ))));
    }
}

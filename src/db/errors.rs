//! Classification of database errors.
//!
//! diesel exposes only a few of PostgreSQL's SQLSTATEs, so other errors are recognized by their
//! English messages. Connections request English messages where the server permits that; in any
//! other language the error stays unclassified.

use diesel::result::{DatabaseErrorKind, Error as DieselError};

use crate::common::Error;

/// Whether a read that failed with this error may be retried.
pub(super) fn is_retryable(error: &Error) -> bool {
    matches!(error, Error::Aborted(_) | Error::ConnectionLost(_)) || is_unclassified(error)
}

/// Whether the database reported an error that could not be classified. It may be a deadlock or a
/// shutdown reported in another language, so uncommitted work is retried, but only a few times.
pub(super) fn is_unclassified(error: &Error) -> bool {
    let Error::Internal(cause) = error else {
        return false;
    };
    matches!(
        cause.downcast_ref(),
        Some(DieselError::DatabaseError(DatabaseErrorKind::Unknown, _))
    )
}

/// Expected constraint violations must be handled before this conversion, see
/// [`super::unique_violation::constraint`].
impl From<DieselError> for Error {
    fn from(error: DieselError) -> Self {
        use DatabaseErrorKind::{
            ClosedConnection, ReadOnlyTransaction, SerializationFailure, UnableToSendCommand,
            Unknown,
        };
        match &error {
            DieselError::DatabaseError(SerializationFailure, info) => {
                Self::Aborted(info.message().to_owned())
            }
            // a read-only server is a former primary; a new connection may reach the current one
            DieselError::DatabaseError(
                UnableToSendCommand | ClosedConnection | ReadOnlyTransaction,
                info,
            ) => Self::ConnectionLost(info.message().to_owned()),
            DieselError::DatabaseError(Unknown, info) => {
                classify_message(info.message()).unwrap_or_else(|| Self::Internal(error.into()))
            }
            DieselError::BrokenTransactionManager => Self::ConnectionLost(error.to_string()),
            _ => Self::Internal(error.into()),
        }
    }
}

/// The error that a message stands for; `None` if it is not recognized.
fn classify_message(message: &str) -> Option<Error> {
    let text = message.to_owned();
    if message.starts_with("deadlock detected") {
        Some(Error::Aborted(text))
    } else if message.starts_with("terminating connection") || is_other_session(message) {
        Some(Error::ConnectionLost(text))
    } else if is_schema_outdated(message) {
        Some(Error::MigrationsPending(text))
    } else if is_storage_full(message) {
        Some(Error::StorageFull(text))
    } else if is_inaccessible(message) {
        Some(Error::Unavailable(text))
    } else {
        None
    }
}

/// Whether a prepared statement is missing (SQLSTATE 26000) or already exists (42P05): a connection
/// pooler executed the statement in a session that is not the connection's.
fn is_other_session(message: &str) -> bool {
    message.starts_with("prepared statement \"")
        && (message.ends_with("\" does not exist") || message.ends_with("\" already exists"))
}

/// Whether a table or column is missing: PostgreSQL's messages, or SQLite's.
fn is_schema_outdated(message: &str) -> bool {
    let is_missing = |kind: &str| message.starts_with(kind) && message.ends_with("does not exist");
    is_missing("relation \"")
        || is_missing("column ")
        || message.starts_with("no such table: ")
        || message.starts_with("no such column: ")
}

/// Whether the database cannot access its data, possibly only for now.
fn is_inaccessible(message: &str) -> bool {
    const SQLITE_MESSAGES: [&str; 4] = [
        "database is locked",
        "disk I/O error",
        "attempt to write a readonly database",
        "unable to open database file",
    ];
    message.starts_with("canceling statement") || SQLITE_MESSAGES.contains(&message)
}

/// Whether the storage is full: SQLite's message, or PostgreSQL's for ENOSPC and for short writes.
fn is_storage_full(message: &str) -> bool {
    message == "database or disk is full"
        || message.contains("No space left on device")
        || message.starts_with("could not extend file")
}

#[cfg(test)]
mod tests {
    use DatabaseErrorKind::{CheckViolation, SerializationFailure, Unknown};

    use super::*;
    use crate::common::Code;

    fn classify(kind: DatabaseErrorKind, message: &str) -> Error {
        DieselError::DatabaseError(kind, Box::new(message.to_owned())).into()
    }

    #[rstest::rstest]
    #[case(SerializationFailure, "any message")]
    #[case(Unknown, "deadlock detected")]
    fn aborted_transaction_is_recognized(#[case] kind: DatabaseErrorKind, #[case] message: &str) {
        assert!(matches!(classify(kind, message), Error::Aborted(_)));
    }

    #[test]
    fn terminated_connection_is_recognized() {
        let message = "terminating connection due to administrator command";
        assert!(matches!(
            classify(Unknown, message),
            Error::ConnectionLost(_)
        ));
    }

    #[rstest::rstest]
    #[case("prepared statement \"s1\" does not exist")]
    #[case("prepared statement \"s1\" already exists")]
    fn statement_in_another_session_is_recognized(#[case] message: &str) {
        assert!(matches!(
            classify(Unknown, message),
            Error::ConnectionLost(_)
        ));
    }

    #[rstest::rstest]
    #[case("relation \"tags\" does not exist")]
    #[case("column tags.color does not exist")]
    #[case("no such table: tags")]
    #[case("no such column: tags.color")]
    fn outdated_schema_is_recognized(#[case] message: &str) {
        assert!(matches!(
            classify(Unknown, message),
            Error::MigrationsPending(_)
        ));
    }

    #[rstest::rstest]
    #[case("canceling statement due to statement timeout")]
    #[case("disk I/O error")]
    fn inaccessible_database_is_recognized(#[case] message: &str) {
        assert!(matches!(classify(Unknown, message), Error::Unavailable(_)));
    }

    #[rstest::rstest]
    #[case("could not extend file \"base/5/2_fsm\": wrote only 4096 of 8192 bytes")]
    #[case("database or disk is full")]
    #[case("could not extend file \"base/5/1\": No space left on device")]
    fn full_storage_is_recognized(#[case] message: &str) {
        assert!(matches!(classify(Unknown, message), Error::StorageFull(_)));
    }

    #[test]
    fn message_in_another_language_is_internal_but_retryable() {
        let error = classify(Unknown, "Verklemmung entdeckt");
        assert_eq!(error.code(), Code::InternalError);
        assert!(is_retryable(&error));
    }

    #[test]
    fn other_errors_are_not_retryable() {
        assert!(!is_retryable(&classify(CheckViolation, "any message")));
        assert!(!is_retryable(&Error::Internal(anyhow::anyhow!("a bug"))));
    }
}

//! The error type of the service.
//!
//! An [`Error::Client`] is shown to the client. It holds a code and the arguments of its message;
//! the message itself is produced in the client's language when the response is written. An
//! [`Error::Internal`] is written to the log and never reaches the client. They are separate
//! variants, so neither can be mistaken for the other.

use std::borrow::Cow;

use serde::Serialize;
use utoipa::ToSchema;

pub use crate::common::error_code::{Code, Kind};
use crate::common::precondition::Current;

/// Maximum number of field errors reported for one request.
pub const MAX_FIELD_ERRORS: usize = 200;

/// Result of an operation that can be rejected or can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A named argument of a message.
pub type MessageArg = (Cow<'static, str>, String);

/// One invalid member or parameter of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// JSON pointer into the body (RFC 6901), or the name of a parameter.
    pub pointer: String,
    pub code: Code,
    /// Arguments of the message.
    pub args: Vec<MessageArg>,
}

impl FieldError {
    /// An error at `pointer`, without message arguments.
    pub fn new(pointer: impl Into<String>, code: Code) -> Self {
        Self {
            pointer: pointer.into(),
            code,
            args: Vec::new(),
        }
    }

    /// Adds a message argument.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.args.push((Cow::Borrowed(name), value.to_string()));
        self
    }
}

/// A rejection, as shown to the client except for the language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientError {
    pub code: Code,
    /// Arguments of the message.
    pub args: Vec<MessageArg>,
    pub field_errors: Vec<FieldError>,
    /// The current state of the resource, sent with 412.
    pub current: Option<Current>,
    /// The resources that prevent the operation.
    pub references: Vec<Reference>,
}

impl From<Code> for ClientError {
    fn from(code: Code) -> Self {
        Self {
            code,
            args: Vec::new(),
            field_errors: Vec::new(),
            current: None,
            references: Vec::new(),
        }
    }
}

/// A resource that an error or a finding refers to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(example = json!({"kind": "tag", "id": "019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e64", "name": "VPN"}))]
pub struct Reference {
    /// The kind of the resource.
    #[schema(max_length = 32)]
    pub kind: &'static str,
    /// Id of the resource.
    #[schema(max_length = 64)]
    pub id: String,
    /// Name of the resource.
    #[schema(max_length = 254)]
    pub name: String,
}

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request is rejected; the client sees the reason.
    #[error("rejected: {}", .0.code.as_str())]
    Client(Box<ClientError>),
    /// The database is unreachable or overloaded. A later attempt may succeed.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// A table or column is missing: the schema is older than this version of the service.
    #[error("migrations are pending: {0}")]
    MigrationsPending(String),
    /// The database's storage is full.
    #[error("storage full: {0}")]
    StorageFull(String),
    /// The database aborted the transaction in favor of another one. The unit of work retries it.
    #[error("aborted: {0}")]
    Aborted(String),
    /// The connection broke while in use. The operation is retried where that is safe.
    #[error("connection lost: {0}")]
    ConnectionLost(String),
    /// An internal error. The client sees only the request id.
    #[error(transparent)]
    Internal(#[from] anyhow::Error),
}

impl Error {
    /// Rejects the request.
    pub fn client(code: Code) -> Self {
        Self::Client(Box::new(code.into()))
    }

    /// Rejects the request with the first [`MAX_FIELD_ERRORS`] of `field_errors`.
    pub fn field_errors(code: Code, mut field_errors: Vec<FieldError>) -> Self {
        field_errors.truncate(MAX_FIELD_ERRORS);
        Self::client(code).update_client(|client| client.field_errors = field_errors)
    }

    /// Rejects the request with one field error, whose code and arguments describe the whole
    /// problem.
    pub fn from_field(field_error: FieldError) -> Self {
        Self::client(field_error.code).update_client(|client| {
            client.args.clone_from(&field_error.args);
            client.field_errors.push(field_error);
        })
    }

    /// The precondition of a conditional request does not hold; `current` is the resource's
    /// state.
    pub fn precondition_failed(current: Option<Current>) -> Self {
        Self::client(Code::PreconditionFailed).update_client(|client| client.current = current)
    }

    /// Adds a field error with the code and arguments of the whole problem.
    #[must_use]
    pub fn at(self, pointer: impl Into<String>) -> Self {
        self.update_client(|client| {
            client.field_errors.push(FieldError {
                pointer: pointer.into(),
                code: client.code,
                args: client.args.clone(),
            });
        })
    }

    /// Whether a field error has this code.
    pub fn has_field_error(&self, code: Code) -> bool {
        let Self::Client(client) = self else {
            return false;
        };
        let mut field_errors = client.field_errors.iter();
        field_errors.any(|field_error| field_error.code == code)
    }

    /// Sets the resources that prevent the operation.
    #[must_use]
    pub fn with_references(self, references: Vec<Reference>) -> Self {
        self.update_client(|client| client.references = references)
    }

    /// Adds a message argument.
    #[must_use]
    pub fn with(self, name: &'static str, value: impl ToString) -> Self {
        self.with_args(vec![(Cow::Borrowed(name), value.to_string())])
    }

    /// Adds message arguments.
    #[must_use]
    pub fn with_args(self, args: Vec<MessageArg>) -> Self {
        self.update_client(|client| client.args.extend(args))
    }

    /// The code shown to the client.
    pub fn code(&self) -> Code {
        match self {
            Self::Client(client) => client.code,
            Self::Unavailable(_)
            | Self::MigrationsPending(_)
            | Self::Aborted(_)
            | Self::ConnectionLost(_) => Code::Unavailable,
            Self::StorageFull(_) => Code::StorageFull,
            Self::Internal(_) => Code::InternalError,
        }
    }

    fn update_client(mut self, update: impl FnOnce(&mut ClientError)) -> Self {
        if let Self::Client(client) = &mut self {
            update(client);
        }
        self
    }
}

/// Rejects with 404 if there is no resource.
///
/// Queries are restricted to one partner, so resources of other partners do not exist either
/// (`docs/domain.md#r9`). All lookups use this function, so both cases produce the same response.
pub fn or_not_found<T>(resource: Option<T>) -> Result<T> {
    resource.ok_or_else(|| Error::client(Code::NotFound))
}

/// Rejects if there are field errors. The first one determines the code and arguments of the
/// problem.
pub fn ensure_valid(field_errors: Vec<FieldError>) -> Result<()> {
    let Some(first) = field_errors.first().cloned() else {
        return Ok(());
    };
    Err(Error::field_errors(first.code, field_errors).with_args(first.args))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r9_missing_resource_is_not_found() {
        assert_eq!(or_not_found(None::<()>).unwrap_err().code(), Code::NotFound);
        assert!(or_not_found(Some(())).is_ok());
    }

    #[test]
    fn single_field_error_determines_code_and_args() {
        let error = Error::from_field(
            FieldError::new("/approver", Code::ApproverRole).with("role", "observer"),
        );
        let Error::Client(client) = error else {
            panic!()
        };
        assert_eq!(client.code, Code::ApproverRole);
        assert_eq!(client.field_errors.len(), 1);
        assert_eq!(client.args, [("role".into(), "observer".to_owned())]);
    }
}

//! One error type for the whole service, and the stable codes a caller can act upon.
//!
//! A [`ClientError`] is meant for the caller and holds only a code and the facts its text needs;
//! the text itself is
//! looked up in the caller's language when the answer is written ([`crate::i18n`]). An
//! [`Error::Internal`] is meant
//! for the log and never reaches the caller. They are different variants, so that neither can be
//! mistaken for the other.

use std::borrow::Cow;

use serde::Serialize;
use utoipa::ToSchema;

use crate::common::change::EntityTag;
pub use crate::common::error_code::{Code, Kind};

/// Most faults that are told of one request.
pub const MAX_FIELD_ERRORS: usize = 200;

/// Result of anything that can be refused or can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A fact that a text mentions, by the name the text uses for it.
pub type MessageArg = (Cow<'static, str>, String);

/// One thing that is wrong at one place of the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// JSON pointer into the body (RFC 6901), or the name of a parameter.
    pub pointer: String,
    pub code: Code,
    pub facts: Vec<MessageArg>,
}

impl FieldError {
    /// A fault at `pointer`.
    pub fn new(pointer: impl Into<String>, code: Code) -> Self {
        Self {
            pointer: pointer.into(),
            code,
            facts: Vec::new(),
        }
    }

    /// Adds a fact that the text may mention.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.facts.push((Cow::Borrowed(name), value.to_string()));
        self
    }
}

/// A refusal as the caller will see it, but for the language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientError {
    pub code: Code,
    pub facts: Vec<MessageArg>,
    pub field_errors: Vec<FieldError>,
    /// The entity tag now in force, sent with 412.
    pub current: Option<EntityTag>,
    /// What stands in the way.
    pub references: Vec<Reference>,
}

impl From<Code> for ClientError {
    fn from(code: Code) -> Self {
        Self {
            code,
            facts: Vec::new(),
            field_errors: Vec::new(),
            current: None,
            references: Vec::new(),
        }
    }
}

/// A resource that an error refers to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(example = json!({"kind": "tag", "id": "019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e60", "name": "VPN"}))]
pub struct Reference {
    /// Kind of the resource.
    #[schema(max_length = 32)]
    pub kind: &'static str,
    /// Id of the resource.
    #[schema(max_length = 64)]
    pub id: String,
    /// Name of the resource.
    #[schema(max_length = 254)]
    pub name: String,
}

/// Everything that can go wrong.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request cannot be granted; the caller is told why.
    #[error("refused: {}", .0.code.as_str())]
    Client(Box<ClientError>),
    /// The database cannot be reached or is too busy; trying again may help.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// The database has no room for what was to be written.
    #[error("storage full: {0}")]
    StorageFull(String),
    /// The engine ended a transaction in favour of another; the database's doors try again.
    #[error("aborted: {0}")]
    Aborted(String),
    /// The connection broke in use; the database's doors try again where that is safe.
    #[error("connection lost: {0}")]
    ConnectionLost(String),
    /// A fault of ours. The caller is told the request id and nothing else.
    #[error(transparent)]
    Internal(#[from] anyhow::Error),
}

impl Error {
    /// Refuses the request.
    pub fn client(code: Code) -> Self {
        Self::Client(Box::new(code.into()))
    }

    /// Refuses a request of which one or more places are wrong; the first [`MAX_FIELD_ERRORS`] are
    /// told.
    pub fn field_errors(code: Code, mut field_errors: Vec<FieldError>) -> Self {
        field_errors.truncate(MAX_FIELD_ERRORS);
        Self::client(code).amend(|refusal| refusal.field_errors = field_errors)
    }

    /// Refuses a request of which one place is wrong; the whole problem has the same code and
    /// facts.
    pub fn from_field(field_error: FieldError) -> Self {
        Self::client(field_error.code).amend(|refusal| {
            refusal.facts.clone_from(&field_error.facts);
            refusal.field_errors.push(field_error);
        })
    }

    /// The precondition of a conditional request does not hold; `current` is the tag that would
    /// have.
    pub fn precondition_failed(current: Option<EntityTag>) -> Self {
        Self::client(Code::PreconditionFailed).amend(|refusal| refusal.current = current)
    }

    /// Names what stands in the way.
    #[must_use]
    pub fn with_references(self, references: Vec<Reference>) -> Self {
        self.amend(|refusal| refusal.references = references)
    }

    /// Adds a fact that the text mentions.
    #[must_use]
    pub fn with(self, name: &'static str, value: impl ToString) -> Self {
        self.with_args(vec![(Cow::Borrowed(name), value.to_string())])
    }

    /// Adds facts that the text mentions.
    #[must_use]
    pub fn with_args(self, facts: Vec<MessageArg>) -> Self {
        self.amend(|refusal| refusal.facts.extend(facts))
    }

    /// The code the caller sees.
    pub fn code(&self) -> Code {
        match self {
            Self::Client(refusal) => refusal.code,
            Self::Unavailable(_) | Self::Aborted(_) | Self::ConnectionLost(_) => Code::Unavailable,
            Self::StorageFull(_) => Code::StorageFull,
            Self::Internal(_) => Code::InternalError,
        }
    }

    fn amend(mut self, change: impl FnOnce(&mut ClientError)) -> Self {
        if let Self::Client(refusal) = &mut self {
            change(refusal);
        }
        self
    }
}

/// R9: what is not there, or belongs to another partner (queries begin with the partner), is not
/// found. One function, so
/// that the two cases cannot differ.
pub fn or_not_found<T>(resource: Option<T>) -> Result<T> {
    resource.ok_or_else(|| Error::client(Code::NotFound))
}

/// Refuses if anything is wrong; the whole problem has the code and the facts of the first fault.
pub fn ensure_valid(field_errors: Vec<FieldError>) -> Result<()> {
    let Some(first) = field_errors.first().cloned() else {
        return Ok(());
    };
    Err(Error::field_errors(first.code, field_errors).with_args(first.facts))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r9_what_is_not_there_is_not_found() {
        assert_eq!(or_not_found(None::<()>).unwrap_err().code(), Code::NotFound);
        assert!(or_not_found(Some(())).is_ok());
    }

    #[test]
    fn one_fault_gives_the_whole_problem_its_code_and_facts() {
        let error = Error::from_field(
            FieldError::new("/approver", Code::ApproverRole).with("role", "observer"),
        );
        let Error::Client(refusal) = error else {
            panic!()
        };
        assert_eq!(
            (refusal.code, refusal.field_errors.len()),
            (Code::ApproverRole, 1)
        );
        assert_eq!(refusal.facts, [("role".into(), "observer".to_owned())]);
    }
}

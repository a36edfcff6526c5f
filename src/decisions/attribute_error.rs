//! Invalid ticket attributes as field errors of the API.

use ticket_policy::validation::{AttributeError, AttributeErrorKind};

use crate::common::{
    Code, FieldError,
    ids::{invalid_erp_id, invalid_uuid},
};

impl From<AttributeError> for FieldError {
    fn from(AttributeError { pointer, kind }: AttributeError) -> Self {
        let error = |code| Self::new(&*pointer, code);
        match kind {
            AttributeErrorKind::Required => error(Code::Required),
            AttributeErrorKind::TooLong { max } => error(Code::TooLong).with("max", max),
            AttributeErrorKind::ControlCharacter => error(Code::ControlCharacter),
            AttributeErrorKind::InvalidErpId => invalid_erp_id(&pointer),
            AttributeErrorKind::InvalidUuid => invalid_uuid(&pointer),
            AttributeErrorKind::UnknownValue { allowed } => {
                error(Code::UnknownValue).with("allowed", allowed.join(", "))
            }
            AttributeErrorKind::TooManyValues { max } => {
                error(Code::TooManyValues).with("max", max)
            }
            AttributeErrorKind::InvalidTime => error(Code::InvalidTime),
        }
    }
}

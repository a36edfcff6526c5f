//! Validates and normalizes the values of conditions.

use ticket_policy::CalendarDuration;

use super::{Field, ValueKind};
use crate::common::{
    Code, FieldError,
    ids::{ContactId, Id},
    normalize::fold_case,
    text::{SelfCheck as _, Text},
    timestamp::Timestamp,
};

/// Two values with the same key are duplicates.
pub(super) fn comparison_key(kind: ValueKind, value: &str) -> String {
    match kind {
        ValueKind::TagName => fold_case(value),
        _ => value.to_owned(),
    }
}

/// Validates a value and returns its normalized form.
pub(super) fn normalize(kind: ValueKind, field: Field, value: &str) -> Result<String, FieldError> {
    match kind {
        // `accesses::filter_references` checks that catalog entries and accesses exist
        ValueKind::AreaId | ValueKind::TicketTypeId | ValueKind::ContactId | ValueKind::ErpId => {
            value.parse::<ContactId>().map(|id| id.to_string())
        }
        ValueKind::AccessId => value.parse::<Id<()>>().map(|id| id.to_string()),
        ValueKind::Word | ValueKind::Boolean if field.words().contains(&value) => {
            Ok(value.to_owned())
        }
        ValueKind::Word | ValueKind::Boolean => {
            Err(FieldError::new("", Code::UnknownValue).with("allowed", field.words().join(", ")))
        }
        ValueKind::TagName => check_text(Text::<1, 100>::new(value)),
        ValueKind::Text => check_text(Text::<1, 200>::new(value)),
        ValueKind::Time => Timestamp::parse(value)
            .map(|time| time.to_string())
            .ok_or_else(|| FieldError::new("", Code::InvalidTime)),
        ValueKind::Duration => CalendarDuration::parse(value)
            .map(|duration| duration.to_string())
            .ok_or_else(|| FieldError::new("", Code::InvalidDuration)),
        ValueKind::Nothing => Ok(value.to_owned()),
    }
}

fn check_text<const MIN: usize, const MAX: usize>(
    text: Text<MIN, MAX>,
) -> Result<String, FieldError> {
    text.check().map(|()| text.into())
}

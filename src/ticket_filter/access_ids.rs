//! The accesses that filters refer to.

use ticket_policy::filter::{Condition, TicketFilter, ValueKind};

use crate::i18n::MAX_LISTED;

/// The accesses that a filter refers to: the JSON pointer of the value within the filter, and the
/// id.
pub fn referenced_accesses(filter: &TicketFilter) -> Vec<(String, &str)> {
    let mut accesses = Vec::new();
    filter.visit(&mut |pointer, condition| {
        let ids = access_ids(condition).iter().enumerate();
        accesses.extend(ids.map(|(index, id)| (format!("{pointer}/values/{index}"), id.as_str())));
    });
    accesses
}

/// The ids of the accesses whose names a summary of the filter may contain.
pub fn listed_accesses(filter: &TicketFilter) -> Vec<&str> {
    let mut accesses = Vec::new();
    filter.visit(&mut |_, condition| {
        let ids = access_ids(condition).iter().take(MAX_LISTED);
        accesses.extend(ids.map(String::as_str));
    });
    accesses
}

/// The values of a condition if they are ids of accesses.
fn access_ids(condition: &Condition) -> &[String] {
    let kind = condition.operator.value_kind(condition.field.value_kind());
    match kind {
        ValueKind::AccessId => &condition.values,
        _ => &[],
    }
}

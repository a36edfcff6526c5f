//! The catalog entries that filters refer to.

use ticket_policy::filter::{Field, TicketFilter, ValueKind};

use crate::catalog::EntryKind;

/// The kind of catalog entries that the values of a field identify, if they do.
pub fn entry_kind(field: Field) -> Option<EntryKind> {
    match field.value_kind() {
        ValueKind::AreaId => Some(EntryKind::Area),
        ValueKind::TicketTypeId => Some(EntryKind::TicketType),
        _ => None,
    }
}

/// The catalog entries that a filter refers to: the JSON pointer of the value within the filter,
/// the kind and the id of each. Invalid values of a draft, which are empty, are skipped.
pub fn referenced_entries(filter: &TicketFilter) -> Vec<(String, EntryKind, &str)> {
    let mut entries = Vec::new();
    filter.visit(&mut |pointer, condition| {
        let Some(kind) = entry_kind(condition.field) else {
            return;
        };
        let ids = condition.values.iter().enumerate();
        for (index, id) in ids.filter(|(_, id)| !id.is_empty()) {
            entries.push((format!("{pointer}/values/{index}"), kind, id.as_str()));
        }
    });
    entries
}

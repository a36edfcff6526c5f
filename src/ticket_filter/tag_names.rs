//! The tags that filters name. A filter names a tag by its text, not by its id.

use std::collections::BTreeSet;

use ticket_policy::{
    filter::{Field, TicketFilter},
    fold::fold_case,
};

/// The case-folded texts that a filter compares tags with.
pub fn tag_names(filter: &TicketFilter) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    filter.visit(&mut |_, condition| {
        if condition.field == Field::Tag {
            names.extend(condition.values.iter().map(|name| fold_case(name)));
        }
    });
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tag_names_of_all_conditions_are_folded() {
        let condition = |field: &str, values: &[&str]| {
            serde_json::json!({
                "type": "condition", "field": field, "operator": "any_of", "values": values
            })
        };
        let filter = serde_json::json!({"type": "any", "filters": [
            condition("tag", &["VPN", "vpn"]),
            {"type": "none", "filters": [condition("tag", &["Straße"])]},
            {"type": "condition", "field": "status", "operator": "in", "values": ["closed"]}
        ]});
        let filter = serde_json::from_value(filter).unwrap();
        let expected = ["strasse", "vpn"].map(str::to_owned);
        assert_eq!(tag_names(&filter), BTreeSet::from(expected));
    }
}

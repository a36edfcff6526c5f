//! Describes a filter as text in German or English, with the names of catalog entries instead of
//! their ids.

use fluent_bundle::FluentValue;
use ticket_policy::CalendarDuration;

use super::{
    Condition, Field, Operator, TicketFilter, ValueKind, catalog_entries::entry_kind,
    references::Names,
};
use crate::{
    common::timestamp::Timestamp,
    i18n::{self, Lang, ListKind, message},
};

/// The summary of a filter in the language of a request. `None` where no language applies, as in
/// the history.
pub type Summary = Option<(Lang, String)>;

/// Serializes a summary as its text.
pub fn serialize_summary<S: serde::Serializer>(
    summary: &Summary,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(summary.as_ref().map_or("", |(_, text)| text))
}

/// Describes a filter. `names` supplies the names of catalog entries; unknown entries appear with
/// their ids.
pub fn summary(filter: &TicketFilter, names: &Names, lang: Lang) -> String {
    let text = SummaryWriter { names, lang }.filter(filter, false);
    message(lang, "sentence", [("text", capitalize(&text).into())])
}

fn capitalize(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => format!("{}{}", first.to_uppercase(), chars.as_str()),
        None => String::new(),
    }
}

/// Most values or rules that a text lists one by one.
pub const MAX_LISTED: usize = 5;

/// Prepares untrusted text for quoting, so that it cannot be mistaken for the text around it:
/// replaces typographic quotation marks and removes invisible and bidirectional control characters.
pub fn strip_quotes(text: &str) -> String {
    text.chars()
        .filter(|c| !is_invisible(*c))
        .map(|c| match c {
            '“' | '”' | '„' => '\'',
            c => c,
        })
        .collect()
}

fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
    )
}

struct SummaryWriter<'a> {
    names: &'a Names,
    lang: Lang,
}

impl SummaryWriter<'_> {
    /// `nested`: whether other clauses are joined with this one.
    fn filter(&self, filter: &TicketFilter, nested: bool) -> String {
        match filter {
            // the values are joined by the same words as the clauses next to this one
            TicketFilter::Condition(condition) if nested && condition.values.len() > 1 => {
                self.parenthesized(self.condition(condition))
            }
            TicketFilter::Condition(condition) => self.condition(condition),
            TicketFilter::All { filters } => self.group("joined-all", filters, nested),
            TicketFilter::Any { filters } => self.group("joined-any", filters, nested),
            TicketFilter::None { filters } => {
                let inner = self.group("joined-any", filters, false);
                self.message("group-none", [("inner", inner.into())])
            }
        }
    }

    /// Nested groups are parenthesized unless they have a single member. `join` is the message that
    /// joins two clauses.
    fn group(&self, join: &str, filters: &[TicketFilter], nested: bool) -> String {
        let is_joined = filters.len() > 1;
        let text = filters
            .iter()
            .map(|filter| self.filter(filter, is_joined || nested))
            .reduce(|left, right| {
                self.message(join, [("left", left.into()), ("right", right.into())])
            })
            .unwrap_or_default();
        if nested && is_joined {
            self.parenthesized(text)
        } else {
            text
        }
    }

    fn parenthesized(&self, inner: String) -> String {
        self.message("group-nested", [("inner", inner.into())])
    }

    fn condition(&self, condition: &Condition) -> String {
        let Condition {
            field,
            operator,
            values,
        } = condition;
        let listed = self.listed_values(condition);
        let list = |kind| i18n::list(self.lang, kind, &listed);
        let both = match *operator {
            // A duration is one value, which is listed in parts.
            Operator::OlderThan | Operator::NewerThan => listed.concat(),
            _ => list(ListKind::And),
        };
        let label = i18n::attribute(self.lang, &format!("field-{}", field.as_str()), "inline");
        let args: [(&str, FluentValue<'_>); 6] = [
            ("field", label.into()),
            ("either", list(ListKind::Or).into()),
            ("neither", list(ListKind::Nor).into()),
            ("both", both.into()),
            ("count", values.len().into()),
            ("value", values.first().cloned().unwrap_or_default().into()),
        ];
        self.message(&format!("clause-{}", operator.as_str()), args)
    }

    /// The first values of a condition, and the number of the others.
    fn listed_values(&self, condition: &Condition) -> Vec<String> {
        let mut listed: Vec<_> = condition
            .values
            .iter()
            .take(MAX_LISTED)
            .map(|value| self.value(condition.operator, condition.field, value))
            .collect();
        let unlisted = condition.values.len().saturating_sub(MAX_LISTED);
        if unlisted > 0 {
            listed.push(self.message("more", [("count", unlisted.into())]));
        }
        listed
    }

    fn value(&self, operator: Operator, field: Field, value: &str) -> String {
        match operator.value_kind(field.value_kind()) {
            ValueKind::Word | ValueKind::Boolean => self.message(&format!("word-{value}"), []),
            ValueKind::Duration => self.duration(value),
            ValueKind::Time => Timestamp::parse(value)
                .and_then(|time| time.format(&self.message("time-pattern", [])))
                .unwrap_or_else(|| value.to_owned()),
            ValueKind::AreaId | ValueKind::TicketTypeId => {
                let name = entry_kind(field).and_then(|kind| self.names.name(kind, value));
                self.quoted(name.unwrap_or(value))
            }
            _ => self.quoted(value),
        }
    }

    fn quoted(&self, text: &str) -> String {
        self.message("quoted", [("text", strip_quotes(text).into())])
    }

    fn duration(&self, value: &str) -> String {
        let parts: Vec<_> = CalendarDuration::parse(value)
            .map(|duration| duration.parts())
            .unwrap_or_default()
            .into_iter()
            .map(|(unit, number)| {
                self.message(&format!("period-{unit}"), [("number", number.into())])
            })
            .collect();
        i18n::list(self.lang, ListKind::And, &parts)
    }

    fn message<const N: usize>(&self, id: &str, args: [(&str, FluentValue<'_>); N]) -> String {
        message(self.lang, id, args)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::catalog::EntryKind;

    /// The German and the English summary.
    fn summaries(filter: serde_json::Value) -> (String, String) {
        let filter: TicketFilter = serde_json::from_value(filter).unwrap();
        let names = [("netz", "Netzwerk"), ("server", "Server & Speicher")]
            .map(|(id, name)| (EntryKind::Area, id.to_owned(), name.to_owned()))
            .into_iter()
            .collect();
        (
            summary(&filter, &names, Lang::De),
            summary(&filter, &names, Lang::En),
        )
    }

    #[test]
    fn nested_groups_are_summarized_with_parentheses() {
        let filter = json!({"type": "all", "filters": [
            {"type": "condition", "field": "area", "operator": "in", "values": ["netz", "server"]},
            {"type": "any", "filters": [
                {"type": "condition", "field": "status", "operator": "not_in", "values": ["open", "in_progress", "parked"]},
                {"type": "condition", "field": "tag", "operator": "all_of", "values": ["VPN", "Drucker"]},
            ]},
            {"type": "none", "filters": [
                {"type": "condition", "field": "confidential", "operator": "is", "values": ["true"]},
                {"type": "condition", "field": "created_at", "operator": "older_than", "values": ["P1Y30D"]},
            ]},
        ]});
        let (de, en) = summaries(filter);
        assert_eq!(
            de,
            "(Bereich ist „Netzwerk“ oder „Server & Speicher“) und ((Status ist nicht offen, in Bearbeitung oder geparkt) oder \
             (Tags enthalten „VPN“ und „Drucker“)) und nicht (Ticket ist vertraulich oder erstellt vor mehr als 1 Jahr und 30 Tagen)."
        );
        assert_eq!(
            en,
            "(area is “Netzwerk” or “Server & Speicher”) and ((status is not open, in progress, or parked) or (tags include \
             “VPN” and “Drucker”)) and not (ticket is confidential or created more than 1 year and 30 days ago)."
        );
    }

    #[test]
    fn long_value_list_is_truncated() {
        let tags: Vec<_> = (1..=7).map(|n| format!("t{n}")).collect();
        let (de, en) = summaries(
            json!({"type": "condition", "field": "tag", "operator": "any_of", "values": tags}),
        );
        assert_eq!(
            de,
            "Tags enthalten „t1“, „t2“, „t3“, „t4“, „t5“ oder 2 weitere."
        );
        assert_eq!(en, "Tags include “t1”, “t2”, “t3”, “t4”, “t5”, or 2 more.");
    }

    #[test]
    fn quotation_marks_in_values_are_replaced() {
        let (de, _) = summaries(
            json!({"type": "condition", "field": "tag", "operator": "any_of", "values": ["a“ oder „b\u{202e}"]}),
        );
        assert_eq!(de, "Tags enthalten „a' oder 'b“.");
    }

    #[test]
    fn unknown_ids_are_quoted_and_times_are_formatted() {
        let (de, en) = summaries(json!({"type": "any", "filters": [
            {"type": "condition", "field": "area", "operator": "not_in", "values": ["weg"]},
            {"type": "condition", "field": "created_at", "operator": "after", "values": ["2026-11-23T08:00:00.000000Z"]},
            {"type": "condition", "field": "main_contact", "operator": "is_self", "values": []},
        ]}));
        assert_eq!(
            de,
            "Bereich ist nicht „weg“ oder erstellt nach 23.11.2026 08:00:00 UTC oder Hauptansprechpartner ist der Kundenzugang selbst."
        );
        assert_eq!(
            en,
            "Area is not “weg” or created after 2026-11-23 08:00:00 UTC or main contact is the access itself."
        );
    }
}

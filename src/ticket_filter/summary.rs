//! Describes a filter as text in German or English, with names instead of ids.

use fluent_bundle::FluentValue;
use ticket_policy::CalendarDuration;

use super::{
    Condition, Field, Names, Operator, TicketFilter, ValueKind, catalog_entries::entry_kind,
};
use crate::{
    common::timestamp::Timestamp,
    i18n::{self, Lang, ListKind, MAX_LISTED, message},
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

/// Describes a filter. What has no name in `names` appears with its id. Only the first
/// [`MAX_DESCRIBED`] conditions are described, the others are counted.
pub fn summary(filter: &TicketFilter, names: &Names, lang: Lang) -> String {
    let mut writer = SummaryWriter {
        names,
        lang,
        described: 0,
    };
    let text = writer.filter(filter, false);
    message(lang, "sentence", [("text", capitalize(&text).into())])
}

fn capitalize(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => format!("{}{}", first.to_uppercase(), chars.as_str()),
        None => String::new(),
    }
}

/// Most conditions that a summary describes.
pub const MAX_DESCRIBED: usize = 10;

fn count_conditions(filter: &TicketFilter) -> usize {
    let mut count = 0;
    filter.visit(&mut |_, _| count += 1);
    count
}

struct SummaryWriter<'a> {
    names: &'a Names,
    lang: Lang,
    /// Number of conditions described so far.
    described: usize,
}

impl SummaryWriter<'_> {
    /// `nested`: whether other clauses are joined with this one.
    fn filter(&mut self, filter: &TicketFilter, nested: bool) -> String {
        if matches!(filter, TicketFilter::Condition(_)) {
            self.described += 1;
        }
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
    fn group(&mut self, join: &str, filters: &[TicketFilter], nested: bool) -> String {
        let is_joined = filters.len() > 1;
        let mut clauses = Vec::new();
        for (index, filter) in filters.iter().enumerate() {
            if self.described >= MAX_DESCRIBED {
                let others = filters.iter().skip(index);
                let count = others.map(count_conditions).sum::<usize>();
                clauses.push(self.message("more-conditions", [("count", count.into())]));
                break;
            }
            clauses.push(self.filter(filter, is_joined || nested));
        }
        let text = clauses
            .into_iter()
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
                let name = entry_kind(field).and_then(|kind| self.names.entry(kind, value));
                self.quoted(name.unwrap_or(value))
            }
            ValueKind::AccessId => self.quoted(self.names.access(value).unwrap_or(value)),
            _ => self.quoted(value),
        }
    }

    fn quoted(&self, text: &str) -> String {
        i18n::quoted(self.lang, text)
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
    fn conditions_beyond_the_limit_are_counted() {
        let subject = |n: usize| json!({"type": "condition", "field": "subject", "operator": "contains", "values": [format!("s{n}")]});
        let described: Vec<_> = (0..MAX_DESCRIBED - 1).map(subject).collect();
        let group = |filters| json!({"type": "any", "filters": filters});
        let filter = |others: Vec<serde_json::Value>| {
            let mut filters = described.clone();
            filters.push(group(vec![subject(100), subject(101)]));
            filters.extend(others);
            json!({"type": "all", "filters": filters})
        };
        let (de, en) = summaries(filter(vec![
            group(vec![subject(102), subject(103)]),
            subject(104),
        ]));
        let suffix = "Betreff enthält „s8“ und (Betreff enthält „s100“ oder 1 weitere Bedingung) und 3 weitere Bedingungen.";
        assert!(de.ends_with(suffix), "{de}");
        let suffix = "subject contains “s8” and (subject contains “s100” or 1 more condition) and 3 more conditions.";
        assert!(en.ends_with(suffix), "{en}");
        let (de, _) = summaries(filter(vec![]));
        assert!(de.ends_with("oder 1 weitere Bedingung)."), "{de}");
    }

    #[test]
    fn known_accesses_are_summarized_by_name() {
        let filter = json!({"type": "condition", "field": "created_by", "operator": "not_in",
            "values": ["019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e60", "019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e61"]});
        let filter: TicketFilter = serde_json::from_value(filter).unwrap();
        let id = "019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e60".to_owned();
        let names = Names::default().with_accesses([(id, "Änne Schäfer".to_owned())]);
        assert_eq!(
            summary(&filter, &names, Lang::De),
            "Ersteller ist nicht „Änne Schäfer“ oder „019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e61“."
        );
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

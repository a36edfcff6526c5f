//! A filter in words: one readable sentence in German or English, with catalogue names instead of ids.

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

/// A filter's sentence, made for one caller. What is kept in the history has none.
pub type Summary = Option<(Lang, String)>;

/// Writes a summary as its text alone.
pub fn serialize_summary<S: serde::Serializer>(
    summary: &Summary,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(summary.as_ref().map_or("", |(_, text)| text))
}

/// The filter as a sentence; entries of the catalogue go by their `names`.
pub fn summary(filter: &TicketFilter, names: &Names, lang: Lang) -> String {
    let text = SummaryWriter { names, lang }.say(filter, false);
    let mut letters = text.chars();
    let first = letters
        .next()
        .map(|first| first.to_uppercase().to_string())
        .unwrap_or_default();
    message(
        lang,
        "sentence",
        [("text", format!("{first}{}", letters.as_str()).into())],
    )
}

/// Most values that are said one by one.
pub const MAX_LISTED: usize = 5;

/// A text that people wrote, so that it cannot pretend to be part of the sentence around it: no quotation marks, and no
/// characters that are not seen or turn the direction of writing.
pub fn strip_quotes(text: &str) -> String {
    let seen = |c: &char| !matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    text.chars()
        .filter(seen)
        .map(|c| {
            if matches!(c, '“' | '”' | '„') {
                '\''
            } else {
                c
            }
        })
        .collect()
}

struct SummaryWriter<'a> {
    names: &'a Names,
    lang: Lang,
}

impl SummaryWriter<'_> {
    fn say(&self, filter: &TicketFilter, nested: bool) -> String {
        match filter {
            // its values are joined by the same words as the clauses beside it
            TicketFilter::Condition(condition) if nested && condition.values.len() > 1 => {
                self.phrase("group-nested", [("inner", self.clause(condition).into())])
            }
            TicketFilter::Condition(condition) => self.clause(condition),
            TicketFilter::All { filters } => self.group("joined-all", filters, nested),
            TicketFilter::Any { filters } => self.group("joined-any", filters, nested),
            TicketFilter::None { filters } => self.phrase(
                "group-none",
                [("inner", self.group("joined-any", filters, false).into())],
            ),
        }
    }

    /// Groups within groups stand in parentheses, unless there is but one thing in them.
    fn group(&self, joint: &str, filters: &[TicketFilter], nested: bool) -> String {
        let several = filters.len() > 1;
        let clauses = filters
            .iter()
            .map(|filter| self.say(filter, several || nested));
        let joined = clauses.reduce(|left, right| {
            self.phrase(joint, [("left", left.into()), ("right", right.into())])
        });
        let joined = joined.unwrap_or_default();
        if nested && several {
            self.phrase("group-nested", [("inner", joined.into())])
        } else {
            joined
        }
    }

    fn clause(&self, condition: &Condition) -> String {
        let Condition {
            field,
            operator,
            values,
        } = condition;
        let kind = operator.value_kind(field.value_kind());
        let mut said: Vec<_> = values
            .iter()
            .take(MAX_LISTED)
            .map(|value| self.value(kind, *field, value))
            .collect();
        if let Some(more) = values
            .len()
            .checked_sub(MAX_LISTED)
            .filter(|more| *more > 0)
        {
            said.push(self.phrase("more", [("count", more.into())]));
        }
        let label = i18n::attribute(self.lang, &format!("field-{}", field.as_str()), "inline");
        let list = |list| i18n::list(self.lang, list, &said);
        let (either, both) = match *operator {
            Operator::OlderThan | Operator::NewerThan => (String::new(), said.concat()),
            _ => (list(ListKind::Or), list(ListKind::And)),
        };
        let args: [(&str, FluentValue<'_>); 5] = [
            ("field", label.into()),
            ("either", either.into()),
            ("both", both.into()),
            ("count", values.len().into()),
            ("value", values.first().cloned().unwrap_or_default().into()),
        ];
        self.phrase(&format!("clause-{}", operator.as_str()), args)
    }

    fn value(&self, kind: ValueKind, field: Field, value: &str) -> String {
        let quoted = |text: &str| self.phrase("quoted", [("text", strip_quotes(text).into())]);
        match kind {
            ValueKind::Word | ValueKind::Boolean => self.phrase(&format!("word-{value}"), []),
            ValueKind::Duration => self.period(value),
            ValueKind::Time => Timestamp::parse(value)
                .and_then(|time| time.format(&self.phrase("time-pattern", [])))
                .unwrap_or_else(|| value.to_owned()),
            ValueKind::AreaId | ValueKind::TicketTypeId => quoted(
                entry_kind(field)
                    .and_then(|kind| self.names.name(kind, value))
                    .unwrap_or(value),
            ),
            _ => quoted(value),
        }
    }

    fn period(&self, value: &str) -> String {
        let parts = CalendarDuration::parse(value)
            .map(|period| period.parts())
            .unwrap_or_default();
        let said: Vec<_> = parts
            .into_iter()
            .map(|(unit, number)| {
                self.phrase(&format!("period-{unit}"), [("number", number.into())])
            })
            .collect();
        i18n::list(self.lang, ListKind::And, &said)
    }

    fn phrase<const N: usize>(&self, id: &str, args: [(&str, FluentValue<'_>); N]) -> String {
        message(self.lang, id, args)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::catalog::EntryKind;

    fn said(filter: serde_json::Value) -> (String, String) {
        let filter: TicketFilter = serde_json::from_value(filter).unwrap();
        let names = Names::of([
            (EntryKind::Area, "netz", "Netzwerk"),
            (EntryKind::Area, "server", "Server & Speicher"),
        ]);
        (
            summary(&filter, &names, Lang::De),
            summary(&filter, &names, Lang::En),
        )
    }

    #[test]
    fn filters_are_said_in_both_languages() {
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
        let (de, en) = said(filter);
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
    fn long_lists_are_cut_short_and_values_cannot_pretend() {
        let tags: Vec<_> = (1..=7).map(|n| format!("t{n}")).collect();
        let (de, en) = said(
            json!({"type": "condition", "field": "tag", "operator": "any_of", "values": tags}),
        );
        assert_eq!(
            de,
            "Tags enthalten „t1“, „t2“, „t3“, „t4“, „t5“ oder 2 weitere."
        );
        assert_eq!(en, "Tags include “t1”, “t2”, “t3”, “t4”, “t5”, or 2 more.");
        let tricky = json!({"type": "condition", "field": "tag", "operator": "any_of", "values": ["a“ oder „b\u{202e}"]});
        assert_eq!(said(tricky).0, "Tags enthalten „a' oder 'b“.");
    }

    #[test]
    fn unknown_ids_times_and_texts_are_said_as_they_are() {
        let (de, en) = said(json!({"type": "any", "filters": [
            {"type": "condition", "field": "area", "operator": "not_in", "values": ["weg"]},
            {"type": "condition", "field": "created_at", "operator": "after", "values": ["2026-11-23T08:00:00.000000Z"]},
            {"type": "condition", "field": "main_contact", "operator": "is_self", "values": []},
        ]}));
        assert_eq!(
            de,
            "Bereich ist nicht „weg“ oder erstellt nach 23.11.2026 08:00:00 UTC oder Hauptansprechpartner ist der Zugang selbst."
        );
        assert_eq!(
            en,
            "Area is not “weg” or created after 2026-11-23 08:00:00 UTC or main contact is the access itself."
        );
    }
}

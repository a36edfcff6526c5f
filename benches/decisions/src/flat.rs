//! A ticket as input of the other engines: one text, set or number per attribute.
//!
//! They have no three-valued logic, so an unknown attribute has a special value, which every test
//! handles ([`crate::test`]). That is faster for them than to check whether a member exists. Texts
//! are case-folded and `created_at` is an age in seconds, because not all engines have these
//! operations.

use std::collections::BTreeMap;

use customer_integration::{
    common::{normalize::fold_case, timestamp::Timestamp},
    decisions::ticket::{Attribute, ENUM_FIELDS, TicketAttributes},
    ticket_filter::Field,
};

use crate::scenario::{AccessRef, Scenario};

/// An unknown attribute; no value is equal to it.
pub const UNKNOWN: &str = "?";
/// An attribute without a value; no value is equal to it.
pub const NOTHING: &str = "";
/// An unknown age: older than any limit, and within the 32 bits of Casbin.
pub const AGE_UNKNOWN: i64 = i32::MAX as i64;
/// The age without a time of creation: older than nothing.
pub const AGE_NOTHING: i64 = -1;

/// Attributes with one value.
const SINGLES: [Field; 7] = [
    Field::Area,
    Field::TicketType,
    Field::MainContact,
    Field::CreatedBy,
    Field::EntryChannel,
    Field::Project,
    Field::ServiceContract,
];

/// A ticket.
#[derive(Debug, Clone)]
pub struct Flat {
    pub partner: String,
    pub internal: bool,
    pub confidential: bool,
    /// By field name; includes the subject.
    pub texts: BTreeMap<&'static str, String>,
    pub tags: Vec<String>,
    pub age: i64,
}

/// A viewer and a ticket.
#[derive(Debug, Clone, Copy)]
pub struct DecisionInput<'s> {
    pub json: &'s str,
    pub ticket: &'s Flat,
    pub viewer: &'s AccessRef,
}

fn text(fact: Attribute<&str>) -> String {
    match fact {
        Attribute::Unknown => UNKNOWN.to_owned(),
        Attribute::Absent => NOTHING.to_owned(),
        Attribute::Known(value) => value.to_owned(),
    }
}

impl Flat {
    /// Parses a ticket like the service.
    ///
    /// # Panics
    ///
    /// If the service would reject it.
    pub fn new(json: &str, now: Timestamp) -> Self {
        let facts: TicketAttributes<'_> = serde_json::from_str(json).expect("a ticket");
        facts.check().expect("a valid ticket");
        let mut texts: BTreeMap<_, _> = SINGLES
            .map(|field| (name(field), text(facts.single(field))))
            .into();
        texts.extend(ENUM_FIELDS.iter().zip(facts.words()).map(|(field, word)| {
            let word = word.map_ref(|place| {
                field
                    .words()
                    .get(usize::from(*place))
                    .copied()
                    .unwrap_or(UNKNOWN)
            });
            (name(*field), text(word))
        }));
        texts.insert(
            name(Field::Subject),
            fold_case(&text(facts.subject.map_ref(|subject| &**subject))),
        );
        let age = match facts.created() {
            Attribute::Unknown => AGE_UNKNOWN,
            Attribute::Absent => AGE_NOTHING,
            Attribute::Known(created) => (now.unix_micros() - created.unix_micros()) / 1_000_000,
        };
        let tags = match &facts.tags {
            Attribute::Unknown => vec![UNKNOWN.to_owned()],
            Attribute::Absent => Vec::new(),
            Attribute::Known(tags) => tags.iter().map(|tag| fold_case(tag)).collect(),
        };
        Self {
            partner: facts.business_partner_id.to_string(),
            internal: facts.internal,
            confidential: facts.confidential,
            texts,
            tags,
            age,
        }
    }

    /// All tickets of a scenario.
    ///
    /// # Panics
    ///
    /// If one of them is invalid.
    pub fn all(scenario: &Scenario) -> Vec<Self> {
        let now = Timestamp::parse(&scenario.now).expect("a time");
        scenario
            .tickets
            .iter()
            .map(|json| Self::new(json, now))
            .collect()
    }

    /// An attribute by its field name.
    pub fn text(&self, field: &str) -> &str {
        self.texts.get(field).map_or(UNKNOWN, String::as_str)
    }
}

/// The name of a field in the inputs.
pub fn name(field: Field) -> &'static str {
    field.into()
}

//! A ticket as input of the other engines: one text, set or number per attribute.
//!
//! They have no three-valued logic, so a marker stands for an unknown attribute, and every test
//! handles it ([`crate::test`]). With a marker they need not check whether a member exists. Two
//! operations that some of them lack are done beforehand: texts are folded, and `created_at` is an
//! age in seconds.

use std::collections::BTreeMap;

use ticket_policy::{
    Attribute, Timestamp,
    filter::Field,
    fold::fold_case,
    ticket::{ENUM_FIELDS, TicketAttributes},
};

use crate::scenario::{AccessRef, Scenario};

/// Marker of an unknown attribute. No value is equal to it.
pub const UNKNOWN: &str = "?";
/// Marker of an absent value. No value is equal to it.
pub const NOTHING: &str = "";
/// The age if it is unknown: older than any bound. Fits the 32 bits of Casbin.
pub const AGE_UNKNOWN: i64 = i32::MAX as i64;
/// The age if there is no creation time: not older than any bound.
pub const AGE_NOTHING: i64 = -1;

/// Fields with one value.
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
    /// The single values and the subject, by field name.
    pub texts: BTreeMap<&'static str, String>,
    pub tags: Vec<String>,
    pub age: i64,
}

/// A request: may this viewer see this ticket?
#[derive(Debug, Clone, Copy)]
pub struct Question<'s> {
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
    /// Parses a ticket.
    ///
    /// # Panics
    ///
    /// If the ticket is invalid, or has a value that no rule can name.
    pub fn new(json: &str, now: Timestamp) -> Self {
        let mut ticket: TicketAttributes<'_> = serde_json::from_str(json).expect("a ticket");
        let unknown = ticket.validate().expect("a ticket that the product takes");
        assert!(unknown.is_empty(), "{unknown:?}");
        let mut texts: BTreeMap<_, _> = SINGLES
            .map(|field| (name(field), text(ticket.single_value(field))))
            .into();
        for (field, ordinal) in ENUM_FIELDS.iter().zip(ticket.enum_ordinals()) {
            let words = field.words();
            let word = ordinal.map_ref(|n| words.get(usize::from(*n)).copied().unwrap_or(UNKNOWN));
            texts.insert(name(*field), text(word));
        }
        texts.insert(
            name(Field::Subject),
            fold_case(&text(ticket.subject.map_ref(|subject| &**subject))),
        );
        let age = match ticket.creation_time() {
            Attribute::Unknown => AGE_UNKNOWN,
            Attribute::Absent => AGE_NOTHING,
            Attribute::Known(created) => (now.unix_micros() - created.unix_micros()) / 1_000_000,
        };
        let tags = match &ticket.tags {
            Attribute::Unknown => vec![UNKNOWN.to_owned()],
            Attribute::Absent => Vec::new(),
            Attribute::Known(tags) => tags.iter().map(|tag| fold_case(tag)).collect(),
        };
        Self {
            partner: ticket.business_partner_id.to_string(),
            internal: ticket.internal,
            confidential: ticket.confidential,
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

    /// A text by field name.
    pub fn text(&self, field: &str) -> &str {
        self.texts.get(field).map_or(UNKNOWN, String::as_str)
    }
}

/// The name of a field in the inputs.
pub fn name(field: Field) -> &'static str {
    field.into()
}

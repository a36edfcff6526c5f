//! A ticket as the other engines are given it: one text, set or number per fact.
//!
//! They have no three-valued logic, so a fact that is unknown is a mark, and every test says what comes of it ([`crate::test`]).
//! A mark saves them the question whether a member is there. Two things are computed beforehand because not all of them have
//! the operation: texts are folded, and `created_at` is an age in seconds.

use std::collections::BTreeMap;

use customer_integration::{
    common::{normalize::fold_case, timestamp::Timestamp},
    decisions::ticket::{Attribute, ENUM_FIELDS, TicketAttributes},
    ticket_filter::Field,
};

use crate::scenario::{AccessRef, Scenario};

/// Stands for a fact that is not known; no value looks like this.
pub const UNKNOWN: &str = "?";
/// Stands for a fact that is known to be none; no value looks like this.
pub const NOTHING: &str = "";
/// An age that is not known is older than any limit. Fits Casbin's 32 bits.
pub const AGE_UNKNOWN: i64 = i32::MAX as i64;
/// What was never created is older than nothing.
pub const AGE_NOTHING: i64 = -1;

/// Facts with one value.
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
    /// By the names of the fields; also the subject.
    pub texts: BTreeMap<&'static str, String>,
    pub tags: Vec<String>,
    pub age: i64,
}

/// Who asks about which ticket.
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
    /// Reads a ticket as the product does.
    ///
    /// # Panics
    ///
    /// If the product would refuse it.
    pub fn new(json: &str, now: Timestamp) -> Self {
        let facts: TicketAttributes<'_> = serde_json::from_str(json).expect("a ticket");
        facts.check().expect("a ticket that the product takes");
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
            fold_case(&text(facts.subject.map_ref(|it| &**it))),
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
    /// If one of them is none.
    pub fn all(scenario: &Scenario) -> Vec<Self> {
        let now = Timestamp::parse(&scenario.now).expect("a time");
        scenario
            .tickets
            .iter()
            .map(|json| Self::new(json, now))
            .collect()
    }

    /// A fact by its name.
    pub fn text(&self, field: &str) -> &str {
        self.texts.get(field).map_or(UNKNOWN, String::as_str)
    }
}

/// What a field is called in the inputs.
pub fn name(field: Field) -> &'static str {
    field.into()
}

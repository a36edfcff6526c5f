//! What a caller tells us of a ticket. We own no tickets: the facts come in with the question, and some may be missing.

use std::ops::Deref;

use serde::Deserialize;

pub use super::attribute::{Attribute, Str};
use crate::{
    common::{
        Code, FieldError,
        ids::{Id, check_erp_id},
        lenient_enum::LenientEnum,
        timestamp::Timestamp,
    },
    ticket_filter::{Field, TicketClosure, TicketLevel, TicketStatus},
};

/// Longest id of a ticket, in characters.
pub const MAX_TICKET_ID: usize = 200;
/// Longest subject and reference number, in characters: what rules search them for has 200.
pub const MAX_TEXT: usize = 1000;
/// Longest name of a tag, in characters.
pub const MAX_TAG: usize = 200;
/// The fields of few words.
pub const ENUM_FIELDS: [Field; 6] = [
    Field::Status,
    Field::Closure,
    Field::Urgency,
    Field::Impact,
    Field::Released,
    Field::Confidential,
];
/// Most tags of one ticket.
pub const MAX_TAGS: usize = 1000;

/// The facts of one ticket. The first five must be given; a ticket that is known by less cannot be decided on.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TicketAttributes<'a> {
    /// The caller's; returned with the answer.
    #[serde(borrow)]
    pub ticket_id: Str<'a>,
    #[serde(borrow)]
    pub business_partner_id: Str<'a>,
    #[serde(borrow)]
    pub area_id: Str<'a>,
    pub internal: bool,
    pub confidential: bool,
    #[serde(borrow, default)]
    pub ticket_type_id: Attribute<Str<'a>>,
    #[serde(default)]
    pub status: Attribute<LenientEnum<TicketStatus>>,
    #[serde(default)]
    pub closure: Attribute<LenientEnum<TicketClosure>>,
    #[serde(default)]
    pub released: Attribute<bool>,
    #[serde(borrow, default)]
    pub main_contact_id: Attribute<Str<'a>>,
    #[serde(borrow, default)]
    pub created_by_access_id: Attribute<Str<'a>>,
    #[serde(borrow, default)]
    pub tags: Attribute<Vec<Str<'a>>>,
    #[serde(default)]
    pub urgency: Attribute<LenientEnum<TicketLevel>>,
    #[serde(default)]
    pub impact: Attribute<LenientEnum<TicketLevel>>,
    #[serde(borrow, default)]
    pub entry_channel: Attribute<Str<'a>>,
    #[serde(borrow, default)]
    pub project_id: Attribute<Str<'a>>,
    #[serde(borrow, default)]
    pub service_contract_id: Attribute<Str<'a>>,
    #[serde(borrow, default)]
    pub subject: Attribute<Str<'a>>,
    #[serde(borrow, default)]
    pub reference_number: Attribute<Str<'a>>,
    #[serde(default)]
    pub created_at: Attribute<LenientEnum<Timestamp>>,
}

impl TicketAttributes<'_> {
    /// The value of a field that has one value at most and is compared as it stands; unknown for fields of another sort.
    pub fn single(&self, field: Field) -> Attribute<&str> {
        let text = match field {
            Field::Area => return Attribute::Known(&self.area_id),
            Field::TicketType => &self.ticket_type_id,
            Field::MainContact => &self.main_contact_id,
            Field::CreatedBy => &self.created_by_access_id,
            Field::EntryChannel => &self.entry_channel,
            Field::Project => &self.project_id,
            Field::ServiceContract => &self.service_contract_id,
            _ => return Attribute::Unknown,
        };
        text.map_ref(Deref::deref)
    }

    /// The values of the fields of few words, in the order of [`ENUM_FIELDS`], each by its place among [`Field::words`]. A flag that is
    /// known to be none is not set.
    pub fn words(&self) -> [Attribute<u8>; ENUM_FIELDS.len()] {
        [
            self.status.word(|status| status as u8),
            self.closure.word(|closure| closure as u8),
            self.urgency.word(|urgency| urgency as u8),
            self.impact.word(|impact| impact as u8),
            match self.released {
                Attribute::Unknown => Attribute::Unknown,
                Attribute::Absent => Attribute::Known(flag(false)),
                Attribute::Known(set) => Attribute::Known(flag(set)),
            },
            Attribute::Known(flag(self.confidential)),
        ]
    }

    /// When it was created.
    pub fn created(&self) -> Attribute<Timestamp> {
        match &self.created_at {
            Attribute::Unknown => Attribute::Unknown,
            Attribute::Absent => Attribute::Absent,
            Attribute::Known(time) => time.known().map_or(Attribute::Unknown, Attribute::Known),
        }
    }

    /// Tells the first thing that is wrong, with its place within the ticket. What no configuration can ever name is refused
    /// rather than compared in vain: a mistyped word would silently match no rule.
    pub fn check(&self) -> Result<(), FieldError> {
        fn at(place: &'static str) -> impl FnOnce(FieldError) -> FieldError {
            move |field_error| FieldError {
                pointer: place.to_owned(),
                ..field_error
            }
        }
        opaque(&self.ticket_id).map_err(at("/ticket_id"))?;
        check_erp_id(&self.business_partner_id).map_err(at("/business_partner_id"))?;
        check_erp_id(&self.area_id).map_err(at("/area_id"))?;
        let ids = [
            (&self.ticket_type_id, "/ticket_type_id"),
            (&self.main_contact_id, "/main_contact_id"),
            (&self.entry_channel, "/entry_channel"),
            (&self.project_id, "/project_id"),
            (&self.service_contract_id, "/service_contract_id"),
        ];
        for (id, place) in ids {
            id.known()
                .map_or(Ok(()), |id| check_erp_id(id))
                .map_err(at(place))?;
        }
        if let Attribute::Known(id) = &self.created_by_access_id {
            id.parse::<Id<()>>().map_err(at("/created_by_access_id"))?;
        }
        self.status.validate().map_err(at("/status"))?;
        self.closure.validate().map_err(at("/closure"))?;
        self.urgency.validate().map_err(at("/urgency"))?;
        self.impact.validate().map_err(at("/impact"))?;
        let tags = self.tags.known().map(Vec::as_slice).unwrap_or_default();
        if tags.len() > MAX_TAGS {
            return Err(FieldError::new("/tags", Code::TooManyValues).with("max", MAX_TAGS));
        }
        for (index, tag) in tags.iter().enumerate() {
            no_longer(tag, MAX_TAG).map_err(|field_error| FieldError {
                pointer: format!("/tags/{index}"),
                ..field_error
            })?;
        }
        for (text, place) in [
            (&self.subject, "/subject"),
            (&self.reference_number, "/reference_number"),
        ] {
            text.known()
                .map_or(Ok(()), |text| no_longer(text, MAX_TEXT))
                .map_err(at(place))?;
        }
        self.created_at.validate().map_err(at("/created_at"))
    }
}

/// The place of a flag's word among [`crate::ticket_filter::fields::FLAGS`].
fn flag(set: bool) -> u8 {
    u8::from(!set)
}

fn no_longer(text: &str, max: usize) -> Result<(), FieldError> {
    // a text has no more characters than bytes
    if text.len() <= max || text.chars().count() <= max {
        return Ok(());
    }
    Err(FieldError::new("", Code::TooLong).with("max", max))
}

/// An id that means nothing to us.
fn opaque(id: &str) -> Result<(), FieldError> {
    if id.is_empty() {
        return Err(FieldError::new("", Code::Required));
    }
    no_longer(id, MAX_TICKET_ID)?;
    if id.chars().any(char::is_control) {
        return Err(FieldError::new("", Code::ControlCharacter));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use serde_json::{Value, json};

    use super::*;

    fn wrong(member: &str, value: Value) -> Option<(String, Code)> {
        let mut ticket = json!({"ticket_id": "4711", "business_partner_id": "K-1", "area_id": "netz", "internal": false,
            "confidential": false});
        ticket[member] = value;
        let text = ticket.to_string();
        let facts: TicketAttributes<'_> = serde_json::from_str(&text).unwrap();
        facts
            .check()
            .err()
            .map(|field_error| (field_error.pointer, field_error.code))
    }

    #[rstest::rstest]
    #[case("ticket_id", json!(""), Some(Code::Required))]
    #[case("ticket_id", json!("INC 2026/17 – ü"), None)]
    #[case("ticket_id", json!("a\u{0}"), Some(Code::ControlCharacter))]
    #[case("ticket_id", json!("x".repeat(201)), Some(Code::TooLong))]
    #[case("business_partner_id", json!("K 1"), Some(Code::InvalidId))]
    #[case("area_id", json!(""), Some(Code::Required))]
    #[case("ticket_type_id", json!(" T"), Some(Code::InvalidId))]
    #[case("ticket_type_id", json!(null), None)]
    #[case("main_contact_id", json!("/"), Some(Code::InvalidId))]
    #[case("created_by_access_id", json!("019AA3C1-7A52-7C3E-9B1F-2F6D3A4C5E60"), Some(Code::InvalidId))]
    #[case("status", json!("shut"), Some(Code::UnknownValue))]
    #[case("closure", json!(null), None)]
    #[case("urgency", json!("High"), Some(Code::UnknownValue))]
    #[case("subject", json!("ü".repeat(1000)), None)]
    #[case("subject", json!("ü".repeat(1001)), Some(Code::TooLong))]
    #[case("reference_number", json!("x".repeat(1001)), Some(Code::TooLong))]
    #[case("created_at", json!("yesterday"), Some(Code::InvalidTime))]
    #[case("created_at", json!("2026-11-23T08:00:00+01:00"), None)]
    #[case("tags", json!(vec!["x"; 1001]), Some(Code::TooManyValues))]
    fn what_no_configuration_can_name_is_refused(
        #[case] member: &str,
        #[case] value: Value,
        #[case] code: Option<Code>,
    ) {
        assert_eq!(
            wrong(member, value),
            code.map(|code| (format!("/{member}"), code))
        );
    }

    #[test]
    fn absent_is_unknown_and_null_is_known_to_be_none() {
        let text = r#"{"ticket_id": "1", "business_partner_id": "K", "area_id": "a", "internal": false, "confidential": true,
            "closure": null, "status": "op\u0065n", "released": null}"#;
        let facts: TicketAttributes<'_> = serde_json::from_str(text).unwrap();
        let told = ENUM_FIELDS.iter().zip(facts.words());
        let told: Vec<_> = told
            .map(|(field, word)| word.map_ref(|place| field.words()[usize::from(*place)]))
            .collect();
        let (unknown, known) = (Attribute::Unknown, Attribute::Known);
        assert_eq!(
            told,
            [
                known("open"),
                Attribute::Absent,
                unknown,
                unknown,
                known("false"),
                known("true")
            ]
        );
        assert_eq!(facts.single(Field::Area), Attribute::Known("a"));
        assert!(matches!(facts.area_id.0, Cow::Borrowed(_)));
    }
}

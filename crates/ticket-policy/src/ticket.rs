//! The attributes of a ticket. Tickets are not stored here: the caller sends their attributes along
//! with each request, and may omit some.

use std::{borrow::Cow, ops::Deref};

use serde::Deserialize;
use strum::VariantNames;

use crate::{
    Attribute, LenientEnum, Str, Timestamp,
    filter::{Field, TicketClosure, TicketLevel, TicketStatus},
    ids::{is_erp_id, parse_uuid},
};

/// Maximum length of a ticket id, in characters.
pub const MAX_TICKET_ID: usize = 200;
/// Maximum length of subject and reference number, in characters.
pub const MAX_TEXT: usize = 1000;
/// Maximum length of a tag, in characters.
pub const MAX_TAG: usize = 200;
/// Maximum number of tags of one ticket.
pub const MAX_TAGS: usize = 1000;
/// The fields whose values are a small closed set, see [`TicketAttributes::enum_ordinals`].
pub const ENUM_FIELDS: [Field; 6] = [
    Field::Status,
    Field::Closure,
    Field::Urgency,
    Field::Impact,
    Field::Released,
    Field::Confidential,
];

/// The attributes of one ticket. The first five are required; without them there is no decision.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TicketAttributes<'a> {
    /// Chosen by the caller and returned with the decision.
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
    /// The value of a field that has at most one value and is compared literally; unknown for all
    /// other fields.
    #[inline]
    pub fn single_value(&self, field: Field) -> Attribute<&str> {
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

    /// The values of [`ENUM_FIELDS`], each as its position in [`Field::words`]. An absent flag
    /// counts as `false`.
    #[inline]
    pub fn enum_ordinals(&self) -> [Attribute<u8>; ENUM_FIELDS.len()] {
        [
            self.status.parsed().map_ref(|status| *status as u8),
            self.closure.parsed().map_ref(|closure| *closure as u8),
            self.urgency.parsed().map_ref(|urgency| *urgency as u8),
            self.impact.parsed().map_ref(|impact| *impact as u8),
            match self.released {
                Attribute::Unknown => Attribute::Unknown,
                Attribute::Absent => Attribute::Known(flag_ordinal(false)),
                Attribute::Known(released) => Attribute::Known(flag_ordinal(released)),
            },
            Attribute::Known(flag_ordinal(self.confidential)),
        ]
    }

    /// When the ticket was created.
    #[inline]
    pub fn creation_time(&self) -> Attribute<Timestamp> {
        self.created_at.parsed()
    }

    /// Validates all attributes and returns the first error. Values that no configuration can
    /// contain are rejected, because a mistyped value would silently match no rule.
    pub fn validate(&self) -> Result<(), AttributeError> {
        use AttributeErrorKind::{InvalidId, InvalidTime};
        validate_ticket_id(&self.ticket_id).map_err(at("/ticket_id"))?;
        validate_erp_id(&self.business_partner_id).map_err(at("/business_partner_id"))?;
        validate_erp_id(&self.area_id).map_err(at("/area_id"))?;
        let erp_ids = [
            (&self.ticket_type_id, "/ticket_type_id"),
            (&self.main_contact_id, "/main_contact_id"),
            (&self.entry_channel, "/entry_channel"),
            (&self.project_id, "/project_id"),
            (&self.service_contract_id, "/service_contract_id"),
        ];
        for (attribute, pointer) in erp_ids {
            if let Attribute::Known(id) = attribute {
                validate_erp_id(id).map_err(at(pointer))?;
            }
        }
        if let Attribute::Known(id) = &self.created_by_access_id {
            parse_uuid(id).ok_or_else(|| at("/created_by_access_id")(InvalidId))?;
        }
        validate_enum(&self.status).map_err(at("/status"))?;
        validate_enum(&self.closure).map_err(at("/closure"))?;
        validate_enum(&self.urgency).map_err(at("/urgency"))?;
        validate_enum(&self.impact).map_err(at("/impact"))?;
        self.validate_tags()?;
        for (attribute, pointer) in [
            (&self.subject, "/subject"),
            (&self.reference_number, "/reference_number"),
        ] {
            if let Attribute::Known(text) = attribute {
                validate_length(text, MAX_TEXT).map_err(at(pointer))?;
            }
        }
        match &self.created_at {
            Attribute::Known(time) if time.known().is_none() => Err(at("/created_at")(InvalidTime)),
            _ => Ok(()),
        }
    }

    fn validate_tags(&self) -> Result<(), AttributeError> {
        let Attribute::Known(tags) = &self.tags else {
            return Ok(());
        };
        if tags.len() > MAX_TAGS {
            return Err(at("/tags")(AttributeErrorKind::TooManyValues {
                max: MAX_TAGS,
            }));
        }
        for (index, tag) in tags.iter().enumerate() {
            validate_length(tag, MAX_TAG).map_err(|kind| AttributeError {
                pointer: format!("/tags/{index}").into(),
                kind,
            })?;
        }
        Ok(())
    }
}

/// An invalid attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttributeError {
    /// JSON pointer within the ticket (RFC 6901).
    pub pointer: Cow<'static, str>,
    pub kind: AttributeErrorKind,
}

/// What is wrong with an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttributeErrorKind {
    Required,
    /// The maximum is in characters.
    TooLong {
        max: usize,
    },
    ControlCharacter,
    InvalidId,
    UnknownValue {
        allowed: &'static [&'static str],
    },
    TooManyValues {
        max: usize,
    },
    InvalidTime,
}

/// Adds the position to an error.
fn at(pointer: &'static str) -> impl FnOnce(AttributeErrorKind) -> AttributeError {
    move |kind| AttributeError {
        pointer: pointer.into(),
        kind,
    }
}

/// The position of a flag's value in [`crate::filter::FLAGS`].
fn flag_ordinal(set: bool) -> u8 {
    u8::from(!set)
}

fn validate_ticket_id(id: &str) -> Result<(), AttributeErrorKind> {
    if id.is_empty() {
        return Err(AttributeErrorKind::Required);
    }
    validate_length(id, MAX_TICKET_ID)?;
    if id.chars().any(char::is_control) {
        return Err(AttributeErrorKind::ControlCharacter);
    }
    Ok(())
}

fn validate_erp_id(id: &str) -> Result<(), AttributeErrorKind> {
    if id.is_empty() {
        return Err(AttributeErrorKind::Required);
    }
    if !is_erp_id(id) {
        return Err(AttributeErrorKind::InvalidId);
    }
    Ok(())
}

fn validate_enum<T: VariantNames>(
    attribute: &Attribute<LenientEnum<T>>,
) -> Result<(), AttributeErrorKind> {
    match attribute {
        Attribute::Known(LenientEnum::Unknown | LenientEnum::Missing) => {
            Err(AttributeErrorKind::UnknownValue {
                allowed: T::VARIANTS,
            })
        }
        _ => Ok(()),
    }
}

fn validate_length(text: &str, max: usize) -> Result<(), AttributeErrorKind> {
    // a text has at most as many characters as bytes
    if text.len() <= max || text.chars().count() <= max {
        return Ok(());
    }
    Err(AttributeErrorKind::TooLong { max })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{AttributeErrorKind::*, *};

    fn validate(member: &str, value: Value) -> Result<(), AttributeError> {
        let mut ticket = json!({"ticket_id": "4711", "business_partner_id": "K-1", "area_id": "netz",
            "internal": false, "confidential": false});
        ticket[member] = value;
        let text = ticket.to_string();
        let ticket: TicketAttributes<'_> = serde_json::from_str(&text).unwrap();
        ticket.validate()
    }

    #[rstest::rstest]
    #[case("ticket_id", json!("INC 2026/17 – ü"))]
    #[case("ticket_type_id", json!(null))]
    #[case("closure", json!(null))]
    #[case("subject", json!("ü".repeat(1000)))]
    #[case("created_at", json!("2026-11-23T08:00:00+01:00"))]
    fn valid_attribute_is_accepted(#[case] member: &str, #[case] value: Value) {
        assert_eq!(validate(member, value), Ok(()));
    }

    #[rstest::rstest]
    #[case("ticket_id", json!(""), Required)]
    #[case("ticket_id", json!("a\u{0}"), ControlCharacter)]
    #[case("ticket_id", json!("x".repeat(201)), TooLong { max: 200 })]
    #[case("business_partner_id", json!("K 1"), InvalidId)]
    #[case("area_id", json!(""), Required)]
    #[case("ticket_type_id", json!(" T"), InvalidId)]
    #[case("main_contact_id", json!("/"), InvalidId)]
    #[case("created_by_access_id", json!("019AA3C1-7A52-7C3E-9B1F-2F6D3A4C5E60"), InvalidId)]
    #[case("status", json!("shut"), UnknownValue { allowed: TicketStatus::VARIANTS })]
    #[case("urgency", json!("High"), UnknownValue { allowed: TicketLevel::VARIANTS })]
    #[case("subject", json!("ü".repeat(1001)), TooLong { max: 1000 })]
    #[case("reference_number", json!("x".repeat(1001)), TooLong { max: 1000 })]
    #[case("created_at", json!("yesterday"), InvalidTime)]
    #[case("tags", json!(vec!["x"; 1001]), TooManyValues { max: 1000 })]
    fn invalid_attribute_is_rejected_with_its_pointer(
        #[case] member: &str,
        #[case] value: Value,
        #[case] kind: AttributeErrorKind,
    ) {
        let pointer = format!("/{member}").into();
        assert_eq!(
            validate(member, value),
            Err(AttributeError { pointer, kind })
        );
    }

    #[test]
    fn overlong_tag_is_rejected_with_its_index() {
        let error = validate("tags", json!(["x", "x".repeat(201)])).unwrap_err();
        assert_eq!(error.pointer, "/tags/1");
        assert_eq!(error.kind, TooLong { max: 200 });
    }

    #[test]
    fn missing_member_is_unknown_and_null_is_absent() {
        let text = r#"{"ticket_id": "1", "business_partner_id": "K", "area_id": "a",
            "internal": false, "confidential": true,
            "closure": null, "status": "op\u0065n", "released": null}"#;
        let ticket: TicketAttributes<'_> = serde_json::from_str(text).unwrap();
        let values: Vec<_> = ENUM_FIELDS
            .iter()
            .zip(ticket.enum_ordinals())
            .map(|(field, ordinal)| ordinal.map_ref(|n| field.words()[usize::from(*n)]))
            .collect();
        assert_eq!(
            values,
            [
                Attribute::Known("open"),
                Attribute::Absent,
                Attribute::Unknown,
                Attribute::Unknown,
                Attribute::Known("false"),
                Attribute::Known("true"),
            ]
        );
        assert_eq!(ticket.single_value(Field::Area), Attribute::Known("a"));
    }

    #[test]
    fn plain_string_is_borrowed() {
        let text = r#"{"ticket_id": "1", "business_partner_id": "K", "area_id": "a",
            "internal": false, "confidential": true}"#;
        let ticket: TicketAttributes<'_> = serde_json::from_str(text).unwrap();
        assert!(matches!(ticket.area_id.0, Cow::Borrowed(_)));
    }
}

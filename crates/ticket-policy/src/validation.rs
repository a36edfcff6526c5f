//! Validation of ticket attributes.

use std::borrow::Cow;

use strum::VariantNames;

use crate::{
    Attribute, JsonObject, LenientEnum, Str,
    ids::{is_erp_id, parse_uuid},
    ticket::{
        MAX_POSITION_ID, MAX_POSITIONS, MAX_TAG, MAX_TAGS, MAX_TEXT, MAX_TICKET_ID,
        TicketAttributes,
    },
};

/// An invalid attribute, or a value that no rule can name.
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
    /// Not an id of the ERP, see [`is_erp_id`].
    InvalidErpId,
    /// Not an id of this service, see [`parse_uuid`].
    InvalidUuid,
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

impl TicketAttributes<'_> {
    /// Validates all attributes and returns the first error.
    ///
    /// Optional ids and texts that no rule can name become unknown, and are returned as warnings:
    /// unlike a mistyped value of a closed set, they may be correct in the system of the caller. A
    /// rule about such an attribute may therefore hide the ticket, other rules are not affected.
    pub fn validate(&mut self) -> Result<Vec<AttributeError>, AttributeError> {
        validate_label(&self.ticket_id, MAX_TICKET_ID).map_err(at("/ticket_id"))?;
        validate_erp_id(&self.business_partner_id).map_err(at("/business_partner_id"))?;
        validate_erp_id(&self.area_id).map_err(at("/area_id"))?;
        validate_enum(&self.status).map_err(at("/status"))?;
        validate_enum(&self.closure).map_err(at("/closure"))?;
        validate_enum(&self.urgency).map_err(at("/urgency"))?;
        validate_enum(&self.impact).map_err(at("/impact"))?;
        if let Attribute::Known(time) = &self.created_at
            && time.known().is_none()
        {
            return Err(at("/created_at")(AttributeErrorKind::InvalidTime));
        }
        self.validate_positions()?;
        Ok(self.discard_unmatchable())
    }

    /// Makes values unknown that no rule can name.
    fn discard_unmatchable(&mut self) -> Vec<AttributeError> {
        let mut warnings = Vec::new();
        for (attribute, pointer) in [
            (&mut self.ticket_type_id, "/ticket_type_id"),
            (&mut self.main_contact_id, "/main_contact_id"),
            (&mut self.entry_channel, "/entry_channel"),
            (&mut self.project_id, "/project_id"),
            (&mut self.service_contract_id, "/service_contract_id"),
        ] {
            discard_if_invalid(attribute, |id| validate_erp_id(id), pointer, &mut warnings);
        }
        discard_if_invalid(
            &mut self.created_by_access_id,
            |id| validate_uuid(id),
            "/created_by_access_id",
            &mut warnings,
        );
        discard_if_invalid(
            &mut self.tags,
            |tags| validate_tags(tags),
            "/tags",
            &mut warnings,
        );
        for (attribute, pointer) in [
            (&mut self.subject, "/subject"),
            (&mut self.reference_number, "/reference_number"),
        ] {
            let validate = |text: &Str<'_>| validate_length(text, MAX_TEXT);
            discard_if_invalid(attribute, validate, pointer, &mut warnings);
        }
        warnings
    }

    fn validate_positions(&self) -> Result<(), AttributeError> {
        let Attribute::Known(positions) = &self.positions else {
            return Ok(());
        };
        if positions.len() > MAX_POSITIONS {
            return Err(at("/positions")(AttributeErrorKind::TooManyValues {
                max: MAX_POSITIONS,
            }));
        }
        for (index, JsonObject(position)) in positions.iter().enumerate() {
            validate_label(&position.position_id, MAX_POSITION_ID).map_err(|kind| {
                AttributeError {
                    pointer: format!("/positions/{index}/position_id").into(),
                    kind,
                }
            })?;
        }
        Ok(())
    }
}

/// Validates an id that the caller chooses freely, and that no configuration contains.
fn validate_label(id: &str, max: usize) -> Result<(), AttributeErrorKind> {
    if id.is_empty() {
        return Err(AttributeErrorKind::Required);
    }
    validate_length(id, max)?;
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
        return Err(AttributeErrorKind::InvalidErpId);
    }
    Ok(())
}

fn validate_uuid(id: &str) -> Result<(), AttributeErrorKind> {
    match parse_uuid(id) {
        Some(_) => Ok(()),
        None => Err(AttributeErrorKind::InvalidUuid),
    }
}

/// A single overlong tag makes all tags unknown: without it, `none_of` would be true for too many
/// tickets.
fn validate_tags(tags: &[Str<'_>]) -> Result<(), AttributeErrorKind> {
    if tags.len() > MAX_TAGS {
        return Err(AttributeErrorKind::TooManyValues { max: MAX_TAGS });
    }
    tags.iter()
        .try_for_each(|tag| validate_length(tag, MAX_TAG))
}

/// Makes an invalid value unknown and adds a warning.
fn discard_if_invalid<T>(
    attribute: &mut Attribute<T>,
    validate: impl FnOnce(&T) -> Result<(), AttributeErrorKind>,
    pointer: &'static str,
    warnings: &mut Vec<AttributeError>,
) {
    if let Attribute::Known(value) = attribute
        && let Err(kind) = validate(value)
    {
        *attribute = Attribute::Unknown;
        warnings.push(at(pointer)(kind));
    }
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
    use crate::filter::{TicketLevel, TicketStatus};

    /// The warnings about a ticket with this member.
    fn validate(member: &str, value: Value) -> Result<Vec<AttributeError>, AttributeError> {
        with_validated(member, value, |_, result| result)
    }

    fn with_validated<T>(
        member: &str,
        value: Value,
        inspect: impl FnOnce(&TicketAttributes<'_>, Result<Vec<AttributeError>, AttributeError>) -> T,
    ) -> T {
        let mut ticket = json!({"ticket_id": "4711", "business_partner_id": "K-1", "area_id": "n",
            "internal": false, "confidential": false});
        ticket[member] = value;
        let text = ticket.to_string();
        let mut ticket: TicketAttributes<'_> = serde_json::from_str(&text).unwrap();
        let result = ticket.validate();
        inspect(&ticket, result)
    }

    #[rstest::rstest]
    #[case("ticket_id", json!("INC 2026/17 – ü"))]
    #[case("ticket_type_id", json!(null))]
    #[case("closure", json!(null))]
    #[case("subject", json!("ü".repeat(1000)))]
    #[case("created_at", json!("2026-11-23T08:00:00+01:00"))]
    fn valid_attribute_is_accepted(#[case] member: &str, #[case] value: Value) {
        assert_eq!(validate(member, value), Ok(vec![]));
    }

    #[rstest::rstest]
    #[case("ticket_id", json!(""), Required)]
    #[case("ticket_id", json!("a\u{0}"), ControlCharacter)]
    #[case("ticket_id", json!("x".repeat(201)), TooLong { max: 200 })]
    #[case("business_partner_id", json!("K 1"), InvalidErpId)]
    #[case("area_id", json!(""), Required)]
    #[case("status", json!("shut"), UnknownValue { allowed: TicketStatus::VARIANTS })]
    #[case("urgency", json!("High"), UnknownValue { allowed: TicketLevel::VARIANTS })]
    #[case("created_at", json!("yesterday"), InvalidTime)]
    #[case("positions", json!(vec![json!({"position_id": "1"}); 201]), TooManyValues { max: 200 })]
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

    #[rstest::rstest]
    #[case("ticket_type_id", json!(" T"), InvalidErpId)]
    #[case("main_contact_id", json!(""), Required)]
    #[case("entry_channel", json!("E Mail"), InvalidErpId)]
    #[case("project_id", json!("PRJ/2026/17"), InvalidErpId)]
    #[case("service_contract_id", json!("ü"), InvalidErpId)]
    #[case("created_by_access_id", json!("019AA3C1-7A52-7C3E-9B1F-2F6D3A4C5E60"), InvalidUuid)]
    #[case("subject", json!("ü".repeat(1001)), TooLong { max: 1000 })]
    #[case("reference_number", json!("x".repeat(1001)), TooLong { max: 1000 })]
    #[case("tags", json!(vec!["x"; 1001]), TooManyValues { max: 1000 })]
    #[case("tags", json!(["x", "x".repeat(201)]), TooLong { max: 200 })]
    fn value_that_no_rule_can_name_becomes_unknown_with_a_warning(
        #[case] member: &str,
        #[case] value: Value,
        #[case] kind: AttributeErrorKind,
    ) {
        let pointer = format!("/{member}").into();
        with_validated(member, value, |ticket, result| {
            assert_eq!(result, Ok(vec![AttributeError { pointer, kind }]));
            let is_unknown = match member {
                "tags" => matches!(ticket.tags, Attribute::Unknown),
                "subject" => ticket.subject == Attribute::Unknown,
                "reference_number" => ticket.reference_number == Attribute::Unknown,
                "ticket_type_id" => ticket.ticket_type_id == Attribute::Unknown,
                "main_contact_id" => ticket.main_contact_id == Attribute::Unknown,
                "entry_channel" => ticket.entry_channel == Attribute::Unknown,
                "project_id" => ticket.project_id == Attribute::Unknown,
                "service_contract_id" => ticket.service_contract_id == Attribute::Unknown,
                _ => ticket.created_by_access_id == Attribute::Unknown,
            };
            assert!(is_unknown);
        });
    }

    #[rstest::rstest]
    #[case("", Required)]
    #[case("a\u{7f}", ControlCharacter)]
    #[case(&"x".repeat(201), TooLong { max: 200 })]
    fn invalid_position_id_is_rejected_with_its_index(
        #[case] id: &str,
        #[case] kind: AttributeErrorKind,
    ) {
        let positions = json!([{"position_id": "1"}, {"position_id": id, "internal": null}]);
        let pointer = "/positions/1/position_id".into();
        assert_eq!(
            validate("positions", positions),
            Err(AttributeError { pointer, kind })
        );
    }
}

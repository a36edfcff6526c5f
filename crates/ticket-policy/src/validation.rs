//! Validation of ticket attributes.

use std::borrow::Cow;

use strum::VariantNames;

use crate::{
    Attribute, JsonObject, LenientEnum,
    ids::{is_erp_id, parse_uuid},
    ticket::{
        MAX_POSITION_ID, MAX_POSITIONS, MAX_TAG, MAX_TAGS, MAX_TEXT, MAX_TICKET_ID,
        TicketAttributes,
    },
};

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

impl TicketAttributes<'_> {
    /// Validates all attributes and returns the first error. Values that no configuration can
    /// contain are rejected, because a mistyped value would silently match no rule.
    pub fn validate(&self) -> Result<(), AttributeError> {
        use AttributeErrorKind::{InvalidId, InvalidTime};
        validate_label(&self.ticket_id, MAX_TICKET_ID).map_err(at("/ticket_id"))?;
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
        self.validate_positions()?;
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
    use crate::filter::{TicketLevel, TicketStatus};

    fn validate(member: &str, value: Value) -> Result<(), AttributeError> {
        let mut ticket = json!({"ticket_id": "4711", "business_partner_id": "K-1", "area_id": "n",
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

    #[test]
    fn overlong_tag_is_rejected_with_its_index() {
        let error = validate("tags", json!(["x", "x".repeat(201)])).unwrap_err();
        assert_eq!(error.pointer, "/tags/1");
        assert_eq!(error.kind, TooLong { max: 200 });
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

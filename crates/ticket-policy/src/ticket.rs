//! The attributes of a ticket. Tickets are not stored here: the caller sends their attributes along
//! with each request, and may omit some.

use std::ops::Deref;

use serde::Deserialize;

use crate::{
    Attribute, JsonObject, LenientEnum, Str, Timestamp,
    filter::{Field, TicketClosure, TicketLevel, TicketStatus},
};

/// Maximum length of a ticket id, in characters.
pub const MAX_TICKET_ID: usize = 200;
/// Maximum length of subject and reference number, in characters.
pub const MAX_TEXT: usize = 1000;
/// Maximum length of a tag, in characters.
pub const MAX_TAG: usize = 200;
/// Maximum number of tags of one ticket.
pub const MAX_TAGS: usize = 1000;
/// Maximum length of a position id, in characters.
pub const MAX_POSITION_ID: usize = 200;
/// Maximum number of positions of one ticket.
pub const MAX_POSITIONS: usize = 200;
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
    /// Not a field of filters: it influences no decision on the ticket itself.
    #[serde(borrow, default)]
    pub positions: Attribute<Vec<JsonObject<Position<'a>>>>,
}

/// An entry of a ticket, such as a comment or a work step.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Position<'a> {
    /// Chosen by the caller and returned with the decision.
    #[serde(borrow)]
    pub position_id: Str<'a>,
    #[serde(default)]
    pub internal: Attribute<bool>,
}

impl Position<'_> {
    /// The position, independent of the request body.
    fn into_owned(self) -> Position<'static> {
        Position {
            position_id: self.position_id.into_owned(),
            internal: self.internal,
        }
    }
}

impl TicketAttributes<'_> {
    /// The attributes, independent of the request body.
    pub fn into_owned(self) -> TicketAttributes<'static> {
        TicketAttributes {
            ticket_id: self.ticket_id.into_owned(),
            business_partner_id: self.business_partner_id.into_owned(),
            area_id: self.area_id.into_owned(),
            internal: self.internal,
            confidential: self.confidential,
            ticket_type_id: self.ticket_type_id.map(Str::into_owned),
            status: self.status,
            closure: self.closure,
            released: self.released,
            main_contact_id: self.main_contact_id.map(Str::into_owned),
            created_by_access_id: self.created_by_access_id.map(Str::into_owned),
            tags: self
                .tags
                .map(|tags| tags.into_iter().map(Str::into_owned).collect()),
            urgency: self.urgency,
            impact: self.impact,
            entry_channel: self.entry_channel.map(Str::into_owned),
            project_id: self.project_id.map(Str::into_owned),
            service_contract_id: self.service_contract_id.map(Str::into_owned),
            subject: self.subject.map(Str::into_owned),
            reference_number: self.reference_number.map(Str::into_owned),
            created_at: self.created_at,
            positions: self.positions.map(|positions| {
                let owned = positions
                    .into_iter()
                    .map(|JsonObject(position)| JsonObject(position.into_owned()));
                owned.collect()
            }),
        }
    }

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
}

/// The position of a flag's value in [`crate::filter::FLAGS`].
fn flag_ordinal(set: bool) -> u8 {
    u8::from(!set)
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

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

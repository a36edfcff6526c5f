//! The OpenAPI schema of a ticket.
//!
//! It is not derived from [`TicketAttributes`](ticket_policy::ticket::TicketAttributes), because
//! that type belongs to the policy core, which does not depend on the OpenAPI library or on the id
//! types. Tests compare the members of both.

use serde::Deserialize;
use utoipa::ToSchema;

use crate::{
    common::{
        ids::{AccessId, AreaId, BusinessPartnerId},
        max_length::MaxLength,
    },
    ticket_filter::{TicketClosure, TicketLevel, TicketStatus},
};

/// The attributes of a ticket. An omitted optional attribute is unknown; `null` means that the
/// ticket has no such value. An unknown attribute can hide a ticket, but never make it visible.
///
/// Optional ids that are no ids of this API count as unknown too, and the response warns of them.
/// An id of the ERP consists of 1 to 64 characters (A to Z, a to z, 0 to 9, and `. _ ~ -`) and
/// begins with a letter or a digit.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(
    dead_code,
    reason = "describes TicketAttributes in the OpenAPI document"
)]
#[schema(as = Ticket, example = json!({"ticket_id": "4711", "business_partner_id": "K-1001", "area_id": "netz", "ticket_type_id": "anomalie",
    "status": "open", "closure": null, "internal": false, "confidential": false, "released": true, "main_contact_id": "P-77",
    "tags": ["VPN"], "urgency": "low", "impact": "high", "subject": "Einwahl bricht ab", "created_at": "2026-11-23T08:00:00Z",
    "positions": [{"position_id": "1", "internal": false}, {"position_id": "2", "internal": true}]}))]
pub struct TicketSchema {
    /// Any string that identifies the ticket within the request. It is returned unchanged.
    #[schema(
        min_length = 1,
        max_length = 200,
        pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]*$"
    )]
    ticket_id: String,
    #[schema(inline)]
    business_partner_id: BusinessPartnerId,
    #[schema(inline)]
    area_id: AreaId,
    /// Internal tickets are always hidden.
    internal: bool,
    /// Confidential tickets are visible to their main contact only.
    confidential: bool,
    /// Id of a ticket type in the ERP.
    #[schema(max_length = 1000)]
    ticket_type_id: Option<String>,
    #[schema(inline)]
    status: Option<TicketStatus>,
    #[schema(inline)]
    closure: Option<TicketClosure>,
    released: Option<bool>,
    /// Id of a contact in the ERP.
    #[schema(max_length = 1000)]
    main_contact_id: Option<String>,
    #[schema(inline)]
    created_by_access_id: Option<AccessId>,
    /// Tag names, compared case-insensitively. If one is longer than 200 characters, all of them
    /// count as unknown.
    #[schema(max_items = 1000, inline, value_type = Option<Vec<MaxLength<1000>>>)]
    tags: Option<Vec<String>>,
    #[schema(inline)]
    urgency: Option<TicketLevel>,
    #[schema(inline)]
    impact: Option<TicketLevel>,
    /// Id of an entry channel in the ERP.
    #[schema(max_length = 1000)]
    entry_channel: Option<String>,
    /// Id of a project in the ERP.
    #[schema(max_length = 1000)]
    project_id: Option<String>,
    /// Id of a service contract in the ERP.
    #[schema(max_length = 1000)]
    service_contract_id: Option<String>,
    /// Counts as unknown if it is longer than 1000 characters.
    #[schema(max_length = 10_000)]
    subject: Option<String>,
    /// Counts as unknown if it is longer than 1000 characters.
    #[schema(max_length = 10_000)]
    reference_number: Option<String>,
    /// RFC 3339 timestamp.
    #[schema(format = DateTime)]
    created_at: Option<String>,
    /// The positions of the ticket, to find out which of them are hidden. They have no influence on
    /// whether the ticket is visible. Ids should be unique within the ticket; an id that occurs
    /// several times is hidden if any of its positions is.
    #[schema(max_items = 200)]
    positions: Option<Vec<PositionSchema>>,
}

/// An entry of a ticket, such as a comment or a work step.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes Position in the OpenAPI document")]
#[schema(as = TicketPosition, example = json!({"position_id": "2", "internal": true}))]
pub struct PositionSchema {
    /// Any string that identifies the position within the ticket. It is returned unchanged.
    #[schema(
        min_length = 1,
        max_length = 200,
        pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]*$"
    )]
    position_id: String,
    /// Internal positions are always hidden. So are those for which this is omitted or `null`.
    internal: Option<bool>,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::{Value, json};
    use utoipa::PartialSchema as _;

    use super::*;
    use ticket_policy::ticket::TicketAttributes;

    /// The names that a serde message quotes, without the first one.
    fn expected_members(message: &str) -> BTreeSet<String> {
        let quoted = message.split('`').skip(1).step_by(2);
        quoted.skip(1).map(str::to_owned).collect()
    }

    #[test]
    fn ticket_schema_has_the_members_that_are_parsed() {
        let schema = serde_json::to_value(TicketSchema::schema()).unwrap();
        let documented: BTreeSet<_> = schema["properties"]
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect();
        let unknown_member = serde_json::from_str::<TicketAttributes<'_>>(r#"{"x": 1}"#);
        assert_eq!(
            documented,
            expected_members(&unknown_member.unwrap_err().to_string())
        );
    }

    #[test]
    fn ticket_schema_requires_the_members_that_are_required_when_parsing() {
        let schema = serde_json::to_value(TicketSchema::schema()).unwrap();
        let required: Vec<_> = schema["required"].as_array().unwrap().clone();
        let ticket = json!({"ticket_id": "1", "business_partner_id": "K-1", "area_id": "netz", "internal": false, "confidential": false});
        let parses = |ticket: &Value| {
            serde_json::from_str::<TicketAttributes<'_>>(&ticket.to_string()).is_ok()
        };
        assert_eq!(required.len(), ticket.as_object().unwrap().len());
        assert!(parses(&ticket));
        for member in required {
            let mut incomplete = ticket.clone();
            incomplete
                .as_object_mut()
                .unwrap()
                .remove(member.as_str().unwrap());
            assert!(!parses(&incomplete), "{member}");
        }
    }
}

//! What the questions look like, for the document. [`super::request`] reads them, and a test sees to it that both agree.

use serde::Deserialize;
use utoipa::ToSchema;

use crate::{
    common::{
        formats::Email,
        ids::{AccessId, AreaId, BusinessPartnerId, ContactId, RuleId, TicketTypeId},
        max_length::MaxLength,
    },
    ticket_filter::{TicketClosure, TicketFilter, TicketLevel, TicketStatus},
};

/// The facts of a ticket. Of those that may be absent, absent means unknown, and `null` known to be none. What is unknown may hide
/// a ticket, never show it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only documents what TicketFacts reads")]
#[schema(example = json!({"ticket_id": "4711", "business_partner_id": "K-1001", "area_id": "netz", "ticket_type_id": "anomalie",
    "status": "open", "closure": null, "internal": false, "confidential": false, "released": true, "main_contact_id": "P-77",
    "tags": ["VPN"], "urgency": "low", "impact": "high", "subject": "Einwahl bricht ab", "created_at": "2026-11-23T08:00:00Z"}))]
pub struct Ticket {
    /// Any text that tells the tickets of the question apart; it comes back with the answer.
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
    /// Confidential tickets are hidden from all but their main contact.
    confidential: bool,
    #[schema(inline)]
    ticket_type_id: Option<TicketTypeId>,
    #[schema(inline)]
    status: Option<TicketStatus>,
    #[schema(inline)]
    closure: Option<TicketClosure>,
    released: Option<bool>,
    #[schema(inline)]
    main_contact_id: Option<ContactId>,
    #[schema(inline)]
    created_by_access_id: Option<AccessId>,
    /// Names of at most 200 characters; case does not matter.
    #[schema(max_items = 1000, inline, value_type = Option<Vec<MaxLength<200>>>)]
    tags: Option<Vec<String>>,
    #[schema(inline)]
    urgency: Option<TicketLevel>,
    #[schema(inline)]
    impact: Option<TicketLevel>,
    #[schema(inline)]
    entry_channel: Option<ContactId>,
    #[schema(inline)]
    project_id: Option<ContactId>,
    #[schema(inline)]
    service_contract_id: Option<ContactId>,
    #[schema(max_length = 1000)]
    subject: Option<String>,
    #[schema(max_length = 1000)]
    reference_number: Option<String>,
    /// RFC 3339.
    #[schema(format = DateTime)]
    created_at: Option<String>,
}

/// May this access see these tickets? The access is named by its id or by its e-mail address.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only documents what VisibilityQuestion reads")]
#[schema(example = json!({"access_email": "aenne.schaefer@muster.example", "explain": true, "tickets": [
    {"ticket_id": "4711", "business_partner_id": "K-1001", "area_id": "netz", "internal": false, "confidential": false, "status": "open"},
    {"ticket_id": "4712", "business_partner_id": "K-1001", "area_id": "netz", "internal": false, "confidential": false, "tags": ["Personal"]}]}))]
pub struct TicketVisibilityQuestion {
    #[schema(inline)]
    access_id: Option<AccessId>,
    #[schema(inline)]
    access_email: Option<Email>,
    /// Whether to tell every step of the decisions. Absent: false.
    #[serde(default)]
    explain: bool,
    /// Refuse with `revision_not_reached` before the partner's integration has reached this revision.
    #[schema(minimum = 0)]
    min_revision: Option<i64>,
    #[schema(min_items = 1, max_items = 1000)]
    tickets: Vec<Ticket>,
}

/// May this access create a ticket of this type in this area? The access is named by its id or by its e-mail address.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only documents what CreationQuestion reads")]
#[schema(example = json!({"access_email": "aenne.schaefer@muster.example", "area_id": "netz", "ticket_type_id": "anomalie"}))]
pub struct TicketCreationQuestion {
    #[schema(inline)]
    access_id: Option<AccessId>,
    #[schema(inline)]
    access_email: Option<Email>,
    #[schema(inline)]
    area_id: AreaId,
    #[schema(inline)]
    ticket_type_id: TicketTypeId,
    /// Refuse with `revision_not_reached` before the partner's integration has reached this revision.
    #[schema(minimum = 0)]
    min_revision: Option<i64>,
}

/// What would a rule change, if it were saved?
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only documents what PreviewQuestion reads")]
#[schema(example = json!({"business_partner_id": "K-1001",
    "filter": {"type": "condition", "field": "tag", "operator": "any_of", "values": ["Personal"]},
    "tickets": [{"ticket_id": "4711", "business_partner_id": "K-1001", "area_id": "netz", "internal": false, "confidential": false, "tags": ["Personal"]}]}))]
pub struct ExclusionRulePreviewQuestion {
    /// Whose rule it would be. Absent or `null`: a global one.
    #[schema(inline)]
    business_partner_id: Option<BusinessPartnerId>,
    /// The rule whose place it would take. Absent or `null`: it would be a new one.
    #[schema(inline)]
    rule_id: Option<RuleId>,
    /// Whether it would be in force. Absent: true.
    #[serde(default = "crate::common::merge_patch::default_true")]
    active: bool,
    filter: TicketFilter,
    /// The accesses to look at. Absent or `null`: the active ones, the first 500 of them.
    #[schema(inline, min_items = 1, max_items = 500)]
    access_ids: Option<Vec<AccessId>>,
    /// Samples.
    #[schema(min_items = 1, max_items = 200)]
    tickets: Vec<Ticket>,
}

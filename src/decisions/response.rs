//! JSON of the answers.

use std::borrow::Cow;

use serde::Serialize;
use utoipa::ToSchema;

use super::{
    evaluator::{Outcome, Step},
    ticket_creation::CreationReason,
};
use crate::{
    common::{
        ids::{AccessId, AreaId, BusinessPartnerId, PlanBoardId, QueryId, TagId, TicketTypeId},
        max_length::MaxLength,
    },
    http::problem::FieldErrorBody,
    queries::dto::TicketSort,
    ticket_filter::{Field, TicketFilter},
};

/// Whether each ticket is visible, in the order of the question.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"revision": 14, "decisions": [
    {"ticket_id": "4711", "visible": true},
    {"ticket_id": "4712", "visible": false, "steps": [{"code": "excluded_by_rule", "outcome": "deny",
        "detail": "Die Ausschlussregel „Personalsachen“ verbirgt das Ticket.",
        "sources": [{"kind": "exclusion_rule", "id": "019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e60", "name": "Personalsachen",
            "href": "/api/v1/customer-integrations/K-1001/exclusion-rules/019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e60"}]}]},
    {"ticket_id": "4713", "visible": false, "error": {"pointer": "/tickets/2/status", "code": "unknown_value",
        "detail": "Das ist keiner der möglichen Werte: open, in_progress, parked, closed."}}]}))]
pub struct TicketVisibilityAnswer<'t> {
    /// Revision of the partner's integration that was decided by.
    #[schema(minimum = 1)]
    pub revision: i64,
    #[schema(max_items = 1000)]
    pub decisions: Vec<TicketDecision<'t>>,
}

/// Whether one ticket is visible.
#[derive(Debug, Serialize, ToSchema)]
pub struct TicketDecision<'t> {
    /// The question's; `null` where it could not be read.
    #[schema(value_type = Option<String>, max_length = 201)]
    pub ticket_id: Option<Cow<'t, str>>,
    /// False also where `error` says that the ticket could not be decided on.
    pub visible: bool,
    /// Every step with its outcome, in order; the ticket is visible when all of them pass. Only where an explanation was asked for,
    /// and never for tokens that are limited to one partner.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_items = 20)]
    pub steps: Option<Vec<DecisionStep>>,
    /// What is wrong with the ticket's facts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<FieldErrorBody>,
}

/// One step of a decision.
#[derive(Debug, Serialize, ToSchema)]
pub struct DecisionStep {
    /// What would stand in the way here.
    pub code: Step,
    pub outcome: Outcome,
    /// The step's outcome as a sentence in the caller's language.
    #[schema(max_length = 10_000)]
    pub detail: String,
    /// The settings that decide; of many rules the first 20.
    #[schema(max_items = 20)]
    pub sources: Vec<DecisionSource>,
}

/// A setting that decides.
#[derive(Debug, Serialize, ToSchema)]
pub struct DecisionSource {
    /// What it is, in the glossary's word.
    #[schema(example = "exclusion_rule", max_length = 32)]
    pub kind: &'static str,
    #[schema(max_length = 64)]
    pub id: String,
    /// What it is called; its id, where it has no name that is known here.
    #[schema(max_length = 254)]
    pub name: String,
    /// Where it can be read and, mostly, changed.
    #[schema(format = "uri-reference", max_length = 300)]
    pub href: String,
}

/// Whether a ticket may be created.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"revision": 14, "allowed": false, "approval_required": false,
    "reasons": [{"code": "area_not_granted", "detail": "Der Bereich „netz“ ist nicht freigegeben."}]}))]
pub struct TicketCreationAnswer {
    /// Revision of the partner's integration that was decided by.
    #[schema(minimum = 1)]
    pub revision: i64,
    pub allowed: bool,
    /// Whether the new ticket waits until an approver or a dispatcher releases it; false where it may not be created.
    pub approval_required: bool,
    /// All that stands in the way; empty for tokens that are limited to one partner.
    #[schema(max_items = 10)]
    pub reasons: Vec<CreationObstacle>,
}

/// Why a ticket may not be created.
#[derive(Debug, Serialize, ToSchema)]
pub struct CreationObstacle {
    pub code: CreationReason,
    /// The same as a sentence in the caller's language.
    #[schema(max_length = 10_000)]
    pub detail: String,
}

/// All that an access can do.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"access_id": "019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e60", "revision": 14, "effective": true,
    "areas": [{"area_id": "netz", "name": "Netzwerk", "view": true, "create": true,
        "ticket_types": [{"ticket_type_id": "anomalie", "name": "Anomalie", "approval_required": false}]}],
    "tags": [{"id": "019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e61", "name": "VPN", "area_id": "netz"}],
    "queries": [{"id": "019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e62", "name": "Offene Tickets", "description": null, "position": 1,
        "filter": {"type": "condition", "field": "status", "operator": "not_in", "values": ["closed"]},
        "columns": ["reference_number", "subject"], "sort": []}],
    "plan_boards": [{"plan_board_id": "wartung", "name": "Wartungsfenster", "description": "Geplante Wartungen"}]}))]
pub struct Capabilities {
    #[schema(inline)]
    pub access_id: AccessId,
    /// Revision of the partner's integration that this was made from.
    #[schema(minimum = 1)]
    pub revision: i64,
    /// Whether the access has any effect. If not, it can do nothing.
    pub effective: bool,
    /// The areas granted and available.
    pub areas: Vec<AreaCapability>,
    /// The tags it may use, those for internal users only left out. Empty if the access has no effect.
    #[schema(max_items = 20_000)]
    pub tags: Vec<OfferedTag>,
    /// The active queries, in the order of their positions. Empty if the access has no effect.
    #[schema(max_items = 500)]
    pub queries: Vec<OfferedQuery>,
    /// The plan boards shared and available. Empty if the access has no effect.
    pub plan_boards: Vec<OfferedPlanBoard>,
}

/// What an access can do in an area.
#[derive(Debug, Serialize, ToSchema)]
pub struct AreaCapability {
    #[schema(inline)]
    pub area_id: AreaId,
    #[schema(max_length = 100)]
    pub name: String,
    /// Whether it may see tickets there; false also where exclusion rules hide every one.
    pub view: bool,
    /// Whether it may create tickets there.
    pub create: bool,
    /// What it may create there.
    pub ticket_types: Vec<CreatableType>,
}

/// A ticket type that may be created.
#[derive(Debug, Serialize, ToSchema)]
pub struct CreatableType {
    #[schema(inline)]
    pub ticket_type_id: TicketTypeId,
    #[schema(max_length = 100)]
    pub name: String,
    /// Whether such tickets wait until an approver or a dispatcher releases them.
    pub approval_required: bool,
}

/// A tag that is offered.
#[derive(Debug, Serialize, ToSchema)]
pub struct OfferedTag {
    #[schema(inline)]
    pub id: TagId,
    #[schema(max_length = 100)]
    pub name: String,
    /// The area it belongs to; `null`: every area.
    #[schema(inline)]
    pub area_id: Option<AreaId>,
}

/// A query that is offered.
#[derive(Debug, Serialize, ToSchema)]
pub struct OfferedQuery {
    #[schema(inline)]
    pub id: QueryId,
    #[schema(max_length = 100)]
    pub name: String,
    #[schema(max_length = 1000)]
    pub description: Option<String>,
    #[schema(minimum = 0, maximum = 1_000_000)]
    pub position: i64,
    pub filter: TicketFilter,
    /// The board's columns, in their order.
    #[schema(max_items = 20)]
    pub columns: Vec<Field>,
    /// The board's order.
    #[schema(max_items = 3)]
    pub sort: Vec<TicketSort>,
}

/// A plan board that is offered.
#[derive(Debug, Serialize, ToSchema)]
pub struct OfferedPlanBoard {
    #[schema(inline)]
    pub plan_board_id: PlanBoardId,
    #[schema(max_length = 200)]
    pub name: String,
    #[schema(max_length = 1000)]
    pub description: String,
}

/// What would change if a rule were saved.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(example = json!({"matching": ["4711"], "undetermined": [], "newly_hidden": 1, "newly_visible": 0, "unchanged": 1,
    "accesses": [{"access_id": "019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e60", "business_partner_id": "K-1001", "name": "Änne Schäfer",
        "newly_hidden": {"count": 1, "ticket_ids": ["4711"]}, "newly_visible": {"count": 0, "ticket_ids": []},
        "unchanged": {"count": 1, "ticket_ids": ["4712"]}}],
    "accesses_left_out": 0, "errors": []}))]
pub struct ExclusionRulePreview {
    /// The tickets that the rule matches.
    #[schema(inline, value_type = Vec<MaxLength<200>>, max_items = 200)]
    pub matching: Vec<String>,
    /// The tickets that the rule may match: a fact is missing that would tell, so they are hidden too.
    #[schema(inline, value_type = Vec<MaxLength<200>>, max_items = 200)]
    pub undetermined: Vec<String>,
    /// How often an access would no longer see a ticket.
    #[schema(minimum = 0)]
    pub newly_hidden: usize,
    /// How often an access would see a ticket that it does not see now.
    #[schema(minimum = 0)]
    pub newly_visible: usize,
    /// How often nothing would change.
    #[schema(minimum = 0)]
    pub unchanged: usize,
    /// What would change for each access.
    #[schema(max_items = 500)]
    pub accesses: Vec<AccessPreview>,
    /// How many active accesses were not looked at.
    #[schema(minimum = 0)]
    pub accesses_left_out: i64,
    /// The tickets whose facts are wrong.
    #[schema(max_items = 200)]
    pub errors: Vec<SampleError>,
}

/// What would change for an access.
#[derive(Debug, Serialize, ToSchema)]
pub struct AccessPreview {
    #[schema(inline)]
    pub access_id: AccessId,
    #[schema(inline)]
    pub business_partner_id: BusinessPartnerId,
    #[schema(max_length = 254)]
    pub name: String,
    pub newly_hidden: Affected,
    pub newly_visible: Affected,
    pub unchanged: Affected,
}

/// Some of the sample tickets.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct Affected {
    #[schema(minimum = 0)]
    pub count: usize,
    #[schema(inline, value_type = Vec<MaxLength<200>>, max_items = 200)]
    pub ticket_ids: Vec<String>,
}

/// A sample ticket whose facts are wrong.
#[derive(Debug, Serialize, ToSchema)]
pub struct SampleError {
    /// The question's; `null` where it could not be read.
    #[schema(max_length = 201)]
    pub ticket_id: Option<String>,
    pub error: FieldErrorBody,
}

//! The JSON of the responses.

use std::borrow::Cow;

use serde::Serialize;
use ticket_policy::{
    approval::ApprovalReason,
    creation::CreationReason,
    evaluator::{Outcome, Step},
    positions::PositionReason,
};
use utoipa::ToSchema;

use crate::{
    accesses::{Role, TicketVisibility},
    common::{
        FieldError,
        ids::{AccessId, AreaId, BusinessPartnerId, PlanBoardId, QueryId, TagId, TicketTypeId},
        max_length::MaxLength,
    },
    http::problem::FieldErrorBody,
    i18n::Lang,
    queries::dto::TicketSort,
    ticket_filter::{Field, TicketFilter},
};

/// The decisions in the order of the requested tickets.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TicketVisibilityAnswer, example = json!({"revision": 14, "decisions": [
    {"ticket_id": "4711", "visible": true, "hidden_positions": ["2"]},
    {"ticket_id": "4712", "visible": false, "hidden_positions": null, "steps": [{"code": "excluded_by_rule", "outcome": "deny",
        "detail": "Die Ausschlussregel „Personalsachen“ verbirgt das Ticket.",
        "sources": [{"kind": "exclusion_rule", "id": "019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e60", "name": "Personalsachen",
            "href": "/api/v1/customer-integrations/K-1001/exclusion-rules/019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e60"}],
        "sources_total": 1}]},
    {"ticket_id": "4713", "visible": false, "hidden_positions": null, "error": {"pointer": "/tickets/2/status", "code": "unknown_value",
        "detail": "Das ist keiner der möglichen Werte: open, in_progress, parked, closed."}}],
    "warnings": [{"pointer": "/tickets/0/project_id", "code": "invalid_id",
        "detail": "Eine ID besteht aus 1 bis 64 Zeichen: Buchstaben A bis Z und a bis z, Ziffern und die Zeichen . _ ~ -. Sie beginnt mit einem Buchstaben oder einer Ziffer."}]}))]
pub struct VisibilityResponse<'t> {
    /// Revision of the partner's integration that the decisions are based on.
    #[schema(minimum = 1)]
    pub revision: i64,
    #[schema(max_items = 1000)]
    pub decisions: Vec<TicketDecision<'t>>,
    /// Values of tickets that no rule can name, such as an overlong subject, and that were
    /// therefore treated as unknown. At most the first 200.
    #[schema(max_items = 200)]
    pub warnings: Vec<FieldErrorBody>,
}

/// Renders warnings in a language.
pub fn warning_bodies(warnings: &[FieldError], lang: Lang) -> Vec<FieldErrorBody> {
    warnings
        .iter()
        .map(|warning| FieldErrorBody::new(warning, lang))
        .collect()
}

/// The decision on one ticket.
#[derive(Debug, Serialize, ToSchema)]
pub struct TicketDecision<'t> {
    /// The id from the request. `null` if it could not be parsed.
    #[schema(value_type = Option<String>, max_length = 201)]
    pub ticket_id: Option<Cow<'t, str>>,
    /// False if the access may not see the ticket, or if there is an `error`.
    pub visible: bool,
    /// Ids of the ticket's positions that the access may not see, each once: internal ones, and
    /// those of which it is unknown. All of them if the ticket is not visible. `null` if the
    /// request omits the positions, or if there is an `error`.
    #[schema(inline, value_type = Option<Vec<MaxLength<200>>>, max_items = 200)]
    pub hidden_positions: Option<Vec<Cow<'t, str>>>,
    /// All steps of the decision in order. The ticket is visible if all of them pass. Present only
    /// if `explain` was requested, and never for tokens restricted to one partner.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_items = 20)]
    pub steps: Option<Vec<DecisionStep>>,
    /// Why positions are hidden. Present together with `steps`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_items = 3)]
    pub position_reasons: Option<Vec<PositionObstacle<'t>>>,
    /// The error in the ticket's attributes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<FieldErrorBody>,
}

/// One step of a decision.
#[derive(Debug, Serialize, ToSchema)]
pub struct DecisionStep {
    /// The reason for which this step hides a ticket.
    pub code: Step,
    pub outcome: Outcome,
    /// The outcome as text in the language of the request.
    #[schema(max_length = 10_000)]
    pub detail: String,
    /// The configuration that the step depends on. At most the first 5 rules.
    #[schema(max_items = 5)]
    pub sources: Vec<DecisionSource>,
    /// The number of all sources, including the rules that `sources` does not list.
    #[schema(minimum = 0)]
    pub sources_total: usize,
}

/// A reason for which positions of a ticket are hidden.
#[derive(Debug, Serialize, ToSchema)]
pub struct PositionObstacle<'t> {
    pub code: PositionReason,
    /// The reason as text in the language of the request.
    #[schema(max_length = 10_000)]
    pub detail: String,
    /// The positions that it applies to.
    #[schema(inline, value_type = Vec<MaxLength<200>>, max_items = 200)]
    pub position_ids: Vec<Cow<'t, str>>,
}

/// A configuration resource that a step depends on.
#[derive(Debug, Serialize, ToSchema)]
pub struct DecisionSource {
    /// Type of the resource.
    #[schema(example = "exclusion_rule", max_length = 32)]
    pub kind: &'static str,
    #[schema(max_length = 64)]
    pub id: String,
    /// Name of the resource. Its id if the name is not available.
    #[schema(max_length = 254)]
    pub name: String,
    /// URL of the resource.
    #[schema(format = "uri-reference", max_length = 300)]
    pub href: String,
}

/// The decision on creating a ticket.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TicketCreationAnswer, example = json!({"revision": 14, "allowed": false, "approval_required": false,
    "reasons": [{"code": "area_not_granted", "detail": "Der Bereich „netz“ ist nicht freigegeben."}]}))]
pub struct CreationResponse {
    /// Revision of the partner's integration that the decision is based on.
    #[schema(minimum = 1)]
    pub revision: i64,
    pub allowed: bool,
    /// Whether the new ticket waits for release by an approver or a dispatcher. False if it may not
    /// be created.
    pub approval_required: bool,
    /// All reasons against it. Empty for tokens restricted to one partner.
    #[schema(max_items = 10)]
    pub reasons: Vec<CreationObstacle>,
}

/// A reason for which a ticket may not be created.
#[derive(Debug, Serialize, ToSchema)]
pub struct CreationObstacle {
    pub code: CreationReason,
    /// The reason as text in the language of the request.
    #[schema(max_length = 10_000)]
    pub detail: String,
}

/// The decision on releasing a ticket.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TicketApprovalAnswer, example = json!({"revision": 14, "allowed": false,
    "reasons": [{"code": "not_approver", "outcome": "deny", "detail": "Der Kundenzugang ist kein Genehmiger."}],
    "steps": null, "warnings": []}))]
pub struct ApprovalResponse {
    /// Revision of the partner's integration that the decision is based on.
    #[schema(minimum = 1)]
    pub revision: i64,
    /// Whether the access may release the ticket.
    pub allowed: bool,
    /// All reasons against it. Empty for tokens restricted to one partner.
    #[schema(max_items = 10)]
    pub reasons: Vec<ApprovalObstacle>,
    /// All steps of the decision whether the access may see the ticket. `null` if `explain` was not
    /// requested, and for tokens restricted to one partner.
    #[schema(max_items = 20)]
    pub steps: Option<Vec<DecisionStep>>,
    /// Values of the ticket that no rule can name, such as an overlong subject, and that were
    /// therefore treated as unknown.
    #[schema(max_items = 200)]
    pub warnings: Vec<FieldErrorBody>,
}

/// A reason for which a ticket may not be released.
#[derive(Debug, Serialize, ToSchema)]
pub struct ApprovalObstacle {
    pub code: ApprovalReason,
    /// `deny`, or `undetermined` if an attribute of the ticket is missing.
    pub outcome: Outcome,
    /// The reason as text in the language of the request.
    #[schema(max_length = 10_000)]
    pub detail: String,
}

/// Everything that an access can do.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"access_id": "019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e60", "revision": 14, "effective": true,
    "role": "editor", "approver": false, "ticket_visibility": "partner",
    "areas": [{"area_id": "netz", "name": "Netzwerk", "view": true, "create": true,
        "ticket_types": [{"ticket_type_id": "anomalie", "name": "Anomalie", "approval_required": false}]}],
    "tags": [{"id": "019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e64", "name": "VPN", "area_id": "netz"}],
    "queries": [{"id": "019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e67", "name": "Offene Netzwerktickets", "description": null, "position": 1,
        "filter": {"type": "condition", "field": "status", "operator": "not_in", "values": ["closed"]},
        "columns": ["reference_number", "subject"], "sort": []}],
    "plan_boards": [{"plan_board_id": "rollout", "name": "Rollout 2027", "description": "Umstellung der Standorte"}]}))]
pub struct Capabilities {
    #[schema(inline)]
    pub access_id: AccessId,
    /// Revision of the partner's integration that the capabilities are based on.
    #[schema(minimum = 1)]
    pub revision: i64,
    /// Whether the access is effective. An ineffective access can do nothing.
    pub effective: bool,
    pub role: Role,
    /// Whether the access may release tickets that wait for approval, while it is effective.
    pub approver: bool,
    pub ticket_visibility: TicketVisibility,
    /// The granted and available areas.
    pub areas: Vec<AreaCapability>,
    /// The tags that the access may use, without internal ones. Empty for an ineffective access.
    #[schema(max_items = 20_000)]
    pub tags: Vec<OfferedTag>,
    /// The active queries, ordered by position. Empty for an ineffective access.
    #[schema(max_items = 500)]
    pub queries: Vec<OfferedQuery>,
    /// The shared and available plan boards. Empty for an ineffective access.
    pub plan_boards: Vec<OfferedPlanBoard>,
}

/// The capabilities of an access in one area.
#[derive(Debug, Serialize, ToSchema)]
pub struct AreaCapability {
    #[schema(inline)]
    pub area_id: AreaId,
    #[schema(max_length = 100)]
    pub name: String,
    /// Whether the access may see tickets in the area. False if exclusion rules hide all of them.
    pub view: bool,
    /// Whether the access may create tickets in the area.
    pub create: bool,
    /// The ticket types that the access may create in the area.
    pub ticket_types: Vec<CreatableType>,
}

/// A ticket type that an access may create.
#[derive(Debug, Serialize, ToSchema)]
pub struct CreatableType {
    #[schema(inline)]
    pub ticket_type_id: TicketTypeId,
    #[schema(max_length = 100)]
    pub name: String,
    /// Whether new tickets wait for release by an approver or a dispatcher.
    pub approval_required: bool,
}

/// A tag that an access may use.
#[derive(Debug, Serialize, ToSchema)]
pub struct OfferedTag {
    #[schema(inline)]
    pub id: TagId,
    #[schema(max_length = 100)]
    pub name: String,
    /// The area that the tag belongs to. `null` for all areas.
    #[schema(inline)]
    pub area_id: Option<AreaId>,
}

/// A query that an access may use.
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
    /// The columns in display order.
    #[schema(max_items = 20)]
    pub columns: Vec<Field>,
    /// The sort order.
    #[schema(max_items = 3)]
    pub sort: Vec<TicketSort>,
}

/// A plan board that an access may use.
#[derive(Debug, Serialize, ToSchema)]
pub struct OfferedPlanBoard {
    #[schema(inline)]
    pub plan_board_id: PlanBoardId,
    #[schema(max_length = 200)]
    pub name: String,
    #[schema(max_length = 1000)]
    pub description: String,
}

/// The effects of saving a rule.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "filter": {"type": "condition", "field": "tag", "operator": "any_of", "values": ["Personal"]},
    "summary": "Tags enthalten „Personal“.", "matching": ["4711"], "undetermined": [], "newly_hidden": 1, "newly_visible": 0, "unchanged": 1,
    "accesses": [{"access_id": "019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e60", "business_partner_id": "K-1001", "name": "Änne Schäfer",
        "newly_hidden": {"count": 1, "ticket_ids": ["4711"]}, "newly_visible": {"count": 0, "ticket_ids": []},
        "unchanged": {"count": 1, "ticket_ids": ["4712"]}}],
    "accesses_left_out": 0, "errors": [], "warnings": []}))]
pub struct ExclusionRulePreview {
    /// The draft as it would be stored: with normalized values.
    pub filter: TicketFilter,
    /// The draft as localized text, as in a saved rule.
    #[schema(max_length = 16_384)]
    pub summary: String,
    /// Ids of the tickets that the rule matches.
    #[schema(inline, value_type = Vec<MaxLength<200>>, max_items = 200)]
    pub matching: Vec<String>,
    /// Ids of the tickets that the rule may match. An attribute is missing, so they are hidden too.
    #[schema(inline, value_type = Vec<MaxLength<200>>, max_items = 200)]
    pub undetermined: Vec<String>,
    /// Number of pairs of access and ticket that become hidden.
    #[schema(minimum = 0)]
    pub newly_hidden: usize,
    /// Number of pairs of access and ticket that become visible.
    #[schema(minimum = 0)]
    pub newly_visible: usize,
    /// Number of pairs of access and ticket that do not change.
    #[schema(minimum = 0)]
    pub unchanged: usize,
    /// The effects for each access. Empty without tickets.
    #[schema(max_items = 500)]
    pub accesses: Vec<AccessPreview>,
    /// Number of active accesses that were not previewed. 0 without tickets.
    #[schema(minimum = 0)]
    pub accesses_left_out: i64,
    /// The tickets with invalid attributes.
    #[schema(max_items = 200)]
    pub errors: Vec<SampleError>,
    /// Values of tickets that no rule can name, such as an overlong subject, and that were
    /// therefore treated as unknown. At most the first 200.
    #[schema(max_items = 200)]
    pub warnings: Vec<FieldErrorBody>,
}

/// The effects for one access.
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

/// A subset of the sample tickets.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct Affected {
    #[schema(minimum = 0)]
    pub count: usize,
    #[schema(inline, value_type = Vec<MaxLength<200>>, max_items = 200)]
    pub ticket_ids: Vec<String>,
}

/// A sample ticket with invalid attributes.
#[derive(Debug, Serialize, ToSchema)]
pub struct SampleError {
    /// The id from the request. `null` if it could not be parsed.
    #[schema(max_length = 201)]
    pub ticket_id: Option<String>,
    pub error: FieldErrorBody,
}

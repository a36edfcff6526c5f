//! Routes of the global exclusion rules. They apply to all partners, so writing requires its own
//! scope.

use actix_web::{HttpResponse, delete, get, patch, post};

use super::{
    ExclusionRule, GlobalRules,
    dto::{ExclusionRuleCreate, ExclusionRulePatch, GlobalExclusionRuleListQuery},
};
use crate::{
    common::{Result, ids::RuleId},
    crud::handlers,
    http::{
        auth::{
            Authorized,
            permission::{GlobalRulesRead, GlobalRulesWrite},
        },
        body::Body,
        call_context::CallContext,
        list_query::{ListQuery, ListSort, PageParams, SelectionParams},
        path_params::PathParam,
        response::List,
    },
};

/// List global exclusion rules
///
/// The rules that apply to the accesses of all partners. Not available to tokens restricted to one
/// partner.
#[utoipa::path(
    tag = "global-exclusion-rules",
    params(PageParams, ListSort::<GlobalExclusionRuleListQuery>, SelectionParams, GlobalExclusionRuleListQuery),
    responses((
        status = 200,
        description = "A page of exclusion rules.",
        body = List<ExclusionRule>
    )),
    security(("bearer" = ["integration:read"])),
    extensions(("x-problem-codes" = json!(["partner_restricted"])))
)]
#[get("")]
pub async fn list_global_exclusion_rules(
    _auth: Authorized<GlobalRulesRead>,
    query: ListQuery<GlobalExclusionRuleListQuery>,
    call: CallContext,
) -> Result<HttpResponse> {
    handlers::list::<ExclusionRule, _>(&call, GlobalRules, &query).await
}

/// Create a global exclusion rule
///
/// While the rule is active, tickets that match its filter are hidden from the accesses of all
/// partners. Its name must be unique among the global rules, ignoring case. Catalog entries and
/// accesses used in the filter must exist; the accesses may belong to any partner. There can be up
/// to 500 global rules.
#[utoipa::path(
    tag = "global-exclusion-rules",
    request_body = ExclusionRuleCreate,
    responses((status = 201, description = "The new rule.", body = ExclusionRule)),
    security(("bearer" = ["global-rules:write"])),
    extensions(("x-problem-codes" = json!([
        "partner_restricted", "unknown_reference", "unknown_access", "duplicate_name",
        "limit_reached"
    ])))
)]
#[post("")]
pub async fn create_global_exclusion_rule(
    auth: Authorized<GlobalRulesWrite>,
    body: Body<ExclusionRuleCreate>,
    call: CallContext,
) -> Result<HttpResponse> {
    handlers::create::<ExclusionRule, _>(&call, auth.actor(), GlobalRules, body.0).await
}

/// Get a global exclusion rule
///
/// Includes a summary of the filter as text. Returns 404 for the rules of a partner.
#[utoipa::path(
    tag = "global-exclusion-rules",
    responses((status = 200, description = "The rule.", body = ExclusionRule)),
    security(("bearer" = ["integration:read"])),
    extensions(("x-problem-codes" = json!(["partner_restricted"])))
)]
#[get("/{rule_id}")]
pub async fn get_global_exclusion_rule(
    _auth: Authorized<GlobalRulesRead>,
    id: PathParam<RuleId>,
    call: CallContext,
) -> Result<HttpResponse> {
    handlers::get::<ExclusionRule, _>(&call, GlobalRules, id.0).await
}

/// Update a global exclusion rule
///
/// JSON merge patch: absent members are unchanged, `null` clears a member. A filter is replaced as
/// a whole.
#[utoipa::path(
    tag = "global-exclusion-rules",
    request_body = ExclusionRulePatch,
    responses((status = 200, description = "The updated rule.", body = ExclusionRule)),
    security(("bearer" = ["global-rules:write"])),
    extensions(("x-problem-codes" = json!([
        "partner_restricted", "unknown_reference", "unknown_access", "duplicate_name"
    ])))
)]
#[patch("/{rule_id}")]
pub async fn update_global_exclusion_rule(
    auth: Authorized<GlobalRulesWrite>,
    id: PathParam<RuleId>,
    body: Body<ExclusionRulePatch>,
    call: CallContext,
) -> Result<HttpResponse> {
    handlers::update::<ExclusionRule, _>(call, auth.actor(), GlobalRules, id.0, body.0).await
}

/// Delete a global exclusion rule
///
/// Tickets hidden only by this rule become visible.
#[utoipa::path(
    tag = "global-exclusion-rules",
    responses((status = 204, description = "Deleted.")),
    security(("bearer" = ["global-rules:write"])),
    extensions(("x-problem-codes" = json!(["partner_restricted"])))
)]
#[delete("/{rule_id}")]
pub async fn delete_global_exclusion_rule(
    auth: Authorized<GlobalRulesWrite>,
    id: PathParam<RuleId>,
    call: CallContext,
) -> Result<HttpResponse> {
    handlers::delete::<ExclusionRule, _>(call, auth.actor(), GlobalRules, id.0).await
}

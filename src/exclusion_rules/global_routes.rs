//! Routes of the global exclusion rules, which belong to no partner. Their writers are the few who may hide tickets of all customers.

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
            scope::{GlobalRulesWrite, IntegrationRead},
        },
        body::Body,
        call_context::CallContext,
        list_query::{ListQuery, NameParams, PageParams},
        path_params::PathParam,
        response::List,
    },
};

/// List global exclusion rules
///
/// Those that concern the accesses of all partners. Not for tokens that are limited to one partner.
#[utoipa::path(
    tag = "global-exclusion-rules",
    params(PageParams, NameParams, GlobalExclusionRuleListQuery),
    responses((status = 200, description = "A page of exclusion rules.", body = List<ExclusionRule>)),
    security(("bearer" = ["integration:read"])),
    extensions(("x-problem-codes" = json!(["partner_restricted"])))
)]
#[get("")]
pub async fn list_global_exclusion_rules(
    permit: Authorized<IntegrationRead>,
    query: ListQuery<GlobalExclusionRuleListQuery>,
    call: CallContext,
) -> Result<HttpResponse> {
    permit.require_unrestricted()?;
    handlers::list::<ExclusionRule, _>(&call, GlobalRules, &query).await
}

/// Add a global exclusion rule
///
/// While it is active, tickets that match its filter are hidden from the accesses of all partners. A name exists once among
/// the global rules, whatever its case. Catalogue entries that the filter names must be known. There may be 500 global rules.
#[utoipa::path(
    tag = "global-exclusion-rules",
    request_body = ExclusionRuleCreate,
    responses((status = 201, description = "Added.", body = ExclusionRule)),
    security(("bearer" = ["global-rules:write"])),
    extensions(("x-problem-codes" = json!(["partner_restricted", "unknown_reference", "duplicate_name", "limit_reached"])))
)]
#[post("")]
pub async fn create_global_exclusion_rule(
    permit: Authorized<GlobalRulesWrite>,
    body: Body<ExclusionRuleCreate>,
    call: CallContext,
) -> Result<HttpResponse> {
    permit.require_unrestricted()?;
    handlers::create::<ExclusionRule, _>(&call, permit.actor(), GlobalRules, body.0).await
}

/// Get a global exclusion rule
///
/// With its filter in words. Rules of a partner are not found here.
#[utoipa::path(
    tag = "global-exclusion-rules",
    responses((status = 200, description = "The rule.", body = ExclusionRule)),
    security(("bearer" = ["integration:read"])),
    extensions(("x-problem-codes" = json!(["partner_restricted"])))
)]
#[get("/{rule_id}")]
pub async fn get_global_exclusion_rule(
    permit: Authorized<IntegrationRead>,
    id: PathParam<RuleId>,
    call: CallContext,
) -> Result<HttpResponse> {
    permit.require_unrestricted()?;
    handlers::get::<ExclusionRule, _>(&call, GlobalRules, id.0).await
}

/// Change a global exclusion rule
///
/// A merge patch: absent members are kept, `null` clears. A filter is replaced as a whole.
#[utoipa::path(
    tag = "global-exclusion-rules",
    request_body = ExclusionRulePatch,
    responses((status = 200, description = "The rule as it is now.", body = ExclusionRule)),
    security(("bearer" = ["global-rules:write"])),
    extensions(("x-problem-codes" = json!(["partner_restricted", "unknown_reference", "duplicate_name"])))
)]
#[patch("/{rule_id}")]
pub async fn update_global_exclusion_rule(
    permit: Authorized<GlobalRulesWrite>,
    id: PathParam<RuleId>,
    body: Body<ExclusionRulePatch>,
    call: CallContext,
) -> Result<HttpResponse> {
    permit.require_unrestricted()?;
    handlers::update::<ExclusionRule, _>(call, permit.actor(), GlobalRules, id.0, body.0).await
}

/// Delete a global exclusion rule
///
/// What it alone has hidden is visible again.
#[utoipa::path(
    tag = "global-exclusion-rules",
    responses((status = 204, description = "Deleted.")),
    security(("bearer" = ["global-rules:write"])),
    extensions(("x-problem-codes" = json!(["partner_restricted"])))
)]
#[delete("/{rule_id}")]
pub async fn delete_global_exclusion_rule(
    permit: Authorized<GlobalRulesWrite>,
    id: PathParam<RuleId>,
    call: CallContext,
) -> Result<HttpResponse> {
    permit.require_unrestricted()?;
    handlers::delete::<ExclusionRule, _>(call, permit.actor(), GlobalRules, id.0).await
}

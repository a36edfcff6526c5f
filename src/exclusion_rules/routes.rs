//! Routes of the sub-tab "Ausschlussregeln".

use actix_web::{HttpResponse, delete, get, patch, post};

use super::{
    ExclusionRule,
    dto::{ExclusionRuleCreate, ExclusionRuleListQuery, ExclusionRulePatch},
};
use crate::{
    common::{Result, ids::RuleId},
    crud::handlers,
    http::{
        auth::{
            AuthorizedPartner,
            permission::{GlobalRulesRead, IntegrationRead, IntegrationWrite},
        },
        body::Body,
        call_context::CallContext,
        list_query::{ListQuery, ListSort, PageParams, SelectionParams},
        path_params::PathParam,
        response::List,
    },
    integration::ConfigurationLock,
};

/// List exclusion rules
///
/// The rules of the partner; with `include_global` also the global rules, distinguished by `scope`.
/// Tokens restricted to one partner cannot include global rules.
#[utoipa::path(
    tag = "exclusion-rules",
    params(PageParams, ListSort::<ExclusionRuleListQuery>, SelectionParams, ExclusionRuleListQuery),
    responses((
        status = 200,
        description = "A page of exclusion rules.",
        body = List<ExclusionRule>
    )),
    security(("bearer" = ["integration:read"])),
    extensions(("x-problem-codes" = json!(["partner_restricted"])))
)]
#[get("")]
pub async fn list_exclusion_rules(
    auth: AuthorizedPartner<IntegrationRead>,
    query: ListQuery<ExclusionRuleListQuery>,
    call: CallContext,
) -> Result<HttpResponse> {
    if query.filter.include_global {
        auth.require::<GlobalRulesRead>()?;
    }
    handlers::list::<ExclusionRule, _>(&call, ConfigurationLock(auth.partner), &query).await
}

/// Create an exclusion rule
///
/// While the rule is active, tickets that match its filter are hidden from the partner's accesses.
/// Its name must be unique within the partner, ignoring case. Catalog entries and
/// accesses of the partner used in the filter must exist. A partner can have up to 500 rules.
#[utoipa::path(
    tag = "exclusion-rules",
    request_body = ExclusionRuleCreate,
    responses((status = 201, description = "The new rule.", body = ExclusionRule)),
    security(("bearer" = ["integration:write"])),
    extensions(("x-problem-codes" = json!([
        "integration_inactive", "unknown_reference", "unknown_access", "duplicate_name",
        "limit_reached"
    ])))
)]
#[post("")]
pub async fn create_exclusion_rule(
    auth: AuthorizedPartner<IntegrationWrite>,
    body: Body<ExclusionRuleCreate>,
    call: CallContext,
) -> Result<HttpResponse> {
    handlers::create::<ExclusionRule, _>(
        &call,
        auth.actor(),
        ConfigurationLock(auth.partner),
        body.0,
    )
    .await
}

/// Get an exclusion rule
///
/// Includes a summary of the filter as text. Returns 404 for global rules.
#[utoipa::path(
    tag = "exclusion-rules",
    responses((status = 200, description = "The rule.", body = ExclusionRule)),
    security(("bearer" = ["integration:read"]))
)]
#[get("/{rule_id}")]
pub async fn get_exclusion_rule(
    auth: AuthorizedPartner<IntegrationRead>,
    id: PathParam<RuleId>,
    call: CallContext,
) -> Result<HttpResponse> {
    handlers::get::<ExclusionRule, _>(&call, ConfigurationLock(auth.partner), id.0).await
}

/// Update an exclusion rule
///
/// JSON merge patch: absent members are unchanged, `null` clears a member. A filter is replaced as
/// a whole.
#[utoipa::path(
    tag = "exclusion-rules",
    request_body = ExclusionRulePatch,
    responses((status = 200, description = "The updated rule.", body = ExclusionRule)),
    security(("bearer" = ["integration:write"])),
    extensions(("x-problem-codes" = json!([
        "integration_inactive", "unknown_reference", "unknown_access", "duplicate_name"
    ])))
)]
#[patch("/{rule_id}")]
pub async fn update_exclusion_rule(
    auth: AuthorizedPartner<IntegrationWrite>,
    id: PathParam<RuleId>,
    body: Body<ExclusionRulePatch>,
    call: CallContext,
) -> Result<HttpResponse> {
    handlers::update::<ExclusionRule, _>(
        call,
        auth.actor(),
        ConfigurationLock(auth.partner),
        id.0,
        body.0,
    )
    .await
}

/// Delete an exclusion rule
///
/// Tickets hidden only by this rule become visible.
#[utoipa::path(
    tag = "exclusion-rules",
    responses((status = 204, description = "Deleted.")),
    security(("bearer" = ["integration:write"])),
    extensions(("x-problem-codes" = json!(["integration_inactive"])))
)]
#[delete("/{rule_id}")]
pub async fn delete_exclusion_rule(
    auth: AuthorizedPartner<IntegrationWrite>,
    id: PathParam<RuleId>,
    call: CallContext,
) -> Result<HttpResponse> {
    handlers::delete::<ExclusionRule, _>(call, auth.actor(), ConfigurationLock(auth.partner), id.0)
        .await
}

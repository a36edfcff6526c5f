//! JSON of the exclusion rules.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use crate::{
    common::{
        Audit, Resource,
        etag::EntityTag,
        ids::{BusinessPartnerId, RuleId},
        merge_patch,
        text::{Text, check},
    },
    http::list_query::ListFilter,
    ticket_filter::{Names, Summary, TicketFilter, parse::RuleFilter},
};

/// The accesses to which a rule applies.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Serialize,
    ToSchema,
    strum::VariantNames,
    strum::IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum RuleScope {
    /// The accesses of one partner.
    Partner,
    /// The accesses of all partners.
    Global,
}

/// A rule that hides matching tickets from accesses while it is active.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e69", "scope": "partner",
    "business_partner_id": "K-1001", "name": "Personalakten", "description": null, "active": true,
    "filter": {"type": "condition", "field": "tag", "operator": "any_of", "values": ["Personal"]},
    "summary": "Tags enthalten „Personal“.", "version": 1,
    "created_at": "2026-11-23T08:00:00.000000Z", "updated_at": "2026-11-23T08:00:00.000000Z",
    "created_by": "anna.admin", "created_by_name": "Anna Admin",
    "updated_by": "anna.admin", "updated_by_name": "Anna Admin"
}))]
pub struct ExclusionRule {
    #[schema(inline)]
    pub id: RuleId,
    pub scope: RuleScope,
    /// The partner to whose accesses the rule applies; `null`: all partners.
    #[schema(inline)]
    pub business_partner_id: Option<BusinessPartnerId>,
    #[schema(max_length = 100)]
    pub name: String,
    #[schema(max_length = 1000)]
    pub description: Option<String>,
    /// Whether the rule hides tickets.
    pub active: bool,
    pub filter: TicketFilter,
    /// The filter as localized text, with names instead of ids. It describes the first 10
    /// conditions and counts the others.
    #[serde(
        serialize_with = "crate::ticket_filter::serialize_summary",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = String, max_length = 16_384)]
    pub summary: Summary,
    #[serde(flatten)]
    pub audit: Audit,
    /// Names for the summary. Shared by the items of a page.
    #[serde(skip)]
    #[schema(ignore)]
    pub(super) names: Arc<Names>,
}

impl Resource for ExclusionRule {
    const KIND: &'static str = "exclusion_rule";

    fn resource_id(&self) -> String {
        self.id.to_string()
    }

    fn etag(&self) -> EntityTag {
        self.names.etag(self.audit.version, &self.summary)
    }

    fn audit(&self) -> Option<&Audit> {
        Some(&self.audit)
    }

    fn language(&self) -> Option<&'static str> {
        self.summary.as_ref().map(|(lang, _)| lang.code())
    }
}

/// A new exclusion rule.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "name": "Altfälle",
    "filter": {"type": "all", "filters": [
        {"type": "condition", "field": "status", "operator": "in", "values": ["closed"]},
        {"type": "condition", "field": "created_at", "operator": "older_than", "values": ["P2Y"]}
    ]}
}))]
pub struct ExclusionRuleCreate {
    /// Unique within the partner, or among the global rules; case is ignored.
    #[serde(default)]
    #[schema(inline, required)]
    #[validate(custom(function = check))]
    pub name: Text<1, 100>,
    #[serde(default)]
    #[schema(inline)]
    #[validate(custom(function = check))]
    pub description: Option<Text<0, 1000>>,
    /// Default: true.
    #[serde(default = "merge_patch::default_true")]
    pub active: bool,
    #[serde(default)]
    #[schema(value_type = TicketFilter, required)]
    #[validate(nested)]
    pub filter: RuleFilter,
}

/// Changes to a rule (JSON merge patch): absent members are unchanged, `null` clears a member. A
/// filter is replaced as a whole.
#[derive(Debug, Clone, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"active": false}))]
pub struct ExclusionRulePatch {
    #[serde(default, deserialize_with = "merge_patch::present")]
    #[schema(inline, nullable = false)]
    #[validate(custom(function = check))]
    pub name: Option<Text<1, 100>>,
    #[serde(default, deserialize_with = "merge_patch::present")]
    #[schema(inline)]
    #[validate(custom(function = check))]
    pub description: Option<Option<Text<0, 1000>>>,
    #[serde(default, deserialize_with = "merge_patch::present")]
    #[schema(nullable = false)]
    pub active: Option<bool>,
    #[serde(default, deserialize_with = "merge_patch::present")]
    #[schema(value_type = Option<TicketFilter>, nullable = false)]
    #[validate(nested)]
    pub filter: Option<RuleFilter>,
}

/// Filters of the list of a partner's rules.
#[derive(Debug, Default, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ExclusionRuleListQuery {
    /// Only rules that are active (true) or inactive (false).
    #[param(example = true)]
    pub active: Option<bool>,
    /// Also return the global rules, which apply to this partner too. Default: false.
    #[serde(default)]
    #[param(value_type = Option<bool>, example = true)]
    pub include_global: bool,
}

/// Filters of the list of global rules.
#[derive(Debug, Default, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct GlobalExclusionRuleListQuery {
    /// Only rules that are active (true) or inactive (false).
    #[param(example = true)]
    pub active: Option<bool>,
}

impl ListFilter for ExclusionRuleListQuery {}

impl ListFilter for GlobalExclusionRuleListQuery {}

//! JSON of the exclusion rules.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use crate::{
    common::{
        Audit, Resource,
        change::EntityTag,
        ids::{BusinessPartnerId, RuleId},
        merge_patch,
        text::{Text, check},
    },
    http::list_query::ListFilter,
    ticket_filter::{Names, Summary, TicketFilter, parse::RuleFilter},
};

/// Whom a rule concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RuleScope {
    /// The accesses of one partner.
    Partner,
    /// The accesses of all partners.
    Global,
}

/// An exclusion rule: while it is active, tickets that match its filter are hidden from accesses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(example = json!({"id": "019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e60", "scope": "partner", "business_partner_id": "K-1001",
    "name": "Personalakten", "description": null, "active": true,
    "filter": {"type": "condition", "field": "tag", "operator": "any_of", "values": ["Personal"]},
    "summary": "Tags enthalten „Personal“.", "version": 1,
    "created_at": "2026-11-23T08:00:00.000000Z", "updated_at": "2026-11-23T08:00:00.000000Z", "created_by": "anna.admin", "updated_by": "anna.admin"}))]
pub struct ExclusionRule {
    #[schema(inline)]
    pub id: RuleId,
    pub scope: RuleScope,
    /// Whose accesses it concerns; `null`: those of all partners.
    #[schema(inline)]
    pub business_partner_id: Option<BusinessPartnerId>,
    pub name: String,
    pub description: Option<String>,
    /// Inactive rules are kept but hide nothing.
    pub active: bool,
    pub filter: TicketFilter,
    /// The filter as a sentence in the caller's language, with catalogue names instead of ids.
    #[serde(
        serialize_with = "crate::ticket_filter::serialize_summary",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = String)]
    pub summary: Summary,
    #[serde(flatten)]
    pub audit: Audit,
    #[serde(skip)]
    #[schema(ignore)]
    pub(super) names: Names,
}

impl Resource for ExclusionRule {
    const KIND: &'static str = "exclusion_rule";

    fn resource_id(&self) -> String {
        self.id.to_string()
    }

    fn etag(&self) -> EntityTag {
        self.names.etag(self.audit.version, &self.summary)
    }

    fn language(&self) -> Option<&'static str> {
        self.summary.as_ref().map(|(lang, _)| lang.code())
    }
}

/// A new exclusion rule.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "Personalakten", "filter": {"type": "condition", "field": "tag", "operator": "any_of", "values": ["Personal"]}}))]
pub struct ExclusionRuleCreate {
    /// Exists once per partner (or among the global ones), whatever its case.
    #[serde(default)]
    #[schema(inline, required)]
    #[validate(custom(function = check))]
    pub name: Text<1, 100>,
    #[serde(default)]
    #[schema(inline)]
    #[validate(custom(function = check))]
    pub description: Option<Text<0, 1000>>,
    /// Absent: true.
    #[serde(default = "merge_patch::default_true")]
    pub active: bool,
    #[serde(default)]
    #[schema(value_type = TicketFilter, required)]
    #[validate(nested)]
    pub filter: RuleFilter,
}

/// What is to change about a rule (JSON merge patch): absent members are kept, `null` clears. A filter is replaced as a whole.
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
    /// Only rules that are (not) active.
    pub active: Option<bool>,
    /// Also the global rules, which concern this partner too. Absent: false.
    #[serde(default)]
    #[param(value_type = Option<bool>)]
    pub include_global: bool,
}

/// Filters of the list of global rules.
#[derive(Debug, Default, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct GlobalExclusionRuleListQuery {
    /// Only rules that are (not) active.
    pub active: Option<bool>,
}

impl ListFilter for ExclusionRuleListQuery {}

impl ListFilter for GlobalExclusionRuleListQuery {}

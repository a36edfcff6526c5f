//! JSON of the history.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use super::{Action, HistoryEntryId};
use crate::{
    common::{
        lenient_enum::LenientEnum,
        page::SortKey,
        text::{Text, check},
        timestamp::Timestamp,
    },
    http::list_query::ListFilter,
};

/// One change: who did what to which resource, and how it was before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(example = json!({"id": "019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e60", "revision": 8, "at": "2026-11-23T08:00:00.000000Z",
    "subject": "anna.admin", "client": "portal-admin", "request_id": "019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e61", "resource": "area",
    "resource_id": "netz", "action": "created", "before": null, "after": {"area_id": "netz", "name": "Netzwerk", "version": 1}}))]
pub struct HistoryEntry {
    #[schema(inline)]
    pub id: HistoryEntryId,
    /// The integration's revision that the change made.
    #[schema(minimum = 2)]
    pub revision: i64,
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// The token's `sub`.
    pub subject: String,
    /// The token's `client_id`, where it had one.
    pub client: Option<String>,
    /// The request's `X-Request-Id`.
    pub request_id: String,
    pub resource: ResourceKind,
    /// The resource's id within its kind.
    pub resource_id: String,
    pub action: Action,
    /// The resource as it was; `null` when it was created.
    #[schema(value_type = Option<std::collections::HashMap<String, serde_json::Value>>)]
    pub before: Option<serde_json::Value>,
    /// The resource as it was then; `null` when it was deleted.
    #[schema(value_type = Option<std::collections::HashMap<String, serde_json::Value>>)]
    pub after: Option<serde_json::Value>,
}

/// What can be changed below a customer integration.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Serialize,
    ToSchema,
    strum::IntoStaticStr,
    strum::EnumString,
    strum::EnumIter,
    strum::VariantNames,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ResourceKind {
    CustomerIntegration,
    Access,
    Area,
    TicketType,
    Tag,
    Query,
    ExclusionRule,
    PlanBoard,
}

/// Filters of the history.
#[derive(Debug, Default, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct HistoryListQuery {
    /// Only changes of this kind of resource.
    #[param(value_type = Option<ResourceKind>)]
    #[validate(custom(function = check))]
    pub resource: Option<LenientEnum<ResourceKind>>,
    /// Only changes of the resource with this id.
    #[param(value_type = Option<String>, min_length = 1, max_length = 64)]
    #[validate(custom(function = check))]
    pub resource_id: Option<Text<1, 64>>,
    /// Only changes by this subject.
    #[param(value_type = Option<String>, min_length = 1, max_length = 255)]
    #[validate(custom(function = check))]
    pub subject: Option<Text<1, 255>>,
    /// Only changes at this time (RFC 3339) or later.
    #[param(value_type = Option<String>, format = DateTime)]
    #[validate(custom(function = check))]
    pub from: Option<LenientEnum<Timestamp>>,
    /// Only changes before this time (RFC 3339).
    #[param(value_type = Option<String>, format = DateTime)]
    #[validate(custom(function = check))]
    pub until: Option<LenientEnum<Timestamp>>,
}

impl ListFilter for HistoryListQuery {
    const ORDERS: &[SortKey] = &[SortKey::Revision];
}

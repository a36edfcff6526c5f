//! JSON of the history.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use super::{Action, HistoryEntryId};
use crate::{
    common::{
        ids::BusinessPartnerId,
        lenient_enum::LenientEnum,
        page::SortKey,
        text::{Text, check},
        timestamp::Timestamp,
    },
    http::list_query::ListFilter,
};

/// One change of a resource, with its author and the resource before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e60", "aggregate": "customer_integration",
    "business_partner_id": "K-1001", "revision": 8,
    "at": "2026-11-23T08:00:00.000000Z", "subject": "anna.admin", "subject_name": "Anna Admin",
    "actor": null, "client": "portal-admin",
    "request_id": "019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e61", "resource": "area", "resource_id": "netz",
    "resource_name": "Netzwerk", "action": "created",
    "message": "Bereich „Netzwerk“ freigeschaltet.", "before": null,
    "after": {"area_id": "netz", "name": "Netzwerk", "version": 1}
}))]
pub struct HistoryEntry {
    #[schema(inline)]
    pub id: HistoryEntryId,
    /// What the change belongs to.
    pub aggregate: AggregateKind,
    /// The business partner of the integration; `null` for the catalog and global rules.
    #[schema(inline)]
    pub business_partner_id: Option<BusinessPartnerId>,
    /// Revision of the integration, the catalog, or the global rules created by the change.
    #[schema(minimum = 1)]
    pub revision: i64,
    /// Time of the change.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// `sub` of the token.
    #[schema(max_length = 255)]
    pub subject: String,
    /// Display name of the subject at that time; `null` if unknown.
    #[schema(max_length = 255)]
    pub subject_name: Option<String>,
    /// The party that acted for the subject (claim `act` of the token, RFC 8693); `null` if the
    /// subject acted itself.
    #[schema(max_length = 255)]
    pub actor: Option<String>,
    /// `client_id` of the token, if it has one.
    #[schema(max_length = 255)]
    pub client: Option<String>,
    /// `X-Request-Id` of the request.
    #[schema(max_length = 128)]
    pub request_id: String,
    pub resource: ResourceKind,
    /// Id of the resource within its kind.
    #[schema(max_length = 64)]
    pub resource_id: String,
    /// Name of the resource after the change, or before its deletion; `null` if it has no name.
    #[schema(max_length = 254)]
    pub resource_name: Option<String>,
    pub action: Action,
    /// The change as text in the language of the request.
    #[schema(max_length = 1000)]
    pub message: String,
    /// The resource before the change; `null` if it was created.
    #[schema(value_type = Option<std::collections::HashMap<String, serde_json::Value>>)]
    pub before: Option<serde_json::Value>,
    /// The resource after the change; `null` if it was deleted.
    #[schema(value_type = Option<std::collections::HashMap<String, serde_json::Value>>)]
    pub after: Option<serde_json::Value>,
}

/// What a change belongs to. Each has its own sequence of revisions.
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
pub enum AggregateKind {
    CustomerIntegration,
    Catalog,
    GlobalRules,
}

/// Kinds of resources. Those of a customer integration come first.
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
    QueryOrder,
    ExclusionRule,
    PlanBoard,
    BusinessPartner,
    CatalogArea,
    CatalogTicketType,
    CatalogPlanBoard,
}

/// Defines the filters of a list of changes: those that both lists have, and `$own`.
macro_rules! history_filters {
    ($(#[$meta:meta])* $name:ident { $($own:tt)* }) => {
        $(#[$meta])*
        #[derive(Debug, Default, Deserialize, Validate, IntoParams)]
        #[serde(deny_unknown_fields)]
        #[into_params(parameter_in = Query)]
        pub struct $name {
            $($own)*
            /// Only changes to this kind of resource.
            #[param(value_type = Option<ResourceKind>, example = "access")]
            #[validate(custom(function = check))]
            pub resource: Option<LenientEnum<ResourceKind>>,
            /// Only changes to the resource with this id.
            #[param(value_type = Option<String>, min_length = 1, max_length = 64, example = "netz")]
            #[validate(custom(function = check))]
            pub resource_id: Option<Text<1, 64>>,
            /// Only changes by this subject.
            #[param(value_type = Option<String>, min_length = 1, max_length = 255, example = "anna.admin")]
            #[validate(custom(function = check))]
            pub subject: Option<Text<1, 255>>,
            /// Only changes by others than this subject.
            #[param(value_type = Option<String>, min_length = 1, max_length = 255, example = "erp-sync")]
            #[validate(custom(function = check))]
            pub subject_not: Option<Text<1, 255>>,
            /// Only changes at or after this time (RFC 3339).
            #[param(value_type = Option<String>, format = DateTime, example = "2026-11-01T00:00:00Z")]
            #[validate(custom(function = check))]
            pub from: Option<LenientEnum<Timestamp>>,
            /// Only changes before this time (RFC 3339).
            #[param(value_type = Option<String>, format = DateTime, example = "2026-12-01T00:00:00Z")]
            #[validate(custom(function = check))]
            pub until: Option<LenientEnum<Timestamp>>,
        }
    };
}

history_filters! {
    /// Filters of the history of a customer integration.
    HistoryListQuery {}
}

impl ListFilter for HistoryListQuery {
    const ORDERS: &[SortKey] = &[SortKey::Revision];
}

history_filters! {
    /// Filters of the history of the whole system.
    SystemHistoryListQuery {
        /// Only changes of customer integrations, of the catalog, or of global rules.
        #[param(value_type = Option<AggregateKind>, example = "catalog")]
        #[validate(custom(function = check))]
        pub aggregate: Option<LenientEnum<AggregateKind>>,
        /// Only changes of this business partner's integration.
        #[param(value_type = Option<String>, min_length = 1, max_length = 64, example = "K-1001")]
        #[validate(custom(function = check))]
        pub business_partner_id: Option<Text<1, 64>>,
    }
}

impl ListFilter for SystemHistoryListQuery {
    const ORDERS: &[SortKey] = &[SortKey::At];
}

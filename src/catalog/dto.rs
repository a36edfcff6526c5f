//! JSON of the catalog.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use crate::{
    common::{
        Audit,
        color::Color,
        ids::{AreaId, BusinessPartnerId, PlanBoardId, TicketTypeId},
        lenient_enum::LenientEnum,
        merge_patch,
        text::{Text, check},
        unique_vec::UniqueVec,
    },
    http::list_query::ListFilter,
};

/// A customer company, as provided by the ERP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "K-1001", "name": "Muster Maschinenbau GmbH", "search_name": "MUSTER", "active": true,
    "version": 1, "created_at": "2026-11-23T08:00:00.000000Z",
    "updated_at": "2026-11-23T08:00:00.000000Z",
    "created_by": "erp", "created_by_name": null,
    "updated_by": "erp", "updated_by_name": null
}))]
pub struct BusinessPartner {
    #[schema(inline)]
    pub id: BusinessPartnerId,
    /// Name of the company; not unique.
    #[schema(max_length = 200)]
    pub name: String,
    /// Short search name from the ERP.
    #[schema(max_length = 100)]
    pub search_name: String,
    /// False if the ERP has retired it.
    pub active: bool,
    #[serde(flatten)]
    pub audit: Audit,
}

/// A business partner, as sent by the ERP.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "name": "Muster Maschinenbau GmbH", "search_name": "MUSTER", "active": true
}))]
pub struct BusinessPartnerPut {
    #[serde(default)]
    #[schema(inline, required)]
    #[validate(custom(function = check))]
    pub name: Text<1, 200>,
    #[serde(default)]
    #[schema(inline, required)]
    #[validate(custom(function = check))]
    pub search_name: Text<1, 100>,
    /// Whether it is in use; false retires it. Default: true.
    #[serde(default = "merge_patch::default_true")]
    pub active: bool,
}

/// A ticket queue or department.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "netz", "name": "Netzwerk", "color": "#1F77B4",
    "start_ticket_types": ["anomalie", "rueckruf"], "active": true, "version": 1,
    "created_at": "2026-11-23T08:00:00.000000Z", "updated_at": "2026-11-23T08:00:00.000000Z",
    "created_by": "erp", "created_by_name": null,
    "updated_by": "erp", "updated_by_name": null
}))]
pub struct Area {
    #[schema(inline)]
    pub id: AreaId,
    #[schema(max_length = 100)]
    pub name: String,
    /// RGB color `#RRGGBB`.
    #[schema(max_length = 7)]
    pub color: String,
    /// Ticket types that can be created in this area; `null`: all, `[]`: none.
    #[schema(inline, max_items = 500)]
    pub start_ticket_types: Option<Vec<TicketTypeId>>,
    /// False if the ERP has retired it.
    pub active: bool,
    /// Number of business partners to which it is granted; only with `include_usage=true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = i64, minimum = 0)]
    pub usage_count: Option<i64>,
    #[serde(flatten)]
    pub audit: Audit,
}

/// An area, as sent by the ERP.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "name": "Netzwerk", "color": "#1F77B4", "start_ticket_types": null, "active": true
}))]
pub struct AreaPut {
    #[serde(default)]
    #[schema(inline, required)]
    #[validate(custom(function = check))]
    pub name: Text<1, 100>,
    #[serde(default)]
    #[schema(inline, required)]
    #[validate(custom(function = check))]
    pub color: Color,
    /// Ticket types that can be created in this area; absent or `null`: all, `[]`: none.
    #[serde(default)]
    #[schema(inline, value_type = Option<HashSet<TicketTypeId>>, max_items = 500)]
    #[validate(nested)]
    pub start_ticket_types: Option<UniqueVec<TicketTypeId, 0, 500>>,
    /// Whether it is in use; false retires it. Default: true.
    #[serde(default = "merge_patch::default_true")]
    pub active: bool,
}

/// Whether a ticket type is one of the ERP's four standard types or a custom one (dynamic).
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Default,
    Serialize,
    Deserialize,
    ToSchema,
    strum::IntoStaticStr,
    strum::EnumString,
    strum::VariantNames,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum TicketTypeKind {
    #[default]
    Standard,
    Dynamic,
}

/// A kind of ticket: incident, callback, task, change request, or a custom one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "anomalie", "name": "Anomalie", "kind": "standard", "active": true, "version": 1,
    "created_at": "2026-11-23T08:00:00.000000Z", "updated_at": "2026-11-23T08:00:00.000000Z",
    "created_by": "erp", "created_by_name": null,
    "updated_by": "erp", "updated_by_name": null
}))]
pub struct TicketType {
    #[schema(inline)]
    pub id: TicketTypeId,
    #[schema(max_length = 100)]
    pub name: String,
    pub kind: TicketTypeKind,
    /// False if the ERP has retired it.
    pub active: bool,
    /// Number of business partners to which it is granted; only with `include_usage=true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = i64, minimum = 0)]
    pub usage_count: Option<i64>,
    #[serde(flatten)]
    pub audit: Audit,
}

/// A ticket type, as sent by the ERP.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "Anomalie", "kind": "standard", "active": true}))]
pub struct TicketTypePut {
    #[serde(default)]
    #[schema(inline, required)]
    #[validate(custom(function = check))]
    pub name: Text<1, 100>,
    #[serde(default)]
    #[schema(value_type = TicketTypeKind, required)]
    #[validate(custom(function = check))]
    pub kind: LenientEnum<TicketTypeKind>,
    /// Whether it is in use; false retires it. Default: true.
    #[serde(default = "merge_patch::default_true")]
    pub active: bool,
}

/// A planning board that can be shared with a partner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "rollout", "name": "Rollout 2027", "description": "Umstellung der Standorte",
    "active": true, "version": 1, "created_at": "2026-11-23T08:00:00.000000Z",
    "updated_at": "2026-11-23T08:00:00.000000Z",
    "created_by": "erp", "created_by_name": null,
    "updated_by": "erp", "updated_by_name": null
}))]
pub struct PlanBoard {
    #[schema(inline)]
    pub id: PlanBoardId,
    #[schema(max_length = 200)]
    pub name: String,
    #[schema(max_length = 1000)]
    pub description: String,
    /// False if the ERP has retired it.
    pub active: bool,
    /// Number of business partners to which it is granted; only with `include_usage=true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = i64, minimum = 0)]
    pub usage_count: Option<i64>,
    #[serde(flatten)]
    pub audit: Audit,
}

/// A plan board, as sent by the ERP.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "name": "Rollout 2027", "description": "Umstellung der Standorte", "active": true
}))]
pub struct PlanBoardPut {
    #[serde(default)]
    #[schema(inline, required)]
    #[validate(custom(function = check))]
    pub name: Text<1, 200>,
    /// Absent or `null`: empty.
    #[serde(default)]
    #[schema(inline)]
    #[validate(custom(function = check))]
    pub description: Option<Text<0, 1000>>,
    /// Whether it is in use; false retires it. Default: true.
    #[serde(default = "merge_patch::default_true")]
    pub active: bool,
}

/// Filters of the list of business partners in the catalog.
#[derive(Debug, Default, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CatalogListQuery {
    /// Only entries that are active (true) or retired (false).
    #[param(example = true)]
    pub active: Option<bool>,
}

/// Filters of the lists of catalog entries that can be granted.
#[derive(Debug, Default, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct GrantableListQuery {
    /// Only entries that are active (true) or retired (false).
    #[param(example = true)]
    pub active: Option<bool>,
    /// Only entries that can still be granted to this business partner: active and not yet granted.
    #[param(inline, example = "K-1001")]
    #[validate(custom(function = check))]
    pub grantable_to: Option<BusinessPartnerId>,
    /// Whether to return in `usage_count` to how many business partners each entry is granted. Not
    /// for tokens restricted to one partner. Default: false.
    #[serde(default)]
    #[param(value_type = Option<bool>, example = true)]
    pub include_usage: bool,
}

impl ListFilter for CatalogListQuery {}

impl ListFilter for GrantableListQuery {}

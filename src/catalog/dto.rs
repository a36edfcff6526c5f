//! JSON of the catalogue.

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

/// A customer company, as the ERP knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(example = json!({"id": "K-1001", "name": "Muster Maschinenbau GmbH", "search_name": "MUSTER", "active": true, "version": 1,
    "created_at": "2026-11-23T08:00:00.000000Z", "updated_at": "2026-11-23T08:00:00.000000Z", "created_by": "erp", "updated_by": "erp"}))]
pub struct BusinessPartner {
    #[schema(inline)]
    pub id: BusinessPartnerId,
    /// Not unique.
    pub name: String,
    /// The ERP's short name for searching.
    pub search_name: String,
    /// False once the ERP has retired it.
    pub active: bool,
    #[serde(flatten)]
    pub audit: Audit,
}

/// What the ERP tells about a business partner.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "Muster Maschinenbau GmbH", "search_name": "MUSTER", "active": true}))]
pub struct BusinessPartnerPut {
    #[serde(default)]
    #[schema(inline, required)]
    #[validate(custom(function = check))]
    pub name: Text<1, 200>,
    #[serde(default)]
    #[schema(inline, required)]
    #[validate(custom(function = check))]
    pub search_name: Text<1, 100>,
    /// Absent: active.
    #[serde(default = "merge_patch::default_true")]
    pub active: bool,
}

/// A ticket queue or department.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(example = json!({"id": "netz", "name": "Netzwerk", "color": "#1F77B4", "start_ticket_types": ["anomalie", "rueckruf"], "active": true,
    "version": 1, "created_at": "2026-11-23T08:00:00.000000Z", "updated_at": "2026-11-23T08:00:00.000000Z", "created_by": "erp", "updated_by": "erp"}))]
pub struct Area {
    #[schema(inline)]
    pub id: AreaId,
    pub name: String,
    /// RGB colour `#RRGGBB`.
    pub color: String,
    /// The ticket types that may be opened here; `null`: all, `[]`: none.
    #[schema(inline)]
    pub start_ticket_types: Option<Vec<TicketTypeId>>,
    /// False once the ERP has retired it.
    pub active: bool,
    #[serde(flatten)]
    pub audit: Audit,
}

/// What the ERP tells about an area.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "Netzwerk", "color": "#1F77B4", "start_ticket_types": null, "active": true}))]
pub struct AreaPut {
    #[serde(default)]
    #[schema(inline, required)]
    #[validate(custom(function = check))]
    pub name: Text<1, 100>,
    #[serde(default)]
    #[schema(inline, required)]
    #[validate(custom(function = check))]
    pub color: Color,
    /// The ticket types that may be opened here; absent or `null`: all, `[]`: none.
    #[serde(default)]
    #[schema(inline, value_type = Option<Vec<TicketTypeId>>, max_items = 500)]
    #[validate(custom(function = check))]
    pub start_ticket_types: Option<UniqueVec<TicketTypeId, 0, 500>>,
    /// Absent: active.
    #[serde(default = "merge_patch::default_true")]
    pub active: bool,
}

/// Whether a ticket type is one of the ERP's four standard ones.
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

/// A kind of ticket: incident, callback, task, change request, or one the company made up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(example = json!({"id": "anomalie", "name": "Anomalie", "kind": "standard", "active": true, "version": 1,
    "created_at": "2026-11-23T08:00:00.000000Z", "updated_at": "2026-11-23T08:00:00.000000Z", "created_by": "erp", "updated_by": "erp"}))]
pub struct TicketType {
    #[schema(inline)]
    pub id: TicketTypeId,
    pub name: String,
    pub kind: TicketTypeKind,
    /// False once the ERP has retired it.
    pub active: bool,
    #[serde(flatten)]
    pub audit: Audit,
}

/// What the ERP tells about a ticket type.
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
    /// Absent: active.
    #[serde(default = "merge_patch::default_true")]
    pub active: bool,
}

/// A planning board that can be shared with a partner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(example = json!({"id": "rollout", "name": "Rollout 2027", "description": "Umstellung der Standorte", "active": true, "version": 1,
    "created_at": "2026-11-23T08:00:00.000000Z", "updated_at": "2026-11-23T08:00:00.000000Z", "created_by": "erp", "updated_by": "erp"}))]
pub struct PlanBoard {
    #[schema(inline)]
    pub id: PlanBoardId,
    pub name: String,
    pub description: String,
    /// False once the ERP has retired it.
    pub active: bool,
    #[serde(flatten)]
    pub audit: Audit,
}

/// What the ERP tells about a plan board.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "Rollout 2027", "description": "Umstellung der Standorte", "active": true}))]
pub struct PlanBoardPut {
    #[serde(default)]
    #[schema(inline, required)]
    #[validate(custom(function = check))]
    pub name: Text<1, 200>,
    /// Absent: empty.
    #[serde(default)]
    #[schema(inline)]
    #[validate(custom(function = check))]
    pub description: Text<0, 1000>,
    /// Absent: active.
    #[serde(default = "merge_patch::default_true")]
    pub active: bool,
}

/// Filters of the catalogue's lists.
#[derive(Debug, Default, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CatalogListQuery {
    /// Only entries that are (not) active.
    pub active: Option<bool>,
}

/// Filters of the lists of what can be granted.
#[derive(Debug, Default, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct GrantableListQuery {
    /// Only entries that are (not) active.
    pub active: Option<bool>,
    /// Only entries that can still be granted to this business partner: active, and not granted yet.
    #[param(inline)]
    #[validate(custom(function = check))]
    pub grantable_to: Option<BusinessPartnerId>,
}

impl ListFilter for CatalogListQuery {}

impl ListFilter for GrantableListQuery {}

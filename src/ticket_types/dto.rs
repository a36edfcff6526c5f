//! JSON of the granted ticket types.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::{
    catalog::TicketTypeKind,
    common::{Audit, etag::EntityTag, ids::TicketTypeId},
};

/// A ticket type granted to a partner. The partner's accesses can create tickets of this type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(example = json!({
    "ticket_type_id": "aenderung", "name": "Änderungsanfrage", "kind": "standard",
    "approval_required": true, "available": true, "version": 1,
    "created_at": "2026-11-23T08:00:00.000000Z", "updated_at": "2026-11-23T08:00:00.000000Z",
    "created_by": "anna.admin", "created_by_name": "Anna Admin",
    "updated_by": "anna.admin", "updated_by_name": "Anna Admin"
}))]
pub struct TicketTypeGrant {
    #[schema(inline)]
    pub ticket_type_id: TicketTypeId,
    #[schema(max_length = 100)]
    pub name: String,
    pub kind: TicketTypeKind,
    /// Whether new tickets require approval by an approver or a dispatcher.
    pub approval_required: bool,
    /// False if the ERP has retired the ticket type. The grant then has no effect.
    pub available: bool,
    #[serde(flatten)]
    pub audit: Audit,
    #[serde(skip)]
    #[schema(ignore)]
    pub(super) etag: EntityTag,
}

/// Options of a granted ticket type.
#[derive(Debug, Clone, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"approval_required": true}))]
pub struct TicketTypeGrantPut {
    /// Whether new tickets require approval by an approver or a dispatcher. Default: false.
    #[serde(default)]
    pub approval_required: bool,
}

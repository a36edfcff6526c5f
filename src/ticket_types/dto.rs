//! JSON of the granted ticket types.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::{
    catalog::TicketTypeKind,
    common::{Audit, change::EntityTag, ids::TicketTypeId},
};

/// A ticket type granted to a partner: its accesses may open such tickets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(example = json!({"ticket_type_id": "aenderung", "name": "Änderungsanfrage", "kind": "standard", "approval_required": true,
    "available": true, "version": 1, "created_at": "2026-11-23T08:00:00.000000Z", "updated_at": "2026-11-23T08:00:00.000000Z",
    "created_by": "anna.admin", "updated_by": "anna.admin"}))]
pub struct TicketTypeGrant {
    #[schema(inline)]
    pub ticket_type_id: TicketTypeId,
    pub name: String,
    pub kind: TicketTypeKind,
    /// Whether such tickets wait until an approver or a dispatcher releases them.
    pub approval_required: bool,
    /// False while the ERP has retired the ticket type; the grant then has no effect.
    pub available: bool,
    #[serde(flatten)]
    pub audit: Audit,
    #[serde(skip)]
    #[schema(ignore)]
    pub(super) etag: EntityTag,
}

/// How a ticket type is granted. An absent body stands for the defaults.
#[derive(Debug, Clone, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"approval_required": true}))]
pub struct TicketTypeGrantPut {
    /// Whether such tickets wait until an approver or a dispatcher releases them. Absent: false.
    #[serde(default)]
    pub approval_required: bool,
}

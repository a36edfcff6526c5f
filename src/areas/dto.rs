//! JSON of the granted areas.

use serde::Serialize;
use utoipa::ToSchema;

use crate::common::{
    Audit,
    etag::EntityTag,
    ids::{AreaId, TicketTypeId},
};

/// An area granted to a partner. The partner's accesses see and create tickets in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(example = json!({
    "area_id": "netz", "name": "Netzwerk", "color": "#1F77B4",
    "start_ticket_types": ["anomalie", "rueckruf"], "available": true, "version": 1,
    "created_at": "2026-11-23T08:00:00.000000Z", "updated_at": "2026-11-23T08:00:00.000000Z",
    "created_by": "anna.admin", "created_by_name": "Anna Admin",
    "updated_by": "anna.admin", "updated_by_name": "Anna Admin"
}))]
pub struct AreaGrant {
    #[schema(inline)]
    pub area_id: AreaId,
    #[schema(max_length = 100)]
    pub name: String,
    /// RGB color `#RRGGBB`.
    #[schema(max_length = 7)]
    pub color: String,
    /// Ticket types that can be created in this area; `null`: all, `[]`: none.
    #[schema(inline, max_items = 500)]
    pub start_ticket_types: Option<Vec<TicketTypeId>>,
    /// False if the ERP has retired the area. The grant then has no effect.
    pub available: bool,
    #[serde(flatten)]
    pub audit: Audit,
    #[serde(skip)]
    #[schema(ignore)]
    pub(super) etag: EntityTag,
}

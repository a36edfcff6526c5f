//! JSON of the shared plan boards.

use serde::Serialize;
use utoipa::ToSchema;

use crate::common::{Audit, etag::EntityTag, ids::PlanBoardId};

/// A plan board shared with a partner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(example = json!({
    "plan_board_id": "rollout", "name": "Rollout 2027", "description": "Umstellung der Standorte",
    "available": true, "version": 1, "created_at": "2026-11-23T08:00:00.000000Z",
    "updated_at": "2026-11-23T08:00:00.000000Z",
    "created_by": "erp", "created_by_name": null,
    "updated_by": "erp", "updated_by_name": null
}))]
pub struct PlanBoardGrant {
    #[schema(inline)]
    pub plan_board_id: PlanBoardId,
    #[schema(max_length = 200)]
    pub name: String,
    #[schema(max_length = 1000)]
    pub description: String,
    /// False if the ERP has retired the plan board. It is then not shown in the portal.
    pub available: bool,
    #[serde(flatten)]
    pub audit: Audit,
    #[serde(skip)]
    #[schema(ignore)]
    pub(super) etag: EntityTag,
}

//! Plan boards shared with a partner.
//!
//! Grants are implemented in [`crate::grants`]. Only the ERP may write these (scope
//! `catalog:write`); the tab shows them. Assigning a partner to a board in the ERP does not grant
//! the board.

pub mod dto;
pub mod routes;

pub use dto::PlanBoardGrant;

use crate::{
    catalog::PlanBoard,
    common::{Audit, Code, EmptyBody, Resource, etag::EntityTag, ids::ErpId},
    grants::{Grant, GrantWithEntry},
};

impl Grant for PlanBoardGrant {
    type Entry = PlanBoard;
    type Put = EmptyBody;

    const LAST_GRANT_ERROR: Option<Code> = None;
    const CHANGES_WHILE_INACTIVE: bool = true;

    fn new(granted: GrantWithEntry) -> Self {
        let etag = granted.etag();
        let GrantWithEntry { grant, entry } = granted;
        Self {
            plan_board_id: ErpId::from_trusted(entry.id),
            name: entry.name,
            description: entry.description.unwrap_or_default(),
            available: entry.active,
            audit: grant.audit(),
            etag,
        }
    }
}

impl Resource for PlanBoardGrant {
    const KIND: &'static str = "plan_board";

    fn resource_id(&self) -> String {
        self.plan_board_id.to_string()
    }

    fn etag(&self) -> EntityTag {
        self.etag.clone()
    }

    fn audit(&self) -> Option<&Audit> {
        Some(&self.audit)
    }
}

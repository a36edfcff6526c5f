//! Ticket types that a partner's accesses may create, with or without approval. They have no
//! influence on which tickets are visible.
//!
//! Grants are implemented in [`crate::grants`]. This module adds the JSON of a ticket type and its
//! approval.

pub mod dto;
pub mod routes;

pub use dto::TicketTypeGrant;

use crate::{
    catalog::{TicketType, TicketTypeKind},
    common::{Audit, Code, Resource, etag::EntityTag, ids::ErpId},
    grants::{Grant, GrantWithEntry},
};

impl Grant for TicketTypeGrant {
    type Entry = TicketType;
    type Put = dto::TicketTypeGrantPut;

    const LAST_GRANT_ERROR: Option<Code> = Some(Code::LastTicketType);

    fn new(granted: GrantWithEntry) -> Self {
        let etag = granted.etag();
        let GrantWithEntry { grant, entry } = granted;
        Self {
            ticket_type_id: ErpId::from_trusted(entry.id),
            name: entry.name,
            kind: entry
                .ticket_kind
                .map_or_else(TicketTypeKind::default, |kind| kind.0),
            approval_required: grant.approval_required,
            available: entry.active,
            audit: grant.audit(),
            etag,
        }
    }

    fn approval_required(put: &Self::Put) -> bool {
        put.approval_required
    }
}

impl Resource for TicketTypeGrant {
    const KIND: &'static str = "ticket_type";

    fn resource_id(&self) -> String {
        self.ticket_type_id.to_string()
    }

    fn etag(&self) -> EntityTag {
        self.etag.clone()
    }

    fn audit(&self) -> Option<&Audit> {
        Some(&self.audit)
    }
}

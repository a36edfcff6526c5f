//! Areas in which a partner's accesses see and create tickets.
//!
//! Grants are implemented in [`crate::grants`]. This module adds the JSON of an area, and the rule
//! that an area in use cannot be revoked (`docs/domain.md#r4`).

pub mod dto;
pub mod routes;

pub use dto::AreaGrant;

use crate::{
    catalog::Area,
    common::{
        Audit, Code, EmptyBody, Resource, Result,
        etag::EntityTag,
        ids::{AreaId, BusinessPartnerId, ErpId},
    },
    db::Conn,
    grants::{Grant, GrantWithEntry},
    tags,
};

impl Grant for AreaGrant {
    type Entry = Area;
    type Put = EmptyBody;

    const LAST_GRANT_ERROR: Option<Code> = Some(Code::LastArea);

    fn new(granted: GrantWithEntry) -> Self {
        let etag = granted.etag();
        let GrantWithEntry { grant, entry } = granted;
        Self {
            area_id: ErpId::from_trusted(entry.id),
            name: entry.name,
            color: entry.color.unwrap_or_default(),
            start_ticket_types: entry.start_ticket_types.map(|ids| ids.0),
            available: entry.active,
            audit: grant.audit(),
            etag,
        }
    }

    async fn ensure_removable(
        conn: &mut Conn,
        partner: &BusinessPartnerId,
        id: &AreaId,
    ) -> Result<()> {
        tags::service::ensure_area_unused(conn, partner, id).await
    }
}

impl Resource for AreaGrant {
    const KIND: &'static str = "area";

    fn resource_id(&self) -> String {
        self.area_id.to_string()
    }

    fn etag(&self) -> EntityTag {
        self.etag.clone()
    }

    fn audit(&self) -> Option<&Audit> {
        Some(&self.audit)
    }
}

//! What sets the four kinds of catalogue entries apart.

use super::{
    Area, Attributes, BusinessPartner, BusinessPartnerId, CatalogEntry, CatalogRow, EntryKind,
    PlanBoard, TicketType, TicketTypeKind,
    dto::{AreaPut, BusinessPartnerPut, PlanBoardPut, TicketTypePut},
};
use crate::{
    db::{Tx, types::Jsonb},
    integration,
    kernel::{Audit, Result, ids::ErpId},
};

impl CatalogEntry for BusinessPartner {
    const ENTRY: EntryKind = EntryKind::BusinessPartner;
    const RESOURCE: &'static str = "business_partner";
    type Put = BusinessPartnerPut;

    fn id(&self) -> &ErpId<Self> {
        &self.id
    }

    fn audit(&self) -> &Audit {
        &self.audit
    }

    fn from_row(row: CatalogRow) -> Self {
        let audit = row.audit();
        let search_name = row.search_name.unwrap_or_default();
        Self {
            id: ErpId::stored(row.id),
            name: row.name,
            search_name,
            active: row.active,
            audit,
        }
    }

    fn attributes(put: &BusinessPartnerPut) -> Attributes {
        Attributes {
            name: put.name.clone().into(),
            active: put.active,
            search_name: Some(put.search_name.clone().into()),
            ..Attributes::default()
        }
    }

    /// A customer integration exists for every known partner, born inactive (domain.md section 4).
    async fn on_created(tx: &mut Tx<'_, ()>, id: &BusinessPartnerId) -> Result<()> {
        integration::service::found(tx, id).await
    }
}

impl CatalogEntry for Area {
    const ENTRY: EntryKind = EntryKind::Area;
    const RESOURCE: &'static str = "catalog_area";
    type Put = AreaPut;

    fn id(&self) -> &ErpId<Self> {
        &self.id
    }

    fn audit(&self) -> &Audit {
        &self.audit
    }

    fn from_row(row: CatalogRow) -> Self {
        Self {
            audit: row.audit(),
            id: ErpId::stored(row.id),
            name: row.name,
            color: row.color.unwrap_or_default(),
            start_ticket_types: row.start_ticket_types.map(|Jsonb(ids)| ids),
            active: row.active,
        }
    }

    fn attributes(put: &AreaPut) -> Attributes {
        Attributes {
            name: put.name.clone().into(),
            active: put.active,
            color: Some(put.color.clone().into()),
            start_ticket_types: put.start_ticket_types.clone().map(|ids| Jsonb(ids.0)),
            ..Attributes::default()
        }
    }
}

impl CatalogEntry for TicketType {
    const ENTRY: EntryKind = EntryKind::TicketType;
    const RESOURCE: &'static str = "catalog_ticket_type";
    type Put = TicketTypePut;

    fn id(&self) -> &ErpId<Self> {
        &self.id
    }

    fn audit(&self) -> &Audit {
        &self.audit
    }

    fn from_row(row: CatalogRow) -> Self {
        let audit = row.audit();
        let kind = row
            .ticket_kind
            .map_or_else(TicketTypeKind::default, |word| word.0);
        Self {
            id: ErpId::stored(row.id),
            name: row.name,
            kind,
            active: row.active,
            audit,
        }
    }

    fn attributes(put: &TicketTypePut) -> Attributes {
        Attributes {
            name: put.name.clone().into(),
            active: put.active,
            ticket_kind: Some(crate::db::types::Word(put.kind.get())),
            ..Attributes::default()
        }
    }
}

impl CatalogEntry for PlanBoard {
    const ENTRY: EntryKind = EntryKind::PlanBoard;
    const RESOURCE: &'static str = "catalog_plan_board";
    type Put = PlanBoardPut;

    fn id(&self) -> &ErpId<Self> {
        &self.id
    }

    fn audit(&self) -> &Audit {
        &self.audit
    }

    fn from_row(row: CatalogRow) -> Self {
        let audit = row.audit();
        let description = row.description.unwrap_or_default();
        Self {
            id: ErpId::stored(row.id),
            name: row.name,
            description,
            active: row.active,
            audit,
        }
    }

    fn attributes(put: &PlanBoardPut) -> Attributes {
        Attributes {
            name: put.name.clone().into(),
            active: put.active,
            description: Some(put.description.clone().into()),
            ..Attributes::default()
        }
    }
}

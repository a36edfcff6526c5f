//! The four kinds of catalog entries.

use super::{
    Area, Attributes, BusinessPartner, CatalogEntry, CatalogRow, EntryKind, PlanBoard, TicketType,
    TicketTypeKind, WritableEntry,
    dto::{AreaPut, BusinessPartnerPut, PlanBoardPut, TicketTypePut},
};
use crate::{
    common::{
        Audit,
        ids::{AreaIdKind, BusinessPartnerIdKind, ErpId, PlanBoardIdKind, TicketTypeIdKind},
    },
    db::sql_types::{EnumText, Jsonb},
};

impl CatalogEntry for BusinessPartner {
    type Kind = BusinessPartnerIdKind;

    const ENTRY: EntryKind = EntryKind::BusinessPartner;
    const RESOURCE: &'static str = "business_partner";
    type Put = BusinessPartnerPut;

    fn id(&self) -> &ErpId<Self::Kind> {
        &self.id
    }

    fn audit(&self) -> &Audit {
        &self.audit
    }

    fn from_row(row: CatalogRow) -> Self {
        Self {
            audit: row.audit(),
            id: ErpId::from_trusted(row.id),
            name: row.name,
            search_name: row.search_name.unwrap_or_default(),
            active: row.active,
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
}

impl CatalogEntry for Area {
    type Kind = AreaIdKind;

    const ENTRY: EntryKind = EntryKind::Area;
    const RESOURCE: &'static str = "catalog_area";
    type Put = AreaPut;

    fn id(&self) -> &ErpId<Self::Kind> {
        &self.id
    }

    fn audit(&self) -> &Audit {
        &self.audit
    }

    fn from_row(row: CatalogRow) -> Self {
        Self {
            audit: row.audit(),
            id: ErpId::from_trusted(row.id),
            name: row.name,
            color: row.color.unwrap_or_default(),
            start_ticket_types: row.start_ticket_types.map(|Jsonb(ids)| ids),
            active: row.active,
            usage_count: None,
        }
    }

    fn with_usage(mut self, count: i64) -> Self {
        self.usage_count = Some(count);
        self
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

impl WritableEntry for Area {}

impl CatalogEntry for TicketType {
    type Kind = TicketTypeIdKind;

    const ENTRY: EntryKind = EntryKind::TicketType;
    const RESOURCE: &'static str = "catalog_ticket_type";
    type Put = TicketTypePut;

    fn id(&self) -> &ErpId<Self::Kind> {
        &self.id
    }

    fn audit(&self) -> &Audit {
        &self.audit
    }

    fn from_row(row: CatalogRow) -> Self {
        let audit = row.audit();
        let kind = row
            .ticket_kind
            .map_or_else(TicketTypeKind::default, |EnumText(kind)| kind);
        Self {
            id: ErpId::from_trusted(row.id),
            name: row.name,
            kind,
            active: row.active,
            usage_count: None,
            audit,
        }
    }

    fn with_usage(mut self, count: i64) -> Self {
        self.usage_count = Some(count);
        self
    }

    fn attributes(put: &TicketTypePut) -> Attributes {
        Attributes {
            name: put.name.clone().into(),
            active: put.active,
            ticket_kind: Some(EnumText(put.kind.get())),
            ..Attributes::default()
        }
    }
}

impl WritableEntry for TicketType {}

impl CatalogEntry for PlanBoard {
    type Kind = PlanBoardIdKind;

    const ENTRY: EntryKind = EntryKind::PlanBoard;
    const RESOURCE: &'static str = "catalog_plan_board";
    type Put = PlanBoardPut;

    fn id(&self) -> &ErpId<Self::Kind> {
        &self.id
    }

    fn audit(&self) -> &Audit {
        &self.audit
    }

    fn from_row(row: CatalogRow) -> Self {
        Self {
            audit: row.audit(),
            id: ErpId::from_trusted(row.id),
            name: row.name,
            description: row.description.unwrap_or_default(),
            active: row.active,
            usage_count: None,
        }
    }

    fn with_usage(mut self, count: i64) -> Self {
        self.usage_count = Some(count);
        self
    }

    fn attributes(put: &PlanBoardPut) -> Attributes {
        Attributes {
            name: put.name.clone().into(),
            active: put.active,
            description: Some(put.description.clone().unwrap_or_default().into()),
            ..Attributes::default()
        }
    }
}

impl WritableEntry for PlanBoard {}

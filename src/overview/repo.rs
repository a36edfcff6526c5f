//! SQL of the list of integrations.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::dto::CustomerIntegrationListQuery;
use crate::{
    catalog::{CatalogRow, EntryKind},
    common::{
        Result,
        ids::BusinessPartnerId,
        page::{PageKey, PageRequest, Rows},
        timestamp::Timestamp,
    },
    db::{
        Conn, paged,
        schema::{
            accesses, catalog_entries as partners, customer_integrations as integrations, grants,
        },
        sql_types::EnumText,
    },
    integration::IntegrationRow,
};

diesel::alias!(partners as areas: Areas);

/// An integration with its partner, and whether it is usable.
pub(super) struct ListedRow {
    pub integration: IntegrationRow,
    pub partner: CatalogRow,
    pub usable: bool,
}

impl PageKey for ListedRow {
    fn sort_key(&self) -> &str {
        self.partner.sort_key()
    }

    fn created_at(&self) -> Timestamp {
        self.integration.created_at
    }

    fn updated_at(&self) -> Timestamp {
        self.integration.updated_at
    }

    fn key_id(&self) -> String {
        self.partner.key_id()
    }
}

/// `true` if the integration of the outer row has an active access, else `NULL`. Not `EXISTS`,
/// which PostgreSQL may plan as a hash of the whole table.
#[diesel::dsl::auto_type(no_type_alias)]
fn active_access() -> _ {
    accesses::table
        .filter(accesses::business_partner_id.eq(integrations::business_partner_id))
        .filter(accesses::active)
        .select(accesses::active)
        .limit(1_i64)
        .single_value()
}

/// `true` if the integration of the outer row has an available area, else `NULL`.
#[diesel::dsl::auto_type(no_type_alias)]
fn available_area() -> _ {
    let area: EnumText<EntryKind> = EnumText(EntryKind::Area);
    grants::table
        .inner_join(
            areas.on(areas
                .field(partners::kind)
                .eq(grants::kind)
                .and(areas.field(partners::id).eq(grants::entry_id))),
        )
        .filter(grants::business_partner_id.eq(integrations::business_partner_id))
        .filter(grants::kind.eq(area))
        .filter(areas.field(partners::active))
        .select(areas.field(partners::active))
        .limit(1_i64)
        .single_value()
}

/// The kind of a grant of an entry to the partner of the outer row, else `NULL`. Not `EXISTS`, as
/// above.
#[diesel::dsl::auto_type(no_type_alias)]
fn granted<'a>(kind: EnumText<EntryKind>, id: &'a str) -> _ {
    grants::table
        .filter(grants::business_partner_id.eq(integrations::business_partner_id))
        .filter(grants::kind.eq(kind))
        .filter(grants::entry_id.eq(id))
        .select(grants::kind)
        .limit(1_i64)
        .single_value()
}

/// The integrations of one page. `only` limits the list to one partner.
pub(super) async fn list(
    conn: &mut Conn,
    only: Option<&BusinessPartnerId>,
    filter: &CustomerIntegrationListQuery,
    page: &PageRequest,
) -> Result<Rows<ListedRow>> {
    let usable = integrations::active
        .and(partners::active)
        .and(active_access().is_not_null())
        .and(available_area().is_not_null());
    let granted_entries = filter.granted_entries();
    let Rows { rows, total } = paged!(
        conn, page,
        select: (IntegrationRow::as_select(), CatalogRow::as_select(), usable),
        from: integrations::table.inner_join(
            partners::table.on(partners::kind
                .eq(EnumText(EntryKind::BusinessPartner))
                .and(partners::id.eq(integrations::business_partner_id))),
        ),
        restrict: |query| {
            if let Some(only) = only {
                query = query.filter(integrations::business_partner_id.eq(only));
            }
            if let Some(active) = filter.active {
                query = query.filter(integrations::active.eq(active));
            }
            // not `usable = $1`, for which PostgreSQL estimates almost no rows
            query = match filter.usable {
                Some(true) => query.filter(usable),
                Some(false) => query.filter(diesel::dsl::not(usable)),
                None => query,
            };
            for (kind, id) in &granted_entries {
                query = query.filter(granted(EnumText(*kind), id).is_not_null());
            }
        },
        // created together with the catalog entry, whose index on `created_at` is used here
        search: partners::search_key, name: partners::sort_key, created_at: partners::created_at,
        updated_at: integrations::updated_at, id: partners::id => String
    );
    let rows: Vec<(IntegrationRow, CatalogRow, bool)> = rows;
    let rows = rows
        .into_iter()
        .map(|(integration, partner, usable)| ListedRow {
            integration,
            partner,
            usable,
        })
        .collect();
    Ok(Rows { rows, total })
}

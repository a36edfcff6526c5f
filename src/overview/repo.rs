//! SQL of the list of integrations.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::dto::CustomerIntegrationListQuery;
use crate::{
    catalog::{CatalogRow, EntryKind},
    common::{
        Result,
        ids::BusinessPartnerId,
        page::{PageKey, PageRequest},
        timestamp::Timestamp,
    },
    db::{
        Conn, paged,
        schema::{
            accesses, catalog_entries as partners, customer_integrations as integrations, grants,
        },
        sql_types::EnumText,
        with_conn,
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

/// The integrations of one page. `only` limits the list to one partner.
pub(super) async fn list(
    conn: &mut Conn,
    only: Option<&BusinessPartnerId>,
    filter: &CustomerIntegrationListQuery,
    page: &PageRequest,
) -> Result<Vec<ListedRow>> {
    let usable = integrations::active
        .and(partners::active)
        .and(active_access().is_not_null())
        .and(available_area().is_not_null());
    let rows: Vec<(IntegrationRow, CatalogRow, bool)> = with_conn!(conn, |c, Engine| {
        let mut query = integrations::table
            .inner_join(
                partners::table.on(partners::kind
                    .eq(EnumText(EntryKind::BusinessPartner))
                    .and(partners::id.eq(integrations::business_partner_id))),
            )
            .select((IntegrationRow::as_select(), CatalogRow::as_select(), usable))
            .into_boxed::<Engine>();
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
        // created together with the catalog entry, whose index on `created_at` is used here
        paged!(
            query, page,
            search: partners::search_key, name: partners::sort_key, created_at: partners::created_at,
            id: partners::id => String
        )
        .load(c)
    })?;
    Ok(rows
        .into_iter()
        .map(|(integration, partner, usable)| ListedRow {
            integration,
            partner,
            usable,
        })
        .collect())
}

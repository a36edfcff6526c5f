//! SQL of the integration's own row.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::dto::CustomerIntegrationListQuery;
use crate::{
    catalog::{CatalogRow, EntryKind},
    common::{
        Audit, Result,
        ids::BusinessPartnerId,
        page::{PageKey, PageRequest},
        timestamp::Timestamp,
    },
    db::{
        Conn, paged,
        schema::{
            CATALOG, GLOBAL_RULES, accesses, catalog_entries as partners,
            customer_integrations as integrations, grants, shared_revisions,
        },
        sql_types::EnumText,
        with_conn,
    },
};

diesel::alias!(partners as areas: Areas);
diesel::alias!(shared_revisions as global_rules: GlobalRulesRevision);

/// A customer integration as stored.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = integrations, treat_none_as_null = true)]
pub struct IntegrationRow {
    pub business_partner_id: BusinessPartnerId,
    pub active: bool,
    pub activated_at: Option<Timestamp>,
    pub revision: i64,
    pub(super) version: i64,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
    pub(super) created_by: String,
    pub(super) updated_by: String,
}

impl IntegrationRow {
    /// A partner's integration as it is born: inactive.
    pub(super) fn new_inactive(business_partner_id: BusinessPartnerId, audit: Audit) -> Self {
        let unborn = Self {
            business_partner_id,
            active: false,
            activated_at: None,
            revision: 1,
            version: 0,
            created_at: audit.created_at,
            updated_at: audit.updated_at,
            created_by: String::new(),
            updated_by: String::new(),
        };
        unborn.stamped(audit)
    }

    /// The row with another stamp.
    pub(super) fn stamped(self, audit: Audit) -> Self {
        let Audit {
            version,
            created_at,
            updated_at,
            created_by,
            updated_by,
        } = audit;
        Self {
            version,
            created_at,
            updated_at,
            created_by,
            updated_by,
            ..self
        }
    }

    pub fn audit(&self) -> Audit {
        Audit {
            version: self.version,
            created_at: self.created_at,
            updated_at: self.updated_at,
            created_by: self.created_by.clone(),
            updated_by: self.updated_by.clone(),
        }
    }
}

/// An integration in a list: with its partner, and whether it is usable.
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

/// Bumps the revision, which locks the row until the transaction ends. `false`: there is no such integration.
pub(super) async fn lock(conn: &mut Conn, partner: &BusinessPartnerId) -> Result<bool> {
    let locked = with_conn!(conn, |c| diesel::update(integrations::table.find(partner))
        .set(integrations::revision.eq(integrations::revision + 1))
        .execute(c))?;
    Ok(locked > 0)
}

/// The integration, its partner's catalogue entry, and the revisions of the catalogue and of the global rules.
pub(super) async fn load_state(
    conn: &mut Conn,
    partner: &BusinessPartnerId,
) -> Result<Option<(IntegrationRow, CatalogRow, i64, i64)>> {
    Ok(with_conn!(conn, |c| integrations::table
        .inner_join(
            partners::table.on(partners::kind
                .eq(EnumText(EntryKind::BusinessPartner))
                .and(partners::id.eq(integrations::business_partner_id)))
        )
        .inner_join(shared_revisions::table.on(shared_revisions::name.eq(CATALOG)))
        .inner_join(global_rules.on(global_rules.field(shared_revisions::name).eq(GLOBAL_RULES)))
        .filter(integrations::business_partner_id.eq(partner))
        .select((
            IntegrationRow::as_select(),
            CatalogRow::as_select(),
            shared_revisions::revision,
            global_rules.field(shared_revisions::revision),
        ))
        .first(c))
    .optional()?)
}

/// The revisions that each partner's decisions depend on, of one moment.
pub(super) async fn revisions(
    conn: &mut Conn,
    partners: &[BusinessPartnerId],
) -> Result<Vec<(BusinessPartnerId, i64, i64, i64)>> {
    // PostgreSQL plans a statement with an array of few elements each time anew, because its general plan is for more of them; that
    // takes as long as all the rest
    Ok(match partners {
        [one] => with_conn!(conn, |c| standings()
            .filter(integrations::business_partner_id.eq(one))
            .load(c)),
        many => with_conn!(conn, |c| standings()
            .filter(integrations::business_partner_id.eq_any(many))
            .load(c)),
    }?)
}

/// Each partner with its revision and those that all share.
#[diesel::dsl::auto_type(no_type_alias)]
fn standings() -> _ {
    let (of_catalog, of_rules): (&'static str, &'static str) = (CATALOG, GLOBAL_RULES);
    integrations::table
        .inner_join(shared_revisions::table.on(shared_revisions::name.eq(of_catalog)))
        .inner_join(global_rules.on(global_rules.field(shared_revisions::name).eq(of_rules)))
        .select((
            integrations::business_partner_id,
            integrations::revision,
            shared_revisions::revision,
            global_rules.field(shared_revisions::revision),
        ))
}

pub(super) async fn insert(conn: &mut Conn, row: &IntegrationRow) -> Result<()> {
    with_conn!(conn, |c| diesel::insert_into(integrations::table)
        .values(row)
        .execute(c))?;
    Ok(())
}

pub(super) async fn update(conn: &mut Conn, row: &IntegrationRow) -> Result<()> {
    with_conn!(conn, |c| diesel::update(
        integrations::table.find(&row.business_partner_id)
    )
    .set(row)
    .execute(c))?;
    Ok(())
}

/// `true` if the integration of the row around it has an active access, else `NULL`. Not `EXISTS`: PostgreSQL may turn that into
/// a hash of the whole table, whose cost grows with it.
#[diesel::dsl::auto_type(no_type_alias)]
fn active_access() -> _ {
    accesses::table
        .filter(accesses::business_partner_id.eq(integrations::business_partner_id))
        .filter(accesses::active)
        .select(accesses::active)
        .limit(1_i64)
        .single_value()
}

/// `true` if the integration of the row around it has an area that is available, else `NULL`.
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

/// A page of the integrations that a caller may know; `only` restricts it to one partner.
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
        // spelt out, since of `usable = $1` PostgreSQL would expect next to no rows
        query = match filter.usable {
            Some(true) => query.filter(usable),
            Some(false) => query.filter(diesel::dsl::not(usable)),
            None => query,
        };
        // the integration is born with its partner's entry, whose index on the time serves here
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

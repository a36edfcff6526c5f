//! SQL of the integration's own row.

use diesel::{dsl::count_star, prelude::*};
use diesel_async::RunQueryDsl;

use crate::{
    catalog::{CatalogRow, EntryKind},
    common::{Audit, Result, ids::BusinessPartnerId, timestamp::Timestamp},
    db::{
        Conn,
        schema::{
            CATALOG, GLOBAL_RULES, accesses, catalog_entries as partners,
            customer_integrations as integrations, shared_revisions,
        },
        sql_types::EnumText,
        with_conn,
    },
};

diesel::alias!(shared_revisions as global_rules: GlobalRulesRevision);

/// A stored customer integration.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = integrations, treat_none_as_null = true)]
pub struct IntegrationRow {
    pub business_partner_id: BusinessPartnerId,
    pub active: bool,
    pub activated_at: Option<Timestamp>,
    pub revision: i64,
    pub(super) version: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub(super) created_by: String,
    pub(super) created_by_name: Option<String>,
    pub(super) updated_by: String,
    pub(super) updated_by_name: Option<String>,
}

impl IntegrationRow {
    /// The inactive integration of a new partner.
    pub(super) fn new_inactive(business_partner_id: BusinessPartnerId, audit: Audit) -> Self {
        Self {
            business_partner_id,
            active: false,
            activated_at: None,
            revision: 1,
            version: audit.version,
            created_at: audit.created_at,
            updated_at: audit.updated_at,
            created_by: audit.created_by,
            created_by_name: audit.created_by_name,
            updated_by: audit.updated_by,
            updated_by_name: audit.updated_by_name,
        }
    }

    /// The row with other audit data.
    pub(super) fn with_audit(self, audit: Audit) -> Self {
        Self {
            version: audit.version,
            created_at: audit.created_at,
            updated_at: audit.updated_at,
            created_by: audit.created_by,
            created_by_name: audit.created_by_name,
            updated_by: audit.updated_by,
            updated_by_name: audit.updated_by_name,
            ..self
        }
    }

    pub fn audit(&self) -> Audit {
        Audit {
            version: self.version,
            created_at: self.created_at,
            updated_at: self.updated_at,
            created_by: self.created_by.clone(),
            created_by_name: self.created_by_name.clone(),
            updated_by: self.updated_by.clone(),
            updated_by_name: self.updated_by_name.clone(),
        }
    }
}

/// Increments the revision, which locks the row until the transaction ends. Returns false if the
/// integration does not exist.
pub(super) async fn lock(conn: &mut Conn, partner: &BusinessPartnerId) -> Result<bool> {
    let locked = with_conn!(conn, |c| diesel::update(integrations::table.find(partner))
        .set(integrations::revision.eq(integrations::revision + 1))
        .execute(c))?;
    Ok(locked > 0)
}

/// The integration, its partner's catalog entry, and the revisions of the catalog and of the
/// global rules.
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

/// How many accesses of a partner are active.
pub async fn active_accesses(conn: &mut Conn, partner: &BusinessPartnerId) -> Result<i64> {
    Ok(with_conn!(conn, |c| accesses::table
        .filter(accesses::business_partner_id.eq(partner))
        .filter(accesses::active)
        .select(count_star())
        .first(c))?)
}

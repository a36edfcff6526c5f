//! SQL of the grants. Every query filters by the business partner.

use diesel::{dsl::count_star, prelude::*, sql_types::Bool};
use diesel_async::RunQueryDsl;

use crate::{
    catalog::{CatalogEntry, CatalogRow, EntryKind},
    common::{
        Audit, Result,
        ids::{BusinessPartnerId, ErpId},
        page::{PageKey, PageRequest, Rows},
        timestamp::Timestamp,
    },
    db::{
        Conn, paged,
        schema::{catalog_entries as entries, grants, revoked_grants as revoked},
        sql_types::EnumText,
        with_conn,
    },
};

/// A stored grant.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = grants)]
pub struct GrantRow {
    pub business_partner_id: BusinessPartnerId,
    kind: EnumText<EntryKind>,
    entry_id: String,
    pub approval_required: bool,
    version: i64,
    created_at: Timestamp,
    updated_at: Timestamp,
    created_by: String,
    updated_by: String,
}

impl GrantRow {
    pub(super) fn new(
        business_partner_id: BusinessPartnerId,
        kind: EntryKind,
        entry_id: &str,
        approval_required: bool,
        audit: Audit,
    ) -> Self {
        Self {
            business_partner_id,
            kind: EnumText(kind),
            entry_id: entry_id.to_owned(),
            approval_required,
            version: audit.version,
            created_at: audit.created_at,
            updated_at: audit.updated_at,
            created_by: audit.created_by,
            updated_by: audit.updated_by,
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

/// A grant with the catalog entry it grants.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
pub struct GrantWithEntry {
    #[diesel(embed)]
    pub grant: GrantRow,
    #[diesel(embed)]
    pub entry: CatalogRow,
}

impl GrantWithEntry {
    pub fn kind(&self) -> EntryKind {
        self.grant.kind.0
    }
}

impl PageKey for GrantWithEntry {
    fn sort_key(&self) -> &str {
        self.entry.sort_key()
    }

    fn created_at(&self) -> Timestamp {
        self.grant.created_at
    }

    fn updated_at(&self) -> Timestamp {
        self.grant.updated_at
    }

    fn key_id(&self) -> String {
        self.grant.entry_id.clone()
    }
}

/// The grants of a partner, joined with their catalog entries.
#[diesel::dsl::auto_type(no_type_alias)]
fn of_partner<'a>(partner: &'a BusinessPartnerId) -> _ {
    grants::table
        .inner_join(
            entries::table.on(entries::kind
                .eq(grants::kind)
                .and(entries::id.eq(grants::entry_id))),
        )
        .filter(grants::business_partner_id.eq(partner))
}

/// All grants of a partner, of all kinds.
pub async fn all(conn: &mut Conn, partner: &BusinessPartnerId) -> Result<Vec<GrantWithEntry>> {
    Ok(with_conn!(conn, |c| of_partner(partner)
        .order((grants::kind, entries::sort_key, grants::entry_id))
        .select(GrantWithEntry::as_select())
        .load(c))?)
}

pub(super) async fn find(
    conn: &mut Conn,
    partner: &BusinessPartnerId,
    kind: EntryKind,
    id: &str,
) -> Result<Option<GrantWithEntry>> {
    Ok(with_conn!(conn, |c| of_partner(partner)
        .filter(grants::kind.eq(EnumText(kind)))
        .filter(grants::entry_id.eq(id))
        .select(GrantWithEntry::as_select())
        .first(c))
    .optional()?)
}

pub(super) async fn list(
    conn: &mut Conn,
    partner: &BusinessPartnerId,
    kind: EntryKind,
    page: &PageRequest,
) -> Result<Rows<GrantWithEntry>> {
    Ok(paged!(
        conn, page,
        select: GrantWithEntry::as_select(),
        from: of_partner(partner),
        restrict: |query| {
            query = query.filter(grants::kind.eq(EnumText(kind)));
        },
        search: entries::search_key, name: entries::sort_key, created_at: grants::created_at,
        updated_at: grants::updated_at, id: grants::entry_id => String
    ))
}

/// How many entries of a kind are granted to a partner and not retired.
pub async fn count_available(
    conn: &mut Conn,
    partner: &BusinessPartnerId,
    kind: EntryKind,
) -> Result<i64> {
    Ok(with_conn!(conn, |c| of_partner(partner)
        .filter(grants::kind.eq(EnumText(kind)))
        .filter(entries::active)
        .select(count_star())
        .first(c))?)
}

/// Whether an entry is granted, even if it is retired.
pub async fn is_granted<E: CatalogEntry>(
    conn: &mut Conn,
    partner: &BusinessPartnerId,
    id: &ErpId<E::Kind>,
) -> Result<bool> {
    let key = (partner, EnumText(E::ENTRY), id.as_str());
    let granted = grants::table.find(key).select(true.into_sql::<Bool>());
    let granted: Option<bool> = with_conn!(conn, |c| granted.first(c)).optional()?;
    Ok(granted.is_some())
}

/// The granted entries of a kind that are retired.
pub async fn retired<E: CatalogEntry>(
    conn: &mut Conn,
    partner: &BusinessPartnerId,
) -> Result<Vec<ErpId<E::Kind>>> {
    let ids: Vec<String> = with_conn!(conn, |c| of_partner(partner)
        .filter(grants::kind.eq(EnumText(E::ENTRY)))
        .filter(diesel::dsl::not(entries::active))
        .select(grants::entry_id)
        .load(c))?;
    Ok(ids.into_iter().map(ErpId::from_trusted).collect())
}

pub(super) async fn insert(conn: &mut Conn, row: &GrantRow) -> Result<()> {
    with_conn!(conn, |c| diesel::insert_into(grants::table)
        .values(row)
        .execute(c))?;
    Ok(())
}

pub(super) async fn update(conn: &mut Conn, row: &GrantRow) -> Result<()> {
    let key = (&row.business_partner_id, row.kind, &row.entry_id);
    with_conn!(conn, |c| diesel::update(grants::table.find(key))
        .set(row)
        .execute(c))?;
    Ok(())
}

pub(super) async fn delete(conn: &mut Conn, row: &GrantRow) -> Result<()> {
    let key = (&row.business_partner_id, row.kind, &row.entry_id);
    with_conn!(conn, |c| diesel::delete(grants::table.find(key)).execute(c))?;
    Ok(())
}

/// Stores the version of a revoked grant, for a later grant of the same entry.
pub(super) async fn insert_revoked_version(conn: &mut Conn, row: &GrantRow) -> Result<()> {
    let values = (
        revoked::business_partner_id.eq(&row.business_partner_id),
        revoked::kind.eq(row.kind),
        revoked::entry_id.eq(&row.entry_id),
        revoked::version.eq(row.version),
    );
    with_conn!(conn, |c| diesel::insert_into(revoked::table)
        .values(values)
        .execute(c))?;
    Ok(())
}

/// Removes and returns the version of the revoked grant of an entry, if there is one.
pub(super) async fn take_revoked_version(
    conn: &mut Conn,
    partner: &BusinessPartnerId,
    kind: EntryKind,
    id: &str,
) -> Result<Option<i64>> {
    let key = (partner, EnumText(kind), id);
    Ok(
        with_conn!(conn, |c| diesel::delete(revoked::table.find(key))
            .returning(revoked::version)
            .get_result(c))
        .optional()?,
    )
}

//! SQL of the catalog: one table for all four kinds.

use diesel::{
    dsl::{count_star, exists},
    prelude::*,
};
use diesel_async::RunQueryDsl;

use super::{CatalogFilter, EntryKind, dto::TicketTypeKind};
use crate::{
    common::{
        Audit, Result,
        ids::{BusinessPartnerId, TicketTypeId},
        normalize::{search_key, sort_key},
        page::{PageKey, PageRequest, Rows},
        timestamp::Timestamp,
    },
    db::{
        Conn, paged,
        schema::{CATALOG, catalog_entries as entries, grants, shared_revisions},
        sql_types::{EnumText, Jsonb},
        with_conn,
    },
};

/// A stored catalog entry of any kind. Each optional column belongs to one kind.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = entries, treat_none_as_null = true)]
pub struct CatalogRow {
    pub kind: EnumText<EntryKind>,
    pub id: String,
    pub name: String,
    pub active: bool,
    pub search_name: Option<String>,
    pub color: Option<String>,
    pub start_ticket_types: Option<Jsonb<Vec<TicketTypeId>>>,
    pub ticket_kind: Option<EnumText<TicketTypeKind>>,
    pub description: Option<String>,
    sort_key: String,
    search_key: String,
    version: i64,
    created_at: Timestamp,
    updated_at: Timestamp,
    created_by: String,
    created_by_name: Option<String>,
    updated_by: String,
    updated_by_name: Option<String>,
}

/// The attributes of an entry that the ERP sets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attributes {
    pub name: String,
    pub active: bool,
    pub search_name: Option<String>,
    pub color: Option<String>,
    pub start_ticket_types: Option<Jsonb<Vec<TicketTypeId>>>,
    pub ticket_kind: Option<EnumText<TicketTypeKind>>,
    pub description: Option<String>,
}

impl CatalogRow {
    pub(crate) fn new(kind: EntryKind, id: &str, attributes: Attributes, audit: Audit) -> Self {
        let Attributes {
            name,
            active,
            search_name,
            color,
            start_ticket_types,
            ticket_kind,
            description,
        } = attributes;
        let search_text = [&name, search_name.as_deref().unwrap_or_default(), id].join(" ");
        Self {
            kind: EnumText(kind),
            id: id.to_owned(),
            sort_key: sort_key(&name),
            search_key: search_key(&search_text),
            name,
            active,
            search_name,
            color,
            start_ticket_types,
            ticket_kind,
            description,
            version: audit.version,
            created_at: audit.created_at,
            updated_at: audit.updated_at,
            created_by: audit.created_by,
            created_by_name: audit.created_by_name,
            updated_by: audit.updated_by,
            updated_by_name: audit.updated_by_name,
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

    pub(super) fn attributes(&self) -> Attributes {
        Attributes {
            name: self.name.clone(),
            active: self.active,
            search_name: self.search_name.clone(),
            color: self.color.clone(),
            start_ticket_types: self.start_ticket_types.clone(),
            ticket_kind: self.ticket_kind,
            description: self.description.clone(),
        }
    }
}

impl PageKey for CatalogRow {
    fn sort_key(&self) -> &str {
        &self.sort_key
    }

    fn created_at(&self) -> Timestamp {
        self.created_at
    }

    fn updated_at(&self) -> Timestamp {
        self.updated_at
    }

    fn key_id(&self) -> String {
        self.id.clone()
    }
}

pub(super) async fn find(conn: &mut Conn, kind: EntryKind, id: &str) -> Result<Option<CatalogRow>> {
    Ok(with_conn!(conn, |c| entries::table
        .find((EnumText(kind), id))
        .select(CatalogRow::as_select())
        .first(c))
    .optional()?)
}

pub(super) async fn insert(conn: &mut Conn, row: &CatalogRow) -> Result<()> {
    with_conn!(conn, |c| diesel::insert_into(entries::table)
        .values(row)
        .execute(c))?;
    Ok(())
}

pub(super) async fn update(conn: &mut Conn, row: &CatalogRow) -> Result<()> {
    with_conn!(conn, |c| diesel::update(
        entries::table.find((row.kind, &row.id))
    )
    .set(row)
    .execute(c))?;
    Ok(())
}

/// Those of `ids` that exist as entries of `kind`.
pub(super) async fn existing(
    conn: &mut Conn,
    kind: EntryKind,
    ids: &[TicketTypeId],
) -> Result<Vec<TicketTypeId>> {
    Ok(with_conn!(conn, |c| entries::table
        .filter(entries::kind.eq(EnumText(kind)))
        .filter(entries::id.eq_any(ids.iter().map(TicketTypeId::as_str)))
        .select(entries::id)
        .load(c))?)
}

/// Kind, id and name of areas and ticket types. Ids that do not exist are omitted.
pub async fn names(
    conn: &mut Conn,
    areas: &[&str],
    ticket_types: &[&str],
) -> Result<Vec<(EntryKind, String, String)>> {
    let query = entries::table
        .filter(
            entries::kind
                .eq(EnumText(EntryKind::Area))
                .and(entries::id.eq_any(areas)),
        )
        .or_filter(
            entries::kind
                .eq(EnumText(EntryKind::TicketType))
                .and(entries::id.eq_any(ticket_types)),
        )
        .select((entries::kind, entries::id, entries::name));
    let rows: Vec<(EnumText<EntryKind>, String, String)> = with_conn!(conn, |c| query.load(c))?;
    Ok(rows
        .into_iter()
        .map(|(EnumText(kind), id, name)| (kind, id, name))
        .collect())
}

pub(super) async fn list(
    conn: &mut Conn,
    kind: EntryKind,
    filter: &CatalogFilter,
    page: &PageRequest,
) -> Result<Rows<CatalogRow>> {
    Ok(paged!(
        conn, page,
        select: CatalogRow::as_select(),
        from: entries::table.filter(entries::kind.eq(EnumText(kind))),
        restrict: |query| {
            if let Some(active) = filter.active {
                query = query.filter(entries::active.eq(active));
            }
            if let Some(id) = &filter.only {
                query = query.filter(entries::id.eq(id.as_str()));
            }
            if let Some(partner) = &filter.shared_with {
                query = query.filter(exists(granted_to(partner)));
            }
            if let Some(partner) = &filter.grantable_to {
                query = query
                    .filter(entries::active)
                    .filter(diesel::dsl::not(exists(granted_to(partner))));
            }
        },
        search: entries::search_key, name: entries::sort_key, created_at: entries::created_at,
        updated_at: entries::updated_at, id: entries::id => String
    ))
}

/// The grant of the outer entry to a partner.
#[diesel::dsl::auto_type(no_type_alias)]
fn granted_to<'a>(partner: &'a BusinessPartnerId) -> _ {
    grants::table
        .filter(grants::business_partner_id.eq(partner))
        .filter(grants::kind.eq(entries::kind))
        .filter(grants::entry_id.eq(entries::id))
}

/// An entry, if it is granted to `partner`.
pub(super) async fn find_granted(
    conn: &mut Conn,
    kind: EntryKind,
    id: &str,
    partner: &BusinessPartnerId,
) -> Result<Option<CatalogRow>> {
    Ok(with_conn!(conn, |c| entries::table
        .find((EnumText(kind), id))
        .filter(exists(granted_to(partner)))
        .select(CatalogRow::as_select())
        .first(c))
    .optional()?)
}

/// How many partners each of these entries is granted to. Entries without grants are omitted.
pub(super) async fn usage(
    conn: &mut Conn,
    kind: EntryKind,
    ids: &[&str],
) -> Result<Vec<(String, i64)>> {
    let query = grants::table
        .filter(grants::kind.eq(EnumText(kind)))
        .filter(grants::entry_id.eq_any(ids))
        .group_by(grants::entry_id)
        .select((grants::entry_id, count_star()));
    Ok(with_conn!(conn, |c| query.load(c))?)
}

/// Increments and returns the catalog's revision, which locks the catalog until the transaction
/// ends.
pub(super) async fn lock(conn: &mut Conn) -> Result<i64> {
    Ok(with_conn!(conn, |c| diesel::update(
        shared_revisions::table.find(CATALOG)
    )
    .set(shared_revisions::revision.eq(shared_revisions::revision + 1))
    .returning(shared_revisions::revision)
    .get_result(c))?)
}

/// The catalog's revision.
pub async fn revision(conn: &mut Conn) -> Result<i64> {
    Ok(with_conn!(conn, |c| shared_revisions::table
        .find(CATALOG)
        .select(shared_revisions::revision)
        .first(c))?)
}

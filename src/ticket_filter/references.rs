//! The catalog entries that filters reference: their names, whether they exist, and which of them
//! are retired.

use std::collections::BTreeSet;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::{Names, TicketFilter, catalog_entries::referenced_entries, parse::MAX_FIELD_ERRORS};
use crate::{
    catalog::{self, EntryKind},
    common::{
        Code, FieldError, Result,
        ids::{BusinessPartnerId, Id, QueryId, RuleId},
        sql::Uuid,
    },
    db::{
        Conn,
        schema::{catalog_entries as entries, exclusion_rules, filter_references as refs, queries},
        sql_types::EnumText,
        with_conn,
    },
};

/// The resource that a filter belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FilterOwner {
    Query(QueryId),
    Rule(RuleId),
}

impl FilterOwner {
    fn id(self) -> Id<()> {
        match self {
            Self::Query(id) => id.as_uuid().into(),
            Self::Rule(id) => id.as_uuid().into(),
        }
    }
}

/// Reads the names of the entries that the stored filters of these owners reference, in one query.
pub async fn names_of(conn: &mut Conn, owners: impl Iterator<Item = FilterOwner>) -> Result<Names> {
    let owners: Vec<_> = owners.map(FilterOwner::id).collect();
    if owners.is_empty() {
        return Ok(Names::default());
    }
    let query = refs::table
        .filter(refs::owner_id.eq_any(owners))
        .inner_join(
            entries::table.on(entries::kind
                .eq(refs::kind)
                .and(entries::id.eq(refs::entry_id))),
        )
        .select((entries::kind, entries::id, entries::name))
        .distinct();
    let found: Vec<(EnumText<EntryKind>, String, String)> = with_conn!(conn, |c| query.load(c))?;
    Ok(found
        .into_iter()
        .map(|(EnumText(kind), id, name)| (kind, id, name))
        .collect())
}

/// The names of the catalog entries that a filter references, and an error for each one that the
/// catalog does not contain. Retired entries are accepted because they can return.
pub async fn resolve_entries(
    conn: &mut Conn,
    filter: &TicketFilter,
) -> Result<(Names, Vec<FieldError>)> {
    let names = read_names(conn, filter).await?;
    let unknown = referenced_entries(filter)
        .into_iter()
        .filter(|(_, kind, id)| names.entry(*kind, id).is_none())
        .take(MAX_FIELD_ERRORS)
        .map(|(pointer, _, id)| {
            FieldError::new(format!("/filter{pointer}"), Code::UnknownReference).with("id", id)
        })
        .collect();
    Ok((names, unknown))
}

/// Reads the names of the entries that a filter references.
async fn read_names(conn: &mut Conn, filter: &TicketFilter) -> Result<Names> {
    let mut areas = BTreeSet::new();
    let mut ticket_types = BTreeSet::new();
    for (_, kind, id) in referenced_entries(filter) {
        match kind {
            EntryKind::Area => areas.insert(id),
            _ => ticket_types.insert(id),
        };
    }
    if areas.is_empty() && ticket_types.is_empty() {
        return Ok(Names::default());
    }
    let areas = Vec::from_iter(areas);
    let ticket_types = Vec::from_iter(ticket_types);
    let found = catalog::service::names(conn, &areas, &ticket_types).await?;
    Ok(found.into_iter().collect())
}

/// Stores which entries a filter references, replacing the stored references of its owner. Entries
/// that the catalog does not contain are skipped; see [`resolve_entries`].
pub async fn replace_references(
    conn: &mut Conn,
    owner: FilterOwner,
    filter: &TicketFilter,
) -> Result<()> {
    let id = owner.id();
    with_conn!(conn, |c| diesel::delete(
        refs::table.filter(refs::owner_id.eq(id))
    )
    .execute(c))?;
    let named = referenced_entries(filter);
    for kind in [EntryKind::Area, EntryKind::TicketType] {
        let ids: Vec<_> = named
            .iter()
            .filter(|(_, of, _)| *of == kind)
            .map(|(_, _, id)| *id)
            .collect();
        if !ids.is_empty() {
            insert_references(conn, owner, kind, ids).await?;
        }
    }
    Ok(())
}

async fn insert_references(
    conn: &mut Conn,
    owner: FilterOwner,
    kind: EntryKind,
    ids: Vec<&str>,
) -> Result<()> {
    let (query, rule) = match owner {
        FilterOwner::Query(id) => (Some(id), None),
        FilterOwner::Rule(id) => (None, Some(id)),
    };
    let rows = entries::table
        .filter(entries::kind.eq(EnumText(kind)))
        .filter(entries::id.eq_any(ids))
        .select((
            owner.id().into_sql::<Uuid>(),
            entries::kind,
            entries::id,
            query.into_sql::<diesel::sql_types::Nullable<Uuid>>(),
            rule.into_sql::<diesel::sql_types::Nullable<Uuid>>(),
        ));
    let columns = (
        refs::owner_id,
        refs::kind,
        refs::entry_id,
        refs::query_id,
        refs::exclusion_rule_id,
    );
    with_conn!(conn, |c| diesel::insert_into(refs::table)
        .values(rows)
        .into_columns(columns)
        .execute(c))?;
    Ok(())
}

/// The retired entries that active queries and rules of a partner reference, each with its kind, id
/// and name, sorted. Global rules are not included: the partner cannot change them, and tokens
/// restricted to the partner must not see them.
pub async fn retired(
    conn: &mut Conn,
    partner: &BusinessPartnerId,
) -> Result<Vec<(EntryKind, String, String)>> {
    let in_queries = queries::table
        .filter(queries::business_partner_id.eq(partner))
        .filter(queries::active)
        .inner_join(refs::table.on(refs::query_id.eq(queries::id.nullable())))
        .inner_join(
            entries::table.on(entries::kind
                .eq(refs::kind)
                .and(entries::id.eq(refs::entry_id))),
        )
        .filter(diesel::dsl::not(entries::active))
        .select((refs::kind, refs::entry_id, entries::name));
    let in_rules = exclusion_rules::table
        .filter(exclusion_rules::owner.eq(partner.as_str()))
        .filter(exclusion_rules::active)
        .inner_join(refs::table.on(refs::exclusion_rule_id.eq(exclusion_rules::id.nullable())))
        .inner_join(
            entries::table.on(entries::kind
                .eq(refs::kind)
                .and(entries::id.eq(refs::entry_id))),
        )
        .filter(diesel::dsl::not(entries::active))
        .select((refs::kind, refs::entry_id, entries::name));
    // UNION removes duplicates
    let found: Vec<(EnumText<EntryKind>, String, String)> =
        with_conn!(conn, |c| in_queries.union(in_rules).load(c))?;
    let mut found: Vec<_> = found
        .into_iter()
        .map(|(EnumText(kind), id, name)| (kind, id, name))
        .collect();
    found.sort();
    Ok(found)
}

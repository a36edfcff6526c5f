//! Which catalogue entries filters name: what they are called, whether they exist, and whether they have been retired.

use std::collections::{BTreeMap, BTreeSet};

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::{Summary, TicketFilter, catalog_entries::referenced_entries, parse::MAX_FIELD_ERRORS};
use crate::{
    catalog::{self, EntryKind},
    common::{
        Code, FieldError, Result,
        change::EntityTag,
        error::ensure_valid,
        ids::{BusinessPartnerId, Id, QueryId, RuleId},
    },
    db::{
        Conn,
        schema::{catalog_entries as entries, exclusion_rules, filter_references as refs, queries},
        sql_types::{EnumText, Uuid},
        with_conn,
    },
};

/// What the catalogue entries that some filters name are called.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names(BTreeMap<(EntryKind, String), String>);

impl Names {
    /// The names of these entries.
    pub fn of<'a>(named: impl IntoIterator<Item = (EntryKind, &'a str, &'a str)>) -> Self {
        Self(
            named
                .into_iter()
                .map(|(kind, id, name)| ((kind, id.to_owned()), name.to_owned()))
                .collect(),
        )
    }

    /// What an entry is called; `None` if the catalogue does not have it.
    pub fn name(&self, kind: EntryKind, id: &str) -> Option<&str> {
        self.0.get(&(kind, id.to_owned())).map(String::as_str)
    }

    /// The names that one filter needs.
    #[must_use]
    pub fn within(&self, filter: &TicketFilter) -> Self {
        let named = referenced_entries(filter);
        Self::of(
            named
                .iter()
                .filter_map(|(_, kind, id)| Some((*kind, *id, self.name(*kind, id)?))),
        )
    }

    /// The tag of something of this version that shows these names, in the language of its summary.
    pub fn tag(&self, version: i64, summary: &Summary) -> EntityTag {
        let tag = EntityTag::derived(version, EntityTag::hashed(&self.0).as_str());
        summary.as_ref().map_or(tag.clone(), |(lang, _)| {
            tag.in_language(lang.content_hash())
        })
    }
}

/// Reads, in one query, what the entries are called that the filters of these queries or rules name.
pub async fn names_of(conn: &mut Conn, owners: impl Iterator<Item = Owner>) -> Result<Names> {
    let owners: Vec<_> = owners.map(|owner| Id::<()>::from(owner.id())).collect();
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
    Ok(Names(
        found
            .into_iter()
            .map(|(EnumText(kind), id, name)| ((kind, id), name))
            .collect(),
    ))
}

/// Reads what the entries are called that a filter names; those that the catalogue does not know have no name.
async fn names(conn: &mut Conn, filter: &TicketFilter) -> Result<Names> {
    let (mut areas, mut ticket_types) = (BTreeSet::new(), BTreeSet::new());
    for (_, kind, id) in referenced_entries(filter) {
        if kind == EntryKind::Area {
            areas.insert(id)
        } else {
            ticket_types.insert(id)
        };
    }
    if areas.is_empty() && ticket_types.is_empty() {
        return Ok(Names::default());
    }
    let found =
        catalog::service::names(conn, &Vec::from_iter(areas), &Vec::from_iter(ticket_types))
            .await?;
    Ok(Names(
        found
            .into_iter()
            .map(|(kind, id, name)| ((kind, id), name))
            .collect(),
    ))
}

/// Every entry that a filter names must be known; retired ones may be named, they can return.
fn known(filter: &TicketFilter, names: &Names) -> Result<()> {
    let entries = referenced_entries(filter).into_iter();
    let unknown = entries
        .filter(|(_, kind, id)| names.name(*kind, id).is_none())
        .take(MAX_FIELD_ERRORS);
    ensure_valid(
        unknown
            .map(|(pointer, _, id)| {
                FieldError::new(format!("/filter{pointer}"), Code::UnknownReference).with("id", id)
            })
            .collect(),
    )
}

/// Judges the references of a filter that is about to take the place of another; unchanged ones were judged before.
pub async fn settle(
    conn: &mut Conn,
    before: Option<&TicketFilter>,
    now: &TicketFilter,
) -> Result<()> {
    if before == Some(now) {
        return Ok(());
    }
    known(now, &names(conn, now).await?)
}

/// Whose filter it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    Query(QueryId),
    Rule(RuleId),
}

impl Owner {
    fn id(self) -> uuid::Uuid {
        match self {
            Self::Query(id) => id.as_uuid(),
            Self::Rule(id) => id.as_uuid(),
        }
    }
}

/// Keeps which entries a filter names, in place of what was kept before. All of them must be known.
pub async fn keep(conn: &mut Conn, owner: Owner, filter: &TicketFilter) -> Result<()> {
    let id = Id::<()>::from(owner.id());
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
        if ids.is_empty() {
            continue;
        }
        let (query, rule) = match owner {
            Owner::Query(id) => (Some(id), None),
            Owner::Rule(id) => (None, Some(id)),
        };
        let rows = entries::table
            .filter(entries::kind.eq(EnumText(kind)))
            .filter(entries::id.eq_any(ids))
            .select((
                id.into_sql::<Uuid>(),
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
    }
    Ok(())
}

/// The retired entries that a partner's active queries and rules name, in their order. Global rules are left out: what they name is
/// nothing that the partner could mend, or that a token limited to it may know.
pub async fn retired(
    conn: &mut Conn,
    partner: &BusinessPartnerId,
) -> Result<Vec<(EntryKind, String)>> {
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
        .select((refs::kind, refs::entry_id));
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
        .select((refs::kind, refs::entry_id));
    // UNION drops what both name
    let found: Vec<(EnumText<EntryKind>, String)> =
        with_conn!(conn, |c| in_queries.union(in_rules).load(c))?;
    let mut found: Vec<_> = found
        .into_iter()
        .map(|(EnumText(kind), id)| (kind, id))
        .collect();
    found.sort();
    Ok(found)
}

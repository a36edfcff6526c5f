//! SQL of the ticket board queries. Every statement filters by the business partner.

use std::borrow::Cow;

use diesel::{
    dsl::{count_star, max, sql},
    prelude::*,
    sql_types::BigInt,
};
use diesel_async::RunQueryDsl;

use super::dto::{TicketQueryListQuery, TicketSort};
use crate::{
    common::{
        Audit, Result,
        ids::{BusinessPartnerId, QueryId, QueryIdKind},
        page::{PageRequest, Rows},
    },
    crud::{ActiveCounts, Named, crud_row},
    db::{Conn, paged, schema::queries, sql_types::Jsonb, with_conn},
    ticket_filter::{Field, StoredFilter},
};

/// The fields that clients set.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = queries, treat_none_as_null = true)]
pub struct QueryFields {
    pub name: String,
    pub description: Option<String>,
    pub active: bool,
    pub position: i64,
    pub filter: StoredFilter,
    pub board_columns: Jsonb<Vec<Field>>,
    pub sort: Jsonb<Vec<TicketSort>>,
}

impl Named for QueryFields {
    fn name(&self) -> Cow<'_, str> {
        self.name.as_str().into()
    }

    fn position(&self) -> i64 {
        self.position
    }
}

crud_row!(
    QueryRow in queries,
    id: QueryIdKind,
    owner: BusinessPartnerId,
    filter: business_partner_id,
    column: business_partner_id: BusinessPartnerId,
    fields: QueryFields,
    name_key: name_key,
);

pub(super) async fn list(
    conn: &mut Conn,
    partner: &BusinessPartnerId,
    filter: &TicketQueryListQuery,
    page: &PageRequest,
) -> Result<Rows<QueryRow>> {
    Ok(paged!(
        conn, page,
        select: QueryRow::as_select(),
        from: queries::table.filter(queries::business_partner_id.eq(partner)),
        restrict: |query| {
            if let Some(active) = filter.active {
                query = query.filter(queries::active.eq(active));
            }
        },
        search: queries::search_key, name: queries::sort_key, created_at: queries::created_at,
        updated_at: queries::updated_at, id: queries::id => QueryId,
        numbers: [Position => queries::position]
    ))
}

/// Id, position and name of a partner's queries, in display order.
pub(super) async fn positions(
    conn: &mut Conn,
    partner: &BusinessPartnerId,
) -> Result<Vec<(QueryId, i64, String)>> {
    let query = queries::table
        .filter(queries::business_partner_id.eq(partner))
        .order((queries::position, queries::id))
        .select((queries::id, queries::position, queries::name));
    Ok(with_conn!(conn, |c| query.load(c))?)
}

/// Moves queries to other positions with one statement. Their versions grow by one; `audit` is the
/// time and the author of the change.
pub(super) async fn set_positions(
    conn: &mut Conn,
    partner: &BusinessPartnerId,
    moved: &[(QueryId, i64)],
    audit: &Audit,
) -> Result<()> {
    if moved.is_empty() {
        return Ok(());
    }
    // literals are safe here: ids are UUIDs and positions are numbers
    let cases: Vec<_> = moved
        .iter()
        .map(|(id, position)| format!("WHEN '{id}' THEN {position}"))
        .collect();
    let position = sql::<BigInt>(&format!("CASE id {} END", cases.join(" ")));
    let ids: Vec<_> = moved.iter().map(|(id, _)| *id).collect();
    let update = diesel::update(
        queries::table
            .filter(queries::business_partner_id.eq(partner))
            .filter(queries::id.eq_any(ids)),
    )
    .set((
        queries::position.eq(position),
        queries::version.eq(queries::version + 1),
        queries::updated_at.eq(audit.updated_at),
        queries::updated_by.eq(&audit.updated_by),
    ));
    with_conn!(conn, |c| update.execute(c))?;
    Ok(())
}

/// The highest position of a query.
pub(super) async fn last_position(
    conn: &mut Conn,
    partner: &BusinessPartnerId,
) -> Result<Option<i64>> {
    let query = queries::table
        .filter(queries::business_partner_id.eq(partner))
        .select(max(queries::position));
    Ok(with_conn!(conn, |c| query.first(c))?)
}

/// Counts a partner's queries with one statement.
pub(super) async fn counts(conn: &mut Conn, partner: &BusinessPartnerId) -> Result<ActiveCounts> {
    let query = queries::table
        .filter(queries::business_partner_id.eq(partner))
        .group_by(queries::active)
        .select((queries::active, count_star()));
    let groups: Vec<(bool, i64)> = with_conn!(conn, |c| query.load(c))?;
    let mut counts = ActiveCounts::default();
    for (active, count) in groups {
        counts.add(active, count);
    }
    Ok(counts)
}

/// The active queries, sorted by position.
pub(super) async fn list_active(
    conn: &mut Conn,
    partner: &BusinessPartnerId,
) -> Result<Vec<QueryRow>> {
    Ok(with_conn!(conn, |c| queries::table
        .filter(queries::business_partner_id.eq(partner))
        .filter(queries::active)
        .order((queries::position, queries::id))
        .select(QueryRow::as_select())
        .load(c))?)
}

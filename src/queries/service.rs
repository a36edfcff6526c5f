//! The rules of ticket board queries.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use super::{
    TicketQuery,
    dto::{
        MAX_POSITION, QueryOrder, QueryOrderPut, TicketQueryCreate, TicketQueryListQuery,
        TicketQueryPatch, known_columns, known_order,
    },
    repo::{self, QueryFields, QueryRow},
};
use crate::{
    accesses::filter_references,
    common::{
        Actor, Change, Code, Committed, Draft, Error, FieldError, Rejections, Resource as _,
        Result,
        error::{MAX_FIELD_ERRORS, Reference, ensure_valid},
        ids::{BusinessPartnerId, QueryId},
        lenient_enum::LenientEnum,
        merge_patch,
        page::{PageRequest, Rows},
    },
    crud::{ActiveCounts, ApplyPatch, CrudResource, CrudRow as _, UniqueConstraint},
    db::{Conn, Db, Tx, sql_types::Jsonb},
    i18n::Lang,
    integration::{ConfigurationLock, IntegrationState},
    tags,
    ticket_filter::{
        self, Names,
        parse::QueryFilter,
        references::{self, FilterOwner},
        summary, tag_names,
    },
};

/// Maximum number of queries listed by `incomplete_order`.
const MAX_REFERENCES: usize = 20;

impl CrudResource<ConfigurationLock> for TicketQuery {
    type Row = QueryRow;
    type Create = TicketQueryCreate;
    type Patch = TicketQueryPatch;
    type Filter = TicketQueryListQuery;

    const MAX: i64 = 500;
    const UNIQUE: &'static [UniqueConstraint] = &[UniqueConstraint {
        constraint: "queries_business_partner_id_name_key_key",
        pointer: "/name",
        code: Code::DuplicateName,
    }];
    const LOCALIZED: bool = true;
    const LARGE: bool = true;

    async fn new_fields(
        tx: &mut Tx<'_, IntegrationState>,
        parent: &ConfigurationLock,
        body: TicketQueryCreate,
    ) -> Result<QueryFields> {
        let position = match body.position {
            Some(position) => position,
            None => next_position(repo::last_position(tx.conn, &parent.0).await?),
        };
        Ok(QueryFields {
            name: body.name.into(),
            description: body.description.map(Into::into),
            active: body.active,
            position,
            filter: Jsonb(body.filter.into_filter()),
            board_columns: Jsonb(known_columns(&body.columns)),
            sort: Jsonb(known_order(&body.sort)),
        })
    }

    /// Checks the references of the filter (`docs/domain.md#r8`).
    async fn check_rules(
        tx: &mut Tx<'_, IntegrationState>,
        parent: &ConfigurationLock,
        stored: Option<&QueryRow>,
        fields: &QueryFields,
        rejections: &mut Rejections,
    ) -> Result<()> {
        let before = stored.map(|stored| &stored.fields.filter.0);
        let partner = Some(&parent.0);
        let references = filter_references::check(tx.conn, partner, before, &fields.filter.0).await;
        rejections.collect(references)?;
        Ok(())
    }

    /// Frees the position.
    async fn before_write(
        tx: &mut Tx<'_, IntegrationState>,
        parent: &ConfigurationLock,
        stored: Option<&QueryRow>,
        fields: &QueryFields,
    ) -> Result<()> {
        if stored.is_some_and(|stored| stored.fields.position == fields.position) {
            return Ok(());
        }
        let mut others = repo::positions(tx.conn, &parent.0).await?;
        others.retain(|(id, ..)| stored.is_none_or(|stored| stored.id != *id));
        let moved = displaced(&others, fields.position);
        repo::set_positions(tx.conn, &parent.0, &moved, &tx.created_audit()).await
    }

    async fn after_write(tx: &mut Tx<'_, IntegrationState>, row: &QueryRow) -> Result<()> {
        references::replace_references(tx.conn, FilterOwner::Query(row.id), &row.fields.filter.0)
            .await
    }

    async fn load_page(
        conn: &mut Conn,
        parent: &ConfigurationLock,
        filter: &TicketQueryListQuery,
        page: &PageRequest,
    ) -> Result<Rows<QueryRow>> {
        repo::list(conn, &parent.0, filter, page).await
    }

    async fn to_views(
        conn: &mut Conn,
        parent: &ConfigurationLock,
        _: Option<&IntegrationState>,
        rows: Vec<QueryRow>,
    ) -> Result<Vec<Self>> {
        let owners = rows.iter().map(|row| FilterOwner::Query(row.id));
        let names = references::names_of(conn, owners).await?;
        let filters = rows.iter().map(|row| &row.fields.filter.0);
        let accesses = filter_references::names_in(conn, &parent.0, filters).await?;
        let names = Arc::new(names.with_accesses(accesses));
        let views = rows.into_iter().map(|row| view(row, Arc::clone(&names)));
        Ok(views.collect())
    }

    fn approximate_bytes(&self) -> usize {
        ticket_filter::approximate_bytes(&self.filter)
    }

    fn localize(mut self, lang: Lang) -> Self {
        self.summary = Some((lang, summary(&self.filter, &self.names, lang)));
        self
    }
}

impl ApplyPatch<QueryFields> for TicketQueryPatch {
    fn apply_to(self, fields: &mut QueryFields) {
        let Self {
            name,
            description,
            active,
            position,
            filter,
            columns,
            sort,
        } = self;
        merge_patch::assign(&mut fields.name, name);
        merge_patch::assign(
            &mut fields.description,
            description.map(|text| text.map(Into::into)),
        );
        merge_patch::assign(&mut fields.active, active);
        merge_patch::assign(&mut fields.position, position);
        merge_patch::assign(&mut fields.filter.0, filter.map(QueryFilter::into_filter));
        merge_patch::assign(
            &mut fields.board_columns.0,
            columns.map(|columns| known_columns(&columns)),
        );
        merge_patch::assign(&mut fields.sort.0, sort.map(|sort| known_order(&sort)));
    }
}

fn view(row: QueryRow, names: Arc<Names>) -> TicketQuery {
    let audit = row.audit();
    let QueryFields {
        name,
        description,
        active,
        position,
        filter: Jsonb(filter),
        board_columns: Jsonb(columns),
        sort: Jsonb(sort),
    } = row.fields;
    TicketQuery {
        id: row.id,
        business_partner_id: row.business_partner_id,
        name,
        description,
        active,
        position,
        names,
        filter,
        columns,
        sort,
        summary: None,
        audit,
    }
}

/// The position of a new query: after the last one.
fn next_position(last: Option<i64>) -> i64 {
    last.map_or(1, |last| last.saturating_add(1))
        .min(MAX_POSITION)
}

/// The new positions of the queries that must move so that no other query has `position`. They
/// keep their order.
fn displaced(others: &[(QueryId, i64, String)], position: i64) -> Vec<(QueryId, i64)> {
    let following = others.iter().filter(|(_, at, _)| *at >= position);
    let up = shifted(following, position, 1);
    if up.last().is_none_or(|(_, last)| *last <= MAX_POSITION) {
        return up;
    }
    let preceding = others.iter().rev().filter(|(_, at, _)| *at <= position);
    shifted(preceding, position, -1)
}

/// The new positions of queries that move by `step` until one of them finds a free position.
fn shifted<'q>(
    queries: impl Iterator<Item = &'q (QueryId, i64, String)>,
    occupied: i64,
    step: i64,
) -> Vec<(QueryId, i64)> {
    let mut moved = Vec::new();
    let mut occupied = occupied;
    for (id, at, _) in queries {
        if (at - occupied) * step > 0 {
            break;
        }
        occupied += step;
        moved.push((*id, occupied));
    }
    moved
}

/// Sets the order of all queries of a partner. Their positions become 1, 2, 3, … Idempotent.
///
/// # Errors
///
/// 422 for an invalid body or an id that the partner does not have; 409 `incomplete_order` if one is
/// missing.
pub async fn put_order(
    db: &Db,
    actor: Actor,
    partner: BusinessPartnerId,
    draft: Draft<QueryOrderPut>,
) -> Result<Committed<QueryOrder>> {
    let (body, rejections) = draft.into_parts();
    let rejected = rejections.clone();
    let work = async move |tx: &mut Tx<'_, IntegrationState>| {
        let mut rejections = rejections.clone();
        let partner = tx.locked.business_partner_id().clone();
        let stored = repo::positions(tx.conn, &partner).await?;
        rejections.collect(ensure_known(&stored, &body.query_ids.0))?;
        rejections.finish()?;
        let ids: Vec<_> = body
            .query_ids
            .0
            .iter()
            .filter_map(LenientEnum::known)
            .collect();
        ensure_complete_order(&stored, &ids)?;
        let order = |query_ids| QueryOrder {
            query_ids,
            business_partner_id: partner.clone(),
        };
        let before: Vec<_> = stored.iter().map(|(id, ..)| *id).collect();
        if before == ids {
            return Ok(Change::Unchanged(order(before)));
        }
        let positions: HashMap<_, _> = stored.iter().map(|(id, at, _)| (*id, *at)).collect();
        let moved: Vec<_> = (1..)
            .zip(&ids)
            .map(|(position, id)| (*id, position))
            .filter(|(id, position)| positions.get(id) != Some(position))
            .collect();
        repo::set_positions(tx.conn, &partner, &moved, &tx.created_audit()).await?;
        Ok(Change::Updated {
            before: order(before),
            after: order(ids.clone()),
        })
    };
    let done = db.transact(actor, ConfigurationLock(partner), work).await;
    rejected.or(done)
}

/// An order must not contain queries that the partner does not have.
fn ensure_known(stored: &[(QueryId, i64, String)], ids: &[LenientEnum<QueryId>]) -> Result<()> {
    let known: HashSet<_> = stored.iter().map(|(id, ..)| *id).collect();
    let unknown = ids.iter().enumerate().filter_map(|(index, id)| {
        let id = id.known().filter(|id| !known.contains(id))?;
        let pointer = format!("/query_ids/{index}");
        Some(FieldError::new(pointer, Code::UnknownReference).with("id", id))
    });
    ensure_valid(unknown.take(MAX_FIELD_ERRORS).collect())
}

/// An order must contain all queries of the partner.
fn ensure_complete_order(stored: &[(QueryId, i64, String)], ids: &[QueryId]) -> Result<()> {
    let listed: HashSet<_> = ids.iter().collect();
    let missing: Vec<_> = stored
        .iter()
        .filter(|(id, ..)| !listed.contains(id))
        .map(|(id, _, name)| Reference {
            kind: TicketQuery::KIND,
            id: id.to_string(),
            name: name.clone(),
        })
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let count = missing.len();
    let references = missing.into_iter().take(MAX_REFERENCES).collect();
    Err(Error::client(Code::IncompleteOrder)
        .with("count", count)
        .with_references(references))
}

/// The active queries that accesses may see, sorted by position: those that do not name an internal
/// tag.
pub async fn list_visible(
    conn: &mut Conn,
    partner: &BusinessPartnerId,
) -> Result<Vec<(QueryId, QueryFields)>> {
    let mut queries = list_active(conn, partner).await?;
    let tags_of_queries: Vec<_> = queries
        .iter()
        .map(|(_, fields)| tag_names(&fields.filter.0))
        .collect();
    if tags_of_queries.iter().any(|names| !names.is_empty()) {
        let tags = tags::service::names(conn, partner).await?;
        let mut is_visible = tags_of_queries
            .iter()
            .map(|names| !names.iter().any(|name| tags.is_internal(name)));
        queries.retain(|_| is_visible.next().unwrap_or(false));
    }
    Ok(queries)
}

/// The active queries, sorted by position.
pub async fn list_active(
    conn: &mut Conn,
    partner: &BusinessPartnerId,
) -> Result<Vec<(QueryId, QueryFields)>> {
    let rows = repo::list_active(conn, partner).await?;
    Ok(rows.into_iter().map(|row| (row.id, row.fields)).collect())
}

/// How many queries a partner has.
pub async fn counts(conn: &mut Conn, partner: &BusinessPartnerId) -> Result<ActiveCounts> {
    repo::counts(conn, partner).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case::free(&[1, 2, 4], 3, &[])]
    #[case::run_moves_up(&[1, 2, 3, 5], 2, &[3, 4])]
    #[case::duplicates_are_separated(&[1, 1, 2], 1, &[2, 3, 4])]
    #[case::at_end_run_moves_down(
        &[7, MAX_POSITION - 1, MAX_POSITION],
        MAX_POSITION,
        &[MAX_POSITION - 1, MAX_POSITION - 2]
    )]
    fn occupied_position_is_freed(
        #[case] occupied: &[i64],
        #[case] position: i64,
        #[case] expected: &[i64],
    ) {
        let others: Vec<_> = occupied
            .iter()
            .map(|at| (QueryId::generate(), *at, String::new()))
            .collect();
        let moved: Vec<_> = displaced(&others, position)
            .into_iter()
            .map(|(_, position)| position)
            .collect();
        assert_eq!(moved, expected);
    }

    #[rstest::rstest]
    #[case::first(None, 1)]
    #[case::next(Some(7), 8)]
    #[case::capped(Some(MAX_POSITION), MAX_POSITION)]
    fn new_query_is_placed_last(#[case] last: Option<i64>, #[case] expected: i64) {
        assert_eq!(next_position(last), expected);
    }
}

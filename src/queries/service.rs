//! The rules of ticket board queries.

use super::{
    TicketQuery,
    dto::{
        MAX_POSITION, TicketQueryCreate, TicketQueryListQuery, TicketQueryPatch, known_columns,
        known_order,
    },
    repo::{self, QueryFields, QueryRow},
};
use crate::{
    common::{
        Code, Result,
        ids::{BusinessPartnerId, QueryId},
        merge_patch,
        page::{PageRequest, Rows},
    },
    crud::{ActiveCounts, ApplyPatch, CrudResource, CrudRow as _, UniqueConstraint},
    db::{Conn, Tx, sql_types::Jsonb},
    i18n::Lang,
    integration::{ConfigurationLock, IntegrationState},
    ticket_filter::{
        Names,
        parse::QueryFilter,
        references::{self, Owner},
        summary,
    },
};

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
    async fn apply_rules(
        tx: &mut Tx<'_, IntegrationState>,
        _: &ConfigurationLock,
        stored: Option<&QueryRow>,
        fields: &QueryFields,
    ) -> Result<()> {
        let before = stored.map(|stored| &stored.fields.filter.0);
        references::check_references(tx.conn, before, &fields.filter.0).await
    }

    async fn after_write(tx: &mut Tx<'_, IntegrationState>, row: &QueryRow) -> Result<()> {
        references::replace_references(tx.conn, Owner::Query(row.id), &row.fields.filter.0).await
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
        _: &ConfigurationLock,
        _: Option<&IntegrationState>,
        rows: Vec<QueryRow>,
    ) -> Result<Vec<Self>> {
        let names = references::names_of(conn, rows.iter().map(|row| Owner::Query(row.id))).await?;
        Ok(rows.into_iter().map(|row| view(row, &names)).collect())
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

fn view(row: QueryRow, names: &Names) -> TicketQuery {
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
        names: names.within(&filter),
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

/// The active queries, sorted by position.
pub async fn list_visible(
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
    #[case::first(None, 1)]
    #[case::next(Some(7), 8)]
    #[case::capped(Some(MAX_POSITION), MAX_POSITION)]
    fn new_query_is_placed_last(#[case] last: Option<i64>, #[case] expected: i64) {
        assert_eq!(next_position(last), expected);
    }
}

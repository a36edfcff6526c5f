//! The rules of queries.

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
        Code, Error, FieldError, Result,
        ids::{BusinessPartnerId, QueryId},
        merge_patch,
        page::PageRequest,
    },
    crud::{ApplyPatch, CrudResource, CrudRow as _},
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

/// Stands for a position that nobody named: behind the last one.
const BEHIND_THE_LAST: i64 = -1;

impl CrudResource<ConfigurationLock> for TicketQuery {
    type Row = QueryRow;
    type Create = TicketQueryCreate;
    type Patch = TicketQueryPatch;
    type Filter = TicketQueryListQuery;

    const MAX: i64 = 500;
    const LOCALIZED: bool = true;

    async fn apply_rules(
        tx: &mut Tx<'_, IntegrationState>,
        parent: &ConfigurationLock,
        stored: Option<&QueryRow>,
        fields: &mut QueryFields,
    ) -> Result<()> {
        if fields.position == BEHIND_THE_LAST {
            fields.position = behind(repo::last_position(tx.conn, &parent.0).await?);
        }
        references::check_references(
            tx.conn,
            stored.map(|stored| &stored.fields.filter.0),
            &fields.filter.0,
        )
        .await
    }

    fn duplicate(constraint: &str) -> Error {
        duplicate(constraint)
    }

    async fn after_write(tx: &mut Tx<'_, IntegrationState>, row: &QueryRow) -> Result<()> {
        references::replace_references(tx.conn, Owner::Query(row.id), &row.fields.filter.0).await
    }

    async fn load_page(
        conn: &mut Conn,
        parent: &ConfigurationLock,
        filter: &TicketQueryListQuery,
        page: &PageRequest,
    ) -> Result<Vec<QueryRow>> {
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

impl From<TicketQueryCreate> for QueryFields {
    fn from(body: TicketQueryCreate) -> Self {
        Self {
            name: body.name.into(),
            description: body.description.map(Into::into),
            active: body.active,
            position: body.position.unwrap_or(BEHIND_THE_LAST),
            filter: Jsonb(body.filter.into_filter()),
            board_columns: Jsonb(known_columns(&body.columns)),
            sort: Jsonb(known_order(&body.sort)),
        }
    }
}

impl ApplyPatch<QueryFields> for TicketQueryPatch {
    fn apply_to(self, fields: &mut QueryFields) {
        merge_patch::assign(&mut fields.name, self.name);
        merge_patch::assign(
            &mut fields.description,
            self.description.map(|text| text.map(Into::into)),
        );
        merge_patch::assign(&mut fields.active, self.active);
        merge_patch::assign(&mut fields.position, self.position);
        merge_patch::assign(
            &mut fields.filter.0,
            self.filter.map(QueryFilter::into_filter),
        );
        merge_patch::assign(
            &mut fields.board_columns.0,
            self.columns.map(|columns| known_columns(&columns)),
        );
        merge_patch::assign(
            &mut fields.sort.0,
            self.sort.map(|order| known_order(&order)),
        );
    }
}

fn view(row: QueryRow, names: &Names) -> TicketQuery {
    let audit = row.audit();
    let QueryRow {
        id,
        business_partner_id,
        fields,
        ..
    } = row;
    let QueryFields {
        name,
        description,
        active,
        position,
        filter,
        board_columns,
        sort,
    } = fields;
    TicketQuery {
        id,
        business_partner_id,
        name,
        description,
        active,
        position,
        names: names.within(&filter.0),
        filter: filter.0,
        columns: board_columns.0,
        sort: sort.0,
        summary: None,
        audit,
    }
}

/// The position behind the last query.
fn behind(last: Option<i64>) -> i64 {
    last.map_or(1, |last| last.saturating_add(1))
        .min(MAX_POSITION)
}

/// The active queries in the order of their positions.
pub async fn list_visible(
    conn: &mut Conn,
    partner: &BusinessPartnerId,
) -> Result<Vec<(QueryId, QueryFields)>> {
    Ok(repo::active(conn, partner)
        .await?
        .into_iter()
        .map(|row| (row.id, row.fields))
        .collect())
}

/// How many queries a partner has.
pub async fn count(conn: &mut Conn, partner: &BusinessPartnerId) -> Result<i64> {
    QueryRow::count(conn, partner.as_str()).await
}

/// R7: a query's name exists once per partner, whatever its case.
fn duplicate(constraint: &str) -> Error {
    match constraint {
        "queries_business_partner_id_name_key_key" => {
            Error::from_field(FieldError::new("/name", Code::DuplicateName))
        }
        other => Error::Internal(anyhow::anyhow!("unexpected violation of {other}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r7_a_violated_constraint_names_the_field() {
        assert_eq!(
            duplicate("queries_business_partner_id_name_key_key").code(),
            Code::DuplicateName
        );
        assert_eq!(duplicate("queries_pkey").code(), Code::InternalError);
    }

    #[test]
    fn new_queries_go_behind_the_last_one() {
        assert_eq!(
            [behind(None), behind(Some(7)), behind(Some(MAX_POSITION))],
            [1, 8, MAX_POSITION]
        );
    }
}

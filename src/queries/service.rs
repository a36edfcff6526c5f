//! The rules of queries.

use super::{
    QueryId, TicketQuery,
    dto::{
        MAX_POSITION, TicketQueryCreate, TicketQueryListQuery, TicketQueryPatch, known_columns,
        known_order,
    },
    repo::{self, QueryFacts, QueryRow},
};
use crate::{
    catalog::BusinessPartnerId,
    db::{Conn, Tx, types::Jsonb},
    elements::{Amend, Element, Stored as _},
    integration::{Configuration, Standing},
    kernel::{Code, Error, Fault, Result, page::PageRequest, patch},
    texts::Lang,
    ticket_filter::{
        Names,
        parse::QueryFilter,
        references::{self, Owner},
        summary,
    },
};

/// Stands for a position that nobody named: behind the last one.
const BEHIND_THE_LAST: i64 = -1;

impl Element<Configuration> for TicketQuery {
    type Row = QueryRow;
    type Create = TicketQueryCreate;
    type Patch = TicketQueryPatch;
    type Filter = TicketQueryListQuery;

    const MAX: i64 = 500;
    const WORDED: bool = true;

    async fn settle(
        tx: &mut Tx<'_, Standing>,
        home: &Configuration,
        stored: Option<&QueryRow>,
        facts: &mut QueryFacts,
    ) -> Result<()> {
        if facts.position == BEHIND_THE_LAST {
            facts.position = behind(repo::last_position(tx.conn, &home.0).await?);
        }
        references::settle(
            tx.conn,
            stored.map(|stored| &stored.facts.filter.0),
            &facts.filter.0,
        )
        .await
    }

    fn duplicate(constraint: &str) -> Error {
        duplicate(constraint)
    }

    async fn written(tx: &mut Tx<'_, Standing>, row: &QueryRow) -> Result<()> {
        references::keep(tx.conn, Owner::Query(row.id), &row.facts.filter.0).await
    }

    async fn page(
        conn: &mut Conn,
        home: &Configuration,
        filter: &TicketQueryListQuery,
        page: &PageRequest,
    ) -> Result<Vec<QueryRow>> {
        repo::list(conn, &home.0, filter, page).await
    }

    async fn show(
        conn: &mut Conn,
        _: &Configuration,
        _: Option<&Standing>,
        rows: Vec<QueryRow>,
    ) -> Result<Vec<Self>> {
        let names = references::names_of(conn, rows.iter().map(|row| Owner::Query(row.id))).await?;
        Ok(rows.into_iter().map(|row| shown(row, &names)).collect())
    }

    fn worded(mut self, lang: Lang) -> Self {
        self.summary = Some((lang, summary(&self.filter, &self.names, lang)));
        self
    }
}

impl From<TicketQueryCreate> for QueryFacts {
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

impl Amend<QueryFacts> for TicketQueryPatch {
    fn amend(self, facts: &mut QueryFacts) {
        patch::set(&mut facts.name, self.name);
        patch::set(
            &mut facts.description,
            self.description.map(|text| text.map(Into::into)),
        );
        patch::set(&mut facts.active, self.active);
        patch::set(&mut facts.position, self.position);
        patch::set(
            &mut facts.filter.0,
            self.filter.map(QueryFilter::into_filter),
        );
        patch::set(
            &mut facts.board_columns.0,
            self.columns.map(|columns| known_columns(&columns)),
        );
        patch::set(
            &mut facts.sort.0,
            self.sort.map(|order| known_order(&order)),
        );
    }
}

fn shown(row: QueryRow, names: &Names) -> TicketQuery {
    let audit = row.audit();
    let QueryRow {
        id,
        business_partner_id,
        facts,
        ..
    } = row;
    let QueryFacts {
        name,
        description,
        active,
        position,
        filter,
        board_columns,
        sort,
    } = facts;
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
pub async fn offered(
    conn: &mut Conn,
    partner: &BusinessPartnerId,
) -> Result<Vec<(QueryId, QueryFacts)>> {
    Ok(repo::active(conn, partner)
        .await?
        .into_iter()
        .map(|row| (row.id, row.facts))
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
            Error::at(Fault::new("/name", Code::DuplicateName))
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

//! SQL of the history.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::{
    Action, HistoryEntryId, description,
    dto::{AggregateKind, HistoryEntry, HistoryListQuery, ResourceKind, SystemHistoryListQuery},
};
use crate::{
    common::{
        Result,
        ids::BusinessPartnerId,
        page::{PageKey, PageRequest},
        timestamp::Timestamp,
    },
    db::{
        Conn, first_rows, keyset,
        schema::history,
        sql_types::{EnumText, Jsonb},
        with_conn,
    },
    i18n::Lang,
};

/// A stored entry.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = history)]
pub(super) struct EntryRow {
    id: HistoryEntryId,
    aggregate: EnumText<AggregateKind>,
    business_partner_id: Option<BusinessPartnerId>,
    revision: i64,
    at: Timestamp,
    subject: String,
    client: Option<String>,
    request_id: String,
    resource: EnumText<ResourceKind>,
    resource_id: String,
    action: EnumText<Action>,
    before: Option<Jsonb<serde_json::Value>>,
    after: Option<Jsonb<serde_json::Value>>,
    subject_name: Option<String>,
    actor: Option<String>,
}

impl EntryRow {
    /// The entry with its message in a language.
    pub fn into_entry(self, lang: Lang) -> HistoryEntry {
        let EnumText(resource) = self.resource;
        let EnumText(action) = self.action;
        let before = self.before.map(|state| state.0);
        let after = self.after.map(|state| state.0);
        let resource_name = after
            .as_ref()
            .or(before.as_ref())
            .and_then(description::name);
        HistoryEntry {
            id: self.id,
            aggregate: self.aggregate.0,
            business_partner_id: self.business_partner_id,
            revision: self.revision,
            at: self.at,
            subject: self.subject,
            subject_name: self.subject_name,
            actor: self.actor,
            client: self.client,
            request_id: self.request_id,
            resource,
            resource_id: self.resource_id,
            message: description::message(lang, action, resource, resource_name.as_deref()),
            resource_name,
            action,
            before,
            after,
        }
    }
}

impl PageKey for EntryRow {
    fn sort_key(&self) -> &str {
        &self.resource_id
    }

    fn created_at(&self) -> Timestamp {
        self.at
    }

    fn key_id(&self) -> String {
        self.id.to_string()
    }

    fn number(&self) -> i64 {
        self.revision
    }
}

/// Applies the filters that both lists have to a boxed query.
macro_rules! filtered {
    ($query:expr, $filter:expr) => {{
        let mut query = $query;
        let filter = $filter;
        if let Some(resource) = filter.resource.and_then(|resource| resource.known()) {
            query = query.filter(history::resource.eq(EnumText(resource)));
        }
        if let Some(id) = &filter.resource_id {
            query = query.filter(history::resource_id.eq(id.as_str()));
        }
        if let Some(subject) = &filter.subject {
            query = query.filter(history::subject.eq(subject.as_str()));
        }
        if let Some(subject) = &filter.subject_not {
            query = query.filter(history::subject.ne(subject.as_str()));
        }
        if let Some(from) = filter.from.and_then(|from| from.known()) {
            query = query.filter(history::at.ge(from));
        }
        if let Some(until) = filter.until.and_then(|until| until.known()) {
            query = query.filter(history::at.lt(until));
        }
        query
    }};
}

/// The entries of one page of a business partner.
pub(super) async fn list(
    conn: &mut Conn,
    partner: &BusinessPartnerId,
    filter: &HistoryListQuery,
    page: &PageRequest,
) -> Result<Vec<EntryRow>> {
    Ok(with_conn!(conn, |c, Engine| {
        let query = history::table
            .filter(history::business_partner_id.eq(partner))
            .select(EntryRow::as_select())
            .into_boxed::<Engine>();
        let query = keyset!(
            filtered!(query, filter),
            page.sort.descending,
            history::revision,
            history::id,
            page.after_number::<HistoryEntryId>()?
        );
        first_rows(query, page.limit).load(c)
    })?)
}

/// The entries of one page of the whole system.
pub(super) async fn list_system(
    conn: &mut Conn,
    filter: &SystemHistoryListQuery,
    page: &PageRequest,
) -> Result<Vec<EntryRow>> {
    Ok(with_conn!(conn, |c, Engine| {
        let mut query = history::table
            .select(EntryRow::as_select())
            .into_boxed::<Engine>();
        match filter.aggregate.and_then(|aggregate| aggregate.known()) {
            None => {}
            Some(AggregateKind::CustomerIntegration) => {
                query = query.filter(history::business_partner_id.is_not_null());
            }
            // The index of these entries requires the second condition.
            Some(aggregate) => {
                query = query
                    .filter(history::aggregate.eq(EnumText(aggregate)))
                    .filter(history::business_partner_id.is_null());
            }
        }
        if let Some(partner) = &filter.business_partner_id {
            query = query.filter(history::business_partner_id.eq(partner.as_str()));
        }
        let query = keyset!(
            filtered!(query, filter),
            page.sort.descending,
            history::at,
            history::id,
            page.after_time::<HistoryEntryId>()?
        );
        first_rows(query, page.limit).load(c)
    })?)
}

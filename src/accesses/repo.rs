//! SQL of the accesses: every query begins with the partner.

use diesel::{dsl::count_star, prelude::*};
use diesel_async::RunQueryDsl;

use super::{
    AccessId, Census,
    dto::{AccessListQuery, Language, Role, TicketVisibility},
};
use crate::{
    catalog::BusinessPartnerId,
    db::{Conn, on, paged, schema::accesses, types::Word},
    kernel::{
        Audit, Error, Result,
        ids::ContactId,
        page::{Keyed, PageRequest},
        text::{fold, sort_key},
        time::Timestamp,
    },
};

/// An access as stored.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = accesses, treat_none_as_null = true)]
pub(super) struct AccessRow {
    pub id: AccessId,
    pub business_partner_id: BusinessPartnerId,
    pub contact_id: Option<ContactId>,
    pub first_name: String,
    pub last_name: String,
    pub email: String,
    pub language: Word<Language>,
    pub role: Word<Role>,
    pub approver: bool,
    pub ticket_visibility: Word<TicketVisibility>,
    pub active: bool,
    sort_key: String,
    search_key: String,
    version: i64,
    created_at: Timestamp,
    updated_at: Timestamp,
    created_by: String,
    updated_by: String,
}

/// What people decide about an access; the rest of its row follows from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Facts {
    pub contact_id: Option<ContactId>,
    pub first_name: String,
    pub last_name: String,
    pub email: String,
    pub language: Language,
    pub role: Role,
    pub approver: bool,
    pub ticket_visibility: TicketVisibility,
    pub active: bool,
}

impl AccessRow {
    pub fn new(id: AccessId, business_partner_id: BusinessPartnerId, facts: Facts, audit: Audit) -> Self {
        let name = format!("{} {}", facts.last_name, facts.first_name);
        let (sort_key, search_key) = (sort_key(&name), fold(&format!("{name} {}", facts.email)));
        Self {
            id,
            business_partner_id,
            contact_id: facts.contact_id,
            first_name: facts.first_name,
            last_name: facts.last_name,
            email: facts.email,
            language: Word(facts.language),
            role: Word(facts.role),
            approver: facts.approver,
            ticket_visibility: Word(facts.ticket_visibility),
            active: facts.active,
            sort_key,
            search_key,
            version: audit.version,
            created_at: audit.created_at,
            updated_at: audit.updated_at,
            created_by: audit.created_by,
            updated_by: audit.updated_by,
        }
    }

    pub fn facts(&self) -> Facts {
        Facts {
            contact_id: self.contact_id.clone(),
            first_name: self.first_name.clone(),
            last_name: self.last_name.clone(),
            email: self.email.clone(),
            language: self.language.0,
            role: self.role.0,
            approver: self.approver,
            ticket_visibility: self.ticket_visibility.0,
            active: self.active,
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

impl Keyed for AccessRow {
    fn sort_key(&self) -> &str {
        &self.sort_key
    }

    fn created_at(&self) -> Timestamp {
        self.created_at
    }

    fn key_id(&self) -> String {
        self.id.to_string()
    }
}

pub(super) async fn find(conn: &mut Conn, partner: &BusinessPartnerId, id: AccessId) -> Result<Option<AccessRow>> {
    Ok(on!(conn, |c| accesses::table
        .filter(accesses::business_partner_id.eq(partner))
        .filter(accesses::id.eq(id))
        .select(AccessRow::as_select())
        .first(c))
    .optional()?)
}

pub(super) async fn list(
    conn: &mut Conn,
    partner: &BusinessPartnerId,
    filter: &AccessListQuery,
    page: &PageRequest,
) -> Result<Vec<AccessRow>> {
    Ok(on!(conn, |c, Engine| {
        let mut query = accesses::table
            .filter(accesses::business_partner_id.eq(partner))
            .select(AccessRow::as_select())
            .into_boxed::<Engine>();
        if let Some(active) = filter.active {
            query = query.filter(accesses::active.eq(active));
        }
        if let Some(role) = filter.role {
            query = query.filter(accesses::role.eq(Word(role)));
        }
        paged!(
            query, page,
            search: accesses::search_key, name: accesses::sort_key, created_at: accesses::created_at,
            id: accesses::id => AccessId
        )
        .load(c)
    })?)
}

/// Counts a partner's accesses in one query.
pub(super) async fn census(conn: &mut Conn, partner: &BusinessPartnerId) -> Result<Census> {
    let groups: Vec<(Word<Role>, bool, bool, i64)> = on!(conn, |c| accesses::table
        .filter(accesses::business_partner_id.eq(partner))
        .group_by((accesses::role, accesses::approver, accesses::active))
        .select((accesses::role, accesses::approver, accesses::active, count_star()))
        .load(c))?;
    Ok(groups.into_iter().fold(Census::default(), |mut census, (Word(role), approver, active, count)| {
        census.all += count;
        census.active += if active { count } else { 0 };
        census.active_creators += if active && role.may_create() { count } else { 0 };
        census.active_approvers += if active && approver { count } else { 0 };
        census
    }))
}

/// Writes a new row. The outer error is a failure, the inner one names a UNIQUE constraint that is in the way.
pub(super) async fn insert(conn: &mut Conn, row: &AccessRow) -> Result<Result<(), String>> {
    unique(on!(conn, |c| diesel::insert_into(accesses::table).values(row).execute(c)))
}

/// Overwrites a row of its partner; errors as in [`insert`].
pub(super) async fn update(conn: &mut Conn, row: &AccessRow) -> Result<Result<(), String>> {
    let own = accesses::table.find(row.id).filter(accesses::business_partner_id.eq(&row.business_partner_id));
    unique(on!(conn, |c| diesel::update(own).set(row).execute(c)))
}

fn unique(outcome: diesel::QueryResult<usize>) -> Result<Result<(), String>> {
    match outcome {
        Ok(0) => Err(Error::Internal(anyhow::anyhow!("no row was written"))),
        Ok(_) => Ok(Ok(())),
        Err(error) => match crate::db::violation::constraint(&error) {
            Some(constraint) => Ok(Err(constraint)),
            None => Err(error.into()),
        },
    }
}

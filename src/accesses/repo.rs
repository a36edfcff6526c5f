//! SQL of the accesses.

use std::borrow::Cow;

use diesel::{dsl::count_star, prelude::*};
use diesel_async::RunQueryDsl;

use super::{
    AccessCounts, AccessRef, Role, TicketVisibility,
    dto::{AccessListQuery, AllAccessListQuery, Language},
};
use crate::{
    catalog::EntryKind,
    common::{
        Result,
        comma_separated::CommaSeparated,
        ids::{AccessId, AccessIdKind, BusinessPartnerId, ContactId},
        page::{PageKey, PageRequest, Rows, SortKey},
        timestamp::Timestamp,
    },
    crud::{Named, crud_row},
    db::{
        Conn, paged,
        schema::{accesses, catalog_entries as partners, customer_integrations as integrations},
        sql_types::EnumText,
        with_conn,
    },
};

/// The fields that clients set.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = accesses, treat_none_as_null = true)]
pub struct AccessFields {
    pub contact_id: Option<ContactId>,
    pub first_name: String,
    pub last_name: String,
    pub email: String,
    pub language: EnumText<Language>,
    pub role: EnumText<Role>,
    pub approver: bool,
    pub ticket_visibility: EnumText<TicketVisibility>,
    pub active: bool,
}

impl Named for AccessFields {
    fn name(&self) -> Cow<'_, str> {
        format!("{} {}", self.last_name, self.first_name).into()
    }

    fn search_text(&self) -> Cow<'_, str> {
        format!("{} {} {}", self.last_name, self.first_name, self.email).into()
    }

    fn text(&self, key: SortKey) -> Cow<'_, str> {
        match key {
            SortKey::Email => self.email.as_str().into(),
            SortKey::Role => <&str>::from(self.role.0).into(),
            _ => self.name(),
        }
    }
}

crud_row!(
    AccessRow in accesses,
    id: AccessIdKind,
    owner: BusinessPartnerId,
    filter: business_partner_id,
    column: business_partner_id: BusinessPartnerId,
    fields: AccessFields,
);

pub(super) async fn list(
    conn: &mut Conn,
    partner: &BusinessPartnerId,
    filter: &AccessListQuery,
    page: &PageRequest,
) -> Result<Rows<AccessRow>> {
    let roles = filter.role.as_ref().map(roles);
    Ok(paged!(
        conn, page,
        select: AccessRow::as_select(),
        from: accesses::table.filter(accesses::business_partner_id.eq(partner)),
        restrict: |query| {
            if let Some(active) = filter.active {
                query = query.filter(accesses::active.eq(active));
            }
            if let Some(roles) = &roles {
                query = query.filter(accesses::role.eq_any(roles.clone()));
            }
            if let Some(contact) = &filter.contact_id {
                query = query.filter(accesses::contact_id.eq(contact.as_str()));
            }
        },
        search: accesses::search_key, name: accesses::sort_key, created_at: accesses::created_at,
        updated_at: accesses::updated_at, id: accesses::id => AccessId,
        texts: [Email => accesses::email, Role => accesses::role]
    ))
}

/// An access, and whether its integration and its business partner are active.
pub(super) struct ListedAccess {
    pub access: AccessRow,
    pub integration_active: bool,
    pub partner_active: bool,
}

impl PageKey for ListedAccess {
    fn sort_key(&self) -> &str {
        self.access.sort_key()
    }

    fn created_at(&self) -> Timestamp {
        self.access.created_at()
    }

    fn updated_at(&self) -> Timestamp {
        self.access.updated_at()
    }

    fn key_id(&self) -> String {
        self.access.key_id()
    }

    fn text(&self, key: SortKey) -> Cow<'_, str> {
        self.access.text(key)
    }
}

/// The accesses of all partners. `only` limits the list to one partner.
pub(super) async fn list_all(
    conn: &mut Conn,
    only: Option<&BusinessPartnerId>,
    filter: &AllAccessListQuery,
    page: &PageRequest,
) -> Result<Rows<ListedAccess>> {
    let Rows { rows, total } = paged!(
        conn, page,
        select: (AccessRow::as_select(), integrations::active, partners::active),
        from: accesses::table
            .inner_join(
                integrations::table
                    .on(integrations::business_partner_id.eq(accesses::business_partner_id)),
            )
            .inner_join(
                partners::table.on(partners::kind
                    .eq(EnumText(EntryKind::BusinessPartner))
                    .and(partners::id.eq(accesses::business_partner_id))),
            ),
        restrict: |query| {
            if let Some(only) = only {
                query = query.filter(accesses::business_partner_id.eq(only));
            }
            if let Some(email) = &filter.email {
                query = query.filter(accesses::email.eq(String::from(email.clone())));
            }
            if let Some(contact) = &filter.contact_id {
                query = query.filter(accesses::contact_id.eq(contact.as_str()));
            }
            if let Some(active) = filter.active {
                query = query.filter(accesses::active.eq(active));
            }
        },
        search: accesses::search_key, name: accesses::sort_key, created_at: accesses::created_at,
        updated_at: accesses::updated_at, id: accesses::id => AccessId,
        texts: [Email => accesses::email]
    );
    let rows: Vec<(AccessRow, bool, bool)> = rows;
    let rows = rows
        .into_iter()
        .map(
            |(access, integration_active, partner_active)| ListedAccess {
                access,
                integration_active,
                partner_active,
            },
        )
        .collect();
    Ok(Rows { rows, total })
}

fn roles(CommaSeparated(roles): &CommaSeparated<Role>) -> Vec<EnumText<Role>> {
    roles.iter().copied().map(EnumText).collect()
}

/// An access of any partner, and the revision of its partner's integration, read by one statement.
pub async fn look_up(conn: &mut Conn, access: &AccessRef) -> Result<Option<(AccessRow, i64)>> {
    Ok(with_conn!(conn, |c, Engine| {
        let query = accesses::table
            .inner_join(
                integrations::table
                    .on(integrations::business_partner_id.eq(accesses::business_partner_id)),
            )
            .select((AccessRow::as_select(), integrations::revision))
            .into_boxed::<Engine>();
        match access {
            AccessRef::Id(id) => query.filter(accesses::id.eq(*id)),
            AccessRef::Email(email) => query.filter(accesses::email.eq(email.as_str())),
        }
        .first(c)
    })
    .optional()?)
}

/// The accesses that have this e-mail address, of any partner, or this contact, of this partner.
pub(super) async fn find_conflicts(
    conn: &mut Conn,
    partner: &BusinessPartnerId,
    email: &str,
    contact: Option<&ContactId>,
) -> Result<Vec<AccessRow>> {
    let same_contact = accesses::business_partner_id
        .eq(partner)
        .and(accesses::contact_id.eq(contact));
    Ok(with_conn!(conn, |c| accesses::table
        .filter(accesses::email.eq(email).or(same_contact.assume_not_null()))
        .select(AccessRow::as_select())
        .load(c))?)
}

/// The first `limit` accesses of a partner, sorted by name: of `ids`, or the active ones if `None`.
pub async fn list_for_preview(
    conn: &mut Conn,
    partner: &BusinessPartnerId,
    ids: Option<&[AccessId]>,
    limit: i64,
) -> Result<Vec<AccessRow>> {
    Ok(with_conn!(conn, |c, Engine| {
        let mut query = accesses::table
            .filter(accesses::business_partner_id.eq(partner))
            .select(AccessRow::as_select())
            .into_boxed::<Engine>();
        query = match ids {
            Some(ids) => query.filter(accesses::id.eq_any(ids.to_vec())),
            None => query.filter(accesses::active),
        };
        query
            .order((accesses::sort_key, accesses::id))
            .limit(limit)
            .load(c)
    })?)
}

/// The partners of accesses, without duplicates.
pub async fn partners(conn: &mut Conn, ids: &[AccessId]) -> Result<Vec<BusinessPartnerId>> {
    Ok(with_conn!(conn, |c| accesses::table
        .filter(accesses::id.eq_any(ids.to_vec()))
        .select(accesses::business_partner_id)
        .distinct()
        .order(accesses::business_partner_id)
        .load(c))?)
}

/// Most ids in one statement. SQLite allows 32,766 parameters.
const MAX_IDS: usize = 10_000;

/// Id, first and last name of the accesses with these ids, of one partner or of all.
pub(super) async fn names(
    conn: &mut Conn,
    partner: Option<&BusinessPartnerId>,
    ids: &[AccessId],
) -> Result<Vec<(AccessId, String, String)>> {
    let mut names = Vec::new();
    for ids in ids.chunks(MAX_IDS) {
        let found: Vec<_> = with_conn!(conn, |c, Engine| {
            let query = accesses::table
                .filter(accesses::id.eq_any(ids.to_vec()))
                .select((accesses::id, accesses::first_name, accesses::last_name))
                .into_boxed::<Engine>();
            match partner {
                Some(partner) => query.filter(accesses::business_partner_id.eq(partner)),
                None => query,
            }
            .load(c)
        })?;
        names.extend(found);
    }
    Ok(names)
}

/// Counts a partner's accesses with one query.
pub async fn access_counts(conn: &mut Conn, partner: &BusinessPartnerId) -> Result<AccessCounts> {
    let groups: Vec<(EnumText<Role>, bool, bool, i64)> = with_conn!(conn, |c| accesses::table
        .filter(accesses::business_partner_id.eq(partner))
        .group_by((accesses::role, accesses::approver, accesses::active))
        .select((
            accesses::role,
            accesses::approver,
            accesses::active,
            count_star()
        ))
        .load(c))?;
    let mut counts = AccessCounts::default();
    for (EnumText(role), approver, active, count) in groups {
        counts.all += count;
        if active {
            counts.active += count;
            counts.active_creators += if role.may_create() { count } else { 0 };
            counts.active_approvers += if approver { count } else { 0 };
        }
    }
    Ok(counts)
}

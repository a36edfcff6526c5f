//! SQL of the accesses: every query begins with the partner.

use std::borrow::Cow;

use diesel::{dsl::count_star, prelude::*};
use diesel_async::RunQueryDsl;

use super::{
    AccessCounts, AccessRef, Role, TicketVisibility,
    dto::{AccessListQuery, Language},
};
use crate::{
    common::{
        Result,
        ids::{AccessId, AccessIdKind, BusinessPartnerId, ContactId},
        page::PageRequest,
    },
    crud::{Named, crud_row},
    db::{
        Conn, paged,
        schema::{accesses, customer_integrations as integrations},
        sql_types::EnumText,
        with_conn,
    },
};

/// What people decide about an access.
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

    fn searched(&self) -> Cow<'_, str> {
        format!("{} {} {}", self.last_name, self.first_name, self.email).into()
    }
}

crud_row!(
    AccessRow of AccessIdKind in accesses, fields: AccessFields,
    owner: business_partner_id (business_partner_id: BusinessPartnerId)
);

pub(super) async fn list(
    conn: &mut Conn,
    partner: &BusinessPartnerId,
    filter: &AccessListQuery,
    page: &PageRequest,
) -> Result<Vec<AccessRow>> {
    Ok(with_conn!(conn, |c, Engine| {
        let mut query = accesses::table
            .filter(accesses::business_partner_id.eq(partner))
            .select(AccessRow::as_select())
            .into_boxed::<Engine>();
        if let Some(active) = filter.active {
            query = query.filter(accesses::active.eq(active));
        }
        if let Some(role) = filter.role {
            query = query.filter(accesses::role.eq(EnumText(role)));
        }
        paged!(
            query, page,
            search: accesses::search_key, name: accesses::sort_key, created_at: accesses::created_at,
            id: accesses::id => AccessId
        )
        .load(c)
    })?)
}

/// Who an access is, of whichever partner, and the revision of its partner's integration, by one statement.
pub(super) async fn look_up(conn: &mut Conn, who: &AccessRef) -> Result<Option<(AccessRow, i64)>> {
    Ok(with_conn!(conn, |c, Engine| {
        let query = accesses::table
            .inner_join(
                integrations::table
                    .on(integrations::business_partner_id.eq(accesses::business_partner_id)),
            )
            .select((AccessRow::as_select(), integrations::revision))
            .into_boxed::<Engine>();
        match who {
            AccessRef::Id(id) => query.filter(accesses::id.eq(*id)),
            AccessRef::Email(email) => query.filter(accesses::email.eq(email.as_str())),
        }
        .first(c)
    })
    .optional()?)
}

/// The accesses of any partner with this e-mail address, and that of this partner with this contact.
pub(super) async fn find_conflicts(
    conn: &mut Conn,
    partner: &BusinessPartnerId,
    email: &str,
    contact: Option<&ContactId>,
) -> Result<Vec<AccessRow>> {
    let of_contact = accesses::business_partner_id
        .eq(partner)
        .and(accesses::contact_id.eq(contact));
    Ok(with_conn!(conn, |c| accesses::table
        .filter(accesses::email.eq(email).or(of_contact.assume_not_null()))
        .select(AccessRow::as_select())
        .load(c))?)
}

/// Some of a partner's accesses in the order of their list: those named, or else the first active ones.
pub(super) async fn list_for_preview(
    conn: &mut Conn,
    partner: &BusinessPartnerId,
    named: Option<&[AccessId]>,
    limit: i64,
) -> Result<Vec<AccessRow>> {
    Ok(with_conn!(conn, |c, Engine| {
        let mut query = accesses::table
            .filter(accesses::business_partner_id.eq(partner))
            .select(AccessRow::as_select())
            .into_boxed::<Engine>();
        query = match named {
            Some(named) => query.filter(accesses::id.eq_any(named.to_vec())),
            None => query.filter(accesses::active),
        };
        query
            .order((accesses::sort_key, accesses::id))
            .limit(limit)
            .load(c)
    })?)
}

/// The partners that some accesses are of.
pub(super) async fn partners(
    conn: &mut Conn,
    named: &[AccessId],
) -> Result<Vec<BusinessPartnerId>> {
    Ok(with_conn!(conn, |c| accesses::table
        .filter(accesses::id.eq_any(named.to_vec()))
        .select(accesses::business_partner_id)
        .distinct()
        .order(accesses::business_partner_id)
        .load(c))?)
}

/// Counts a partner's accesses in one query.
pub(super) async fn access_counts(
    conn: &mut Conn,
    partner: &BusinessPartnerId,
) -> Result<AccessCounts> {
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
    Ok(groups.into_iter().fold(
        AccessCounts::default(),
        |mut access_counts, (EnumText(role), approver, active, count)| {
            access_counts.all += count;
            access_counts.active += if active { count } else { 0 };
            access_counts.active_creators += if active && role.may_create() {
                count
            } else {
                0
            };
            access_counts.active_approvers += if active && approver { count } else { 0 };
            access_counts
        },
    ))
}

//! SQL of the exclusion rules. Every query filters by the owner.

use std::borrow::Cow;

use diesel::{dsl::count_star, prelude::*};
use diesel_async::RunQueryDsl;

use super::RuleOwner;
use crate::{
    common::{
        Result,
        ids::{BusinessPartnerId, RuleId, RuleIdKind},
        page::{PageRequest, Rows},
    },
    crud::{Named, Owner as _, crud_row},
    db::{
        Conn, paged,
        schema::exclusion_rules as rules,
        sql_types::{Jsonb, RawJson},
        with_conn,
    },
    ticket_filter::{StoredFilter, TicketFilter},
};

/// The fields that clients set.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = rules, treat_none_as_null = true)]
pub struct RuleFields {
    pub name: String,
    pub description: Option<String>,
    pub active: bool,
    pub filter: StoredFilter,
}

impl Named for RuleFields {
    fn name(&self) -> Cow<'_, str> {
        self.name.as_str().into()
    }
}

crud_row!(
    RuleRow in rules,
    id: RuleIdKind,
    owner: RuleOwner,
    filter: owner,
    column: business_partner_id: Option<BusinessPartnerId>,
    fields: RuleFields,
    name_key: name_key,
);

pub(super) async fn list(
    conn: &mut Conn,
    owners: &[RuleOwner],
    active: Option<bool>,
    page: &PageRequest,
) -> Result<Rows<RuleRow>> {
    let owners = keys(owners);
    Ok(paged!(
        conn, page,
        select: RuleRow::as_select(),
        from: rules::table.filter(rules::owner.eq_any(owners.clone())),
        restrict: |query| {
            if let Some(active) = active {
                query = query.filter(rules::active.eq(active));
            }
        },
        search: rules::search_key, name: rules::sort_key, created_at: rules::created_at,
        updated_at: rules::updated_at, id: rules::id => RuleId
    ))
}

/// Id, name and filter of the active rules of an owner, sorted by name.
pub async fn list_active(
    conn: &mut Conn,
    owner: &RuleOwner,
) -> Result<Vec<(RuleId, String, TicketFilter)>> {
    let rules = list_active_unparsed(conn, owner).await?;
    rules
        .into_iter()
        .map(|(id, name, filter)| Ok((id, name, filter.parse().map_err(anyhow::Error::from)?)))
        .collect()
}

/// As [`list_active`], with unparsed filters: parsing the largest ones takes hundreds of
/// milliseconds, which must not be spent on a worker.
pub async fn list_active_unparsed(
    conn: &mut Conn,
    owner: &RuleOwner,
) -> Result<Vec<(RuleId, String, RawJson)>> {
    Ok(with_conn!(conn, |c| rules::table
        .filter(rules::owner.eq(owner.key()))
        .filter(rules::active)
        .order((rules::sort_key, rules::id))
        .select((rules::id, rules::name, rules::filter))
        .load(c))?)
}

/// An active rule that applies to a partner.
#[derive(Debug)]
pub struct ApplyingRule {
    pub id: RuleId,
    /// `None` for a global rule.
    pub owner: Option<BusinessPartnerId>,
    pub name: String,
    pub filter: TicketFilter,
}

/// The active rules that apply to a partner, global ones included, sorted by name.
pub async fn list_applying(
    conn: &mut Conn,
    partner: &BusinessPartnerId,
) -> Result<Vec<ApplyingRule>> {
    let owners = [RuleOwner::Partner(partner.clone()), RuleOwner::Global];
    let query = rules::table
        .filter(rules::owner.eq_any(keys(&owners)))
        .filter(rules::active)
        .order((rules::sort_key, rules::id))
        .select((
            rules::id,
            rules::business_partner_id,
            rules::name,
            rules::filter,
        ));
    let rows: Vec<(RuleId, Option<BusinessPartnerId>, String, StoredFilter)> =
        with_conn!(conn, |c| query.load(c))?;
    Ok(rows
        .into_iter()
        .map(|(id, owner, name, Jsonb(filter))| ApplyingRule {
            id,
            owner,
            name,
            filter,
        })
        .collect())
}

/// The numbers of rules by owner and `active`, with one statement.
pub(super) async fn counts(
    conn: &mut Conn,
    owners: &[RuleOwner],
) -> Result<Vec<(String, bool, i64)>> {
    let query = rules::table
        .filter(rules::owner.eq_any(keys(owners)))
        .group_by((rules::owner, rules::active))
        .select((rules::owner, rules::active, count_star()));
    Ok(with_conn!(conn, |c| query.load(c))?)
}

fn keys(owners: &[RuleOwner]) -> Vec<&str> {
    owners.iter().map(RuleOwner::key).collect()
}

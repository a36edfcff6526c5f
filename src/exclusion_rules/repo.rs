//! SQL of the exclusion rules: every query begins with the owner, a partner's id or '' for the global ones.

use std::borrow::Cow;

use diesel::{dsl::exists, prelude::*};
use diesel_async::RunQueryDsl;

use super::GLOBAL;
use crate::{
    catalog::EntryKind,
    common::{
        Result,
        ids::{BusinessPartnerId, RuleId, RuleIdKind},
        page::PageRequest,
    },
    crud::{Named, crud_row},
    db::{
        Conn, paged,
        schema::{exclusion_rules as rules, filter_references as refs},
        sql_types::EnumText,
        with_conn,
    },
    ticket_filter::{StoredFilter, TicketFilter},
};

/// What people decide about a rule.
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
    RuleRow of RuleIdKind in rules, fields: RuleFields,
    owner: owner (business_partner_id: Option<BusinessPartnerId>), unique: name_key
);

pub(super) async fn list(
    conn: &mut Conn,
    owners: &[&str],
    active: Option<bool>,
    page: &PageRequest,
) -> Result<Vec<RuleRow>> {
    Ok(with_conn!(conn, |c, Engine| {
        let mut query = rules::table
            .filter(rules::owner.eq_any(owners.to_vec()))
            .select(RuleRow::as_select())
            .into_boxed::<Engine>();
        if let Some(active) = active {
            query = query.filter(rules::active.eq(active));
        }
        paged!(
            query, page,
            search: rules::search_key, name: rules::sort_key, created_at: rules::created_at, id: rules::id => RuleId
        )
        .load(c)
    })?)
}

/// The active rules of one owner in their order: id, name and filter of each.
pub(super) async fn list_active(
    conn: &mut Conn,
    owner: &str,
) -> Result<Vec<(RuleId, String, StoredFilter)>> {
    Ok(with_conn!(conn, |c| rules::table
        .filter(rules::owner.eq(owner))
        .filter(rules::active)
        .order((rules::sort_key, rules::id))
        .select((rules::id, rules::name, rules::filter))
        .load(c))?)
}

/// The filters of the active rules, global ones included, that name areas: no other can exclude a whole area.
pub(super) async fn filters_with_areas(
    conn: &mut Conn,
    partner: &BusinessPartnerId,
) -> Result<Vec<TicketFilter>> {
    let names_an_area = refs::table
        .filter(refs::exclusion_rule_id.eq(rules::id.nullable()))
        .filter(refs::kind.eq(EnumText(EntryKind::Area)));
    let query = rules::table
        .filter(rules::owner.eq_any(vec![partner.as_str(), GLOBAL]))
        .filter(rules::active)
        .filter(exists(names_an_area))
        .select(rules::filter);
    let found: Vec<StoredFilter> = with_conn!(conn, |c| query.load(c))?;
    Ok(found.into_iter().map(|stored| stored.0).collect())
}

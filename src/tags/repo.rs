//! SQL of the tags. Every query filters by the business partner.

use std::borrow::Cow;

use diesel::{dsl::count_star, prelude::*};
use diesel_async::RunQueryDsl;

use super::dto::TagListQuery;
use crate::{
    common::{
        Result,
        comma_separated::CommaSeparated,
        ids::{AreaId, BusinessPartnerId, TagId, TagIdKind},
        page::{PageRequest, Rows},
    },
    crud::{Named, crud_row},
    db::{Conn, paged, schema::tags, with_conn},
};

/// The fields that clients set.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = tags, treat_none_as_null = true)]
pub struct TagFields {
    pub name: String,
    pub description: Option<String>,
    pub area_id: Option<AreaId>,
    pub internal_only: bool,
}

impl Named for TagFields {
    fn name(&self) -> Cow<'_, str> {
        self.name.as_str().into()
    }
}

crud_row!(
    TagRow in tags,
    id: TagIdKind,
    owner: BusinessPartnerId,
    filter: business_partner_id,
    column: business_partner_id: BusinessPartnerId,
    fields: TagFields,
    name_key: name_key,
);

pub(super) async fn list(
    conn: &mut Conn,
    partner: &BusinessPartnerId,
    filter: &TagListQuery,
    page: &PageRequest,
) -> Result<Rows<TagRow>> {
    let areas = filter.area_id.as_ref().map(|CommaSeparated(areas)| areas);
    Ok(paged!(
        conn, page,
        select: TagRow::as_select(),
        from: tags::table.filter(tags::business_partner_id.eq(partner)),
        restrict: |query| {
            if let Some(areas) = areas {
                query = query.filter(tags::area_id.eq_any(areas.clone()));
            }
            if let Some(internal_only) = filter.internal_only {
                query = query.filter(tags::internal_only.eq(internal_only));
            }
        },
        search: tags::search_key, name: tags::sort_key, created_at: tags::created_at,
        updated_at: tags::updated_at, id: tags::id => TagId
    ))
}

/// Id and name of the first `limit` tags bound to an area, and the number of all such tags.
pub(super) async fn bound_to(
    conn: &mut Conn,
    partner: &BusinessPartnerId,
    area: &AreaId,
    limit: i64,
) -> Result<(Vec<(TagId, String)>, i64)> {
    let bound = || {
        tags::table
            .filter(tags::business_partner_id.eq(partner))
            .filter(tags::area_id.eq(area.as_str()))
    };
    let first = bound()
        .order((tags::sort_key, tags::id))
        .limit(limit)
        .select((tags::id, tags::name));
    let first: Vec<(TagId, String)> = with_conn!(conn, |c| first.load(c))?;
    let total = if first.is_empty() {
        0
    } else {
        with_conn!(conn, |c| bound().select(count_star()).first(c))?
    };
    Ok((first, total))
}

/// Id, name and area of the tags that are not internal, sorted by name. Tags of retired areas are
/// included.
pub async fn list_visible(
    conn: &mut Conn,
    partner: &BusinessPartnerId,
) -> Result<Vec<(TagId, String, Option<AreaId>)>> {
    Ok(with_conn!(conn, |c| tags::table
        .filter(tags::business_partner_id.eq(partner))
        .filter(diesel::dsl::not(tags::internal_only))
        .order((tags::sort_key, tags::id))
        .select((tags::id, tags::name, tags::area_id))
        .load(c))?)
}

/// The case-folded name of each tag, and whether it is internal.
pub(super) async fn name_keys(
    conn: &mut Conn,
    partner: &BusinessPartnerId,
) -> Result<Vec<(String, bool)>> {
    let query = tags::table
        .filter(tags::business_partner_id.eq(partner))
        .select((tags::name_key, tags::internal_only));
    Ok(with_conn!(conn, |c| query.load(c))?)
}

//! Keyset pagination: a page starts after the last row of the previous one. So every page costs the
//! same, and concurrent writes neither skip nor repeat unchanged rows.
//!
//! These are macros, because the types of diesel's boxed queries over generic columns would make a
//! function unreadable.

use diesel::{
    QueryResult,
    backend::Backend,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
};

use crate::common::page::MAX_LIMIT;

/// Loads a requested page of a query, and the number of rows of all pages if requested: restricts
/// by ids and search terms, orders, seeks the cursor, and limits. Evaluates to
/// [`Rows`](crate::common::page::Rows).
///
/// ```ignore
/// paged!(
///     conn, page,
///     select: TagRow::as_select(),
///     from: tags::table.filter(tags::business_partner_id.eq(partner)),
///     restrict: |query| {
///         if let Some(internal_only) = filter.internal_only {
///             query = query.filter(tags::internal_only.eq(internal_only));
///         }
///     },
///     search: tags::search_key, name: tags::sort_key, created_at: tags::created_at,
///     updated_at: tags::updated_at, id: tags::id => TagId
///     // optional: numbers: [Position => t::position], texts: [Email => t::email]
/// )
/// ```
macro_rules! paged {
    (
        $conn:expr, $page:expr,
        select: $select:expr,
        from: $from:expr,
        restrict: |$query:ident| $restrict:block,
        search: $search:expr, name: $name:expr, created_at: $created_at:expr,
        updated_at: $updated_at:expr, id: $id:expr => $Id:ty
        $(, numbers: [$($Number:ident => $number:expr),+])?
        $(, texts: [$($Text:ident => $text:expr),+])?
    ) => {{
        use $crate::common::page::{PageRequest, Rows, SortKey};
        let page: &PageRequest = $page;
        let ids = page.ids::<$Id>()?;
        let is_search = !page.search_terms.is_empty();
        if is_search {
            $conn.plan_for_values(true).await?;
        }
        let rows = async {
            let total: Option<i64> = if page.count {
                let count = $crate::db::with_conn!($conn, |c, Engine| {
                    let mut $query = $from.select(diesel::dsl::count_star()).into_boxed::<Engine>();
                    $restrict
                    $crate::db::selected!($query, page, ids, $search, $id).get_result(c)
                })?;
                Some(count)
            } else {
                None
            };
            let rows = $crate::db::with_conn!($conn, |c, Engine| {
                let mut $query = $from.select($select).into_boxed::<Engine>();
                $restrict
                let query = $crate::db::selected!($query, page, ids, $search, $id);
                let descending = page.sort.descending;
                let query = match page.sort.key {
                    $($(SortKey::$Number => $crate::db::keyset!(
                        query, descending, $number, $id, page.after_number::<$Id>()?
                    ),)+)?
                    $($(SortKey::$Text => $crate::db::keyset!(
                        query, descending, $text, $id, page.after_name::<$Id>()?
                    ),)+)?
                    SortKey::CreatedAt => $crate::db::keyset!(
                        query, descending, $created_at, $id, page.after_time::<$Id>()?
                    ),
                    SortKey::UpdatedAt => $crate::db::keyset!(
                        query, descending, $updated_at, $id, page.after_time::<$Id>()?
                    ),
                    // lists only accept the sort keys they support, so this is the name
                    _ => $crate::db::keyset!(
                        query, descending, $name, $id, page.after_name::<$Id>()?
                    ),
                };
                $crate::db::first_rows(query, page.limit).load(c)
            })?;
            Ok::<_, $crate::common::Error>(Rows { rows, total })
        }
        .await;
        if is_search {
            $conn.plan_for_values(false).await?;
        }
        rows?
    }};
}

/// Restricts a boxed query to the requested ids and search terms.
macro_rules! selected {
    ($query:expr, $page:expr, $ids:expr, $search:expr, $id:expr) => {{
        let mut query = $query;
        if let Some(ids) = &$ids {
            query = query.filter($id.eq_any(ids.clone()));
        }
        for pattern in $crate::db::patterns(&$page.search_terms) {
            query = query.filter($search.like(pattern).escape('\\'));
        }
        query
    }};
}

/// Orders a boxed query by `$key` and `$id`, starting after the position `$after` (`Option<(key,
/// id)>`).
///
/// The condition is `key >= k AND (key > k OR id > i)`, because an index can seek the first half.
macro_rules! keyset {
    ($query:expr, $descending:expr, $key:expr, $id:expr, $after:expr) => {
        match ($descending, $after) {
            (false, None) => $query.order(($key.asc(), $id.asc())),
            (true, None) => $query.order(($key.desc(), $id.desc())),
            (false, Some((k, i))) => $query
                .filter($key.ge(k.clone()))
                .filter($key.gt(k).or($id.gt(i)))
                .order(($key.asc(), $id.asc())),
            (true, Some((k, i))) => $query
                .filter($key.le(k.clone()))
                .filter($key.lt(k).or($id.lt(i)))
                .order(($key.desc(), $id.desc())),
        }
    };
}
pub(crate) use keyset;
pub(crate) use paged;
pub(crate) use selected;

/// A query limited by a number in its text instead of a bind parameter.
///
/// PostgreSQL assumes that `LIMIT $1` returns a tenth of all rows. That makes the generic plan of a
/// page look expensive, so the page would be planned on every execution.
#[derive(Debug, Clone, Copy)]
pub struct FirstRows<Q> {
    query: Q,
    limit: u32,
}

/// Numbers of rows that queries fetch. Each number is a separate prepared statement.
const FETCHED_ROWS: [u32; 6] = [2, 11, 21, 51, 101, MAX_LIMIT + 1];

/// Limits a query to a few more rows than a page has, to detect whether there is a next page.
pub fn first_rows<Q>(query: Q, page_limit: u32) -> FirstRows<Q> {
    let limit = FETCHED_ROWS.into_iter().find(|rows| *rows > page_limit);
    FirstRows {
        query,
        limit: limit.unwrap_or(MAX_LIMIT + 1),
    }
}

impl<Q: Query> Query for FirstRows<Q> {
    type SqlType = Q::SqlType;
}

impl<Q> QueryId for FirstRows<Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<DB: Backend, Q: QueryFragment<DB>> QueryFragment<DB> for FirstRows<Q> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.query.walk_ast(out.reborrow())?;
        out.push_sql(" LIMIT ");
        out.push_sql(&self.limit.to_string());
        Ok(())
    }
}

/// A `LIKE` pattern for each search term, which finds the term anywhere.
///
/// The last pattern is repeated until the number is a power of two. Each number is a separate
/// prepared statement that every connection caches, so this limits their count.
pub fn patterns(terms: &[String]) -> impl Iterator<Item = String> {
    let count = if terms.is_empty() {
        0
    } else {
        terms.len().next_power_of_two()
    };
    terms
        .iter()
        .chain(terms.last().into_iter().cycle())
        .take(count)
        .map(|term| containing(term))
}

/// A `LIKE` pattern with escape character `\` that finds `term` anywhere.
fn containing(term: &str) -> String {
    let mut pattern = String::with_capacity(term.len() + 2);
    pattern.push('%');
    for c in term.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_are_escaped() {
        assert_eq!(containing(r"5%_\"), r"%5\%\_\\%");
    }

    #[rstest::rstest]
    #[case(1, 2)]
    #[case(2, 11)]
    #[case(50, 51)]
    #[case(51, 101)]
    #[case(MAX_LIMIT, MAX_LIMIT + 1)]
    fn query_fetches_more_rows_than_the_page_has(#[case] page_limit: u32, #[case] expected: u32) {
        assert_eq!(first_rows((), page_limit).limit, expected);
    }

    #[rstest::rstest]
    #[case(&[], &[])]
    #[case(&["a"], &["%a%"])]
    #[case(&["a", "b"], &["%a%", "%b%"])]
    #[case(&["a", "b", "c"], &["%a%", "%b%", "%c%", "%c%"])]
    fn number_of_patterns_is_power_of_two(#[case] terms: &[&str], #[case] expected: &[&str]) {
        let terms: Vec<_> = terms.iter().map(|term| (*term).to_owned()).collect();
        assert_eq!(patterns(&terms).collect::<Vec<_>>(), expected);
    }
}

//! Keyset pagination: a page starts after the last row of the previous one. So every page costs the
//! same, and concurrent writes neither skip nor repeat unchanged rows.
//!
//! These are macros, because the types of diesel's boxed queries over generic columns would make a
//! function unreadable.

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
            match page.sort.key {
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
            }
            .limit(page.fetch())
            .load(c)
        })?;
        Rows { rows, total }
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
    #[case(&[], &[])]
    #[case(&["a"], &["%a%"])]
    #[case(&["a", "b"], &["%a%", "%b%"])]
    #[case(&["a", "b", "c"], &["%a%", "%b%", "%c%", "%c%"])]
    fn number_of_patterns_is_power_of_two(#[case] terms: &[&str], #[case] expected: &[&str]) {
        let terms: Vec<_> = terms.iter().map(|term| (*term).to_owned()).collect();
        assert_eq!(patterns(&terms).collect::<Vec<_>>(), expected);
    }
}

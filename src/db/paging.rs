//! Keyset pagination: a page starts after the last row of the previous one. So every page costs the
//! same, and concurrent writes neither skip nor repeat unchanged rows.
//!
//! These are macros, because the types of diesel's boxed queries over generic columns would make a
//! function unreadable.

/// Restricts a boxed query to a requested page: search, order, cursor and limit.
///
/// `paged!(query, page, search: t::search_key, name: t::sort_key, created_at: t::created_at,
/// id: t::id => IdType)`, optionally followed by `, number: t::position`.
macro_rules! paged {
    (
        $query:expr, $page:expr,
        search: $search:expr, name: $name:expr, created_at: $created_at:expr,
        id: $id:expr => $Id:ty $(, number: $number:expr)?
    ) => {{
        let mut query = $query;
        let page: &$crate::common::page::PageRequest = $page;
        let descending = page.sort.descending;
        for pattern in $crate::db::patterns(&page.search_terms) {
            query = query.filter($search.like(pattern).escape('\\'));
        }
        match page.sort.key {
            $($crate::common::page::SortKey::Position => {
                $crate::db::keyset!(query, descending, $number, $id, page.after_number::<$Id>()?)
            })?
            $crate::common::page::SortKey::CreatedAt => {
                $crate::db::keyset!(query, descending, $created_at, $id, page.after_time::<$Id>()?)
            }
            // lists only accept the sort keys they support, so this is the name
            _ => $crate::db::keyset!(query, descending, $name, $id, page.after_name::<$Id>()?),
        }
        .limit(page.fetch())
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

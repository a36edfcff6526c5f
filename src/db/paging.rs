//! Keyset paging: a page begins behind the last row of the one before, so it costs the same however far down it is and
//! no untouched row is lost or repeated while others write.
//!
//! Two short macros, because diesel's types of a boxed query with generic columns do not fit a readable function.

/// Narrows a boxed query to the page that is asked for: searched, ordered, begun behind the cursor, and limited.
///
/// `paged!(query, page, search: t::search_key, name: t::sort_key, created_at: t::created_at, id: t::id => IdType)`
macro_rules! paged {
    ($query:expr, $page:expr, search: $search:expr, name: $name:expr, created_at: $created_at:expr, id: $id:expr => $Id:ty $(, number: $number:expr)?) => {{
        let (mut query, page): (_, &$crate::common::page::PageRequest) = ($query, $page);
        for pattern in $crate::db::patterns(&page.words) {
            query = query.filter($search.like(pattern).escape('\\'));
        }
        match page.sort.key {
            $($crate::common::page::SortKey::Position => {
                $crate::db::keyset!(query, page.sort.descending, $number, $id, page.after_number::<$Id>()?)
            })?
            $crate::common::page::SortKey::CreatedAt => {
                $crate::db::keyset!(query, page.sort.descending, $created_at, $id, page.after_time::<$Id>()?)
            }
            // what has no other order
            _ => $crate::db::keyset!(query, page.sort.descending, $name, $id, page.after_name::<$Id>()?),
        }
        .limit(page.fetch())
    }};
}

/// Orders a boxed query by `$key` and then by `$id`, and begins behind `$after` (`Option<(key, id)>`).
///
/// The bound is written `key >= k AND (key > k OR id > i)`, because the first half is what an index can seek.
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

/// A `LIKE` pattern for each word. The last one is repeated until there are 1, 2, 4, 8 … of them: each number is another statement,
/// and every connection keeps all that it has run.
pub fn patterns(words: &[String]) -> impl Iterator<Item = String> {
    let wanted = if words.is_empty() {
        0
    } else {
        words.len().next_power_of_two()
    };
    words
        .iter()
        .chain(words.last().into_iter().cycle())
        .take(wanted)
        .map(|word| containing(word))
}

/// A `LIKE` pattern (escape `\`) that finds `word` anywhere.
fn containing(word: &str) -> String {
    let mut pattern = String::with_capacity(word.len() + 2);
    pattern.push('%');
    for c in word.chars() {
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
    fn patterns_escape_what_like_interprets() {
        assert_eq!(containing(r"5%_\"), r"%5\%\_\\%");
    }

    #[test]
    fn few_numbers_of_words_make_different_statements() {
        let words = ["a", "b", "c", "d", "e"].map(str::to_owned);
        let numbers = (0..=5).map(|count| patterns(&words[..count]).count());
        assert_eq!(numbers.collect::<Vec<_>>(), [0, 1, 2, 4, 4, 8]);
        assert_eq!(
            patterns(&words[..3]).collect::<Vec<_>>(),
            ["%a%", "%b%", "%c%", "%c%"]
        );
    }
}

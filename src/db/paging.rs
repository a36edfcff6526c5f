//! Keyset paging: a page begins behind the last row of the one before, so it costs the same however far down it is and
//! no untouched row is lost or repeated while others write.

/// Orders a boxed query by `$key` and then by `$id`, and begins behind `$after` (`Option<(key, id)>`).
///
/// The bound is written `key >= k AND (key > k OR id > i)`, because the first half is what an index can seek. It is a macro
/// because diesel's types of a boxed query with generic columns do not fit a readable function.
macro_rules! keyset {
    ($query:expr, $descending:expr, $key:expr, $id:expr, $after:expr) => {{
        let (query, after) = ($query, $after);
        match ($descending, after) {
            (false, None) => query.order(($key.asc(), $id.asc())),
            (true, None) => query.order(($key.desc(), $id.desc())),
            (false, Some((k, i))) => {
                query.filter($key.ge(k.clone())).filter($key.gt(k).or($id.gt(i))).order(($key.asc(), $id.asc()))
            }
            (true, Some((k, i))) => {
                query.filter($key.le(k.clone())).filter($key.lt(k).or($id.lt(i))).order(($key.desc(), $id.desc()))
            }
        }
    }};
}
pub(crate) use keyset;

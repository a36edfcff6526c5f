//! Pages of a list: the requested page, its sort order and search terms, and the cursor of the next
//! one.

mod cursor;
mod sort;

use std::{borrow::Cow, str::FromStr};

use cursor::{Cursor, invalid_cursor};
pub use sort::{Sort, SortKey};

use crate::common::{
    Code, Error, FieldError, Result, ids::check_erp_id, normalize, timestamp::Timestamp,
};

/// Default number of items on a page.
pub const DEFAULT_LIMIT: u32 = 50;
/// Maximum number of items on a page.
pub const MAX_LIMIT: u32 = 200;
/// Maximum length of the search text in Unicode scalar values.
pub const MAX_SEARCH_LENGTH: usize = 200;
/// Maximum number of ids that select the items of a list.
pub const MAX_IDS: usize = 100;
/// Maximum number of search terms.
const MAX_SEARCH_TERMS: usize = 16;

/// The values of a row that a cursor can refer to.
pub trait PageKey {
    /// The folded name.
    fn sort_key(&self) -> &str;

    /// When the row was created.
    fn created_at(&self) -> Timestamp;

    /// When the row was last changed, if the list can be sorted by it.
    fn updated_at(&self) -> Timestamp {
        self.created_at()
    }

    /// The id, unique within the list.
    fn key_id(&self) -> String;

    /// The value of another text column, if the list can be sorted by it.
    fn text(&self, _key: SortKey) -> Cow<'_, str> {
        Cow::Borrowed(self.sort_key())
    }

    /// The position or revision, if the list can be sorted by it.
    fn number(&self) -> i64 {
        0
    }
}

/// The query parameters of a page as sent by the client.
#[derive(Debug, Clone, Copy, Default)]
pub struct RawPage<'a> {
    pub limit: Option<u32>,
    pub sort: Option<&'a str>,
    /// The search text.
    pub q: Option<&'a str>,
    pub cursor: Option<&'a str>,
    /// Ids, separated by commas.
    pub ids: Option<&'a str>,
    pub count: Option<&'a str>,
}

/// A request for one page.
#[derive(Debug, Clone)]
pub struct PageRequest {
    /// Maximum number of items on the page.
    pub limit: u32,
    pub sort: Sort,
    /// Folded search terms; an item must contain all of them.
    pub search_terms: Vec<String>,
    /// Whether to count the items of all pages.
    pub count: bool,
    /// If present, only these items are listed.
    ids: Option<Vec<String>>,
    list: String,
    after: Option<Cursor>,
}

impl PageRequest {
    /// Validates the query parameters of `list`.
    ///
    /// `keys` are the allowed sort keys.
    ///
    /// # Errors
    ///
    /// 400 with all invalid parameters, or with the cursor if everything else is valid.
    pub fn new(list: &str, keys: &[SortKey], raw: RawPage<'_>) -> Result<Self> {
        let mut field_errors = Vec::new();
        let limit = raw.limit.unwrap_or(DEFAULT_LIMIT);
        if !(1..=MAX_LIMIT).contains(&limit) {
            let allowed = format!("1..{MAX_LIMIT}");
            field_errors.push(FieldError::new("limit", Code::OutOfRange).with("allowed", allowed));
        }
        let sort = Sort::parse(raw.sort, keys).unwrap_or_else(|field_error| {
            field_errors.push(field_error);
            Sort::ascending(SortKey::Name)
        });
        let q = raw.q.unwrap_or_default();
        let search_terms = normalize::search_terms(q);
        field_errors.extend(check_search(q, &search_terms));
        let ids = raw.ids.map(split_ids);
        field_errors.extend(ids.as_deref().and_then(check_ids));
        let count = parse_flag("count", raw.count).unwrap_or_else(|field_error| {
            field_errors.push(field_error);
            false
        });
        if !field_errors.is_empty() {
            return Err(Error::field_errors(Code::InvalidParameter, field_errors));
        }
        let after = raw
            .cursor
            .map(|cursor| Cursor::decode(cursor, list, sort))
            .transpose()?;
        Ok(Self {
            limit,
            sort,
            search_terms,
            count,
            ids,
            list: list.to_owned(),
            after,
        })
    }

    /// The last name and id of the previous page, in a list sorted by name.
    pub fn after_name<I: FromStr>(&self) -> Result<Option<(String, I)>> {
        self.after(|key| Some(key.to_owned()))
    }

    /// The last creation time and id of the previous page, in a list sorted by creation time.
    pub fn after_time<I: FromStr>(&self) -> Result<Option<(Timestamp, I)>> {
        self.after(Timestamp::parse)
    }

    /// The last number and id of the previous page, in a list sorted by position or revision.
    pub fn after_number<I: FromStr>(&self) -> Result<Option<(i64, I)>> {
        self.after(|key| key.parse().ok())
    }

    /// The ids to which the list is restricted.
    ///
    /// # Errors
    ///
    /// 400 if one of them is not an id of this kind.
    pub fn ids<I: FromStr>(&self) -> Result<Option<Vec<I>>> {
        let Some(ids) = &self.ids else {
            return Ok(None);
        };
        let parsed: Result<_, I::Err> = ids.iter().map(|id| id.parse()).collect();
        match parsed {
            Ok(ids) => Ok(Some(ids)),
            Err(_) => Err(Error::field_errors(
                Code::InvalidParameter,
                vec![FieldError::new("ids", Code::InvalidId)],
            )),
        }
    }

    fn after<K, I: FromStr>(
        &self,
        parse_key: impl Fn(&str) -> Option<K>,
    ) -> Result<Option<(K, I)>> {
        let Some(cursor) = &self.after else {
            return Ok(None);
        };
        match (parse_key(&cursor.key), cursor.id.parse()) {
            (Some(key), Ok(id)) => Ok(Some((key, id))),
            _ => Err(invalid_cursor()),
        }
    }
}

fn check_search(q: &str, search_terms: &[String]) -> Option<FieldError> {
    if q.chars().count() > MAX_SEARCH_LENGTH {
        Some(FieldError::new("q", Code::TooLong).with("max", MAX_SEARCH_LENGTH))
    } else if q.chars().any(char::is_control) {
        Some(FieldError::new("q", Code::ControlCharacter))
    } else if search_terms.len() > MAX_SEARCH_TERMS {
        Some(FieldError::new("q", Code::TooManyValues).with("max", MAX_SEARCH_TERMS))
    } else {
        None
    }
}

fn split_ids(text: &str) -> Vec<String> {
    text.split(',').map(ToOwned::to_owned).collect()
}

/// Every id, assigned by the ERP or by this service, has the form of an ERP id.
fn check_ids(ids: &[String]) -> Option<FieldError> {
    if ids.len() > MAX_IDS {
        return Some(FieldError::new("ids", Code::TooManyValues).with("max", MAX_IDS));
    }
    ids.iter()
        .any(|id| check_erp_id(id).is_err())
        .then(|| FieldError::new("ids", Code::InvalidId))
}

/// Parses a parameter that is `true` or `false`, by default `false`.
fn parse_flag(name: &str, text: Option<&str>) -> Result<bool, FieldError> {
    text.unwrap_or("false")
        .parse()
        .map_err(|_| FieldError::new(name, Code::UnknownValue).with("allowed", "true, false"))
}

/// The rows fetched for a page.
#[derive(Debug, Clone)]
pub struct Rows<R> {
    /// The rows of the page and, if there is a next page, at least one more.
    pub rows: Vec<R>,
    /// The number of rows of all pages, if requested.
    pub total: Option<i64>,
}

impl<R> From<Vec<R>> for Rows<R> {
    /// Rows that were not counted.
    fn from(rows: Vec<R>) -> Self {
        Self { rows, total: None }
    }
}

/// One page of a list.
#[derive(Debug, Clone)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// The number of items of all pages, if requested.
    pub total: Option<i64>,
    /// Cursor of the next page; `None` on the last one.
    pub next_cursor: Option<String>,
}

impl<R: PageKey> Page<R> {
    /// The page of the `rows` that were fetched for `request`.
    pub fn new(rows: impl Into<Rows<R>>, request: &PageRequest) -> Self {
        let Rows { mut rows, total } = rows.into();
        let limit = request.limit as usize;
        let has_next = rows.len() > limit;
        rows.truncate(limit);
        let next_cursor = rows
            .last()
            .filter(|_| has_next)
            .and_then(|last| Cursor::of(last, request).encode());
        Self {
            items: rows,
            total,
            next_cursor,
        }
    }
}

impl<T> Page<T> {
    /// Converts the items.
    pub fn map<U>(self, convert: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(convert).collect(),
            total: self.total,
            next_cursor: self.next_cursor,
        }
    }
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

    use super::*;

    struct Row(&'static str);

    impl PageKey for Row {
        fn sort_key(&self) -> &str {
            self.0
        }
        fn created_at(&self) -> Timestamp {
            Timestamp::from_unix_micros(0).unwrap()
        }
        fn key_id(&self) -> String {
            self.0.to_uppercase()
        }
    }

    fn request(raw: RawPage<'_>) -> Result<PageRequest> {
        PageRequest::new("/things", SortKey::DEFAULT, raw)
    }

    #[test]
    fn cursor_continues_after_last_row() {
        let raw = RawPage {
            limit: Some(2),
            sort: Some("-name"),
            ..RawPage::default()
        };
        let first = request(raw).unwrap();
        let page = Page::new(vec![Row("c"), Row("b"), Row("a")], &first);
        assert_eq!(page.items.len(), 2);
        let cursor = page.next_cursor.unwrap();
        let raw = RawPage {
            cursor: Some(&cursor),
            ..raw
        };
        let next = request(raw).unwrap();
        assert_eq!(
            next.after_name::<String>().unwrap(),
            Some(("b".to_owned(), "B".to_owned()))
        );
        assert!(Page::new(vec![Row("a")], &next).next_cursor.is_none());
    }

    #[test]
    fn foreign_or_malformed_cursor_is_rejected() {
        let raw = RawPage {
            limit: Some(1),
            ..RawPage::default()
        };
        let cursor = Page::new(vec![Row("a"), Row("b")], &request(raw).unwrap())
            .next_cursor
            .unwrap();
        let raw = RawPage {
            cursor: Some(&cursor),
            ..RawPage::default()
        };
        let elsewhere = PageRequest::new("/others", SortKey::DEFAULT, raw);
        assert_eq!(elsewhere.unwrap_err().code(), Code::InvalidCursor);
        let forged =
            URL_SAFE_NO_PAD.encode(r#"{"l":"/things","s":"Name","d":false,"k":"\u0000","i":"A"}"#);
        for (sort, cursor) in [
            ("-name", cursor.as_str()),
            ("created_at", &cursor),
            ("name", "???"),
            ("name", "e30"),
            ("name", &forged),
        ] {
            let raw = RawPage {
                sort: Some(sort),
                cursor: Some(cursor),
                ..RawPage::default()
            };
            assert_eq!(request(raw).unwrap_err().code(), Code::InvalidCursor);
        }
    }

    #[test]
    fn all_invalid_parameters_are_reported() {
        let long = "x".repeat(MAX_SEARCH_LENGTH + 1);
        let ids = ["a"; MAX_IDS + 1].join(",");
        let raw = RawPage {
            limit: Some(201),
            sort: Some("color"),
            q: Some(&long),
            ids: Some(&ids),
            count: Some("yes"),
            cursor: None,
        };
        let Err(Error::Client(error)) = request(raw) else {
            panic!()
        };
        let pointers: Vec<_> = error
            .field_errors
            .iter()
            .map(|field_error| field_error.pointer.as_str())
            .collect();
        assert_eq!(pointers, ["limit", "sort", "q", "ids", "count"]);
    }

    #[test]
    fn ids_are_separated_by_commas() {
        let raw = RawPage {
            ids: Some("a,B-2"),
            ..RawPage::default()
        };
        let ids = request(raw).unwrap().ids::<String>().unwrap();
        assert_eq!(ids, Some(vec!["a".to_owned(), "B-2".to_owned()]));
        assert_eq!(
            request(RawPage::default())
                .unwrap()
                .ids::<String>()
                .unwrap(),
            None
        );
        for ids in ["", "a,", "a b", "\0"] {
            let raw = RawPage {
                ids: Some(ids),
                ..RawPage::default()
            };
            assert!(request(raw).is_err(), "{ids:?}");
        }
    }
}

//! Pages of a list: what is asked for, and where the next one begins. See [`crate::db`]'s keyset paging.

use std::str::FromStr;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use crate::common::{
    Code, Error, Result, error::FieldError, normalize::search_words, timestamp::Timestamp,
};

/// Items on a page when the caller does not say.
pub const DEFAULT_LIMIT: u32 = 50;
/// Most items on a page.
pub const MAX_LIMIT: u32 = 200;
/// Longest search text.
pub const MAX_SEARCH: usize = 200;
/// Most words of it.
const MAX_WORDS: usize = 16;

/// What a list is ordered by; the id breaks ties, so every order is total.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum SortKey {
    Name,
    CreatedAt,
    /// The place that people gave it.
    Position,
    /// The revision that made it.
    Revision,
}

impl SortKey {
    /// The keys that most lists can be ordered by; the first one is the default.
    pub const DEFAULT: &[Self] = &[Self::Name, Self::CreatedAt];
}

/// An order, written `name` or `-name`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sort {
    pub key: SortKey,
    pub descending: bool,
}

impl Sort {
    /// The order of a list that can be ordered by `keys`, of which the first one is meant when the caller does not say. What is
    /// ordered by revisions begins with the newest.
    fn parse(text: Option<&str>, keys: &[SortKey]) -> Result<Self, FieldError> {
        let first = keys.first().copied().unwrap_or(SortKey::Name);
        let Some(text) = text else {
            return Ok(Self {
                key: first,
                descending: first == SortKey::Revision,
            });
        };
        let (descending, name) = text
            .strip_prefix('-')
            .map_or((false, text), |name| (true, name));
        let key = keys.iter().copied().find(|key| <&str>::from(key) == name);
        key.map(|key| Self { key, descending }).ok_or_else(|| {
            let names: Vec<&str> = keys.iter().map(<&str>::from).collect();
            FieldError::new("sort", Code::OutOfRange).with(
                "allowed",
                names
                    .iter()
                    .map(|name| format!("{name}, -{name}"))
                    .collect::<Vec<_>>()
                    .join(", "),
            )
        })
    }
}

/// The place of a row in an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Cursor {
    /// The list: a place in one means nothing in another.
    #[serde(rename = "l")]
    list: String,
    #[serde(rename = "s")]
    sort: SortKey,
    #[serde(rename = "d")]
    descending: bool,
    #[serde(rename = "k")]
    key: String,
    #[serde(rename = "i")]
    id: String,
}

/// A row that can end a page.
pub trait PageKey {
    /// Its folded name.
    fn sort_key(&self) -> &str;
    fn created_at(&self) -> Timestamp;
    /// Its id, unique within the list.
    fn key_id(&self) -> String;

    /// Its position or revision, where the list can be ordered by that.
    fn number(&self) -> i64 {
        0
    }
}

/// A request for one page.
#[derive(Debug, Clone)]
pub struct PageRequest {
    pub limit: u32,
    pub sort: Sort,
    /// Folded words that all must occur in an item's searched texts.
    pub words: Vec<String>,
    list: String,
    after: Option<Cursor>,
}

impl PageRequest {
    /// Judges the parameters of `list`, all of them.
    pub fn new(
        list: &str,
        keys: &[SortKey],
        limit: Option<u32>,
        sort: Option<&str>,
        q: Option<&str>,
        cursor: Option<&str>,
    ) -> Result<Self> {
        let mut field_errors = Vec::new();
        let limit = limit.unwrap_or(DEFAULT_LIMIT);
        if !(1..=MAX_LIMIT).contains(&limit) {
            field_errors.push(
                FieldError::new("limit", Code::OutOfRange)
                    .with("allowed", format!("1..{MAX_LIMIT}")),
            );
        }
        let sort = Sort::parse(sort, keys).unwrap_or_else(|field_error| {
            field_errors.push(field_error);
            Sort {
                key: SortKey::Name,
                descending: false,
            }
        });
        let q = q.unwrap_or_default();
        let words = search_words(q);
        if q.chars().count() > MAX_SEARCH {
            field_errors.push(FieldError::new("q", Code::TooLong).with("max", MAX_SEARCH));
        } else if q.chars().any(char::is_control) {
            field_errors.push(FieldError::new("q", Code::ControlCharacter));
        } else if words.len() > MAX_WORDS {
            field_errors.push(FieldError::new("q", Code::TooManyValues).with("max", MAX_WORDS));
        }
        if !field_errors.is_empty() {
            return Err(Error::field_errors(Code::InvalidParameter, field_errors));
        }
        let after = cursor
            .map(|cursor| position(cursor, list, sort))
            .transpose()?;
        Ok(Self {
            limit,
            sort,
            words,
            list: list.to_owned(),
            after,
        })
    }

    /// Where a list ordered by name goes on.
    pub fn after_name<I: FromStr>(&self) -> Result<Option<(String, I)>> {
        self.after(|key| Some(key.to_owned()))
    }

    /// Where a list ordered by time of creation goes on.
    pub fn after_time<I: FromStr>(&self) -> Result<Option<(Timestamp, I)>> {
        self.after(Timestamp::parse)
    }

    /// Where a list ordered by numbers goes on.
    pub fn after_number<I: FromStr>(&self) -> Result<Option<(i64, I)>> {
        self.after(|key| key.parse().ok())
    }

    /// How many rows to fetch: one more than asked for tells whether there is a next page.
    pub fn fetch(&self) -> i64 {
        i64::from(self.limit) + 1
    }

    fn after<K, I: FromStr>(&self, key: impl Fn(&str) -> Option<K>) -> Result<Option<(K, I)>> {
        let Some(position) = &self.after else {
            return Ok(None);
        };
        match (key(&position.key), position.id.parse()) {
            (Some(key), Ok(id)) => Ok(Some((key, id))),
            _ => Err(Error::from_field(FieldError::new(
                "cursor",
                Code::InvalidCursor,
            ))),
        }
    }
}

fn position(cursor: &str, list: &str, sort: Sort) -> Result<Cursor> {
    let json = URL_SAFE_NO_PAD.decode(cursor).ok();
    json.and_then(|json| serde_json::from_slice::<Cursor>(&json).ok())
        .filter(|position| {
            position.list == list
                && position.sort == sort.key
                && position.descending == sort.descending
        })
        // a forged one must not bring characters that PostgreSQL refuses
        .filter(|position| {
            !position
                .key
                .chars()
                .chain(position.id.chars())
                .any(char::is_control)
        })
        .ok_or_else(|| Error::from_field(FieldError::new("cursor", Code::InvalidCursor)))
}

/// One page of a list.
#[derive(Debug, Clone)]
pub struct Page<T> {
    pub items: Vec<T>,
    pub next_cursor: Option<String>,
}

impl<R: PageKey> Page<R> {
    /// The page made of the rows fetched for `request`.
    pub fn new(mut rows: Vec<R>, request: &PageRequest) -> Self {
        let limit = request.limit as usize;
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next_cursor = rows
            .last()
            .filter(|_| more)
            .and_then(|last| cursor(last, request));
        Self {
            items: rows,
            next_cursor,
        }
    }
}

impl<T> Page<T> {
    /// The same page of other items.
    pub fn map<U>(self, turn: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(turn).collect(),
            next_cursor: self.next_cursor,
        }
    }
}

fn cursor(row: &impl PageKey, request: &PageRequest) -> Option<String> {
    let PageRequest { sort, list, .. } = request;
    let key = match sort.key {
        SortKey::Name => row.sort_key().to_owned(),
        SortKey::CreatedAt => row.created_at().to_string(),
        SortKey::Position | SortKey::Revision => row.number().to_string(),
    };
    let position = Cursor {
        list: list.clone(),
        sort: sort.key,
        descending: sort.descending,
        key,
        id: row.key_id(),
    };
    serde_json::to_vec(&position)
        .ok()
        .map(|json| URL_SAFE_NO_PAD.encode(json))
}

#[cfg(test)]
mod tests {
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

    #[test]
    fn a_cursor_leads_behind_the_last_row() {
        let first = PageRequest::new(
            "/things",
            SortKey::DEFAULT,
            Some(2),
            Some("-name"),
            None,
            None,
        )
        .unwrap();
        let page = Page::new(vec![Row("c"), Row("b"), Row("a")], &first);
        assert_eq!(page.items.len(), 2);
        let cursor = page.next_cursor.unwrap();
        let next = PageRequest::new(
            "/things",
            SortKey::DEFAULT,
            Some(2),
            Some("-name"),
            None,
            Some(&cursor),
        )
        .unwrap();
        assert_eq!(
            next.after_name::<String>().unwrap(),
            Some(("b".to_owned(), "B".to_owned()))
        );
        assert!(Page::new(vec![Row("a")], &next).next_cursor.is_none());
    }

    #[test]
    fn a_cursor_of_another_order_or_no_cursor_at_all_is_refused() {
        let first =
            PageRequest::new("/things", SortKey::DEFAULT, Some(1), None, None, None).unwrap();
        let cursor = Page::new(vec![Row("a"), Row("b")], &first)
            .next_cursor
            .unwrap();
        let elsewhere =
            PageRequest::new("/others", SortKey::DEFAULT, None, None, None, Some(&cursor));
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
            let refused = PageRequest::new(
                "/things",
                SortKey::DEFAULT,
                None,
                Some(sort),
                None,
                Some(cursor),
            )
            .unwrap_err();
            assert_eq!(refused.code(), Code::InvalidCursor);
        }
    }

    #[test]
    fn all_bad_parameters_are_told() {
        let long = "x".repeat(MAX_SEARCH + 1);
        let Err(Error::Client(refusal)) = PageRequest::new(
            "/things",
            SortKey::DEFAULT,
            Some(201),
            Some("color"),
            Some(&long),
            None,
        ) else {
            panic!()
        };
        let pointers: Vec<_> = refusal
            .field_errors
            .iter()
            .map(|field_error| field_error.pointer.as_str())
            .collect();
        assert_eq!(pointers, ["limit", "sort", "q"]);
    }
}

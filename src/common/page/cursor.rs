//! Cursors: where the next page of a list begins.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use super::{PageKey, PageRequest, Sort, SortKey};
use crate::common::{Code, Error, FieldError, Result};

/// The sort position of the last row of a page. Clients see it as opaque text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Cursor {
    /// The list, because a cursor is meaningless in any other.
    #[serde(rename = "l")]
    list: String,
    #[serde(rename = "s")]
    sort: SortKey,
    #[serde(rename = "d")]
    descending: bool,
    /// The row's value of the sort key.
    #[serde(rename = "k")]
    pub key: String,
    /// The row's id.
    #[serde(rename = "i")]
    pub id: String,
}

impl Cursor {
    pub fn of(row: &impl PageKey, request: &PageRequest) -> Self {
        let PageRequest { sort, list, .. } = request;
        let key = match sort.key {
            SortKey::Name => row.sort_key().to_owned(),
            SortKey::Email | SortKey::Role => row.text(sort.key).into_owned(),
            SortKey::CreatedAt | SortKey::At => row.created_at().to_string(),
            SortKey::UpdatedAt => row.updated_at().to_string(),
            SortKey::Position | SortKey::Revision => row.number().to_string(),
        };
        Self {
            list: list.clone(),
            sort: sort.key,
            descending: sort.descending,
            key,
            id: row.key_id(),
        }
    }

    pub fn encode(&self) -> Option<String> {
        let json = serde_json::to_vec(self).ok()?;
        Some(URL_SAFE_NO_PAD.encode(json))
    }

    /// Decodes a cursor that was issued for `list` in the order `sort`.
    pub fn decode(text: &str, list: &str, sort: Sort) -> Result<Self> {
        let json = URL_SAFE_NO_PAD.decode(text).ok();
        json.and_then(|json| serde_json::from_slice::<Self>(&json).ok())
            .filter(|cursor| cursor.list == list)
            .filter(|cursor| cursor.sort == sort.key && cursor.descending == sort.descending)
            // PostgreSQL rejects NUL, which a forged cursor could contain
            .filter(|cursor| !cursor.key.chars().any(char::is_control))
            .filter(|cursor| !cursor.id.chars().any(char::is_control))
            .ok_or_else(invalid_cursor)
    }
}

pub(super) fn invalid_cursor() -> Error {
    Error::from_field(FieldError::new("cursor", Code::InvalidCursor))
}

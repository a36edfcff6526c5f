//! Sort orders of a list.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::common::{Code, FieldError};

/// The key a list is sorted by. The id breaks ties, so every order is total.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum SortKey {
    Name,
    CreatedAt,
    UpdatedAt,
    Email,
    Role,
    /// The user-defined position.
    Position,
    /// The revision that created the item.
    Revision,
    /// The time of the change.
    At,
}

impl SortKey {
    /// The sort keys of most lists. The first one is the default.
    pub const DEFAULT: &[Self] = &[Self::Name, Self::CreatedAt, Self::UpdatedAt];
}

/// A sort order, written `name` or `-name`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sort {
    pub key: SortKey,
    pub descending: bool,
}

impl Sort {
    /// Sorts by `key` in ascending order.
    pub(super) const fn ascending(key: SortKey) -> Self {
        Self {
            key,
            descending: false,
        }
    }

    /// The order of a list without the parameter `sort`: the first of the allowed `keys`, descending
    /// for changes so that the newest comes first.
    pub fn default_of(keys: &[SortKey]) -> Self {
        let key = keys.first().copied().unwrap_or(SortKey::Name);
        Self {
            key,
            descending: matches!(key, SortKey::Revision | SortKey::At),
        }
    }

    /// All orders of a list with the allowed `keys`.
    pub fn all(keys: &[SortKey]) -> impl Iterator<Item = Self> {
        let orders = |key: &SortKey| {
            let key = *key;
            [false, true].map(|descending| Self { key, descending })
        };
        keys.iter().flat_map(orders)
    }

    /// Parses the `sort` parameter.
    pub(super) fn parse(text: Option<&str>, keys: &[SortKey]) -> Result<Self, FieldError> {
        let Some(text) = text else {
            return Ok(Self::default_of(keys));
        };
        let (descending, name) = text
            .strip_prefix('-')
            .map_or((false, text), |name| (true, name));
        let key = keys.iter().copied().find(|key| <&str>::from(key) == name);
        key.map(|key| Self { key, descending }).ok_or_else(|| {
            let allowed: Vec<_> = Self::all(keys).map(|sort| sort.to_string()).collect();
            FieldError::new("sort", Code::OutOfRange).with("allowed", allowed.join(", "))
        })
    }
}

impl fmt::Display for Sort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.descending { "-" } else { "" };
        write!(f, "{sign}{}", <&str>::from(self.key))
    }
}

//! A single attribute of a ticket: unknown, absent, or a value.

use std::{borrow::Cow, fmt, ops::Deref};

use serde::{Deserialize, Deserializer, de};

use crate::{LenientEnum, filter::Truth};

/// An attribute in one of three states: a member missing from the JSON is unknown, `null` is
/// absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Attribute<T> {
    /// The caller did not provide it.
    #[default]
    Unknown,
    /// The ticket is known to have no value.
    Absent,
    Known(T),
}

impl<T> Attribute<T> {
    /// Maps a known value by reference.
    #[inline]
    pub fn map_ref<'s, U>(&'s self, map: impl FnOnce(&'s T) -> U) -> Attribute<U> {
        match self {
            Self::Unknown => Attribute::Unknown,
            Self::Absent => Attribute::Absent,
            Self::Known(value) => Attribute::Known(map(value)),
        }
    }

    /// Maps a known value.
    #[must_use]
    pub fn map<U>(self, map: impl FnOnce(T) -> U) -> Attribute<U> {
        match self {
            Self::Unknown => Attribute::Unknown,
            Self::Absent => Attribute::Absent,
            Self::Known(value) => Attribute::Known(map(value)),
        }
    }

    /// The value, if it is known.
    #[inline]
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Unknown | Self::Absent => None,
        }
    }

    /// Evaluates a test: unknown attributes stay unknown, `if_absent` is the result without a
    /// value.
    #[inline]
    pub fn test(self, if_absent: bool, test: impl FnOnce(T) -> bool) -> Truth {
        match self {
            Self::Unknown => Truth::Unknown,
            Self::Absent => if_absent.into(),
            Self::Known(value) => test(value).into(),
        }
    }
}

impl<T: Copy> Attribute<LenientEnum<T>> {
    /// The parsed value. Invalid values count as unknown; validation rejects them.
    #[inline]
    pub fn parsed(&self) -> Attribute<T> {
        match self {
            Self::Unknown => Attribute::Unknown,
            Self::Absent => Attribute::Absent,
            Self::Known(value) => value.known().map_or(Attribute::Unknown, Attribute::Known),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Attribute<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(deserializer)?.map_or(Self::Absent, Self::Known))
    }
}

/// A string that borrows from the request body unless it contains JSON escapes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Str<'a>(pub Cow<'a, str>);

impl Str<'_> {
    /// The string, independent of the request body.
    pub fn into_owned(self) -> Str<'static> {
        Str(Cow::Owned(self.0.into_owned()))
    }
}

impl Deref for Str<'_> {
    type Target = str;

    #[inline]
    fn deref(&self) -> &str {
        &self.0
    }
}

/// Not derived: a `Cow` inside an `Option` always deserializes as owned (serde-rs/serde#1852).
impl<'de: 'a, 'a> Deserialize<'de> for Str<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Str<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Str(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Str(Cow::Owned(text.to_owned())))
            }
        }

        deserializer.deserialize_str(Visitor)
    }
}

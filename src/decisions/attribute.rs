//! One fact of a ticket: known, known to be none, or not known.

use std::{borrow::Cow, fmt, ops::Deref};

use serde::{Deserialize, Deserializer, de};

use crate::common::{FieldError, lenient_enum::LenientEnum, text::SelfCheck};

/// What is known of one fact: absent in JSON is unknown, `null` is known to be none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Attribute<T> {
    #[default]
    Unknown,
    Absent,
    Known(T),
}

impl<T> Attribute<T> {
    /// The same fact, borrowed as something else.
    pub fn map_ref<'s, U>(&'s self, see: impl FnOnce(&'s T) -> U) -> Attribute<U> {
        match self {
            Self::Unknown => Attribute::Unknown,
            Self::Absent => Attribute::Absent,
            Self::Known(value) => Attribute::Known(see(value)),
        }
    }

    /// The value, if there is one.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Unknown | Self::Absent => None,
        }
    }
}

impl<T: Copy> Attribute<LenientEnum<T>> {
    /// A word by its place. What is none of the words does not pass [`Attribute::judged`]; it would be unknown.
    pub fn word(&self, place: impl FnOnce(T) -> u8) -> Attribute<u8> {
        match self {
            Self::Unknown => Attribute::Unknown,
            Self::Absent => Attribute::Absent,
            Self::Known(choice) => choice
                .known()
                .map_or(Attribute::Unknown, |word| Attribute::Known(place(word))),
        }
    }
}

impl<T> Attribute<LenientEnum<T>>
where
    LenientEnum<T>: SelfCheck,
{
    /// Tells what is wrong with a value that is known.
    pub fn validate(&self) -> Result<(), FieldError> {
        self.known().map_or(Ok(()), LenientEnum::check)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Attribute<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(deserializer)?.map_or(Self::Absent, Self::Known))
    }
}

/// A text of the request, borrowed from its body where JSON's escapes allow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Str<'a>(pub Cow<'a, str>);

impl Deref for Str<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

/// `Cow` itself would always be owned within an `Option` (serde-rs/serde#1852).
impl<'de: 'a, 'a> Deserialize<'de> for Str<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OfStr;

        impl<'de> de::Visitor<'de> for OfStr {
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

        deserializer.deserialize_str(OfStr)
    }
}

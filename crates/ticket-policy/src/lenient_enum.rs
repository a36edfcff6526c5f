//! Values of a closed set that deserialize even if the text is not one of them.

use std::{fmt, marker::PhantomData, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, de};

/// A value parsed from a string. Deserializing accepts any string, so that an invalid value is
/// reported together with all other validation errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub enum LenientEnum<T> {
    Known(T),
    /// The string could not be parsed.
    Unknown,
    /// A required value was not sent.
    #[default]
    Missing,
}

impl<T: Default> LenientEnum<T> {
    /// The value of an omitted member that has a default.
    pub fn default_choice() -> Self {
        Self::Known(T::default())
    }
}

impl<T: Copy> LenientEnum<T> {
    /// The value, if it is valid.
    pub fn known(&self) -> Option<T> {
        match self {
            Self::Known(value) => Some(*value),
            Self::Unknown | Self::Missing => None,
        }
    }
}

impl<T: Default + Copy> LenientEnum<T> {
    /// The value. Use it after validation only: an invalid value yields the default.
    pub fn get(&self) -> T {
        self.known().unwrap_or_default()
    }
}

impl<'de, T: FromStr> Deserialize<'de> for LenientEnum<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor<T>(PhantomData<T>);

        impl<T: FromStr> de::Visitor<'_> for Visitor<T> {
            type Value = LenientEnum<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(text
                    .parse()
                    .map_or(LenientEnum::Unknown, LenientEnum::Known))
            }
        }

        deserializer.deserialize_str(Visitor(PhantomData))
    }
}

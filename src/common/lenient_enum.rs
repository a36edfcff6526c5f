//! Enumerations in bodies.

use std::{fmt, marker::PhantomData, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, de};

use crate::common::{
    error::{Code, FieldError},
    text::SelfCheck,
};

/// A word out of a list. Reading takes any string and [`SelfCheck`] judges it, so that a wrong word is reported together with
/// everything else that is wrong (see [`crate::common::text`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub enum LenientEnum<T> {
    Known(T),
    Unknown,
    /// Not sent, though it has to be.
    #[default]
    Missing,
}

impl<T: Default> LenientEnum<T> {
    /// The choice of a body that does not make one.
    pub fn default_choice() -> Self {
        Self::Known(T::default())
    }
}

impl<T: Copy> LenientEnum<T> {
    /// The word, if it is one.
    pub fn known(&self) -> Option<T> {
        match self {
            Self::Known(word) => Some(*word),
            Self::Unknown | Self::Missing => None,
        }
    }
}

impl<T: Default + Copy> LenientEnum<T> {
    /// The word. A choice that did not pass [`SelfCheck`] never gets here; it would be the default.
    pub fn get(&self) -> T {
        self.known().unwrap_or_default()
    }
}

impl<'de, T: FromStr> Deserialize<'de> for LenientEnum<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Word<T>(PhantomData<T>);

        impl<T: FromStr> de::Visitor<'_> for Word<T> {
            type Value = LenientEnum<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_str<E>(self, word: &str) -> Result<Self::Value, E> {
                Ok(word
                    .parse()
                    .map_or(LenientEnum::Unknown, LenientEnum::Known))
            }
        }

        deserializer.deserialize_str(Word(PhantomData))
    }
}

impl<T: strum::VariantNames> SelfCheck for LenientEnum<T> {
    fn check(&self) -> Result<(), FieldError> {
        match self {
            Self::Known(_) => Ok(()),
            Self::Unknown => {
                Err(FieldError::new("", Code::UnknownValue).with("allowed", T::VARIANTS.join(", ")))
            }
            Self::Missing => Err(FieldError::new("", Code::Required)),
        }
    }
}

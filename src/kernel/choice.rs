//! Enumerations in bodies.

use std::{fmt, marker::PhantomData, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, de};

use crate::kernel::{
    error::{Code, Fault},
    text::Check,
};

/// A word out of a list. Reading takes any string and [`Check`] judges it, so that a wrong word is reported together with
/// everything else that is wrong (see [`crate::kernel::text`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub enum Choice<T> {
    Known(T),
    Unknown,
    /// Not sent, though it has to be.
    #[default]
    Missing,
}

impl<T: Default> Choice<T> {
    /// The choice of a body that does not make one.
    pub fn unspoken() -> Self {
        Self::Known(T::default())
    }
}

impl<T: Copy> Choice<T> {
    /// The word, if it is one.
    pub fn known(&self) -> Option<T> {
        match self {
            Self::Known(word) => Some(*word),
            Self::Unknown | Self::Missing => None,
        }
    }
}

impl<T: Default + Copy> Choice<T> {
    /// The word. A choice that did not pass [`Check`] never gets here; it would be the default.
    pub fn get(&self) -> T {
        self.known().unwrap_or_default()
    }
}

impl<'de, T: FromStr> Deserialize<'de> for Choice<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Word<T>(PhantomData<T>);

        impl<T: FromStr> de::Visitor<'_> for Word<T> {
            type Value = Choice<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_str<E>(self, word: &str) -> Result<Self::Value, E> {
                Ok(word.parse().map_or(Choice::Unknown, Choice::Known))
            }
        }

        deserializer.deserialize_str(Word(PhantomData))
    }
}

impl<T: strum::VariantNames> Check for Choice<T> {
    fn check(&self) -> Result<(), Fault> {
        match self {
            Self::Known(_) => Ok(()),
            Self::Unknown => {
                Err(Fault::new("", Code::UnknownValue).with("allowed", T::VARIANTS.join(", ")))
            }
            Self::Missing => Err(Fault::new("", Code::Required)),
        }
    }
}

//! Enumerations in requests.

use std::{fmt, marker::PhantomData, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, de};

use crate::common::{
    error::{Code, FieldError},
    text::SelfCheck,
};

/// A value of the enumeration `T`. Deserialization accepts any string and [`SelfCheck`] validates
/// it later, so that an unknown value is reported together with all other errors of the request
/// (see [`crate::common::text`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub enum LenientEnum<T> {
    Known(T),
    /// A string that is not a value of `T`.
    Unknown,
    /// A required value that was not sent.
    #[default]
    Missing,
}

impl<T: Default> LenientEnum<T> {
    /// `T`'s default, for optional members.
    pub fn default_choice() -> Self {
        Self::Known(T::default())
    }
}

impl<T: Copy> LenientEnum<T> {
    /// The value, if it is known.
    pub fn known(&self) -> Option<T> {
        match self {
            Self::Known(value) => Some(*value),
            Self::Unknown | Self::Missing => None,
        }
    }
}

impl<T: Default + Copy> LenientEnum<T> {
    /// The value. Only call this after [`SelfCheck`] succeeded; otherwise it returns the default.
    pub fn get(&self) -> T {
        self.known().unwrap_or_default()
    }
}

impl<'de, T: FromStr> Deserialize<'de> for LenientEnum<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EnumVisitor<T>(PhantomData<T>);

        impl<T: FromStr> de::Visitor<'_> for EnumVisitor<T> {
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

        deserializer.deserialize_str(EnumVisitor(PhantomData))
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

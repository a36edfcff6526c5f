//! RGB colors.

use serde::{Deserialize, Deserializer, Serialize};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr, Schema,
        schema::{ObjectBuilder, Type},
    },
};

use crate::common::{
    error::{Code, FieldError},
    text::SelfCheck,
};

/// An RGB color `#RRGGBB`, stored in upper case.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Color(String);

/// Pattern of [`Color`].
pub const COLOR_PATTERN: &str = "^#[0-9A-Fa-f]{6}$";

impl From<Color> for String {
    fn from(color: Color) -> Self {
        color.0
    }
}

impl<'de> Deserialize<'de> for Color {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(text.trim().to_ascii_uppercase()))
    }
}

impl SelfCheck for Color {
    fn check(&self) -> Result<(), FieldError> {
        match self.0.strip_prefix('#') {
            Some(digits) if digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_hexdigit()) => {
                Ok(())
            }
            _ if self.0.is_empty() => Err(FieldError::new("", Code::Required)),
            _ => Err(FieldError::new("", Code::InvalidColor)),
        }
    }
}

impl PartialSchema for Color {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("RGB color."))
            .pattern(Some(COLOR_PATTERN))
            .min_length(Some(7))
            .max_length(Some(7))
            .into()
    }
}

impl ToSchema for Color {}

//! Texts people wrote, and how values judge themselves: each type owns its normalisation, its limits and its schema.
//!
//! Reading from JSON only normalises; [`SelfCheck`] judges. So a body can report *all* its faults at once, and since
//! [`crate::http::body::Body`] is the only way in, a handler never sees a value that failed.
//! Rules from domain.md section 4: trimmed, NFC, no control characters, lengths count Unicode scalar values.

use serde::{Deserialize, Deserializer, Serialize};
use unicode_normalization::UnicodeNormalization as _;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr, Schema,
        schema::{ObjectBuilder, Type},
    },
};
use validator::ValidationError;

use crate::common::error::{Code, FieldError};

/// A value that knows whether it may be accepted. The fault's pointer is left empty: the value does not know where it is.
pub trait SelfCheck {
    /// Tells what is wrong, if anything.
    fn check(&self) -> Result<(), FieldError>;
}

/// [`SelfCheck`] as validator's derive calls it: `#[validate(custom(function = check))]`. What a fault says beyond its code
/// travels in the error's parameters, and where it is inside the value, as a JSON pointer, in its message.
pub fn check<T: SelfCheck>(value: &T) -> Result<(), ValidationError> {
    value.check().map_err(fault_error)
}

/// A fault as validator carries it, see [`check`].
pub fn fault_error(field_error: FieldError) -> ValidationError {
    let mut error =
        ValidationError::new(field_error.code.as_str()).with_message(field_error.pointer.into());
    for (name, value) in field_error.facts {
        error.add_param(name, &value);
    }
    error
}

impl<T: SelfCheck> SelfCheck for &T {
    fn check(&self) -> Result<(), FieldError> {
        T::check(self)
    }
}

impl<T: SelfCheck> SelfCheck for Vec<T> {
    fn check(&self) -> Result<(), FieldError> {
        for (index, item) in self.iter().enumerate() {
            item.check().map_err(|field_error| FieldError {
                pointer: format!("/{index}{}", field_error.pointer),
                ..field_error
            })?;
        }
        Ok(())
    }
}

/// Pattern of texts: no control characters, but for white space at both ends, which is trimmed. White space is what Unicode calls
/// so; what `\s` means differs from one language to the next.
const TEXT_PATTERN: &str = r"^[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]*([^\u0000-\u001f\u007f-\u009f]*[^\u0000- \u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000])?[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]*$";

/// The same for texts that must say something.
const NON_EMPTY_PATTERN: &str = r"^[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]*[^\u0000-\u001f\u007f-\u009f]*[^\u0000- \u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000][\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]*$";

/// A text of `MIN` to `MAX` Unicode scalar values after normalisation.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Text<const MIN: usize, const MAX: usize>(String);

impl<const MIN: usize, const MAX: usize> Text<MIN, MAX> {
    /// Normalises; does not judge.
    pub fn new(text: &str) -> Self {
        Self(text.nfc().collect::<String>().trim().to_owned())
    }

    /// The normalised text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MIN: usize, const MAX: usize> From<Text<MIN, MAX>> for String {
    fn from(text: Text<MIN, MAX>) -> Self {
        text.0
    }
}

impl<'de, const MIN: usize, const MAX: usize> Deserialize<'de> for Text<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self::new(&text))
    }
}

impl<const MIN: usize, const MAX: usize> SelfCheck for Text<MIN, MAX> {
    fn check(&self) -> Result<(), FieldError> {
        let length = self.0.chars().count();
        if length == 0 && MIN > 0 {
            Err(FieldError::new("", Code::Required))
        } else if length < MIN {
            Err(FieldError::new("", Code::TooShort).with("min", MIN))
        } else if length > MAX {
            Err(FieldError::new("", Code::TooLong).with("max", MAX))
        } else if self.0.chars().any(char::is_control) {
            Err(FieldError::new("", Code::ControlCharacter))
        } else {
            Ok(())
        }
    }
}

impl<const MIN: usize, const MAX: usize> PartialSchema for Text<MIN, MAX> {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .min_length((MIN > 0).then_some(MIN))
            .max_length(Some(MAX))
            .pattern(Some(if MIN > 0 {
                NON_EMPTY_PATTERN
            } else {
                TEXT_PATTERN
            }))
            .into()
    }
}

impl<const MIN: usize, const MAX: usize> ToSchema for Text<MIN, MAX> {}

#[cfg(test)]
mod tests {
    use super::*;

    fn code<T: SelfCheck>(value: &T) -> Option<Code> {
        value.check().err().map(|field_error| field_error.code)
    }

    #[test]
    fn texts_are_trimmed_and_composed_before_they_are_counted() {
        let text = Text::<1, 3>::new("  a\u{308}bc ");
        assert_eq!(text.as_str(), "äbc");
        assert_eq!(code(&text), None);
    }

    #[rstest::rstest]
    #[case("a", "")]
    #[case(" a b\u{a0}", "")]
    #[case("\n\u{85}ä\u{3000}ö\u{2028}", "")]
    #[case("\u{feff}", "")]
    #[case("", "required")]
    #[case(" \t\u{1680}", "required")]
    #[case("a\nb", "control_character")]
    #[case(" \0 ", "control_character")]
    #[case("\u{1f}a", "control_character")]
    #[case("a\u{7f}", "control_character")]
    fn the_document_takes_what_is_taken(#[case] text: &str, #[case] code: &str) {
        let judged = |it: Result<(), FieldError>| {
            it.err().map_or("", |field_error| field_error.code.as_str())
        };
        assert_eq!(judged(Text::<1, 9>::new(text).check()), code);
        let fits = |pattern| {
            jsonschema::is_valid(
                &serde_json::json!({"pattern": pattern}),
                &serde_json::json!(text),
            )
        };
        assert_eq!(fits(NON_EMPTY_PATTERN), code.is_empty());
        assert_eq!(
            fits(TEXT_PATTERN),
            judged(Text::<0, 9>::new(text).check()).is_empty()
        );
    }

    #[rstest::rstest]
    #[case("", Some(Code::Required))]
    #[case(" \u{a0} ", Some(Code::Required))]
    #[case("äöü", None)]
    #[case("äöüß", Some(Code::TooLong))]
    #[case("a\0b", Some(Code::ControlCharacter))]
    #[case("a\u{85}b", Some(Code::ControlCharacter))]
    #[case("😀😀😀", None)]
    fn text_limits(#[case] text: &str, #[case] expected: Option<Code>) {
        assert_eq!(code(&Text::<1, 3>::new(text)), expected);
    }
}

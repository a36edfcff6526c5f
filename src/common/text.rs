//! Free text in requests, and validation of single values.
//!
//! Deserialization only normalizes a value; [`SelfCheck`] validates it. That way all errors of a
//! body are reported together. Bodies are validated before a handler sees them.
//!
//! Text is trimmed and normalized to NFC, has no control characters, and its length is counted in
//! Unicode scalar values. Required text is a name and has no invisible characters either: two
//! different names must not look alike.

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

/// A value that can validate itself.
pub trait SelfCheck {
    /// Validates the value.
    ///
    /// # Errors
    ///
    /// The pointer of the error is relative to the value: empty, unless the error is inside it.
    fn check(&self) -> Result<(), FieldError>;

    /// All errors of the value. Values with several parts report one for each part.
    fn check_all(&self) -> Vec<FieldError> {
        self.check().err().into_iter().collect()
    }
}

/// Adapter from [`SelfCheck`] to validator's derive: `#[validate(custom(function = check))]`.
pub fn check<T: SelfCheck>(value: &T) -> Result<(), ValidationError> {
    value.check().map_err(to_validation_error)
}

/// Converts a field error for validator. The message arguments become the error's parameters, and
/// the pointer inside the value becomes its message.
pub fn to_validation_error(field_error: FieldError) -> ValidationError {
    let mut error =
        ValidationError::new(field_error.code.as_str()).with_message(field_error.pointer.into());
    for (name, value) in field_error.args {
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

/// Pattern of optional text: no control characters, except white space at both ends, which is
/// trimmed. White space is listed explicitly, because `\s` differs between regex dialects.
const TEXT_PATTERN: &str = r"^[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]*([^\u0000-\u001f\u007f-\u009f]*[^\u0000- \u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000])?[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]*$";

/// Pattern of required text: as [`TEXT_PATTERN`], but not empty after trimming, and without
/// invisible characters.
const NON_EMPTY_PATTERN: &str = r"^[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]*([^\u0000- \u007f-\u00a0\u00ad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2000-\u200f\u2028-\u202f\u205f-\u206f\u2800\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb]([^\u0000-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ufeff\uffa0\ufff9-\ufffb]*[^\u0000- \u007f-\u00a0\u00ad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2000-\u200f\u2028-\u202f\u205f-\u206f\u2800\u3000\u3164\ufeff\uffa0\ufff9-\ufffb])?)[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]*$";

/// The first invisible character of a name: zero-width, bidirectional control, line or paragraph
/// separator, filler or blank symbol. A variation selector is one only at the beginning, where it
/// has no character to vary.
fn invisible_character(name: &str) -> Option<char> {
    let leading_selector = name
        .chars()
        .next()
        .filter(|c| matches!(c, '\u{fe00}'..='\u{fe0f}'));
    leading_selector.or_else(|| name.chars().find(|c| is_invisible(*c)))
}

/// Whether a character is zero-width, a bidirectional control, a line or paragraph separator, a filler
/// or a blank symbol.
pub fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'
            | '\u{1160}'
            | '\u{17b4}'
            | '\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{2800}'
            | '\u{3164}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff9}'..='\u{fffb}'
    )
}

/// Text of `MIN` to `MAX` Unicode scalar values after normalization.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Text<const MIN: usize, const MAX: usize>(String);

impl<const MIN: usize, const MAX: usize> Text<MIN, MAX> {
    /// Normalizes the text without validating it.
    pub fn new(text: &str) -> Self {
        Self(text.nfc().collect::<String>().trim().to_owned())
    }

    /// The normalized text.
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
        } else if MIN > 0
            && let Some(character) = invisible_character(&self.0)
        {
            let character = format!("U+{:04X}", u32::from(character));
            Err(FieldError::new("", Code::InvisibleCharacter).with("character", character))
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

    fn matches(pattern: &str, text: &str) -> bool {
        jsonschema::is_valid(
            &serde_json::json!({"pattern": pattern}),
            &serde_json::json!(text),
        )
    }

    #[test]
    fn text_is_trimmed_and_composed_before_counting() {
        let text = Text::<1, 3>::new("  a\u{308}bc ");
        assert_eq!(text.as_str(), "äbc");
        assert_eq!(code(&text), None);
    }

    #[rstest::rstest]
    #[case("a", "")]
    #[case(" a b\u{a0}", "")]
    #[case("\n\u{85}ä\u{3000}ö\u{2028}", "")]
    #[case("❤\u{fe0f}", "")]
    #[case("e\u{301}x\u{301}", "")]
    #[case("\u{2028}a\u{2029}", "")]
    #[case("\u{feff}", "invisible_character")]
    #[case("VPN\u{200b}", "invisible_character")]
    #[case("\u{2060}VPN", "invisible_character")]
    #[case("V\u{ad}PN", "invisible_character")]
    #[case("a\u{202e}b", "invisible_character")]
    #[case("a\u{2028}b", "invisible_character")]
    #[case("\u{3164}", "invisible_character")]
    #[case("\u{2800}", "invisible_character")]
    #[case("\u{fe0f}", "invisible_character")]
    #[case("", "required")]
    #[case(" \t\u{1680}", "required")]
    #[case("a\nb", "control_character")]
    #[case(" \0 ", "control_character")]
    #[case("\u{1f}a", "control_character")]
    #[case("a\u{7f}", "control_character")]
    fn pattern_agrees_with_check(#[case] text: &str, #[case] code: &str) {
        let optional = Text::<0, 9>::new(text).check();
        let required = Text::<1, 9>::new(text).check();
        assert_eq!(matches(TEXT_PATTERN, text), optional.is_ok());
        assert_eq!(optional.is_ok(), code != "control_character");
        assert_eq!(matches(NON_EMPTY_PATTERN, text), required.is_ok());
        assert_eq!(required.err().map_or("", |error| error.code.as_str()), code);
    }

    #[rstest::rstest]
    #[case("", Some(Code::Required))]
    #[case(" \u{a0} ", Some(Code::Required))]
    #[case("äöü", None)]
    #[case("äöüß", Some(Code::TooLong))]
    #[case("a\0b", Some(Code::ControlCharacter))]
    #[case("a\u{85}b", Some(Code::ControlCharacter))]
    #[case("😀😀😀", None)]
    fn length_and_control_characters_are_checked(
        #[case] text: &str,
        #[case] expected: Option<Code>,
    ) {
        assert_eq!(code(&Text::<1, 3>::new(text)), expected);
    }
}

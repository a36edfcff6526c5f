//! Texts people wrote, e-mail addresses and colours: each type owns its normalisation, its limits and its schema.
//!
//! Reading from JSON only normalises; [`Check`] judges. So a body can report *all* its faults at once, and since
//! [`crate::http::body::Body`] is the only way in, a handler never sees a value that failed.
//! Rules from domain.md section 4: trimmed, NFC, no control characters, lengths count Unicode scalar values.

use serde::{Deserialize, Deserializer, Serialize};
use unicode_normalization::{UnicodeNormalization as _, char::is_combining_mark};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr, Schema, SchemaFormat,
        schema::{KnownFormat, ObjectBuilder, Type},
    },
};
use validator::{ValidateEmail as _, ValidationError};

use crate::kernel::error::{Code, Fault};

/// A value that knows whether it may be accepted. The fault's pointer is left empty: the value does not know where it is.
pub trait Check {
    /// Tells what is wrong, if anything.
    fn check(&self) -> Result<(), Fault>;
}

/// [`Check`] as validator's derive calls it: `#[validate(custom(function = check))]`. What a fault says beyond its code
/// travels in the error's parameters, and where it is inside the value, as a JSON pointer, in its message.
pub fn check<T: Check>(value: &T) -> Result<(), ValidationError> {
    value.check().map_err(fault_error)
}

/// A fault as validator carries it, see [`check`].
pub fn fault_error(fault: Fault) -> ValidationError {
    let mut error = ValidationError::new(fault.code.as_str()).with_message(fault.pointer.into());
    for (name, value) in fault.facts {
        error.add_param(name, &value);
    }
    error
}

impl<T: Check> Check for &T {
    fn check(&self) -> Result<(), Fault> {
        T::check(self)
    }
}

impl<T: Check> Check for Vec<T> {
    fn check(&self) -> Result<(), Fault> {
        for (index, item) in self.iter().enumerate() {
            item.check().map_err(|fault| Fault { pointer: format!("/{index}{}", fault.pointer), ..fault })?;
        }
        Ok(())
    }
}

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

impl<const MIN: usize, const MAX: usize> Check for Text<MIN, MAX> {
    fn check(&self) -> Result<(), Fault> {
        let length = self.0.chars().count();
        if length == 0 && MIN > 0 {
            Err(Fault::new("", Code::Required))
        } else if length < MIN {
            Err(Fault::new("", Code::TooShort).with("min", MIN))
        } else if length > MAX {
            Err(Fault::new("", Code::TooLong).with("max", MAX))
        } else if self.0.chars().any(char::is_control) {
            Err(Fault::new("", Code::ControlCharacter))
        } else {
            Ok(())
        }
    }
}

impl<const MIN: usize, const MAX: usize> PartialSchema for Text<MIN, MAX> {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::String).min_length((MIN > 0).then_some(MIN)).max_length(Some(MAX)).into()
    }
}

impl<const MIN: usize, const MAX: usize> ToSchema for Text<MIN, MAX> {}

/// An e-mail address as HTML defines it, at most 254 characters of ASCII, kept in lower case.
///
/// It is a login, and a login has one spelling: what looks like a letter of ASCII (full-width forms, the Kelvin sign) or like
/// nothing (soft hyphens) is refused rather than converted, and a domain beyond ASCII is written in punycode (`xn--…`).
/// Address literals (`a@[192.0.2.1]`) are refused as well, since an IPv6 address has many spellings.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Email(String);

/// Pattern of [`Email`]: HTML's, but for the 64 characters of the part before the `@`.
pub const EMAIL_PATTERN: &str = "^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$";

impl From<Email> for String {
    fn from(email: Email) -> Self {
        email.0
    }
}

impl<'de> Deserialize<'de> for Email {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(text.trim().to_ascii_lowercase()))
    }
}

impl Check for Email {
    fn check(&self) -> Result<(), Fault> {
        // validator takes domains beyond ASCII, and address literals
        let one_spelling = self.0.is_ascii() && !self.0.contains('[');
        match self.0.chars().count() {
            0 => Err(Fault::new("", Code::Required)),
            1..=254 if one_spelling && self.0.validate_email() => Ok(()),
            1..=254 => Err(Fault::new("", Code::InvalidEmail)),
            _ => Err(Fault::new("", Code::TooLong).with("max", 254)),
        }
    }
}

impl PartialSchema for Email {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Email)))
            .pattern(Some(EMAIL_PATTERN))
            .min_length(Some(3))
            .max_length(Some(254))
            .into()
    }
}

impl ToSchema for Email {}

/// An RGB colour `#RRGGBB`, kept in upper case.
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

impl Check for Color {
    fn check(&self) -> Result<(), Fault> {
        let hex = |digits: &str| digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_hexdigit());
        match self.0.strip_prefix('#') {
            Some(digits) if hex(digits) => Ok(()),
            _ if self.0.is_empty() => Err(Fault::new("", Code::Required)),
            _ => Err(Fault::new("", Code::InvalidColor)),
        }
    }
}

impl PartialSchema for Color {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("RGB colour."))
            .pattern(Some(COLOR_PATTERN))
            .min_length(Some(7))
            .max_length(Some(7))
            .into()
    }
}

impl ToSchema for Color {}

/// Folds a text for searching and sorting: case, accents and compatibility forms are levelled, so that `Müller`,
/// `MULLER` and `muller` are found by each other and `Änderung` sorts beside `Anderung`, not behind `Z`.
///
/// Compatibility forms are taken apart first, because what they hide has a case (`ℋ` is an `H`), and once more at the
/// end, because a folded case can be one.
pub fn fold(text: &str) -> String {
    let bare: String = text.nfkd().filter(|c| !is_combining_mark(*c)).collect();
    icu_casemap::CaseMapper::new().fold_string(&bare).nfkd().filter(|c| !is_combining_mark(*c)).collect()
}

/// Folds the case of a text and nothing else: names that differ by it only are the same name.
pub fn fold_case(text: &str) -> String {
    icu_casemap::CaseMapper::new().fold_string(text).nfc().collect()
}

/// What a name is sorted by: folded, and short enough for an index. Folding can make a text many times longer (one
/// character of 18 is known), and PostgreSQL refuses index entries of more than 2,704 bytes; ties are broken by ids anyway.
pub fn sort_key(text: &str) -> String {
    fold(text).chars().take(MAX_SORT_KEY).collect()
}

/// Longest sort key, in Unicode scalar values of at most four bytes.
const MAX_SORT_KEY: usize = 200;

/// The beginning of a text that a stranger made up, as far as it may be repeated: at most `max` characters (and an ellipsis
/// where something is missing), and none that would command a terminal.
pub fn clipped(text: &str, max: usize) -> String {
    let mut rest = text.chars();
    let shown: String = rest.by_ref().take(max).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if rest.next().is_some() { shown + "…" } else { shown }
}

/// The words of a search, folded. A text of which folding leaves nothing, such as a lone accent, is one word as it stands:
/// no folded text contains it, so it finds nothing, while no words at all would find everything.
pub fn search_words(text: &str) -> Vec<String> {
    let words: Vec<_> = fold(text).split_whitespace().map(ToOwned::to_owned).collect();
    match text.trim() {
        lost if words.is_empty() && !lost.is_empty() => vec![lost.to_owned()],
        _ => words,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code<T: Check>(value: &T) -> Option<Code> {
        value.check().err().map(|fault| fault.code)
    }

    #[test]
    fn texts_are_trimmed_and_composed_before_they_are_counted() {
        let text = Text::<1, 3>::new("  a\u{308}bc ");
        assert_eq!(text.as_str(), "äbc");
        assert_eq!(code(&text), None);
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

    fn email(text: &str) -> Email {
        serde_json::from_value(serde_json::json!(text)).unwrap()
    }

    /// What generated clients and forms check beforehand.
    fn has_the_pattern(text: &str) -> bool {
        jsonschema::is_valid(&serde_json::json!({"pattern": EMAIL_PATTERN}), &serde_json::json!(text))
    }

    #[rstest::rstest]
    #[case("Anna.Schmidt@Example.COM", "anna.schmidt@example.com")]
    #[case(" a@b\t", "a@b")]
    #[case("o'neil+x@sub.example-1.org", "o'neil+x@sub.example-1.org")]
    #[case("a@XN--MLLER-KVA.example", "a@xn--mller-kva.example")]
    #[case("a@192.0.2.1", "a@192.0.2.1")]
    fn emails_are_kept_in_lower_case(#[case] text: &str, #[case] kept: &str) {
        assert_eq!(code(&email(text)), None);
        assert_eq!(String::from(email(text)), kept);
        assert_eq!(code(&email(kept)), None);
        assert!(has_the_pattern(text.trim()));
    }

    #[rstest::rstest]
    #[case("")]
    #[case("no at sign")]
    #[case("a\0@example.com")]
    #[case("a@b@c")]
    #[case("@example.com")]
    #[case("a@")]
    #[case("a@example.com.")]
    #[case("a@-example.com")]
    #[case("müller@example.com")]
    #[case("a@müller.example")]
    #[case("a@mu\u{308}ller.example")]
    #[case::full_width("a@\u{ff45}xample.com")]
    #[case::full_width_at("a\u{ff20}example.com")]
    #[case::ideographic_full_stop("a@example\u{3002}com")]
    #[case::kelvin_sign("a@\u{212a}.example")]
    #[case::kelvin_sign_before("\u{212a}@k.example")]
    #[case::long_s("a@\u{17f}.example")]
    #[case::soft_hyphen("a@exam\u{ad}ple.com")]
    #[case::zero_width_space("a@exam\u{200b}ple.com")]
    #[case::address_literal("a@[192.0.2.1]")]
    #[case::address_literal_of_ipv6("a@[2001:db8::1]")]
    #[case::address_literal_after_a_name("a@b[192.0.2.1]")]
    fn what_is_no_email_or_one_of_several_spellings(#[case] text: &str) {
        let expected = if text.is_empty() { Code::Required } else { Code::InvalidEmail };
        assert_eq!(code(&email(text)), Some(expected));
        assert!(!has_the_pattern(text));
    }

    #[test]
    fn what_strangers_made_up_is_repeated_in_part_and_without_control_characters() {
        assert_eq!(clipped("äöü", 3), "äöü");
        assert_eq!(clipped("äöüß", 3), "äöü…");
        assert_eq!(clipped("a\u{1b}[2J\0\u{85}", 9), "a\u{fffd}[2J\u{fffd}\u{fffd}");
    }

    #[test]
    fn folding_levels_case_accents_and_sharp_s() {
        assert_eq!(fold("STRAẞE Élan ﬁne"), fold("strasse elan fine"));
        assert_eq!(search_words("  Müller  ANNA "), ["muller", "anna"]);
    }

    #[rstest::rstest]
    #[case("ℋotel ㎒ ™", "hotel mhz tm")]
    #[case("Ⅻ ① ﬁ ſ", "xii 1 fi s")]
    #[case("İstanbul ǰ ŉ", "istanbul j ʼn")]
    #[case("Straße", "STRASSE")]
    fn folding_sees_the_case_of_compatibility_forms(#[case] one: &str, #[case] other: &str) {
        assert_eq!(fold(one), fold(other));
    }

    #[test]
    fn folding_twice_is_folding_once() {
        // all planes that have letters or compatibility forms
        for c in '\0'..'\u{30000}' {
            let once = fold(&c.to_string());
            assert_eq!(fold(&once), once, "{c:?} {:x}", u32::from(c));
        }
    }

    #[test]
    fn a_search_for_what_folding_removes_is_not_a_search_for_everything() {
        assert_eq!(search_words(" \u{301}\u{308} "), ["\u{301}\u{308}"]);
        assert_eq!(search_words("´"), ["´"]);
        assert_eq!(search_words(" \u{a0} "), [""; 0]);
        assert_eq!(search_words("\u{301} x"), ["x"]);
    }

    #[test]
    fn sort_keys_fit_an_index() {
        assert_eq!(sort_key("Öztürk"), "ozturk");
        // one character that folds to 18
        assert!(fold("\u{fdfa}").chars().count() == 18);
        assert_eq!(sort_key(&"\u{fdfa}".repeat(200)).chars().count(), 200);
    }
}

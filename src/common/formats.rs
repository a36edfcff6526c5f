//! Texts of a fixed form: e-mail addresses and colours. Each type owns its normalisation, its limits and its schema.

use serde::{Deserialize, Deserializer, Serialize};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr, Schema, SchemaFormat,
        schema::{KnownFormat, ObjectBuilder, Type},
    },
};
use validator::ValidateEmail as _;

use crate::common::{
    error::{Code, FieldError},
    text::SelfCheck,
};

/// An e-mail address of RFC 5321 without quotes, at most 254 characters of ASCII, kept in lower case: HTML's, but that dots
/// stand between characters, and that the domain is one by IDNA.
///
/// It is a login, and a login has one spelling: what looks like a letter of ASCII (full-width forms, the Kelvin sign) or like
/// nothing (soft hyphens) is refused rather than converted, and a domain beyond ASCII is written in punycode (`xn--…`).
/// Address literals (`a@[192.0.2.1]`) are refused as well, since an IPv6 address has many spellings.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Email(String);

/// Pattern of [`Email`]. That there are no more than 64 characters before the `@` cannot be said without looking ahead, which
/// not every language's patterns can.
pub const EMAIL_PATTERN: &str = "^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]{1,64}(\\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]{1,62})*@[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$";

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

impl Email {
    fn is_valid(&self) -> bool {
        // validator takes domains beyond ASCII, and address literals
        let one_spelling = self.0.is_ascii() && !self.0.contains('[');
        // and dots anywhere, and punycode of nothing
        let well_formed = self.0.rsplit_once('@').is_some_and(|(before, domain)| {
            before.split('.').all(|part| !part.is_empty())
                && idna::domain_to_ascii_strict(domain).is_ok_and(|ascii| ascii == domain)
        });
        one_spelling && well_formed && self.0.validate_email()
    }
}

impl SelfCheck for Email {
    fn check(&self) -> Result<(), FieldError> {
        match self.0.chars().count() {
            0 => Err(FieldError::new("", Code::Required)),
            1..=254 if self.is_valid() => Ok(()),
            1..=254 => Err(FieldError::new("", Code::InvalidEmail)),
            _ => Err(FieldError::new("", Code::TooLong).with("max", 254)),
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

impl SelfCheck for Color {
    fn check(&self) -> Result<(), FieldError> {
        let hex = |digits: &str| digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_hexdigit());
        match self.0.strip_prefix('#') {
            Some(digits) if hex(digits) => Ok(()),
            _ if self.0.is_empty() => Err(FieldError::new("", Code::Required)),
            _ => Err(FieldError::new("", Code::InvalidColor)),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn code<T: SelfCheck>(value: &T) -> Option<Code> {
        value.check().err().map(|field_error| field_error.code)
    }

    fn email(text: &str) -> Email {
        serde_json::from_value(serde_json::json!(text)).unwrap()
    }

    /// What generated clients and forms check beforehand.
    fn has_the_pattern(text: &str) -> bool {
        jsonschema::is_valid(
            &serde_json::json!({"pattern": EMAIL_PATTERN}),
            &serde_json::json!(text),
        )
    }

    #[rstest::rstest]
    #[case("Anna.Schmidt@Example.COM", "anna.schmidt@example.com")]
    #[case(" a@b\t", "a@b")]
    #[case("o'neil+x@sub.example-1.org", "o'neil+x@sub.example-1.org")]
    #[case("a@XN--MLLER-KVA.example", "a@xn--mller-kva.example")]
    #[case("a@192.0.2.1", "a@192.0.2.1")]
    #[case("anna.b.schmidt@example.com", "anna.b.schmidt@example.com")]
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
    #[case(".anna@example.com")]
    #[case("anna.@example.com")]
    #[case("anna..schmidt@example.com")]
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
        let expected = if text.is_empty() {
            Code::Required
        } else {
            Code::InvalidEmail
        };
        assert_eq!(code(&email(text)), Some(expected));
        assert!(!has_the_pattern(text));
    }

    #[rstest::rstest]
    #[case::reserved("a@ab--cd.example")]
    #[case::nothing_in_punycode("a@xn--.example")]
    #[case::no_punycode("a@xn--a-.example")]
    #[case::long_name(&format!("{}@example.com", ["a"; 33].join(".")))]
    fn what_no_pattern_can_tell(#[case] text: &str) {
        assert_eq!(code(&email(text)), Some(Code::InvalidEmail));
    }
}

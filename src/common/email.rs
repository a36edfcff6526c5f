//! E-mail addresses.

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

/// An e-mail address: at most 254 ASCII characters, stored in lower case.
///
/// The local part is an RFC 5321 dot-string (not quoted, no leading, trailing or repeated dots);
/// the domain must be valid IDNA. An address is a login, so it must have exactly one spelling.
/// Characters that only resemble ASCII (full-width forms, the Kelvin sign) or are invisible (soft
/// hyphens) are rejected instead of converted, and an internationalized domain must be sent in
/// punycode (`xn--…`). Address literals (`a@[192.0.2.1]`) are rejected too, because an IPv6 address
/// has many spellings.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Email(String);

/// Pattern of [`Email`]. It does not limit the whole local part to 64 characters, because that
/// needs look-ahead, which not every regex dialect supports.
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
        // `validate_email` accepts non-ASCII domains, address literals, misplaced dots and invalid
        // punycode, so these are checked here
        let has_one_spelling = self.0.is_ascii() && !self.0.contains('[');
        let is_well_formed = self.0.rsplit_once('@').is_some_and(|(local_part, domain)| {
            local_part.split('.').all(|part| !part.is_empty())
                && idna::domain_to_ascii_strict(domain).is_ok_and(|ascii| ascii == domain)
        });
        has_one_spelling && is_well_formed && self.0.validate_email()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn code<T: SelfCheck>(value: &T) -> Option<Code> {
        value.check().err().map(|field_error| field_error.code)
    }

    fn email(text: &str) -> Email {
        serde_json::from_value(serde_json::json!(text)).unwrap()
    }

    /// Whether the address passes the check of generated clients and forms.
    fn matches_pattern(text: &str) -> bool {
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
    fn valid_email_is_stored_in_lower_case(#[case] text: &str, #[case] stored: &str) {
        assert_eq!(code(&email(text)), None);
        assert_eq!(String::from(email(text)), stored);
        assert_eq!(code(&email(stored)), None);
        assert!(matches_pattern(text.trim()));
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
    #[case::full_width_letter("a@\u{ff45}xample.com")]
    #[case::full_width_at("a\u{ff20}example.com")]
    #[case::ideographic_full_stop("a@example\u{3002}com")]
    #[case::kelvin_sign("a@\u{212a}.example")]
    #[case::kelvin_sign_in_local_part("\u{212a}@k.example")]
    #[case::long_s("a@\u{17f}.example")]
    #[case::soft_hyphen("a@exam\u{ad}ple.com")]
    #[case::zero_width_space("a@exam\u{200b}ple.com")]
    #[case::address_literal("a@[192.0.2.1]")]
    #[case::ipv6_address_literal("a@[2001:db8::1]")]
    #[case::address_literal_after_name("a@b[192.0.2.1]")]
    fn invalid_or_ambiguous_email_is_rejected(#[case] text: &str) {
        let expected = if text.is_empty() {
            Code::Required
        } else {
            Code::InvalidEmail
        };
        assert_eq!(code(&email(text)), Some(expected));
        assert!(!matches_pattern(text));
    }

    #[rstest::rstest]
    #[case::reserved("a@ab--cd.example")]
    #[case::empty_punycode("a@xn--.example")]
    #[case::invalid_punycode("a@xn--a-.example")]
    #[case::long_local_part(&format!("{}@example.com", ["a"; 33].join(".")))]
    fn invalid_email_beyond_pattern_is_rejected(#[case] text: &str) {
        assert_eq!(code(&email(text)), Some(Code::InvalidEmail));
    }
}

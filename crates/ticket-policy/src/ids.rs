//! Syntax of the two kinds of ids that tickets and filters contain.

use uuid::Uuid;

/// Maximum length of an ERP id, in characters (all of them ASCII).
pub const MAX_ERP_ID: usize = 64;

/// Whether the text is an ERP id: 1 to 64 characters of RFC 3986's unreserved set, the first one a
/// letter or digit, so that no id is a relative path (`.`, `..`).
pub fn is_erp_id(text: &str) -> bool {
    match text.as_bytes() {
        [first, rest @ ..] => {
            rest.len() < MAX_ERP_ID
                && first.is_ascii_alphanumeric()
                && rest
                    .iter()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'~' | b'-'))
        }
        [] => false,
    }
}

/// Parses a UUID in its canonical form only: lower case, with hyphens. One id has one spelling.
pub fn parse_uuid(text: &str) -> Option<Uuid> {
    // of all forms that `try_parse` accepts, only the hyphenated one has this length
    if text.len() != uuid::fmt::Hyphenated::LENGTH || text.bytes().any(|b| b.is_ascii_uppercase()) {
        return None;
    }
    Uuid::try_parse(text).ok()
}

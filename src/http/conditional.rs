//! Conditional requests (RFC 9110 section 13).
//!
//! Reads support `If-None-Match`, which gets 304 if it matches. Writes support `If-Match` and
//! `If-None-Match`, which are checked inside the transaction and fail with 412. POST ignores
//! conditions: it adds to a list, whose ETag changes with everything else of the same parent, so
//! clients could not name it in time.
//!
//! Proxies that compress responses make ETags weak (`W/"3"`) or append a suffix (`"3-gzip"`). Both
//! are ignored, also in `If-Match`, which by RFC 9110 matches strong ETags only: the ETags of this
//! service are counters, which identify the state of a resource in any content coding.

use actix_web::http::header::{self, HeaderMap, HeaderName};

use crate::common::{
    Code, Error, FieldError, Result,
    etag::{EntityTag, EtagMatcher, without_coding_suffix},
    precondition::Precondition,
};

/// The conditional headers of a request.
pub struct Conditions {
    pub precondition: Precondition,
}

impl Conditions {
    /// Parses the headers, or fails with [`Code::InvalidParameter`].
    pub fn from_headers(headers: &HeaderMap) -> Result<Self> {
        Ok(Self {
            precondition: Precondition {
                if_match: parse(headers, &header::IF_MATCH, "If-Match")?,
                if_none_match: parse(headers, &header::IF_NONE_MATCH, "If-None-Match")?,
            },
        })
    }

    /// Whether `If-None-Match` is present.
    pub fn has_if_none_match(&self) -> bool {
        self.precondition.if_none_match.is_some()
    }

    /// Whether `If-None-Match` matches the ETag, so that a read responds with 304.
    pub fn matches_if_none_match(&self, etag: &EntityTag) -> bool {
        match &self.precondition.if_none_match {
            None => false,
            Some(EtagMatcher::Any) => true,
            Some(EtagMatcher::Tags(etags)) => etags.iter().any(|other| other == etag.as_str()),
        }
    }
}

/// The pattern of conditional headers in the OpenAPI document: `*`, or a list of ETags.
pub const CONDITION_PATTERN: &str =
    r#"^(\*|[ \t,]*(W/)?"[!#-~]*"([ \t]*,[ \t,]*(W/)?"[!#-~]*")*[ \t,]*)$"#;

/// The value of a conditional header.
#[derive(Debug, PartialEq, Eq)]
enum ParsedHeader<'h> {
    /// `*`.
    Any,
    /// ETags without `W/` and their quotes.
    Etags(Vec<&'h str>),
}

impl<'h> ParsedHeader<'h> {
    /// Parses `*` or a list of ETags; `None` if it is neither, or an empty list.
    fn parse(text: &'h str) -> Option<Self> {
        if text.trim() == "*" {
            return Some(Self::Any);
        }
        let mut etags = Vec::new();
        // Recipients ignore empty list elements (RFC 9110 section 5.6.1.2).
        let mut rest = text.trim_start_matches([' ', '\t', ',']);
        while !rest.is_empty() {
            let (opaque, after) = rest
                .strip_prefix("W/")
                .unwrap_or(rest)
                .strip_prefix('"')?
                .split_once('"')?;
            let after = after.trim_start_matches([' ', '\t']);
            if !opaque.bytes().all(|b| b.is_ascii_graphic())
                || !(after.is_empty() || after.starts_with(','))
            {
                return None;
            }
            etags.push(opaque);
            rest = after.trim_start_matches([' ', '\t', ',']);
        }
        (!etags.is_empty()).then_some(Self::Etags(etags))
    }

    fn into_matcher(self) -> EtagMatcher {
        match self {
            Self::Any => EtagMatcher::Any,
            Self::Etags(etags) => EtagMatcher::Tags(
                etags
                    .into_iter()
                    .map(|etag| without_coding_suffix(etag).to_owned())
                    .collect(),
            ),
        }
    }
}

/// Parses a conditional header, whose lines form one list. Malformed conditions are rejected:
/// ignoring them could apply a write that the client meant to guard.
fn parse(headers: &HeaderMap, header: &HeaderName, name: &str) -> Result<Option<EtagMatcher>> {
    let lines: Option<Vec<_>> = headers
        .get_all(header)
        .map(|line| line.to_str().ok())
        .collect();
    let parsed = match lines.as_deref() {
        Some([]) => return Ok(None),
        // The common case needs no copy.
        Some([line]) => parse_text(line),
        Some(lines) => parse_text(&lines.join(",")),
        None => None,
    };
    match parsed {
        Some(matcher) => Ok(Some(matcher)),
        None => Err(Error::field_errors(
            Code::InvalidParameter,
            vec![FieldError::new(name, Code::InvalidParameter)],
        )),
    }
}

fn parse_text(text: &str) -> Option<EtagMatcher> {
    ParsedHeader::parse(text).map(ParsedHeader::into_matcher)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case::any("*", Some(ParsedHeader::Any))]
    #[case::any_padded(" * ", Some(ParsedHeader::Any))]
    #[case::strong("\"3\"", Some(ParsedHeader::Etags(vec!["3"])))]
    #[case::empty_etag("\"\"", Some(ParsedHeader::Etags(vec![""])))]
    #[case::list(
        " W/\"3-c7\",\t\"a,b\" ,, \"*\",",
        Some(ParsedHeader::Etags(vec!["3-c7", "a,b", "*"]))
    )]
    #[case::empty("", None)]
    #[case::empty_list(" , ", None)]
    #[case::unquoted("3", None)]
    #[case::unterminated("\"3", None)]
    #[case::lowercase_weak("w/\"3\"", None)]
    #[case::space_after_weak("W/ \"3\"", None)]
    #[case::missing_comma("\"3\" \"4\"", None)]
    #[case::space_in_etag("\"3 4\"", None)]
    #[case::any_then_etag("*, \"3\"", None)]
    #[case::etag_then_any("\"3\", *", None)]
    #[case::any_twice("*, *", None)]
    fn parser_accepts_exactly_the_documented_pattern(
        #[case] text: &str,
        #[case] expected: Option<ParsedHeader<'_>>,
    ) {
        let documented = jsonschema::is_valid(
            &serde_json::json!({"pattern": CONDITION_PATTERN}),
            // HTTP strips whitespace around header values.
            &serde_json::json!(text.trim()),
        );
        assert_eq!(documented, expected.is_some());
        assert_eq!(ParsedHeader::parse(text), expected);
    }
}

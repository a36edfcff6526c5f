//! Conditional requests (RFC 9110 section 13).
//!
//! A read asks "unless I have it already" (`If-None-EtagMatcher`, answered here by 304). A write asks "only if it is still this"
//! (`If-EtagMatcher`) or "unless it is this" (`If-None-EtagMatcher`), answered by 412 inside its transaction. POST takes no conditions: it
//! adds to a list, whose tag changes with everything else below the same root, so that no caller could name it in time.

use std::future::{Ready, ready};

use actix_web::{
    FromRequest, HttpRequest,
    dev::Payload,
    http::header::{self, HeaderName},
};

use crate::common::{
    Code, Error, FieldError, Result,
    change::{EntityTag, EtagMatcher, Precondition},
};

/// The conditions a request makes: for a write checked inside its transaction, for a read against the current tag.
pub struct Conditions {
    pub precondition: Precondition,
}

impl Conditions {
    /// Reads them from the request's headers.
    pub fn of(request: &HttpRequest) -> Result<Self> {
        let if_match = sent(request, &header::IF_MATCH, "If-Match", Comparison::Strong)?;
        let if_none_match = sent(
            request,
            &header::IF_NONE_MATCH,
            "If-None-Match",
            Comparison::Any,
        )?;
        Ok(Self {
            precondition: Precondition {
                if_match,
                if_none_match,
            },
        })
    }

    /// Whether a read asks for something only if it is news.
    pub fn has_if_none_match(&self) -> bool {
        self.precondition.if_none_match.is_some()
    }

    /// Whether the caller already has what bears this tag, so that 304 answers a read.
    pub fn matches_if_none_match(&self, tag: &EntityTag) -> bool {
        match &self.precondition.if_none_match {
            None => false,
            Some(EtagMatcher::Any) => true,
            Some(EtagMatcher::Tags(sent)) => sent.iter().any(|sent| sent == tag.as_str()),
        }
    }
}

/// Pattern of a conditional header, as it is read below: `*`, or a list of tags.
pub const CONDITION_PATTERN: &str =
    r#"^(\*|[ \t,]*(W/)?"[!#-~]*"([ \t]*,[ \t,]*(W/)?"[!#-~]*")*[ \t,]*)$"#;

/// Which tags a condition compares: `If-EtagMatcher` the strong ones only, `If-None-EtagMatcher` all (RFC 9110 section 8.8.3.2).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Strong,
    Any,
}

/// What a conditional header says.
#[derive(Debug, PartialEq, Eq)]
enum ParsedHeader<'h> {
    /// `*`.
    Any,
    /// Tags without their quotes, each with whether it is weak.
    Tags(Vec<(bool, &'h str)>),
}

impl<'h> ParsedHeader<'h> {
    fn named(self, strength: Comparison) -> EtagMatcher {
        match self {
            Self::Any => EtagMatcher::Any,
            Self::Tags(tags) => {
                let compared = tags
                    .into_iter()
                    .filter(|(weak, _)| strength == Comparison::Any || !weak);
                EtagMatcher::Tags(compared.map(|(_, tag)| tag.to_owned()).collect())
            }
        }
    }

    /// Reads `*` or a list of tags. `None`: it is neither, or an empty list.
    fn read(text: &'h str) -> Option<Self> {
        if text.trim() == "*" {
            return Some(Self::Any);
        }
        let mut tags = Vec::new();
        // a recipient ignores empty elements (RFC 9110 section 5.6.1.2)
        let mut rest = text.trim_start_matches([' ', '\t', ',']);
        while !rest.is_empty() {
            let weak = rest.starts_with("W/");
            let (tag, after) = rest
                .strip_prefix("W/")
                .unwrap_or(rest)
                .strip_prefix('"')?
                .split_once('"')?;
            let after = after.trim_start_matches([' ', '\t']);
            if !tag.bytes().all(|b| b.is_ascii_graphic())
                || !(after.is_empty() || after.starts_with(','))
            {
                return None;
            }
            tags.push((weak, tag));
            rest = after.trim_start_matches([' ', '\t', ',']);
        }
        (!tags.is_empty()).then_some(Self::Tags(tags))
    }
}

/// A conditional header, all its lines being one list. One that cannot be read, such as a tag without its quotes, is refused:
/// ignored it would let a write act that was meant not to, and as a tag that never matches it would be a riddle.
fn sent(
    request: &HttpRequest,
    header: &HeaderName,
    name: &str,
    strength: Comparison,
) -> Result<Option<EtagMatcher>> {
    let lines: Option<Vec<_>> = request
        .headers()
        .get_all(header)
        .map(|line| line.to_str().ok())
        .collect();
    let named = |text: &str| ParsedHeader::read(text).map(|sent| sent.named(strength));
    let read = match lines.as_deref() {
        Some([]) => return Ok(None),
        // what nearly all send needs no copy
        Some([line]) => named(line),
        Some(lines) => named(&lines.join(",")),
        None => None,
    };
    let unreadable = || {
        Error::field_errors(
            Code::InvalidParameter,
            vec![FieldError::new(name, Code::InvalidParameter)],
        )
    };
    read.map(Some).ok_or_else(unreadable)
}

impl FromRequest for Conditions {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::of(request))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(tags: &[(bool, &'static str)]) -> ParsedHeader<'static> {
        ParsedHeader::Tags(tags.to_vec())
    }

    #[rstest::rstest]
    #[case("*", Some(ParsedHeader::Any))]
    #[case(" * ", Some(ParsedHeader::Any))]
    #[case("\"3\"", Some(tags(&[(false, "3")])))]
    #[case("\"\"", Some(tags(&[(false, "")])))]
    #[case(" W/\"3-c7\",\t\"a,b\" ,, \"*\",", Some(tags(&[(true, "3-c7"), (false, "a,b"), (false, "*")])))]
    #[case("", None)]
    #[case(" , ", None)]
    #[case("3", None)]
    #[case("\"3", None)]
    #[case("w/\"3\"", None)]
    #[case("W/ \"3\"", None)]
    #[case("\"3\" \"4\"", None)]
    #[case("\"3 4\"", None)]
    #[case("*, \"3\"", None)]
    #[case("\"3\", *", None)]
    #[case("*, *", None)]
    fn headers_are_read_in_full_or_not_at_all(
        #[case] text: &str,
        #[case] expected: Option<ParsedHeader<'_>>,
    ) {
        let documented = jsonschema::is_valid(
            &serde_json::json!({"pattern": CONDITION_PATTERN}),
            // HTTP takes the white space off the ends of a header
            &serde_json::json!(text.trim()),
        );
        assert_eq!(documented, expected.is_some());
        assert_eq!(ParsedHeader::read(text), expected);
    }
}

//! What is wrong with a request, told place by place: what serde could not read and what validator refused, as faults.

use serde_path_to_error::{Path, Segment};
use validator::{ValidationError, ValidationErrors, ValidationErrorsKind};

use crate::common::{Code, FieldError, normalize::truncate_untrusted};

/// How much of a name that the sender made up is repeated, in characters.
pub(super) const MAX_NAME: usize = 64;
/// How much of a reason that may hold what the sender wrote is repeated, in characters.
const MAX_REASON: usize = 200;

/// Where something was to be read from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum InputKind {
    Body,
    Query,
}

/// What serde could not read of a body, as a fault.
pub fn body_fault(error: &serde_path_to_error::Error<serde_json::Error>) -> FieldError {
    deserialize_error(error, InputKind::Body)
}

/// What serde could not read, as a fault. serde says it in words only; their beginnings and ends are part of its `de::Error`
/// trait, and what the sender wrote stands between them.
pub(super) fn deserialize_error<E: std::fmt::Display>(
    error: &serde_path_to_error::Error<E>,
    shape: InputKind,
) -> FieldError {
    let message = error.inner().to_string();
    let message = without_place(&message);
    let (said, expected) = split(message);
    let named = said
        .split_once('`')
        .map(|(_, rest)| rest.strip_suffix('`').unwrap_or(rest))
        .unwrap_or_default();
    let base = pointer(error.path());
    let at = |path: String| {
        if shape == InputKind::Query {
            path.trim_start_matches('/').to_owned()
        } else {
            path
        }
    };
    let child = || {
        if ends_with(error.path(), named) {
            base.clone()
        } else {
            format!("{base}/{}", member(named))
        }
    };
    if said.starts_with("unknown field") && shape == InputKind::Query {
        FieldError::new(at(child()), Code::UnknownParameter)
            .with("name", truncate_untrusted(named, MAX_NAME))
    } else if said.starts_with("unknown field") {
        FieldError::new(at(child()), Code::UnknownMember)
            .with("member", truncate_untrusted(named, MAX_NAME))
    } else if said.starts_with("missing field") {
        FieldError::new(at(format!("{base}/{}", member(named))), Code::Required)
    } else if said.starts_with("unknown variant") || shape == InputKind::Query {
        FieldError::new(at(base), Code::UnknownValue)
            .with("allowed", words(expected.unwrap_or(message)))
    } else {
        let reason = match expected {
            Some(expected) => format!(
                "{}, expected {expected}",
                truncate_untrusted(said, MAX_NAME)
            ),
            None => truncate_untrusted(message, MAX_REASON),
        };
        FieldError::new(at(base), Code::WrongType).with("reason", reason)
    }
}

/// `serde_json` ends its messages with a line and a column; we tell the place by a pointer.
fn without_place(message: &str) -> &str {
    let number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    match message.rsplit_once(" at line ") {
        Some((rest, place))
            if place
                .split_once(" column ")
                .is_some_and(|(l, c)| number(l) && number(c)) =>
        {
            rest
        }
        _ => message,
    }
}

/// What was found, and what serde expected instead: the words behind the last `expected` are ours.
fn split(message: &str) -> (&str, Option<&str>) {
    let nothing = ["fields", "variants"]
        .iter()
        .find_map(|what| message.strip_suffix(&format!(", there are no {what}")));
    match nothing {
        Some(said) => (said, Some("")),
        None => message
            .rsplit_once(", expected ")
            .map_or((message, None), |(said, expected)| (said, Some(expected))),
    }
}

/// The words that serde would have taken.
fn words(expected: &str) -> String {
    expected
        .split('`')
        .skip(1)
        .step_by(2)
        .collect::<Vec<_>>()
        .join(", ")
}

fn pointer(path: &Path) -> String {
    path.iter()
        .fold(String::new(), |pointer, segment| match segment {
            Segment::Seq { index } => format!("{pointer}/{index}"),
            Segment::Map { key } => format!("{pointer}/{}", member(key)),
            Segment::Enum { variant } => format!("{pointer}/{}", member(variant)),
            Segment::Unknown => pointer,
        })
}

/// Whether a path leads to a member of this name.
fn ends_with(path: &Path, name: &str) -> bool {
    matches!(path.iter().next_back(), Some(Segment::Map { key }) if key == name)
}

/// A member's name as the sender may have made it up, in a pointer.
fn member(name: &str) -> String {
    escape(&truncate_untrusted(name, MAX_NAME))
}

/// A member's name as part of a JSON pointer (RFC 6901 section 3).
fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// All faults that validation found, in the order of their pointers.
pub fn validation_errors(errors: &ValidationErrors) -> Vec<FieldError> {
    let mut field_errors = Vec::new();
    gather(errors, "", &mut field_errors);
    field_errors.sort_by(|a, b| a.pointer.cmp(&b.pointer));
    field_errors
}

fn gather(errors: &ValidationErrors, base: &str, field_errors: &mut Vec<FieldError>) {
    for (name, kind) in errors.errors() {
        // a value that judges itself names no member; where the fault is inside of it, the fault says
        let at = if name.is_empty() {
            base.to_owned()
        } else {
            format!("{base}/{}", escape(name))
        };
        match kind {
            ValidationErrorsKind::Field(errors) => {
                field_errors.extend(errors.iter().map(|error| validation_error(error, &at)))
            }
            ValidationErrorsKind::Struct(inner) => gather(inner, &at, field_errors),
            ValidationErrorsKind::List(items) => {
                for (index, inner) in items {
                    gather(inner, &format!("{at}/{index}"), field_errors);
                }
            }
        }
    }
}

/// See [`crate::common::text::check`] for how a fault travels through validator.
fn validation_error(error: &ValidationError, at: &str) -> FieldError {
    let code = error.code.parse().unwrap_or(Code::ValidationFailed);
    let within = error.message.as_deref().unwrap_or_default();
    let facts = error
        .params
        .iter()
        .filter(|(name, _)| *name != "value")
        .map(|(name, value)| {
            (
                name.clone(),
                value
                    .as_str()
                    .map_or_else(|| value.to_string(), ToOwned::to_owned),
            )
        });
    FieldError {
        pointer: format!("{at}{within}"),
        code,
        args: facts.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case(
        "unknown field `a`, expected `b` or `c`",
        "unknown field `a`",
        Some("`b` or `c`")
    )]
    #[case(
        "unknown field `a, expected b`, there are no fields",
        "unknown field `a, expected b`",
        Some("")
    )]
    #[case(
        "unknown field `a, there are no fields`, expected `b`",
        "unknown field `a, there are no fields`",
        Some("`b`")
    )]
    #[case("duplicate field `a`", "duplicate field `a`", None)]
    fn what_was_found_is_told_from_what_was_expected(
        #[case] message: &str,
        #[case] said: &str,
        #[case] expected: Option<&str>,
    ) {
        assert_eq!(split(message), (said, expected));
    }

    #[rstest::rstest]
    #[case("a at line 1 column 22", "a")]
    #[case("a at line 1 column 2` at line 3 column 4", "a at line 1 column 2`")]
    #[case("a at line 1 column 2`", "a at line 1 column 2`")]
    #[case("a at line x column 2", "a at line x column 2")]
    fn only_the_place_at_the_end_is_cut(#[case] message: &str, #[case] rest: &str) {
        assert_eq!(without_place(message), rest);
    }
}

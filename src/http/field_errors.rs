//! Converts errors of serde and validator into field errors.

use serde_path_to_error::{Path, Segment};
use validator::{ValidationError, ValidationErrors, ValidationErrorsKind};

use crate::common::{Code, FieldError, normalize::truncate_untrusted};

/// Maximum length of a client's name in an error, in characters.
pub(super) const MAX_NAME: usize = 64;

/// Converts an error of the type of the value at `pointer` in a body.
///
/// [`super::lenient_json`] reports wrong types and unknown members itself. This converts missing
/// members and values that a type rejects.
pub(super) fn data_error(pointer: &str, message: &str) -> FieldError {
    let message = without_position(message);
    let (problem, expected) = split_expected(message);
    if problem.starts_with("missing field") {
        let name = escape_member(quoted_name(problem));
        return FieldError::new(format!("{pointer}/{name}"), Code::Required);
    }
    if problem.starts_with("unknown variant") {
        let allowed = quoted_names(expected.unwrap_or(message));
        return FieldError::new(pointer, Code::UnknownValue).with("allowed", allowed);
    }
    FieldError::new(pointer, Code::WrongType).with("expected", "valid")
}

/// Converts an error of deserializing query parameters.
///
/// serde only provides a message. It begins and ends with text that its `de::Error` trait
/// defines, and quotes the client's input in between.
pub(super) fn query_error<E: std::fmt::Display>(
    error: &serde_path_to_error::Error<E>,
) -> FieldError {
    let message = error.inner().to_string();
    let message = without_position(&message);
    let (problem, expected) = split_expected(message);
    let parameter = pointer(error.path()).trim_start_matches('/').to_owned();
    if problem.starts_with("unknown field") {
        let name = quoted_name(problem);
        return FieldError::new(escape_member(name), Code::UnknownParameter)
            .with("name", truncate_untrusted(name, MAX_NAME));
    }
    let allowed = quoted_names(expected.unwrap_or(message));
    FieldError::new(parameter, Code::UnknownValue).with("allowed", allowed)
}

/// Removes the line and column that `serde_json` appends; the pointer has the location.
fn without_position(message: &str) -> &str {
    let Some((rest, position)) = message.rsplit_once(" at line ") else {
        return message;
    };
    match position.split_once(" column ") {
        Some((line, column)) if is_number(line) && is_number(column) => rest,
        _ => message,
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// Splits a message into the problem and what serde expected instead. Only the text after the
/// last `expected` is free of the client's input.
fn split_expected(message: &str) -> (&str, Option<&str>) {
    let without_alternatives = message
        .strip_suffix(", there are no fields")
        .or_else(|| message.strip_suffix(", there are no variants"));
    match without_alternatives {
        Some(problem) => (problem, Some("")),
        None => message
            .rsplit_once(", expected ")
            .map_or((message, None), |(problem, expected)| {
                (problem, Some(expected))
            }),
    }
}

/// The name in backticks at the end of a message.
fn quoted_name(problem: &str) -> &str {
    problem
        .split_once('`')
        .map(|(_, rest)| rest.strip_suffix('`').unwrap_or(rest))
        .unwrap_or_default()
}

/// The names in backticks, separated by commas.
fn quoted_names(expected: &str) -> String {
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
            Segment::Map { key } => format!("{pointer}/{}", escape_member(key)),
            Segment::Enum { variant } => format!("{pointer}/{}", escape_member(variant)),
            Segment::Unknown => pointer,
        })
}

/// An untrusted member name as a segment of a JSON pointer.
pub(super) fn escape_member(name: &str) -> String {
    escape(&truncate_untrusted(name, MAX_NAME))
}

/// Escapes a segment of a JSON pointer (RFC 6901 section 3).
fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// Converts all errors of a validation, in the order of their pointers.
pub fn validation_errors(errors: &ValidationErrors) -> Vec<FieldError> {
    let mut field_errors = Vec::new();
    collect(errors, "", &mut field_errors);
    field_errors.sort_by(|a, b| a.pointer.cmp(&b.pointer));
    field_errors
}

fn collect(errors: &ValidationErrors, parent: &str, field_errors: &mut Vec<FieldError>) {
    for (name, kind) in errors.errors() {
        // A value that validates itself has no name; its errors contain the rest of the pointer.
        let pointer = if name.is_empty() {
            parent.to_owned()
        } else {
            format!("{parent}/{}", escape(name))
        };
        match kind {
            ValidationErrorsKind::Field(errors) => {
                field_errors.extend(errors.iter().map(|error| validation_error(error, &pointer)));
            }
            ValidationErrorsKind::Struct(inner) => collect(inner, &pointer, field_errors),
            ValidationErrorsKind::List(items) => {
                for (index, inner) in items {
                    collect(inner, &format!("{pointer}/{index}"), field_errors);
                }
            }
        }
    }
}

/// See [`crate::common::text::check`] for how validator carries a field error.
fn validation_error(error: &ValidationError, parent: &str) -> FieldError {
    let code = error.code.parse().unwrap_or(Code::ValidationFailed);
    let child = error.message.as_deref().unwrap_or_default();
    let args = error
        .params
        .iter()
        .filter(|(name, _)| *name != "value")
        .map(|(name, value)| {
            let text = value
                .as_str()
                .map_or_else(|| value.to_string(), ToOwned::to_owned);
            (name.clone(), text)
        });
    FieldError {
        pointer: format!("{parent}{child}"),
        code,
        args: args.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case::alternatives(
        "unknown field `a`, expected `b` or `c`",
        "unknown field `a`",
        Some("`b` or `c`")
    )]
    #[case::expected_in_name_without_alternatives(
        "unknown field `a, expected b`, there are no fields",
        "unknown field `a, expected b`",
        Some("")
    )]
    #[case::no_fields_in_name(
        "unknown field `a, there are no fields`, expected `b`",
        "unknown field `a, there are no fields`",
        Some("`b`")
    )]
    #[case::no_expectation("duplicate field `a`", "duplicate field `a`", None)]
    fn message_is_split_at_last_expected(
        #[case] message: &str,
        #[case] problem: &str,
        #[case] expected: Option<&str>,
    ) {
        assert_eq!(split_expected(message), (problem, expected));
    }

    #[rstest::rstest]
    #[case::position("a at line 1 column 22", "a")]
    #[case::position_after_quote(
        "a at line 1 column 2` at line 3 column 4",
        "a at line 1 column 2`"
    )]
    #[case::only_in_quote("a at line 1 column 2`", "a at line 1 column 2`")]
    #[case::no_number("a at line x column 2", "a at line x column 2")]
    fn only_trailing_position_is_removed(#[case] message: &str, #[case] expected: &str) {
        assert_eq!(without_position(message), expected);
    }
}

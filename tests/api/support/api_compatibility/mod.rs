//! Finds breaking changes between two OpenAPI documents.
//!
//! Works on plain JSON, since the crates for this purpose read OpenAPI 3.0 only. A request may
//! accept more than before, and a response may guarantee more than before; less is a breaking
//! change. The same change of a schema can therefore be harmless in a request and breaking in a
//! response: references are followed from the operations, and schemas are never compared on their
//! own.

mod operations;
mod schemas;

use std::{collections::BTreeSet, fmt};

use serde_json::Value;

/// One breaking change.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Break {
    /// The old name of the operation, schema or problem code.
    pub subject: String,
    /// The change and its place.
    pub change: String,
}

impl fmt::Display for Break {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}", self.subject, self.change)
    }
}

/// Whether values of a schema are sent or received by clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Direction {
    Request,
    Response,
}

impl Direction {
    /// The schemas of the sender and the receiver. In a request the client, which follows the old
    /// document, is the sender.
    fn sender_and_receiver<T>(self, old: T, new: T) -> (T, T) {
        match self {
            Self::Request => (old, new),
            Self::Response => (new, old),
        }
    }
}

/// The state of a comparison of two documents.
struct Comparison<'d> {
    old: &'d Value,
    new: &'d Value,
    found: BTreeSet<Break>,
    /// The pairs of schemas compared so far; schemas may be recursive.
    seen: BTreeSet<(Direction, String, String)>,
}

/// All breaking changes from `old` to `new`. The removal of a whole version (`/api/v1`) is not one:
/// clients migrate to the next version.
pub fn breaks(old: &Value, new: &Value) -> Vec<Break> {
    let mut comparison = Comparison {
        old,
        new,
        found: BTreeSet::new(),
        seen: BTreeSet::new(),
    };
    comparison.operations();
    comparison.codes();
    comparison.found.into_iter().collect()
}

impl Comparison<'_> {
    fn report(&mut self, subject: &str, change: impl Into<String>) {
        self.found.insert(Break {
            subject: subject.to_owned(),
            change: change.into(),
        });
    }

    /// Reports removed problem codes: clients handle errors by code. Not compared if the documents
    /// have no version in common.
    fn codes(&mut self) {
        let versions = operations::versions(self.new);
        if operations::versions(self.old).is_disjoint(&versions) {
            return;
        }
        for (code, _) in members(&self.old["components"]["examples"]) {
            if self.new["components"]["examples"].get(code).is_none() {
                self.report(code, "code removed");
            }
        }
    }
}

/// The members of an object; empty for other values.
fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

/// The items of an array as strings; empty for other values.
fn string_set(value: &Value) -> BTreeSet<String> {
    value
        .as_array()
        .into_iter()
        .flatten()
        .map(|item| {
            item.as_str()
                .map_or_else(|| item.to_string(), ToOwned::to_owned)
        })
        .collect()
}

/// The target of a reference and its name; any other value is returned without a name.
fn resolved<'v>(document: &'v Value, value: &'v Value) -> (&'v Value, Option<&'v str>) {
    let Some(reference) = value["$ref"].as_str() else {
        return (value, None);
    };
    let target = document
        .pointer(reference.trim_start_matches('#'))
        .unwrap_or(&Value::Null);
    (target, reference.rsplit('/').next())
}

/// The subjects of the breaking changes that a changelog declares: lines of the section
/// "Unreleased" of the form ``- **Breaking:** `subject` …``.
pub fn declared(changelog: &str) -> BTreeSet<String> {
    let unreleased = changelog
        .lines()
        .skip_while(|line| !line.starts_with("## [Unreleased]"))
        .skip(1);
    let lines = unreleased.take_while(|line| !line.starts_with("## "));
    let subject = |line: &str| {
        line.strip_prefix("- **Breaking:** `")?
            .split_once('`')
            .map(|(subject, _)| subject.to_owned())
    };
    lines.filter_map(subject).collect()
}

/// Breaking changes without a declaration, and declarations without a breaking change.
pub fn undeclared(breaks: &[Break], declared: &BTreeSet<String>) -> Vec<String> {
    let missing = breaks
        .iter()
        .filter(|change| !declared.contains(&change.subject))
        .map(ToString::to_string);
    let unused = declared
        .iter()
        .filter(|subject| breaks.iter().all(|change| change.subject != **subject));
    missing
        .chain(unused.map(|subject| format!("`{subject}` is declared but not broken")))
        .collect()
}

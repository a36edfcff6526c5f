//! What in a new document breaks callers who were written for an old one.
//!
//! Pure, on JSON. (The crates that do this read OpenAPI 3.0 only; oasdiff, which reads 3.1, is no Rust.) What is sent may be
//! allowed more than before, never less; what is answered may promise more, never less. So the same change of a schema can be
//! harmless in a body and a break in an answer: references are followed from the operations, and never compared by themselves.

mod operations;
mod schemas;

use std::{collections::BTreeSet, fmt};

use serde_json::Value;

/// One thing that breaks callers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Break {
    /// The operation, schema or code it is about, by its old name.
    pub subject: String,
    /// What is no longer as it was, and where.
    pub what: String,
}

impl fmt::Display for Break {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}", self.subject, self.what)
    }
}

/// Which way a schema's values go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Direction {
    Request,
    Answer,
}

/// Compares two documents.
struct Comparison<'d> {
    old: &'d Value,
    new: &'d Value,
    breaks: BTreeSet<Break>,
    /// Pairs of schemas that are being compared or have been, since they may hold themselves.
    seen: BTreeSet<(Direction, String, String)>,
}

/// All that breaks callers of `old` when `new` takes its place. A version that is gone as a whole (`/api/v1`) is no break:
/// callers of the next one are written anew.
pub fn breaks(old: &Value, new: &Value) -> Vec<Break> {
    let mut comparison = Comparison {
        old,
        new,
        breaks: BTreeSet::new(),
        seen: BTreeSet::new(),
    };
    comparison.operations();
    comparison.codes();
    comparison.breaks.into_iter().collect()
}

impl Comparison<'_> {
    fn breaks(&mut self, subject: &str, what: impl Into<String>) {
        self.breaks.insert(Break {
            subject: subject.to_owned(),
            what: what.into(),
        });
    }

    /// Codes are what callers act on, so a code is never renamed. Those of no operation that is left are gone with it.
    fn codes(&mut self) {
        let versions = operations::versions(self.new);
        if operations::versions(self.old).is_disjoint(&versions) {
            return;
        }
        for (code, _) in members(&self.old["components"]["examples"]) {
            if self.new["components"]["examples"].get(code).is_none() {
                self.breaks(code, "code removed");
            }
        }
    }
}

/// The members of an object; none of what is no object.
fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

/// The texts of a list.
fn texts(value: &Value) -> BTreeSet<String> {
    value
        .as_array()
        .into_iter()
        .flatten()
        .map(|it| {
            it.as_str()
                .map_or_else(|| it.to_string(), ToOwned::to_owned)
        })
        .collect()
}

/// What a reference leads to, and its name; anything else is itself.
fn resolved<'v>(document: &'v Value, value: &'v Value) -> (&'v Value, Option<&'v str>) {
    let Some(reference) = value["$ref"].as_str() else {
        return (value, None);
    };
    let target = document
        .pointer(reference.trim_start_matches('#'))
        .unwrap_or(&Value::Null);
    (target, reference.rsplit('/').next())
}

/// The breaks that a changelog declares: the lines of its section "Unreleased" of the form
/// ``- **Breaking:** `subject` …``, each by its subject.
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

/// The breaks that are not declared, and the declarations of what is no break.
pub fn undeclared(breaks: &[Break], declared: &BTreeSet<String>) -> Vec<String> {
    let missing = breaks
        .iter()
        .filter(|it| !declared.contains(&it.subject))
        .map(ToString::to_string);
    let idle = declared
        .iter()
        .filter(|subject| breaks.iter().all(|it| it.subject != **subject));
    missing
        .chain(idle.map(|subject| format!("`{subject}` is declared, but not broken")))
        .collect()
}

//! Schemas, each compared in the direction in which its values go.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Comparison, Direction, members, resolved, texts};

/// Limits from below and from above.
const LEAST: [&str; 5] = [
    "minLength",
    "minimum",
    "exclusiveMinimum",
    "minItems",
    "minProperties",
];
const MOST: [&str; 5] = [
    "maxLength",
    "maximum",
    "exclusiveMaximum",
    "maxItems",
    "maxProperties",
];

/// A schema without the different ways to write the same: references followed, `allOf` joined, `null` set apart.
struct Plain<'d> {
    /// Its name among the components.
    name: Option<&'d str>,
    /// Its parts, mostly one.
    parts: Vec<&'d Value>,
    nullable: bool,
    /// Alternatives, by the names of their schemas or their numbers.
    branches: BTreeMap<String, &'d Value>,
}

impl<'d> Plain<'d> {
    fn of(document: &'d Value, schema: &'d Value) -> Self {
        let (value, name) = resolved(document, schema);
        let mut plain = Self {
            name,
            parts: vec![],
            nullable: false,
            branches: BTreeMap::new(),
        };
        plain.add(document, value);
        // of alternatives of which one is `null`, the other one is meant
        if plain.nullable && plain.branches.len() == 1 {
            let inner = plain
                .branches
                .pop_first()
                .map(|(_, branch)| Self::of(document, branch));
            if let Some(inner) = inner {
                plain.name = inner.name.or(plain.name);
                plain.parts.extend(inner.parts);
                plain.branches = inner.branches;
            }
        }
        plain
    }

    fn add(&mut self, document: &'d Value, value: &'d Value) {
        self.parts.push(value);
        self.nullable |= texts(&value["type"]).contains("null");
        for part in value["allOf"].as_array().into_iter().flatten() {
            self.add(document, resolved(document, part).0);
        }
        for key in ["oneOf", "anyOf"] {
            for (index, branch) in value[key].as_array().into_iter().flatten().enumerate() {
                if branch["type"] == "null" {
                    self.nullable = true;
                } else {
                    let name = resolved(document, branch)
                        .1
                        .map_or_else(|| index.to_string(), ToOwned::to_owned);
                    self.branches.insert(name, branch);
                }
            }
        }
    }

    /// The first part that says something of this kind.
    fn get(&self, key: &str) -> &'d Value {
        self.parts
            .iter()
            .find_map(|part| part.get(key))
            .unwrap_or(&Value::Null)
    }

    fn types(&self) -> BTreeSet<String> {
        let of = |part: &&Value| {
            part["type"].as_str().map_or_else(
                || texts(&part["type"]),
                |it| BTreeSet::from([it.to_owned()]),
            )
        };
        self.parts
            .iter()
            .flat_map(of)
            .filter(|it| it != "null")
            .collect()
    }

    /// The values of an enumeration; of a discriminator, its values.
    fn values(&self) -> Option<BTreeSet<String>> {
        let constant = self.get("const");
        let mapping = &self.get("discriminator")["mapping"];
        match (self.get("enum"), mapping.as_object()) {
            (Value::Null, None) if constant.is_null() => None,
            (Value::Null, None) => Some(BTreeSet::from([constant.to_string()])),
            (Value::Null, Some(mapping)) => Some(mapping.keys().cloned().collect()),
            (values, _) => Some(texts(values)),
        }
    }

    fn properties(&self) -> BTreeMap<&'d String, &'d Value> {
        self.parts
            .iter()
            .flat_map(|part| members(&part["properties"]))
            .collect()
    }

    fn required(&self) -> BTreeSet<String> {
        self.parts
            .iter()
            .flat_map(|part| texts(&part["required"]))
            .collect()
    }
}

impl Comparison<'_> {
    /// Compares a schema with its successor; `at` is where it is within its operation or schema `of`.
    pub(super) fn schema(
        &mut self,
        direction: Direction,
        of: &str,
        at: &str,
        old: &Value,
        new: &Value,
    ) {
        let (before, now) = (Plain::of(self.old, old), Plain::of(self.new, new));
        // whether a schema may be `null` is said where it is used
        let (allows, allowed) = if direction == Direction::Request {
            (&now, &before)
        } else {
            (&before, &now)
        };
        if allowed.nullable && !allows.nullable {
            let what = if direction == Direction::Request {
                "null is refused now"
            } else {
                "may be null now"
            };
            self.breaks(of, format!("{what}: {at}"));
        }
        let pair = |it: &Plain| it.name.unwrap_or_default().to_owned();
        if before.name.is_some() && !self.seen.insert((direction, pair(&before), pair(&now))) {
            return;
        }
        let (of, at) = before.name.map_or((of, at), |name| (name, ""));
        let mut found = Vec::new();
        kind(direction, &before, &now, &mut found);
        values(direction, &before, &now, &mut found);
        limits(direction, &before, &now, &mut found);
        for what in found {
            let direction = if direction == Direction::Request {
                "sent"
            } else {
                "answered"
            };
            self.breaks(
                of,
                [at, &what, direction]
                    .into_iter()
                    .filter(|it| !it.is_empty())
                    .collect::<Vec<_>>()
                    .join(", "),
            );
        }
        self.properties(direction, of, at, &before, &now);
        if !before.get("items").is_null() {
            self.schema(
                direction,
                of,
                &format!("{at}/*"),
                before.get("items"),
                now.get("items"),
            );
        }
        for (name, branch) in &before.branches {
            if let Some(next) = now.branches.get(name) {
                self.schema(direction, of, &format!("{at}|{name}"), branch, next);
            }
        }
    }

    fn properties(
        &mut self,
        direction: Direction,
        of: &str,
        at: &str,
        before: &Plain,
        now: &Plain,
    ) {
        let (old, new) = (before.properties(), now.properties());
        let (needed, needs) = (before.required(), now.required());
        for (name, schema) in &old {
            let at = format!("{at}/{name}");
            match new.get(name) {
                None => self.breaks(of, format!("member removed: {at}")),
                Some(next) => self.schema(direction, of, &at, schema, next),
            }
        }
        let (gone, what) = match direction {
            Direction::Request => (needs.difference(&needed), "member is required now"),
            Direction::Answer => (needed.difference(&needs), "member may be absent now"),
        };
        for name in gone.filter(|name| direction == Direction::Request || new.contains_key(name)) {
            self.breaks(of, format!("{what}: {at}/{name}"));
        }
    }
}

/// What a value is: its types, its format, whether it may hold more than is named.
fn kind(direction: Direction, before: &Plain, now: &Plain, found: &mut Vec<String>) {
    let (old, new) = (before.types(), now.types());
    let (less, more) = if direction == Direction::Request {
        (&old, &new)
    } else {
        (&new, &old)
    };
    // every integer is a number
    let within = less
        .iter()
        .all(|it| more.contains(it) || it == "integer" && more.contains("number"));
    if !within || less.is_empty() != more.is_empty() {
        found.push(format!("type {old:?} is now {new:?}"));
    }
    if before.get("format") != now.get("format") {
        found.push(format!(
            "format {} is now {}",
            before.get("format"),
            now.get("format")
        ));
    }
    let closed = |it: &Plain| it.get("additionalProperties") == false;
    if direction == Direction::Request && closed(now) && !closed(before) {
        found.push("unknown members are refused now".to_owned());
    }
}

/// Which values there are: enumerations, discriminators, alternatives. The one side must know all that the other may send.
fn values(direction: Direction, before: &Plain, now: &Plain, found: &mut Vec<String>) {
    let (sends, knows) = if direction == Direction::Request {
        (before, now)
    } else {
        (now, before)
    };
    let what = if direction == Direction::Request {
        "value removed"
    } else {
        "value added"
    };
    match (sends.values(), knows.values()) {
        (Some(values), Some(others)) => {
            found.extend(values.difference(&others).map(|it| format!("{what}: {it}")))
        }
        (None, Some(_)) => found.push(format!("{what}: any")),
        _ => {}
    }
    let missing = sends
        .branches
        .keys()
        .filter(|name| !knows.branches.contains_key(*name));
    found.extend(missing.map(|name| format!("{what}: one like {name}")));
    if sends.branches.is_empty() && !knows.branches.is_empty() {
        found.push(format!("{what}: any other"));
    }
}

/// How long, how many, how large, and of what form. The other side must bear all that one side may send.
fn limits(direction: Direction, before: &Plain, now: &Plain, found: &mut Vec<String>) {
    let (sends, bears) = if direction == Direction::Request {
        (before, now)
    } else {
        (now, before)
    };
    let mut differs =
        |key: &str| found.push(format!("{key} {} is now {}", before.get(key), now.get(key)));
    for (key, from_below) in LEAST
        .map(|key| (key, true))
        .into_iter()
        .chain(MOST.map(|key| (key, false)))
    {
        let beyond = match (sends.get(key).as_f64(), bears.get(key).as_f64()) {
            (Some(sent), Some(borne)) => {
                if from_below {
                    sent < borne
                } else {
                    sent > borne
                }
            }
            // no limit is the same as the smallest one
            (None, Some(borne)) => {
                !(from_below && borne <= 0.0 && key != "minimum" && key != "exclusiveMinimum")
            }
            _ => false,
        };
        if beyond {
            differs(key);
        }
    }
    for key in ["pattern", "multipleOf"] {
        if !bears.get(key).is_null() && bears.get(key) != sends.get(key) {
            differs(key);
        }
    }
    if bears.get("uniqueItems") == true && sends.get("uniqueItems") != true {
        differs("uniqueItems");
    }
    if direction == Direction::Request && before.get("default") != now.get("default") {
        differs("default");
    }
}

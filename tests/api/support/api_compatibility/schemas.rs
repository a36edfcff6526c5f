//! Compares schemas, separately for requests and responses.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Comparison, Direction, members, resolved, string_set};

/// Lower limits.
const LOWER_LIMITS: [&str; 5] = [
    "minLength",
    "minimum",
    "exclusiveMinimum",
    "minItems",
    "minProperties",
];
/// Upper limits.
const UPPER_LIMITS: [&str; 5] = [
    "maxLength",
    "maximum",
    "exclusiveMaximum",
    "maxItems",
    "maxProperties",
];

/// A schema in normal form: references resolved, `allOf` merged, `null` separated.
struct Normalized<'d> {
    /// The name among the components.
    name: Option<&'d str>,
    /// The parts of `allOf`; usually one.
    parts: Vec<&'d Value>,
    nullable: bool,
    /// Alternatives, by schema name or, without one, by index.
    branches: BTreeMap<String, &'d Value>,
}

impl<'d> Normalized<'d> {
    fn of(document: &'d Value, schema: &'d Value) -> Self {
        let (value, name) = resolved(document, schema);
        let mut normalized = Self {
            name,
            parts: vec![],
            nullable: false,
            branches: BTreeMap::new(),
        };
        normalized.add(document, value);
        // `oneOf` of a schema and `null` is the schema, nullable
        if normalized.nullable && normalized.branches.len() == 1 {
            let inner = normalized
                .branches
                .pop_first()
                .map(|(_, branch)| Self::of(document, branch));
            if let Some(inner) = inner {
                normalized.name = inner.name.or(normalized.name);
                normalized.parts.extend(inner.parts);
                normalized.branches = inner.branches;
            }
        }
        normalized
    }

    fn add(&mut self, document: &'d Value, value: &'d Value) {
        self.parts.push(value);
        self.nullable |= string_set(&value["type"]).contains("null");
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

    /// The value of a keyword in the first part that has it.
    fn get(&self, key: &str) -> &'d Value {
        self.parts
            .iter()
            .find_map(|part| part.get(key))
            .unwrap_or(&Value::Null)
    }

    fn types(&self) -> BTreeSet<String> {
        let types_of_part = |part: &&Value| {
            part["type"].as_str().map_or_else(
                || string_set(&part["type"]),
                |name| BTreeSet::from([name.to_owned()]),
            )
        };
        self.parts
            .iter()
            .flat_map(types_of_part)
            .filter(|name| name != "null")
            .collect()
    }

    /// The values of `enum` or `const`, or the keys of a discriminator; `None` if any value is
    /// allowed.
    fn values(&self) -> Option<BTreeSet<String>> {
        let constant = self.get("const");
        let mapping = &self.get("discriminator")["mapping"];
        match (self.get("enum"), mapping.as_object()) {
            (Value::Null, None) if constant.is_null() => None,
            (Value::Null, None) => Some(BTreeSet::from([constant.to_string()])),
            (Value::Null, Some(mapping)) => Some(mapping.keys().cloned().collect()),
            (values, _) => Some(string_set(values)),
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
            .flat_map(|part| string_set(&part["required"]))
            .collect()
    }
}

impl Comparison<'_> {
    /// Compares a schema with its successor at the place `at` of the operation or schema `subject`.
    pub(super) fn schema(
        &mut self,
        direction: Direction,
        subject: &str,
        at: &str,
        old: &Value,
        new: &Value,
    ) {
        let before = Normalized::of(self.old, old);
        let now = Normalized::of(self.new, new);
        // nullability belongs to the place of use, so it is compared for each reference
        let (sender, receiver) = direction.sender_and_receiver(&before, &now);
        if sender.nullable && !receiver.nullable {
            let change = if direction == Direction::Request {
                "null is refused now"
            } else {
                "may be null now"
            };
            self.report(subject, format!("{change}: {at}"));
        }
        let name = |schema: &Normalized| schema.name.unwrap_or_default().to_owned();
        if before.name.is_some() && !self.seen.insert((direction, name(&before), name(&now))) {
            return;
        }
        let (subject, at) = before.name.map_or((subject, at), |name| (name, ""));
        self.keywords(direction, subject, at, &before, &now);
        self.properties(direction, subject, at, &before, &now);
        if !before.get("items").is_null() {
            self.schema(
                direction,
                subject,
                &format!("{at}/*"),
                before.get("items"),
                now.get("items"),
            );
        }
        for (name, branch) in &before.branches {
            if let Some(next) = now.branches.get(name) {
                self.schema(direction, subject, &format!("{at}|{name}"), branch, next);
            }
        }
    }

    /// Compares the keywords of the schemas themselves, without their properties and items.
    fn keywords(
        &mut self,
        direction: Direction,
        subject: &str,
        at: &str,
        before: &Normalized,
        now: &Normalized,
    ) {
        let mut changes = Vec::new();
        types(direction, before, now, &mut changes);
        values(direction, before, now, &mut changes);
        limits(direction, before, now, &mut changes);

        let suffix = match direction {
            Direction::Request => "in requests",
            Direction::Response => "in responses",
        };
        for change in changes {
            if at.is_empty() {
                self.report(subject, format!("{change}, {suffix}"));
            } else {
                self.report(subject, format!("{at}, {change}, {suffix}"));
            }
        }
    }

    fn properties(
        &mut self,
        direction: Direction,
        subject: &str,
        at: &str,
        before: &Normalized,
        now: &Normalized,
    ) {
        let old = before.properties();
        let new = now.properties();
        let old_required = before.required();
        let new_required = now.required();
        for (name, schema) in &old {
            let at = format!("{at}/{name}");
            match new.get(name) {
                None => self.report(subject, format!("member removed: {at}")),
                Some(next) => self.schema(direction, subject, &at, schema, next),
            }
        }
        let (names, change) = match direction {
            Direction::Request => (
                new_required.difference(&old_required),
                "member is required now",
            ),
            Direction::Response => (
                old_required.difference(&new_required),
                "member may be absent now",
            ),
        };
        for name in names.filter(|name| direction == Direction::Request || new.contains_key(name)) {
            self.report(subject, format!("{change}: {at}/{name}"));
        }
    }
}

/// Compares types, formats and whether additional properties are allowed.
fn types(direction: Direction, before: &Normalized, now: &Normalized, found: &mut Vec<String>) {
    let old = before.types();
    let new = now.types();
    let (sent, accepted) = direction.sender_and_receiver(&old, &new);
    // every integer is a number
    let all_accepted = sent
        .iter()
        .all(|name| accepted.contains(name) || name == "integer" && accepted.contains("number"));
    if !all_accepted || sent.is_empty() != accepted.is_empty() {
        found.push(format!("type {old:?} is now {new:?}"));
    }
    if before.get("format") != now.get("format") {
        found.push(format!(
            "format {} is now {}",
            before.get("format"),
            now.get("format")
        ));
    }
    let closed = |schema: &Normalized| schema.get("additionalProperties") == false;
    if direction == Direction::Request && closed(now) && !closed(before) {
        found.push("unknown members are refused now".to_owned());
    }
}

/// Compares enumerations, discriminators and alternatives. The receiver must accept all values that
/// the sender may send.
fn values(direction: Direction, before: &Normalized, now: &Normalized, found: &mut Vec<String>) {
    let (sender, receiver) = direction.sender_and_receiver(before, now);
    let change = if direction == Direction::Request {
        "value removed"
    } else {
        "value added"
    };
    match (sender.values(), receiver.values()) {
        (Some(values), Some(accepted)) => found.extend(
            values
                .difference(&accepted)
                .map(|value| format!("{change}: {value}")),
        ),
        (None, Some(_)) => found.push(format!("{change}: any")),
        _ => {}
    }
    let missing = sender
        .branches
        .keys()
        .filter(|name| !receiver.branches.contains_key(*name));
    found.extend(missing.map(|name| format!("{change}: variant {name}")));
    if sender.branches.is_empty() && !receiver.branches.is_empty() {
        found.push(format!("{change}: any other"));
    }
}

/// Compares lengths, counts, ranges, patterns and defaults. The receiver must accept all values
/// that the sender may send.
fn limits(direction: Direction, before: &Normalized, now: &Normalized, found: &mut Vec<String>) {
    let (sender, receiver) = direction.sender_and_receiver(before, now);
    let mut report =
        |key: &str| found.push(format!("{key} {} is now {}", before.get(key), now.get(key)));
    for (key, is_lower) in LOWER_LIMITS
        .map(|key| (key, true))
        .into_iter()
        .chain(UPPER_LIMITS.map(|key| (key, false)))
    {
        let exceeds = match (sender.get(key).as_f64(), receiver.get(key).as_f64()) {
            (Some(sent), Some(limit)) => {
                if is_lower {
                    sent < limit
                } else {
                    sent > limit
                }
            }
            // without a limit, lengths and counts start at 0
            (None, Some(limit)) => {
                !(is_lower && limit <= 0.0 && key != "minimum" && key != "exclusiveMinimum")
            }
            _ => false,
        };
        if exceeds {
            report(key);
        }
    }
    for key in ["pattern", "multipleOf"] {
        if !receiver.get(key).is_null() && receiver.get(key) != sender.get(key) {
            report(key);
        }
    }
    if receiver.get("uniqueItems") == true && sender.get("uniqueItems") != true {
        report("uniqueItems");
    }
    if direction == Direction::Request && before.get("default") != now.get("default") {
        report("default");
    }
}

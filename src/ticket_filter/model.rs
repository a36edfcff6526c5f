//! What a filter is, and what it means.

use serde::{Deserialize, Serialize};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        Ref, RefOr, Schema,
        schema::{Discriminator, OneOfBuilder},
    },
};

use super::fields::{Field, MAX_VALUES, Operator};
use crate::{catalog::EntryKind, common::max_length::MaxLength, db::sql_types::Jsonb};

/// A condition on tickets, or a combination of conditions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum TicketFilter {
    /// All of them hold.
    All {
        filters: Vec<TicketFilter>,
    },
    /// At least one of them holds.
    Any {
        filters: Vec<TicketFilter>,
    },
    /// None of them holds.
    None {
        filters: Vec<TicketFilter>,
    },
    Condition(Condition),
}

/// One fact compared with values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    pub field: Field,
    pub operator: Operator,
    pub values: Vec<String>,
}

/// Three-valued logic (Kleene): what depends on a missing fact is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Truth {
    False,
    Unknown,
    True,
}

impl Truth {
    /// The opposite; of unknown, unknown.
    #[must_use]
    pub fn negated(self) -> Self {
        match self {
            Self::False => Self::True,
            Self::Unknown => Self::Unknown,
            Self::True => Self::False,
        }
    }
}

impl From<bool> for Truth {
    fn from(truth: bool) -> Self {
        if truth { Self::True } else { Self::False }
    }
}

impl TicketFilter {
    /// Visits every condition with its JSON pointer within the filter.
    pub fn visit<'f>(&'f self, see: &mut impl FnMut(&str, &'f Condition)) {
        self.visit_at("", see);
    }

    fn visit_at<'f>(&'f self, pointer: &str, see: &mut impl FnMut(&str, &'f Condition)) {
        match self {
            Self::All { filters } | Self::Any { filters } | Self::None { filters } => {
                for (index, filter) in filters.iter().enumerate() {
                    filter.visit_at(&format!("{pointer}/filters/{index}"), see);
                }
            }
            Self::Condition(condition) => see(pointer, condition),
        }
    }

    /// The catalogue entries it names, each with the JSON pointer of the value.
    pub fn named_entries(&self) -> Vec<(String, EntryKind, &str)> {
        let mut named = Vec::new();
        self.visit(&mut |pointer, condition| {
            if let Some(kind) = condition.field.entry_kind() {
                let values = condition.values.iter().enumerate();
                named.extend(
                    values.map(|(index, id)| {
                        (format!("{pointer}/values/{index}"), kind, id.as_str())
                    }),
                );
            }
        });
        named
    }
}

/// How a filter is stored.
pub type StoredFilter = Jsonb<TicketFilter>;

/// A combination of conditions.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only documents what TicketFilter is")]
#[schema(as = TicketFilterGroup, example = json!({"type": "any", "filters": [
    {"type": "condition", "field": "urgency", "operator": "in", "values": ["high"]},
    {"type": "condition", "field": "tag", "operator": "any_of", "values": ["vpn"]}]}))]
pub struct Group {
    /// Whether all, at least one, or none of the filters must hold.
    #[schema(inline)]
    r#type: GroupType,
    /// At least one; groups may be nested three deep and hold 50 conditions together, in 64 KiB of JSON.
    #[schema(no_recursion, min_items = 1, max_items = 50)]
    filters: Vec<TicketFilter>,
}

/// How a group combines.
#[derive(Deserialize, ToSchema)]
#[schema(rename_all = "snake_case")]
pub enum GroupType {
    All,
    Any,
    None,
}

/// One fact of a ticket compared with values; `GET /ticket-fields` tells which operators and values a field takes.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only documents what TicketFilter is")]
#[schema(as = TicketFilterCondition, example = json!({"type": "condition", "field": "area", "operator": "in", "values": ["netz"]}))]
pub struct ConditionSchema {
    #[schema(inline)]
    r#type: ConditionType,
    field: Field,
    operator: Operator,
    /// Always texts, also for times and flags; none for `is_self`, which may leave them out.
    #[serde(default)]
    #[schema(max_items = 100, inline, value_type = Vec<MaxLength<200>>)]
    values: Vec<String>,
}

/// Marks a condition.
#[derive(Deserialize, ToSchema)]
#[schema(rename_all = "snake_case")]
pub enum ConditionType {
    Condition,
}

const _: () = assert!(MAX_VALUES == 100, "the document says 100");

impl PartialSchema for TicketFilter {
    fn schema() -> RefOr<Schema> {
        let of = |name: &str| Ref::from_schema_name(name);
        let (group, condition) = ("TicketFilterGroup", "TicketFilterCondition");
        let mapping = [
            ("all", group),
            ("any", group),
            ("none", group),
            ("condition", condition),
        ]
        .map(|(word, name)| (word, of(name).ref_location));
        let union = OneOfBuilder::new()
            .item(of(group))
            .item(of(condition))
            .discriminator(Some(Discriminator::with_mapping("type", mapping)))
            .description(Some("Which tickets are meant."))
            .build();
        Schema::OneOf(union).into()
    }
}

impl ToSchema for TicketFilter {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((Group::name().into(), Group::schema()));
        schemas.push((ConditionSchema::name().into(), ConditionSchema::schema()));
        <Field as ToSchema>::schemas(schemas);
        schemas.push((Field::name().into(), Field::schema()));
        schemas.push((Operator::name().into(), Operator::schema()));
    }
}

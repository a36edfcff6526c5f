//! OpenAPI schema of the filter. Not derived: the API documents a union of two named objects, while
//! the enum has one variant per kind of group.

use serde::Deserialize;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        Ref, RefOr, Schema,
        schema::{Discriminator, OneOfBuilder},
    },
};

use super::{Field, MAX_VALUES, Operator, TicketFilter};

/// A group of filters.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only the schema is used")]
#[schema(as = TicketFilterGroup, example = json!({"type": "any", "filters": [
    {"type": "condition", "field": "urgency", "operator": "in", "values": ["high"]},
    {"type": "condition", "field": "tag", "operator": "any_of", "values": ["vpn"]}]}))]
struct Group {
    /// Whether all, at least one, or none of the filters must match.
    #[schema(inline)]
    r#type: GroupType,
    /// At least one filter. Groups may be nested three levels deep and contain 50 conditions in
    /// total, in at most 64 KiB of JSON.
    #[schema(no_recursion, min_items = 1, max_items = 50)]
    filters: Vec<TicketFilter>,
}

/// How a group combines its filters.
#[derive(Deserialize, ToSchema)]
#[schema(rename_all = "snake_case")]
enum GroupType {
    All,
    Any,
    None,
}

/// Compares one field of a ticket with values. `GET /ticket-fields` lists the operators and values
/// of each field.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only the schema is used")]
#[schema(as = TicketFilterCondition, example = json!({"type": "condition", "field": "area",
    "operator": "in", "values": ["netz"]}))]
struct ConditionSchema {
    #[schema(inline)]
    r#type: ConditionType,
    field: Field,
    operator: Operator,
    /// Always strings, also for times and flags. `is_self` takes none, and the member may be
    /// omitted.
    #[serde(default)]
    #[schema(max_items = 100, inline, value_type = Vec<ConditionValue>)]
    values: Vec<String>,
}

// The limit of a value. Not a doc comment, which would become a description.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only the schema is used")]
#[schema(max_length = 200)]
struct ConditionValue(String);

/// Discriminator of a condition.
#[derive(Deserialize, ToSchema)]
#[schema(rename_all = "snake_case")]
enum ConditionType {
    Condition,
}

const _: () = assert!(MAX_VALUES == 100, "the schema says 100");

impl PartialSchema for TicketFilter {
    fn schema() -> RefOr<Schema> {
        let group = Ref::from_schema_name("TicketFilterGroup");
        let condition = Ref::from_schema_name("TicketFilterCondition");
        let mapping = [
            ("all", group.ref_location.clone()),
            ("any", group.ref_location.clone()),
            ("none", group.ref_location.clone()),
            ("condition", condition.ref_location.clone()),
        ];
        let union = OneOfBuilder::new()
            .item(group)
            .item(condition)
            .discriminator(Some(Discriminator::with_mapping("type", mapping)))
            .description(Some("Condition on tickets."))
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

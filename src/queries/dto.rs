//! JSON of the ticket board queries.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use crate::{
    common::{
        Audit, Resource,
        error::FieldError,
        etag::EntityTag,
        ids::{BusinessPartnerId, QueryId},
        json_integer,
        json_object::JsonObject,
        lenient_enum::LenientEnum,
        merge_patch,
        page::SortKey,
        text::{SelfCheck, Text, check},
        unique_vec::UniqueVec,
    },
    http::list_query::ListFilter,
    ticket_filter::{Field, Names, Summary, TicketFilter, parse::QueryFilter},
};

/// Highest position of a query.
pub const MAX_POSITION: i64 = 1_000_000;

/// Sort direction.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    ToSchema,
    strum::EnumString,
    strum::VariantNames,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Direction {
    Ascending,
    Descending,
}

/// One sort key of a board.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TicketSort {
    /// A field that is `sortable` in `GET /ticket-fields`.
    pub field: Field,
    pub direction: Direction,
}

/// A saved filter of the ticket board, with its columns and sort order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e67", "business_partner_id": "K-1001",
    "name": "Offene Netzwerktickets", "description": null, "active": true, "position": 1,
    "filter": {"type": "all", "filters": [
        {"type": "condition", "field": "area", "operator": "in", "values": ["netz"]},
        {"type": "condition", "field": "status", "operator": "not_in", "values": ["closed"]}
    ]},
    "columns": ["reference_number", "subject", "status"],
    "sort": [{"field": "created_at", "direction": "descending"}],
    "summary": "Bereich ist „Netzwerk“ und Status ist nicht geschlossen.", "version": 1,
    "created_at": "2026-11-23T08:00:00.000000Z", "updated_at": "2026-11-23T08:00:00.000000Z",
    "created_by": "anna.admin", "created_by_name": "Anna Admin",
    "updated_by": "anna.admin", "updated_by_name": "Anna Admin"
}))]
pub struct TicketQuery {
    #[schema(inline)]
    pub id: QueryId,
    #[schema(inline)]
    pub business_partner_id: BusinessPartnerId,
    #[schema(max_length = 100)]
    pub name: String,
    #[schema(max_length = 1000)]
    pub description: Option<String>,
    /// Whether the query is offered to accesses.
    pub active: bool,
    /// Position among the partner's queries, in ascending order.
    #[schema(minimum = 0, maximum = 1_000_000)]
    pub position: i64,
    pub filter: TicketFilter,
    /// Columns of the board, in display order.
    #[schema(max_items = 20)]
    pub columns: Vec<Field>,
    /// Sort order of the board.
    #[schema(max_items = 3)]
    pub sort: Vec<TicketSort>,
    /// The filter as localized text, with names instead of ids. It describes the first 10
    /// conditions and counts the others.
    #[serde(
        serialize_with = "crate::ticket_filter::serialize_summary",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = String, max_length = 16_384)]
    pub summary: Summary,
    #[serde(flatten)]
    pub audit: Audit,
    /// Names for the summary. Shared by the items of a page.
    #[serde(skip)]
    #[schema(ignore)]
    pub(super) names: Arc<Names>,
}

impl Resource for TicketQuery {
    const KIND: &'static str = "query";

    fn resource_id(&self) -> String {
        self.id.to_string()
    }

    fn etag(&self) -> EntityTag {
        self.names.etag(self.audit.version, &self.summary)
    }

    fn audit(&self) -> Option<&Audit> {
        Some(&self.audit)
    }

    fn language(&self) -> Option<&'static str> {
        self.summary.as_ref().map(|(lang, _)| lang.code())
    }
}

/// One sort key of a board. A field can occur only once, since a second key with the same field has
/// no effect.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TicketSortStep)]
pub struct SortStep {
    #[serde(default)]
    #[schema(value_type = Field, required)]
    field: LenientEnum<Field>,
    /// Default: `ascending`.
    #[serde(default = "ascending")]
    #[schema(value_type = Direction)]
    direction: LenientEnum<Direction>,
}

fn ascending() -> LenientEnum<Direction> {
    LenientEnum::Known(Direction::Ascending)
}

impl SortStep {
    fn known(self) -> Option<TicketSort> {
        Some(TicketSort {
            field: self.field.known()?,
            direction: self.direction.known()?,
        })
    }
}

impl PartialEq for SortStep {
    fn eq(&self, other: &Self) -> bool {
        self.field == other.field
    }
}

impl SelfCheck for JsonObject<SortStep> {
    fn check(&self) -> Result<(), FieldError> {
        self.check_all().into_iter().next().map_or(Ok(()), Err)
    }

    fn check_all(&self) -> Vec<FieldError> {
        let Self(step) = self;
        let field = step.field.check().and_then(|()| check_sortable(step.field));
        [("/field", field), ("/direction", step.direction.check())]
            .into_iter()
            .filter_map(|(pointer, checked)| {
                let error = checked.err()?;
                Some(FieldError {
                    pointer: pointer.to_owned(),
                    ..error
                })
            })
            .collect()
    }
}

fn check_sortable(field: LenientEnum<Field>) -> Result<(), FieldError> {
    use strum::IntoEnumIterator as _;
    if field.known().is_none_or(Field::is_sortable) {
        return Ok(());
    }
    let allowed: Vec<_> = Field::iter()
        .filter(|field| field.is_sortable())
        .map(Field::as_str)
        .collect();
    Err(FieldError::new("", crate::common::Code::UnknownValue).with("allowed", allowed.join(", ")))
}

/// Columns of a board.
pub type Columns = UniqueVec<LenientEnum<Field>, 1, 20>;
/// Sort order of a board.
pub type Order = UniqueVec<JsonObject<SortStep>, 0, 3>;

pub(super) fn known_columns(columns: &Columns) -> Vec<Field> {
    columns.0.iter().filter_map(LenientEnum::known).collect()
}

pub(super) fn known_order(order: &Order) -> Vec<TicketSort> {
    order
        .0
        .iter()
        .filter_map(|JsonObject(step)| step.known())
        .collect()
}

/// A new query.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "name": "Dringende Störungen",
    "filter": {"type": "all", "filters": [
        {"type": "condition", "field": "ticket_type", "operator": "in", "values": ["anomalie"]},
        {"type": "condition", "field": "urgency", "operator": "in", "values": ["high"]}
    ]},
    "columns": ["reference_number", "area", "subject"],
    "sort": [{"field": "created_at", "direction": "descending"}]
}))]
pub struct TicketQueryCreate {
    /// Unique within the partner; case is ignored.
    #[serde(default)]
    #[schema(inline, required)]
    #[validate(custom(function = check))]
    pub name: Text<1, 100>,
    #[serde(default)]
    #[schema(inline)]
    #[validate(custom(function = check))]
    pub description: Option<Text<0, 1000>>,
    /// Default: true.
    #[serde(default = "merge_patch::default_true")]
    pub active: bool,
    /// Position among the partner's queries, in ascending order. Queries that occupy it move up.
    /// Default: after the last one.
    #[serde(default, deserialize_with = "json_integer::optional")]
    #[schema(minimum = 0, maximum = 1_000_000)]
    #[validate(custom(function = check_position))]
    pub position: Option<i64>,
    #[serde(default)]
    #[schema(value_type = TicketFilter, required)]
    #[validate(nested)]
    pub filter: QueryFilter,
    #[serde(default)]
    #[schema(value_type = HashSet<Field>, required, min_items = 1, max_items = 20)]
    #[validate(nested)]
    pub columns: Columns,
    /// Default: unsorted.
    #[serde(default)]
    #[schema(value_type = Vec<SortStep>, max_items = 3)]
    #[validate(nested)]
    pub sort: Order,
}

/// Changes to a query (JSON merge patch): absent members are unchanged, `null` clears a member. A
/// filter is replaced as a whole.
#[derive(Debug, Clone, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"position": 3, "sort": []}))]
pub struct TicketQueryPatch {
    #[serde(default, deserialize_with = "merge_patch::present")]
    #[schema(inline, nullable = false)]
    #[validate(custom(function = check))]
    pub name: Option<Text<1, 100>>,
    #[serde(default, deserialize_with = "merge_patch::present")]
    #[schema(inline)]
    #[validate(custom(function = check))]
    pub description: Option<Option<Text<0, 1000>>>,
    #[serde(default, deserialize_with = "merge_patch::present")]
    #[schema(nullable = false)]
    pub active: Option<bool>,
    #[serde(default, deserialize_with = "json_integer::present")]
    #[schema(nullable = false, minimum = 0, maximum = 1_000_000)]
    #[validate(custom(function = check_position))]
    pub position: Option<i64>,
    #[serde(default, deserialize_with = "merge_patch::present")]
    #[schema(value_type = Option<TicketFilter>, nullable = false)]
    #[validate(nested)]
    pub filter: Option<QueryFilter>,
    #[serde(default, deserialize_with = "merge_patch::present")]
    #[schema(value_type = Option<HashSet<Field>>, nullable = false, min_items = 1, max_items = 20)]
    #[validate(nested)]
    pub columns: Option<Columns>,
    #[serde(default, deserialize_with = "merge_patch::present")]
    #[schema(value_type = Option<Vec<SortStep>>, nullable = false, max_items = 3)]
    #[validate(nested)]
    pub sort: Option<Order>,
}

fn check_position(position: i64) -> Result<(), validator::ValidationError> {
    if (0..=MAX_POSITION).contains(&position) {
        return Ok(());
    }
    let field_error = FieldError::new("", crate::common::Code::OutOfRange)
        .with("allowed", format!("0..{MAX_POSITION}"));
    Err(crate::common::text::to_validation_error(field_error))
}

/// The order of a partner's queries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(example = json!({"query_ids": [
    "019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e68", "019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e67"
]}))]
pub struct QueryOrder {
    /// All queries, in display order.
    #[schema(inline, max_items = 500)]
    pub query_ids: Vec<QueryId>,
    #[serde(skip)]
    #[schema(ignore)]
    pub(super) business_partner_id: BusinessPartnerId,
}

impl Resource for QueryOrder {
    const KIND: &'static str = "query_order";

    fn resource_id(&self) -> String {
        self.business_partner_id.to_string()
    }

    fn etag(&self) -> EntityTag {
        EntityTag::hashed(&self.query_ids)
    }
}

/// A new order of a partner's queries.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"query_ids": [
    "019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e68", "019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e67"
]}))]
pub struct QueryOrderPut {
    /// All queries of the partner, in display order.
    #[serde(default)]
    #[schema(inline, required, value_type = HashSet<QueryId>, max_items = 500)]
    #[validate(nested)]
    pub query_ids: UniqueVec<LenientEnum<QueryId>, 0, 500>,
}

/// Filters of the list of queries.
#[derive(Debug, Default, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct TicketQueryListQuery {
    /// Only queries that are active (true) or inactive (false).
    #[param(example = true)]
    pub active: Option<bool>,
}

impl ListFilter for TicketQueryListQuery {
    const ORDERS: &[SortKey] = &[
        SortKey::Position,
        SortKey::Name,
        SortKey::CreatedAt,
        SortKey::UpdatedAt,
    ];
}

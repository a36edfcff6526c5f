//! JSON of the ticket board queries.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use crate::{
    common::{
        Audit, Resource,
        change::EntityTag,
        error::FieldError,
        ids::{BusinessPartnerId, QueryId},
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

/// Which end comes first.
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

/// One step of a board's order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TicketSort {
    /// A field that `GET /ticket-fields` calls sortable.
    pub field: Field,
    pub direction: Direction,
}

/// A ticket board query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(example = json!({"id": "019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e60", "business_partner_id": "K-1001", "name": "Offene Netzwerktickets",
    "description": null, "active": true, "position": 1,
    "filter": {"type": "all", "filters": [{"type": "condition", "field": "area", "operator": "in", "values": ["netz"]},
        {"type": "condition", "field": "status", "operator": "not_in", "values": ["closed"]}]},
    "columns": ["reference_number", "subject", "status"], "sort": [{"field": "created_at", "direction": "descending"}],
    "summary": "Bereich ist „Netzwerk“ und Status ist nicht geschlossen.", "version": 1,
    "created_at": "2026-11-23T08:00:00.000000Z", "updated_at": "2026-11-23T08:00:00.000000Z", "created_by": "anna.admin", "updated_by": "anna.admin"}))]
pub struct TicketQuery {
    #[schema(inline)]
    pub id: QueryId,
    #[schema(inline)]
    pub business_partner_id: BusinessPartnerId,
    pub name: String,
    pub description: Option<String>,
    /// Inactive queries are kept but not offered.
    pub active: bool,
    /// Place among the partner's queries, smallest first.
    #[schema(minimum = 0, maximum = 1_000_000)]
    pub position: i64,
    pub filter: TicketFilter,
    /// The board's columns, in their order.
    pub columns: Vec<Field>,
    /// The board's order.
    pub sort: Vec<TicketSort>,
    /// The filter as a sentence in the caller's language, with catalogue names instead of ids.
    #[serde(
        serialize_with = "crate::ticket_filter::serialize_summary",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = String)]
    pub summary: Summary,
    #[serde(flatten)]
    pub audit: Audit,
    #[serde(skip)]
    #[schema(ignore)]
    pub(super) names: Names,
}

impl Resource for TicketQuery {
    const KIND: &'static str = "query";

    fn resource_id(&self) -> String {
        self.id.to_string()
    }

    fn etag(&self) -> EntityTag {
        self.names.etag(self.audit.version, &self.summary)
    }

    fn language(&self) -> Option<&'static str> {
        self.summary.as_ref().map(|(lang, _)| lang.code())
    }
}

/// A step of a board's order, in a body. Two steps by the same field are the same step: the second would have no effect.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TicketSortStep)]
pub struct SortStep {
    #[serde(default)]
    #[schema(value_type = Field, required)]
    field: LenientEnum<Field>,
    /// Absent: `ascending`.
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
        let Self(step) = self;
        let at = |member: &'static str| {
            move |field_error| FieldError {
                pointer: format!("/{member}"),
                ..field_error
            }
        };
        step.field.check().map_err(at("field"))?;
        sortable(step.field).map_err(at("field"))?;
        step.direction.check().map_err(at("direction"))
    }
}

fn sortable(field: LenientEnum<Field>) -> Result<(), FieldError> {
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
/// Order of a board.
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
#[schema(example = json!({"name": "Offene Netzwerktickets",
    "filter": {"type": "all", "filters": [{"type": "condition", "field": "area", "operator": "in", "values": ["netz"]},
        {"type": "condition", "field": "status", "operator": "not_in", "values": ["closed"]}]},
    "columns": ["reference_number", "subject", "status"], "sort": [{"field": "created_at", "direction": "descending"}]}))]
pub struct TicketQueryCreate {
    /// Exists once per partner, whatever its case.
    #[serde(default)]
    #[schema(inline, required)]
    #[validate(custom(function = check))]
    pub name: Text<1, 100>,
    #[serde(default)]
    #[schema(inline)]
    #[validate(custom(function = check))]
    pub description: Option<Text<0, 1000>>,
    /// Absent: true.
    #[serde(default = "merge_patch::default_true")]
    pub active: bool,
    /// Place among the partner's queries, smallest first. Absent: behind the last one.
    #[schema(minimum = 0, maximum = 1_000_000)]
    #[validate(custom(function = in_range))]
    pub position: Option<i64>,
    #[serde(default)]
    #[schema(value_type = TicketFilter, required)]
    #[validate(nested)]
    pub filter: QueryFilter,
    #[serde(default)]
    #[schema(value_type = Vec<Field>, required, min_items = 1, max_items = 20)]
    #[validate(custom(function = check))]
    pub columns: Columns,
    /// Absent: no order.
    #[serde(default)]
    #[schema(value_type = Vec<SortStep>, max_items = 3)]
    #[validate(custom(function = check))]
    pub sort: Order,
}

/// What is to change about a query (JSON merge patch): absent members are kept, `null` clears. A filter is replaced as a whole.
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
    #[serde(default, deserialize_with = "merge_patch::present")]
    #[schema(nullable = false, minimum = 0, maximum = 1_000_000)]
    #[validate(custom(function = in_range))]
    pub position: Option<i64>,
    #[serde(default, deserialize_with = "merge_patch::present")]
    #[schema(value_type = Option<TicketFilter>, nullable = false)]
    #[validate(nested)]
    pub filter: Option<QueryFilter>,
    #[serde(default, deserialize_with = "merge_patch::present")]
    #[schema(value_type = Option<Vec<Field>>, nullable = false, min_items = 1, max_items = 20)]
    #[validate(custom(function = check))]
    pub columns: Option<Columns>,
    #[serde(default, deserialize_with = "merge_patch::present")]
    #[schema(value_type = Option<Vec<SortStep>>, nullable = false, max_items = 3)]
    #[validate(custom(function = check))]
    pub sort: Option<Order>,
}

fn in_range(position: i64) -> Result<(), validator::ValidationError> {
    if (0..=MAX_POSITION).contains(&position) {
        return Ok(());
    }
    let field_error = FieldError::new("", crate::common::Code::OutOfRange)
        .with("allowed", format!("0..{MAX_POSITION}"));
    Err(crate::common::text::to_validation_error(field_error))
}

/// Filters of the list of queries.
#[derive(Debug, Default, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct TicketQueryListQuery {
    /// Only queries that are (not) active.
    pub active: Option<bool>,
}

impl ListFilter for TicketQueryListQuery {
    const ORDERS: &[SortKey] = &[SortKey::Position, SortKey::Name, SortKey::CreatedAt];
}

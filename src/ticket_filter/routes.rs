//! The table of ticket fields, for front ends that build a rule editor from it.

use actix_web::{HttpResponse, get};
use serde::Serialize;
use strum::IntoEnumIterator as _;
use utoipa::ToSchema;

use super::{Field, Operator, ValueKind};
use crate::{
    common::{Result, change::EntityTag, page::Page},
    http::{
        auth::{Authorized, scope::IntegrationRead},
        call_context::CallContext,
        response::{self, List},
    },
    i18n::{Lang, message},
};

/// A fact of a ticket that filters can ask for.
#[derive(Debug, Clone, Hash, Serialize, ToSchema)]
#[schema(example = json!({"field": "status", "label": "Status", "column": true, "sortable": true,
    "values": [{"value": "open", "label": "offen"}, {"value": "closed", "label": "geschlossen"}],
    "operators": [{"operator": "in", "label": "ist einer von", "value_kind": "word", "min_values": 1, "max_values": 100, "queries_only": false}]}))]
pub struct TicketField {
    pub field: Field,
    /// In the caller's language.
    #[schema(max_length = 200)]
    pub label: String,
    /// Whether a query may show it as a column.
    pub column: bool,
    /// Whether a query may be ordered by it.
    pub sortable: bool,
    /// The values it can have, where these are a fixed set; else empty.
    #[schema(max_items = 20)]
    pub values: Vec<FieldValue>,
    #[schema(max_items = 20)]
    pub operators: Vec<FieldOperator>,
}

/// One of the values that a field can have.
#[derive(Debug, Clone, Hash, Serialize, ToSchema)]
pub struct FieldValue {
    #[schema(max_length = 64)]
    pub value: &'static str,
    /// In the caller's language.
    #[schema(max_length = 200)]
    pub label: String,
}

/// A way to compare a field.
#[derive(Debug, Clone, Hash, Serialize, ToSchema)]
pub struct FieldOperator {
    pub operator: Operator,
    /// In the caller's language.
    #[schema(max_length = 200)]
    pub label: String,
    pub value_kind: ValueKind,
    /// Fewest values it takes.
    #[schema(minimum = 0, maximum = 1)]
    pub min_values: usize,
    /// Most values it takes.
    #[schema(minimum = 0, maximum = 100)]
    pub max_values: usize,
    /// Whether only queries may use it, not exclusion rules.
    pub queries_only: bool,
}

impl TicketField {
    fn new(field: Field, lang: Lang) -> Self {
        let label = |sort: &str, word: &str| message(lang, &format!("{sort}-{word}"), []);
        let value = |word: &&'static str| FieldValue {
            value: word,
            label: label("word", word),
        };
        let operator = |operator: &Operator| FieldOperator {
            operator: *operator,
            label: label("operator", operator.as_str()),
            value_kind: operator.value_kind(field.value_kind()),
            min_values: *operator.arity().start(),
            max_values: *operator.arity().end(),
            queries_only: operator.needs_viewer(),
        };
        Self {
            field,
            label: label("field", field.as_str()),
            column: true,
            sortable: field.is_sortable(),
            values: field.words().iter().map(value).collect(),
            operators: field.operators().iter().map(operator).collect(),
        }
    }
}

/// List ticket fields
///
/// Everything that filters can ask for: fields with their operators, kinds of values and labels in the caller's language. A front
/// end can build its rule editor from it; it is the table that validates filters.
#[utoipa::path(
    tag = "ticket-fields",
    responses((status = 200, description = "All ticket fields, on one page.", body = List<TicketField>)),
    security(("bearer" = ["integration:read"]))
)]
#[get("/ticket-fields")]
pub async fn list_ticket_fields(
    _permit: Authorized<IntegrationRead>,
    call: CallContext,
) -> Result<HttpResponse> {
    let items: Vec<_> = Field::iter()
        .map(|field| TicketField::new(field, call.lang))
        .collect();
    let tag = EntityTag::hashed(&items).in_language(call.lang.content_hash());
    if call.conditions.matches_if_none_match(&tag) {
        return Ok(response::not_modified(&tag));
    }
    Ok(response::in_language(
        response::list(
            Page {
                items,
                next_cursor: None,
            },
            &tag,
        ),
        call.lang.code(),
    ))
}

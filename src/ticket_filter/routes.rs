//! Publishes the table of ticket fields, from which front ends build filter editors.

use actix_web::{HttpResponse, get};
use serde::Serialize;
use strum::IntoEnumIterator as _;
use utoipa::ToSchema;

use super::{Field, Operator, ValueKind};
use crate::{
    common::{Result, etag::EntityTag, page::Page},
    http::{
        auth::{Authorized, permission::IntegrationRead},
        call_context::CallContext,
        response::{self, List},
    },
    i18n::{Lang, message},
};

/// An attribute of a ticket that filters can use.
#[derive(Debug, Clone, Hash, Serialize, ToSchema)]
#[schema(example = json!({"field": "status", "label": "Status", "column": true, "sortable": true,
    "values": [{"value": "open", "label": "offen"}, {"value": "closed", "label": "geschlossen"}],
    "operators": [{"operator": "in", "label": "ist einer von", "value_kind": "word", "min_values": 1, "max_values": 100, "queries_only": false}]}))]
pub struct TicketField {
    pub field: Field,
    /// Label in the language of the request.
    #[schema(max_length = 200)]
    pub label: String,
    /// Whether a query may show it as a column.
    pub column: bool,
    /// Whether a query may sort by it.
    pub sortable: bool,
    /// The possible values of an enumeration. Empty for other fields.
    #[schema(max_items = 20)]
    pub values: Vec<FieldValue>,
    #[schema(max_items = 20)]
    pub operators: Vec<FieldOperator>,
}

/// A possible value of a field.
#[derive(Debug, Clone, Hash, Serialize, ToSchema)]
pub struct FieldValue {
    #[schema(max_length = 64)]
    pub value: &'static str,
    /// Label in the language of the request.
    #[schema(max_length = 200)]
    pub label: String,
}

/// An operator that a field can be compared with.
#[derive(Debug, Clone, Hash, Serialize, ToSchema)]
pub struct FieldOperator {
    pub operator: Operator,
    /// Label in the language of the request.
    #[schema(max_length = 200)]
    pub label: String,
    pub value_kind: ValueKind,
    /// Minimum number of values.
    #[schema(minimum = 0, maximum = 1)]
    pub min_values: usize,
    /// Maximum number of values.
    #[schema(minimum = 0, maximum = 100)]
    pub max_values: usize,
    /// Whether only queries may use the operator, and exclusion rules may not.
    pub queries_only: bool,
}

impl TicketField {
    fn new(field: Field, lang: Lang) -> Self {
        Self {
            field,
            label: label(lang, "field", field.as_str()),
            column: true,
            sortable: field.is_sortable(),
            values: field
                .words()
                .iter()
                .map(|value| FieldValue {
                    value,
                    label: label(lang, "word", value),
                })
                .collect(),
            operators: field
                .operators()
                .iter()
                .map(|operator| FieldOperator::new(field, *operator, lang))
                .collect(),
        }
    }
}

impl FieldOperator {
    fn new(field: Field, operator: Operator, lang: Lang) -> Self {
        let arity = operator.arity();
        Self {
            operator,
            label: label(lang, "operator", operator.as_str()),
            value_kind: operator.value_kind(field.value_kind()),
            min_values: *arity.start(),
            max_values: *arity.end(),
            queries_only: operator.needs_viewer(),
        }
    }
}

fn label(lang: Lang, prefix: &str, name: &str) -> String {
    message(lang, &format!("{prefix}-{name}"), [])
}

/// List ticket fields
///
/// Lists all fields that filters can use, with their operators, kinds of values and labels in the
/// language of the request. The same table validates filters, so a front end can build its filter
/// editor from it.
#[utoipa::path(
    tag = "ticket-fields",
    responses((status = 200, description = "All ticket fields on one page.", body = List<TicketField>)),
    security(("bearer" = ["integration:read"]))
)]
#[get("/ticket-fields")]
pub async fn list_ticket_fields(
    _auth: Authorized<IntegrationRead>,
    call: CallContext,
) -> Result<HttpResponse> {
    let items: Vec<_> = Field::iter()
        .map(|field| TicketField::new(field, call.lang))
        .collect();
    let etag = EntityTag::hashed(&items).in_language(call.lang.content_hash());
    let page = Page {
        items,
        total: None,
        next_cursor: None,
    };
    let response = response::list(page, &etag, &call);
    Ok(response::in_language(response, call.lang.code()))
}

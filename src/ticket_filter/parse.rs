//! Parses and validates filters. All errors of a filter are reported together, each with its JSON
//! pointer.

use std::{borrow::Cow, collections::BTreeSet};

use serde::{Deserialize, Deserializer};
use strum::VariantNames as _;
use ticket_policy::filter::MAX_VALUES;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, Schema},
};
use validator::{Validate, ValidationErrors};

use super::{
    Condition, Field, Operator, TicketFilter,
    catalog_entries::entry_kind,
    values::{comparison_key, normalize},
};
use crate::common::{
    Code, FieldError, json_object::JsonObject, text::to_validation_error,
    truncated_vec::TruncatedVec,
};

/// Most nested groups.
pub const MAX_DEPTH: usize = 3;
/// Most conditions of one filter.
pub const MAX_CONDITIONS: usize = 50;
/// Largest filter, in bytes of its normalized JSON. A page of a list holds 200 filters.
pub const MAX_BYTES: usize = 64 * 1024;
/// Most errors reported for one filter, so that the response stays small.
pub const MAX_FIELD_ERRORS: usize = 100;

/// Stands for a node that cannot be parsed.
const INVALID_NODE: TicketFilter = TicketFilter::All {
    filters: Vec::new(),
};

/// A filter in a request body. Deserializing accepts everything with the shape of a filter;
/// [`Validate`] reports the errors.
///
/// `ALLOW_SELF`: whether operators may refer to the access that views the tickets (`is_self`).
/// Queries allow it, exclusion rules do not.
#[derive(Debug, Clone)]
pub struct FilterBody<const ALLOW_SELF: bool> {
    /// The filter. Invalid nodes are empty groups, and invalid values are empty, so that the
    /// pointers of the other ones are those of the body.
    filter: TicketFilter,
    field_errors: Vec<FieldError>,
}

/// The filter of a ticket board query.
pub type QueryFilter = FilterBody<true>;
/// The filter of an exclusion rule.
pub type RuleFilter = FilterBody<false>;

/// A missing filter, which is an error.
impl<const ALLOW_SELF: bool> Default for FilterBody<ALLOW_SELF> {
    fn default() -> Self {
        Self {
            filter: INVALID_NODE,
            field_errors: vec![FieldError::new("", Code::Required)],
        }
    }
}

impl<const ALLOW_SELF: bool> FilterBody<ALLOW_SELF> {
    /// The filter. It may only be stored if [`Validate`] succeeds; until then it contains the valid
    /// parts.
    pub fn into_filter(self) -> TicketFilter {
        self.filter
    }
}

impl<'de, const ALLOW_SELF: bool> Deserialize<'de> for FilterBody<ALLOW_SELF> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let JsonObject(node) = JsonObject::<Node>::deserialize(deserializer)?;
        let mut parser = Parser {
            allow_self: ALLOW_SELF,
            conditions: 0,
            field_errors: Vec::new(),
        };
        let filter = parser.parse_node(node, "", 1);
        if let Some(filter) = &filter {
            parser.check_size(filter);
        }
        Ok(Self {
            filter: filter.unwrap_or(INVALID_NODE),
            field_errors: parser.field_errors,
        })
    }
}

impl<const ALLOW_SELF: bool> Validate for FilterBody<ALLOW_SELF> {
    fn validate(&self) -> Result<(), ValidationErrors> {
        let mut errors = ValidationErrors::new();
        for field_error in &self.field_errors {
            errors.add("", to_validation_error(field_error.clone()));
        }
        if errors.is_empty() {
            Ok(())
        } else {
            Err(errors)
        }
    }
}

impl<const ALLOW_SELF: bool> PartialSchema for FilterBody<ALLOW_SELF> {
    fn schema() -> RefOr<Schema> {
        TicketFilter::schema()
    }
}

impl<const ALLOW_SELF: bool> ToSchema for FilterBody<ALLOW_SELF> {
    fn name() -> Cow<'static, str> {
        TicketFilter::name()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        TicketFilter::schemas(schemas);
    }
}

/// A group or a condition as sent, with the members of both.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Node {
    r#type: Option<String>,
    filters: Option<TruncatedVec<JsonObject<Node>, { MAX_CONDITIONS + 1 }>>,
    field: Option<String>,
    operator: Option<String>,
    values: Option<TruncatedVec<String, { MAX_VALUES + 1 }>>,
}

/// The state of parsing one filter. The methods return `None` after reporting an error.
struct Parser {
    allow_self: bool,
    /// Number of conditions parsed so far.
    conditions: usize,
    field_errors: Vec<FieldError>,
}

impl Parser {
    fn report(&mut self, field_error: FieldError) {
        if self.field_errors.len() < MAX_FIELD_ERRORS {
            self.field_errors.push(field_error);
        }
    }

    fn check_size(&mut self, filter: &TicketFilter) {
        let fits = serde_json::to_vec(filter).is_ok_and(|json| json.len() <= MAX_BYTES);
        if !fits {
            self.report(FieldError::new("", Code::FilterTooLarge).with("max", MAX_BYTES));
        }
    }

    fn parse_node(&mut self, node: Node, at: &str, depth: usize) -> Option<TicketFilter> {
        match node.r#type.as_deref() {
            Some("all") => {
                let filters = self.parse_group(node, at, depth)?;
                Some(TicketFilter::All { filters })
            }
            Some("any") => {
                let filters = self.parse_group(node, at, depth)?;
                Some(TicketFilter::Any { filters })
            }
            Some("none") => {
                let filters = self.parse_group(node, at, depth)?;
                Some(TicketFilter::None { filters })
            }
            Some("condition") => self.parse_condition(node, at).map(TicketFilter::Condition),
            Some(_) => {
                let field_error = FieldError::new(format!("{at}/type"), Code::UnknownValue);
                self.report(field_error.with("allowed", "all, any, none, condition"));
                None
            }
            None => {
                self.report(FieldError::new(format!("{at}/type"), Code::Required));
                None
            }
        }
    }

    fn parse_group(&mut self, node: Node, at: &str, depth: usize) -> Option<Vec<TicketFilter>> {
        self.reject_members(
            at,
            &[
                ("field", node.field.is_some()),
                ("operator", node.operator.is_some()),
                ("values", node.values.is_some()),
            ],
        );
        if depth > MAX_DEPTH {
            self.report(FieldError::new(at, Code::TooDeep).with("max", MAX_DEPTH));
            return None;
        }
        let children = node.filters.map_or_else(Vec::new, |filters| filters.0);
        if children.is_empty() {
            self.report(FieldError::new(format!("{at}/filters"), Code::Required));
            return None;
        }
        let mut filters = Vec::with_capacity(children.len().min(MAX_CONDITIONS));
        for (index, JsonObject(child)) in children.into_iter().enumerate() {
            // nodes after the first excess condition are not parsed
            if self.conditions > MAX_CONDITIONS || self.field_errors.len() == MAX_FIELD_ERRORS {
                return None;
            }
            let child = self.parse_node(child, &format!("{at}/filters/{index}"), depth + 1);
            filters.push(child.unwrap_or(INVALID_NODE));
        }
        Some(filters)
    }

    fn parse_condition(&mut self, node: Node, at: &str) -> Option<Condition> {
        self.conditions += 1;
        if self.conditions > MAX_CONDITIONS {
            self.report(FieldError::new(at, Code::TooManyConditions).with("max", MAX_CONDITIONS));
            return None;
        }
        self.reject_members(at, &[("filters", node.filters.is_some())]);
        let field: Field = self.parse_name(
            node.field,
            &format!("{at}/field"),
            &Field::VARIANTS.join(", "),
        )?;
        let operator = self.parse_operator(node.operator, field, &format!("{at}/operator"));
        // without its operator, only references to the catalog can be checked
        let operator = operator.or(entry_kind(field).map(|_| Operator::In))?;
        let values = node.values.unwrap_or_default().0;
        let values = self.parse_values(field, operator, &values, &format!("{at}/values"))?;
        Some(Condition {
            field,
            operator,
            values,
        })
    }

    /// Reports members that belong to the other type of node. Each is given with whether it was
    /// sent.
    fn reject_members(&mut self, at: &str, members: &[(&str, bool)]) {
        for (member, _) in members.iter().filter(|(_, sent)| *sent) {
            self.report(
                FieldError::new(format!("{at}/{member}"), Code::UnknownMember)
                    .with("member", member),
            );
        }
    }

    fn parse_operator(&mut self, name: Option<String>, field: Field, at: &str) -> Option<Operator> {
        let allow_self = self.allow_self;
        let allowed: Vec<_> = field
            .operators()
            .iter()
            .filter(|operator| allow_self || !operator.needs_viewer())
            .map(|operator| operator.as_str())
            .collect();
        let operator: Operator = self.parse_name(name, at, &allowed.join(", "))?;
        if !allowed.contains(&operator.as_str()) {
            self.report(
                FieldError::new(at, Code::UnknownValue).with("allowed", allowed.join(", ")),
            );
            return None;
        }
        Some(operator)
    }

    /// Parses the name of a field or an operator.
    fn parse_name<T: std::str::FromStr>(
        &mut self,
        name: Option<String>,
        at: &str,
        allowed: &str,
    ) -> Option<T> {
        let Some(name) = name else {
            self.report(FieldError::new(at, Code::Required));
            return None;
        };
        let parsed = name.parse().ok();
        if parsed.is_none() {
            self.report(FieldError::new(at, Code::UnknownValue).with("allowed", allowed));
        }
        parsed
    }

    fn parse_values(
        &mut self,
        field: Field,
        operator: Operator,
        sent: &[String],
        at: &str,
    ) -> Option<Vec<String>> {
        let arity = operator.arity();
        if sent.len() > *arity.end() {
            self.report(FieldError::new(at, Code::TooManyValues).with("max", arity.end()));
            return None;
        }
        if sent.len() < *arity.start() {
            self.report(FieldError::new(at, Code::Required));
            return None;
        }
        let kind = operator.value_kind(field.value_kind());
        let mut seen = BTreeSet::new();
        let mut values = Vec::with_capacity(sent.len().min(MAX_VALUES));
        for (index, value) in sent.iter().enumerate() {
            let normalized = normalize(kind, field, value).and_then(|value| {
                if seen.insert(comparison_key(kind, &value)) {
                    Ok(value)
                } else {
                    Err(FieldError::new("", Code::DuplicateValue))
                }
            });
            values.push(normalized.unwrap_or_else(|field_error| {
                self.report(FieldError {
                    pointer: format!("{at}/{index}"),
                    ..field_error
                });
                String::new()
            }));
        }
        Some(values)
    }
}

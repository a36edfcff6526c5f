//! From JSON to a filter that cannot be wrong: everything that is wrong with it is told, each at its exact place.

use std::{borrow::Cow, collections::BTreeSet};

use serde::{Deserialize, Deserializer};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, Schema},
};
use validator::{Validate, ValidationErrors};

use ticket_policy::{CalendarDuration, filter::MAX_VALUES};

use super::{Condition, Field, Operator, TicketFilter, ValueKind};
use crate::common::{
    Code, FieldError,
    ids::{ContactId, Id},
    json_object::JsonObject,
    normalize::fold_case,
    text::{SelfCheck, Text, fault_error},
    timestamp::Timestamp,
    truncated_vec::TruncatedVec,
};

/// Deepest nesting of groups.
pub const MAX_DEPTH: usize = 3;
/// Most conditions of one filter.
pub const MAX_CONDITIONS: usize = 50;
/// Largest filter, in bytes of its normalised JSON: a page holds 200 of them.
pub const MAX_BYTES: usize = 64 * 1024;
/// Most faults told of one filter: what is that wrong was not written by hand, and an answer stays small.
pub const MAX_FIELD_ERRORS: usize = 100;

/// A filter in a body. `VIEWER` says whether it may speak of the access that looks (`is_self`): queries may, rules may not.
///
/// Reading takes whatever has the shape of a filter; [`Validate`] tells what is wrong with it.
#[derive(Debug, Clone)]
pub struct FilterBody<const VIEWER: bool>(Result<TicketFilter, Vec<FieldError>>);

/// The filter of a ticket board query.
pub type QueryFilter = FilterBody<true>;
/// The filter of an exclusion rule.
pub type RuleFilter = FilterBody<false>;

/// Not sent, though it has to be.
impl<const VIEWER: bool> Default for FilterBody<VIEWER> {
    fn default() -> Self {
        Self(Err(vec![FieldError::new("", Code::Required)]))
    }
}

impl<const VIEWER: bool> FilterBody<VIEWER> {
    /// The filter. One that did not pass [`Validate`] never gets here; it would be a filter that nobody can tell the outcome of.
    pub fn into_filter(self) -> TicketFilter {
        self.0.unwrap_or(TicketFilter::All {
            filters: Vec::new(),
        })
    }
}

impl<'de, const VIEWER: bool> Deserialize<'de> for FilterBody<VIEWER> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let JsonObject(node) = JsonObject::<Node>::deserialize(deserializer)?;
        let mut parser = Parser {
            viewer: VIEWER,
            conditions: 0,
            field_errors: Vec::new(),
        };
        let filter = parser
            .filter(node, "", 1)
            .filter(|filter| parser.fits(filter));
        Ok(Self(
            filter
                .filter(|_| parser.field_errors.is_empty())
                .ok_or(parser.field_errors),
        ))
    }
}

impl<const VIEWER: bool> Validate for FilterBody<VIEWER> {
    fn validate(&self) -> Result<(), ValidationErrors> {
        let Err(field_errors) = &self.0 else {
            return Ok(());
        };
        let mut errors = ValidationErrors::new();
        for field_error in field_errors {
            errors.add("", fault_error(field_error.clone()));
        }
        Err(errors)
    }
}

impl<const VIEWER: bool> PartialSchema for FilterBody<VIEWER> {
    fn schema() -> RefOr<Schema> {
        TicketFilter::schema()
    }
}

impl<const VIEWER: bool> ToSchema for FilterBody<VIEWER> {
    fn name() -> Cow<'static, str> {
        TicketFilter::name()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        TicketFilter::schemas(schemas);
    }
}

/// A node as it was sent: the members of groups and of conditions, of which each node may have one sort only.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Node {
    r#type: Option<String>,
    filters: Option<TruncatedVec<JsonObject<Node>, { MAX_CONDITIONS + 1 }>>,
    field: Option<String>,
    operator: Option<String>,
    values: Option<TruncatedVec<String, { MAX_VALUES + 1 }>>,
}

struct Parser {
    viewer: bool,
    conditions: usize,
    field_errors: Vec<FieldError>,
}

impl Parser {
    fn field_error(&mut self, field_error: FieldError) {
        if self.field_errors.len() < MAX_FIELD_ERRORS {
            self.field_errors.push(field_error);
        }
    }

    /// Whether a filter without faults is small enough.
    fn fits(&mut self, filter: &TicketFilter) -> bool {
        let small = serde_json::to_vec(filter).is_ok_and(|json| json.len() <= MAX_BYTES);
        if !small {
            self.field_error(FieldError::new("", Code::FilterTooLarge).with("max", MAX_BYTES));
        }
        small
    }

    /// `None`: something is wrong with it, and has been told.
    fn filter(&mut self, node: Node, at: &str, depth: usize) -> Option<TicketFilter> {
        let combine: fn(Vec<TicketFilter>) -> TicketFilter = match node.r#type.as_deref() {
            Some("all") => |filters| TicketFilter::All { filters },
            Some("any") => |filters| TicketFilter::Any { filters },
            Some("none") => |filters| TicketFilter::None { filters },
            Some("condition") => return self.condition(node, at),
            Some(_) => {
                let field_error = FieldError::new(format!("{at}/type"), Code::UnknownValue);
                self.field_error(field_error.with("allowed", "all, any, none, condition"));
                return None;
            }
            None => {
                self.field_error(FieldError::new(format!("{at}/type"), Code::Required));
                return None;
            }
        };
        let misplaced = [
            ("field", node.field.is_some()),
            ("operator", node.operator.is_some()),
            ("values", node.values.is_some()),
        ];
        self.misplaced(at, &misplaced);
        if depth > MAX_DEPTH {
            self.field_error(FieldError::new(at, Code::TooDeep).with("max", MAX_DEPTH));
            return None;
        }
        let filters = node
            .filters
            .map(|TruncatedVec(filters)| filters)
            .unwrap_or_default();
        if filters.is_empty() {
            self.field_error(FieldError::new(format!("{at}/filters"), Code::Required));
            return None;
        }
        let mut parsed = Vec::with_capacity(filters.len().min(MAX_CONDITIONS));
        for (index, JsonObject(filter)) in filters.into_iter().enumerate() {
            // what comes after one condition too many is not looked at
            if self.conditions > MAX_CONDITIONS || self.field_errors.len() == MAX_FIELD_ERRORS {
                return None;
            }
            parsed.extend(self.filter(filter, &format!("{at}/filters/{index}"), depth + 1));
        }
        Some(combine(parsed))
    }

    fn condition(&mut self, node: Node, at: &str) -> Option<TicketFilter> {
        self.conditions += 1;
        if self.conditions > MAX_CONDITIONS {
            self.field_error(
                FieldError::new(at, Code::TooManyConditions).with("max", MAX_CONDITIONS),
            );
            return None;
        }
        self.misplaced(at, &[("filters", node.filters.is_some())]);
        let field = self.word::<Field>(
            node.field,
            at,
            "field",
            &<Field as strum::VariantNames>::VARIANTS.join(", "),
        )?;
        let allowed: Vec<_> = field
            .operators()
            .iter()
            .filter(|it| self.viewer || !it.needs_viewer())
            .map(|it| it.as_str())
            .collect();
        let operator = self.word::<Operator>(node.operator, at, "operator", &allowed.join(", "))?;
        if !allowed.contains(&operator.as_str()) {
            let field_error = FieldError::new(format!("{at}/operator"), Code::UnknownValue);
            self.field_error(field_error.with("allowed", allowed.join(", ")));
            return None;
        }
        let values = self.values(field, operator, node.values.unwrap_or_default().0, at)?;
        Some(TicketFilter::Condition(Condition {
            field,
            operator,
            values,
        }))
    }

    fn misplaced(&mut self, at: &str, members: &[(&str, bool)]) {
        for (member, _) in members.iter().filter(|(_, sent)| *sent) {
            self.field_error(
                FieldError::new(format!("{at}/{member}"), Code::UnknownMember)
                    .with("member", member),
            );
        }
    }

    fn word<T: std::str::FromStr>(
        &mut self,
        sent: Option<String>,
        at: &str,
        name: &str,
        allowed: &str,
    ) -> Option<T> {
        let at = format!("{at}/{name}");
        let Some(word) = sent else {
            self.field_error(FieldError::new(at, Code::Required));
            return None;
        };
        let known = word.parse().ok();
        if known.is_none() {
            self.field_error(FieldError::new(at, Code::UnknownValue).with("allowed", allowed));
        }
        known
    }

    fn values(
        &mut self,
        field: Field,
        operator: Operator,
        sent: Vec<String>,
        at: &str,
    ) -> Option<Vec<String>> {
        let arity = operator.arity();
        if sent.len() > *arity.end() {
            self.field_error(
                FieldError::new(format!("{at}/values"), Code::TooManyValues)
                    .with("max", arity.end()),
            );
            return None;
        }
        if sent.len() < *arity.start() {
            self.field_error(FieldError::new(format!("{at}/values"), Code::Required));
            return None;
        }
        let kind = operator.value_kind(field.value_kind());
        let (before, mut seen) = (self.field_errors.len(), BTreeSet::new());
        let mut values = Vec::with_capacity(sent.len().min(MAX_VALUES));
        for (index, value) in sent.iter().enumerate() {
            let judged = normalised(kind, field, value).and_then(|value| {
                let known = if kind == ValueKind::TagName {
                    fold_case(&value)
                } else {
                    value.clone()
                };
                if seen.insert(known) {
                    Ok(value)
                } else {
                    Err(FieldError::new("", Code::DuplicateValue))
                }
            });
            match judged {
                Ok(value) => values.push(value),
                Err(field_error) => self.field_error(FieldError {
                    pointer: format!("{at}/values/{index}"),
                    ..field_error
                }),
            }
        }
        (self.field_errors.len() == before).then_some(values)
    }
}

/// A value in its one spelling, or what is wrong with it.
fn normalised(kind: ValueKind, field: Field, value: &str) -> Result<String, FieldError> {
    match kind {
        // whether the catalogue has it, the service asks
        ValueKind::AreaId | ValueKind::TicketTypeId | ValueKind::ContactId | ValueKind::ErpId => {
            value.parse::<ContactId>().map(|id| id.to_string())
        }
        ValueKind::AccessId => value.parse::<Id<()>>().map(|id| id.to_string()),
        ValueKind::Word | ValueKind::Boolean if field.words().contains(&value) => {
            Ok(value.to_owned())
        }
        ValueKind::Word | ValueKind::Boolean => {
            Err(FieldError::new("", Code::UnknownValue).with("allowed", field.words().join(", ")))
        }
        ValueKind::TagName => text(Text::<1, 100>::new(value)),
        ValueKind::Text => text(Text::<1, 200>::new(value)),
        ValueKind::Time => Timestamp::parse(value)
            .map(|time| time.to_string())
            .ok_or_else(|| FieldError::new("", Code::InvalidTime)),
        ValueKind::Duration => CalendarDuration::parse(value)
            .map(|period| period.to_string())
            .ok_or_else(|| FieldError::new("", Code::InvalidDuration)),
        ValueKind::Nothing => Ok(value.to_owned()),
    }
}

fn text<const MIN: usize, const MAX: usize>(text: Text<MIN, MAX>) -> Result<String, FieldError> {
    text.check().map(|()| text.into())
}

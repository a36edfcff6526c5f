//! The JSON bodies of the requests: parsing, validation and OpenAPI schema.
//!
//! The bodies are generic over the form of a ticket, see [`ParsedTicket`]. All errors of a body are
//! reported together.

use serde::Deserialize;
use serde_json::value::RawValue;
use ticket_policy::Str;
use utoipa::ToSchema;
use validator::Validate as _;

use super::{
    ApprovalRequest, CreationRequest, InvalidTicket, MAX_ACCESSES, MAX_SAMPLES, MAX_TICKETS,
    MAX_WARNINGS, ParsedAttributes, PreviewRequest, TicketInput, VisibilityRequest,
    ticket_schema::TicketSchema,
};
use crate::{
    accesses::AccessRef,
    common::{
        Code, Error, FieldError, Result,
        draft::append_validation,
        email::Email,
        ids::{AccessId, AreaId, BusinessPartnerId, RuleId, TicketTypeId},
        json_integer,
        json_object::JsonObject,
        merge_patch,
        text::SelfCheck as _,
        truncated_vec::TruncatedVec,
    },
    http::{
        body::reject_if_any,
        field_errors::validation_errors,
        lenient_json::{self, Failure, Parsed},
    },
    ticket_filter::{TicketFilter, parse::RuleFilter},
};

/// Highest accepted `min_revision`: the largest integer that every JSON parser reads exactly.
const MAX_REVISION: i64 = 9_007_199_254_740_991;

const _: () = assert!(
    MAX_TICKETS == 1000 && MAX_SAMPLES == 200 && MAX_ACCESSES == 500,
    "the schemas repeat these limits as literals"
);

/// The tickets to decide on, and the access. Identify the access by either `access_id` or
/// `access_email`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TicketVisibilityQuestion, bound = "", example = json!({"access_email": "aenne.schaefer@muster.example", "explain": true, "tickets": [
    {"ticket_id": "4711", "business_partner_id": "K-1001", "area_id": "netz", "internal": false, "confidential": false, "status": "open"},
    {"ticket_id": "4712", "business_partner_id": "K-1001", "area_id": "netz", "internal": false, "confidential": false, "tags": ["Personal"]}]}))]
pub struct VisibilityBody<'b, T> {
    #[serde(borrow)]
    #[schema(inline, value_type = Option<AccessId>)]
    access_id: Option<Str<'b>>,
    #[schema(inline)]
    access_email: Option<Email>,
    /// Whether to return every step of the decisions. Default: false.
    #[serde(default)]
    explain: bool,
    /// Reject the request with `revision_not_reached` if the partner's integration has not reached
    /// this revision.
    #[serde(default, deserialize_with = "json_integer::optional")]
    #[schema(minimum = 0)]
    min_revision: Option<i64>,
    #[serde(default = "empty_list")]
    #[schema(required, value_type = Vec<TicketSchema>, min_items = 1, max_items = 1000)]
    tickets: TruncatedVec<T, { MAX_TICKETS + 1 }>,
}

/// The area and the ticket type of the ticket to create, and the access. Identify the access by
/// either `access_id` or `access_email`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TicketCreationQuestion,
    example = json!({"access_email": "aenne.schaefer@muster.example", "area_id": "netz", "ticket_type_id": "anomalie"}))]
pub struct CreationBody {
    #[schema(inline, value_type = Option<AccessId>)]
    access_id: Option<String>,
    #[schema(inline)]
    access_email: Option<Email>,
    #[schema(inline, required, value_type = AreaId)]
    area_id: Option<String>,
    #[schema(inline, required, value_type = TicketTypeId)]
    ticket_type_id: Option<String>,
    /// Reject the request with `revision_not_reached` if the partner's integration has not reached
    /// this revision.
    #[serde(default, deserialize_with = "json_integer::optional")]
    #[schema(minimum = 0)]
    min_revision: Option<i64>,
}

/// The ticket to release, and the access. Identify the access by either `access_id` or
/// `access_email`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TicketApprovalQuestion, bound = "", example = json!({"access_email": "aenne.schaefer@muster.example", "explain": true,
    "ticket": {"ticket_id": "4711", "business_partner_id": "K-1001", "area_id": "netz", "internal": false, "confidential": false,
        "released": false, "status": "open", "tags": []}}))]
pub struct ApprovalBody<'b> {
    #[serde(borrow)]
    #[schema(inline, value_type = Option<AccessId>)]
    access_id: Option<Str<'b>>,
    #[schema(inline)]
    access_email: Option<Email>,
    /// Whether to return every step of the decision whether the access may see the ticket. Default:
    /// false.
    #[serde(default)]
    explain: bool,
    /// Reject the request with `revision_not_reached` if the partner's integration has not reached
    /// this revision.
    #[serde(default, deserialize_with = "json_integer::optional")]
    #[schema(minimum = 0)]
    min_revision: Option<i64>,
    #[serde(borrow)]
    #[schema(required, value_type = TicketSchema)]
    ticket: Option<&'b RawValue>,
}

/// The draft of an exclusion rule, and sample tickets.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ExclusionRulePreviewQuestion, bound = "", example = json!({"business_partner_id": "K-1001",
    "filter": {"type": "condition", "field": "tag", "operator": "any_of", "values": ["Personal"]},
    "tickets": [{"ticket_id": "4711", "business_partner_id": "K-1001", "area_id": "netz", "internal": false, "confidential": false, "tags": ["Personal"]}]}))]
pub struct PreviewBody<T> {
    /// The partner that owns the rule. Absent or `null`: a global rule.
    #[schema(inline, value_type = Option<BusinessPartnerId>)]
    business_partner_id: Option<String>,
    /// The existing rule that the draft replaces. Absent or `null`: a new rule.
    #[schema(inline, value_type = Option<RuleId>)]
    rule_id: Option<String>,
    /// Whether the rule would be active. Default: true.
    #[serde(default = "merge_patch::default_true")]
    active: bool,
    #[serde(default)]
    #[schema(required, value_type = TicketFilter)]
    filter: RuleFilter,
    /// The accesses to preview. Absent or `null`: the first 500 active accesses.
    #[schema(inline, value_type = Option<Vec<AccessId>>, min_items = 1, max_items = 500)]
    access_ids: Option<TruncatedVec<String, { MAX_ACCESSES + 1 }>>,
    /// Sample tickets. Default: none; the response then contains no accesses.
    #[serde(default = "empty_list")]
    #[schema(value_type = Vec<TicketSchema>, max_items = 200)]
    tickets: TruncatedVec<T, { MAX_SAMPLES + 1 }>,
}

/// Unlike `Default::default`, requires no default of `T`.
fn empty_list<T, const MAX: usize>() -> TruncatedVec<T, MAX> {
    TruncatedVec(Vec::new())
}

/// A ticket as parsed by the fast path (attributes) or by the slow path (raw JSON).
pub trait ParsedTicket<'b> {
    /// Validates the ticket. The pointers of the `warnings` are relative to the ticket.
    fn into_input(self, warnings: &mut Vec<FieldError>) -> TicketInput<'b>;
}

impl<'b> ParsedTicket<'b> for ParsedAttributes<'b> {
    fn into_input(self, warnings: &mut Vec<FieldError>) -> TicketInput<'b> {
        let Self(mut ticket) = self;
        match ticket.validate() {
            Ok(unknown) => {
                warnings.extend(unknown.into_iter().map(FieldError::from));
                Ok(ticket)
            }
            Err(error) => Err(Box::new(InvalidTicket {
                ticket_id: Some(ticket.ticket_id.0.into_owned()),
                field_error: error.into(),
            })),
        }
    }
}

impl<'b> ParsedTicket<'b> for &'b RawValue {
    fn into_input(self, warnings: &mut Vec<FieldError>) -> TicketInput<'b> {
        let parsed = lenient_json::deserialize(self.get().as_bytes());
        let field_errors = match parsed {
            Ok(Parsed {
                value: ticket,
                field_errors,
            }) if field_errors.is_empty() => return JsonObject(ticket).into_input(warnings),
            Ok(Parsed { field_errors, .. }) | Err(Failure::Invalid(field_errors)) => field_errors,
            Err(Failure::Malformed(_)) => Vec::new(),
        };
        let field_error = field_errors.into_iter().next();
        Err(Box::new(InvalidTicket {
            ticket_id: parse_ticket_id(self),
            field_error: field_error.unwrap_or_else(|| FieldError::new("", Code::MalformedJson)),
        }))
    }
}

/// The id of a ticket that cannot be parsed as a whole.
fn parse_ticket_id(ticket: &RawValue) -> Option<String> {
    #[derive(Deserialize)]
    struct TicketId {
        ticket_id: String,
    }
    let JsonObject(TicketId { ticket_id }) = serde_json::from_str(ticket.get()).ok()?;
    Some(ticket_id)
}

impl<'b, T: ParsedTicket<'b>> VisibilityBody<'b, T> {
    /// Validates the body, of which some members may have been unparsable. Invalid tickets are part
    /// of the request.
    pub(super) fn validate(self, unparsed: Vec<FieldError>) -> Result<VisibilityRequest<'b>> {
        let mut errors = Vec::new();
        let access = parse_access_ref(self.access_id.as_deref(), self.access_email, &mut errors);
        errors.extend(check_min_revision(self.min_revision));
        errors.extend(check_count(self.tickets.0.len(), MAX_TICKETS, "/tickets"));
        reject_all(unparsed, errors)?;
        let (tickets, warnings) = into_inputs(self.tickets.0);
        Ok(VisibilityRequest {
            access: access.ok_or_else(unreported_error)?,
            explain: self.explain,
            min_revision: self.min_revision,
            tickets,
            warnings,
        })
    }
}

impl CreationBody {
    /// Validates the body, of which some members may have been unparsable.
    pub(super) fn validate(self, unparsed: Vec<FieldError>) -> Result<CreationRequest> {
        let area_id = self.area_id.unwrap_or_default();
        let ticket_type_id = self.ticket_type_id.unwrap_or_default();
        let mut errors = Vec::new();
        let access = parse_access_ref(self.access_id.as_deref(), self.access_email, &mut errors);
        let area_id = parse_at("/area_id", &area_id, &mut errors);
        let ticket_type_id = parse_at("/ticket_type_id", &ticket_type_id, &mut errors);
        errors.extend(check_min_revision(self.min_revision));
        reject_all(unparsed, errors)?;
        Ok(CreationRequest {
            access: access.ok_or_else(unreported_error)?,
            area_id: area_id.ok_or_else(unreported_error)?,
            ticket_type_id: ticket_type_id.ok_or_else(unreported_error)?,
            min_revision: self.min_revision,
        })
    }
}

impl<'b> ApprovalBody<'b> {
    /// Validates the body, of which some members may have been unparsable.
    pub(super) fn validate(self, unparsed: Vec<FieldError>) -> Result<ApprovalRequest<'b>> {
        let mut errors = Vec::new();
        let mut warnings = Vec::new();
        let access = parse_access_ref(self.access_id.as_deref(), self.access_email, &mut errors);
        errors.extend(check_min_revision(self.min_revision));
        let ticket = match self.ticket.map(|ticket| ticket.into_input(&mut warnings)) {
            Some(Ok(ticket)) => Some(ticket),
            Some(Err(invalid)) => {
                errors.push(at("/ticket", invalid.field_error));
                None
            }
            None => {
                errors.push(FieldError::new("/ticket", Code::Required));
                None
            }
        };
        reject_all(unparsed, errors)?;
        Ok(ApprovalRequest {
            access: access.ok_or_else(unreported_error)?,
            explain: self.explain,
            min_revision: self.min_revision,
            ticket: ticket.ok_or_else(unreported_error)?,
            warnings: warnings
                .into_iter()
                .map(|warning| at("/ticket", warning))
                .collect(),
        })
    }
}

impl<'b, T: ParsedTicket<'b>> PreviewBody<T> {
    /// Validates the body, of which some members may have been unparsable. Invalid tickets are part
    /// of the request.
    pub(super) fn validate(self, unparsed: Vec<FieldError>) -> Result<PreviewRequest<'b>> {
        let mut errors = Vec::new();
        let business_partner_id = self
            .business_partner_id
            .and_then(|id| parse_at("/business_partner_id", &id, &mut errors));
        let rule_id = self
            .rule_id
            .and_then(|id| parse_at("/rule_id", &id, &mut errors));
        errors.extend(check_filter(&self.filter));
        let access_ids = self
            .access_ids
            .map(|TruncatedVec(ids)| parse_access_ids(&ids, &mut errors));
        errors.extend(check_max(self.tickets.0.len(), MAX_SAMPLES, "/tickets"));
        reject_all(unparsed, errors)?;
        let has_tickets = !self.tickets.0.is_empty();
        let (tickets, warnings) = into_inputs(self.tickets.0);
        Ok(PreviewRequest {
            business_partner_id,
            rule_id,
            active: self.active,
            filter: self.filter.into_filter(),
            access_ids,
            has_tickets,
            tickets,
            warnings,
        })
    }
}

/// Validates tickets. Returns at most [`MAX_WARNINGS`], with pointers relative to the body.
fn into_inputs<'b, T: ParsedTicket<'b>>(
    tickets: Vec<T>,
) -> (Vec<TicketInput<'b>>, Vec<FieldError>) {
    let mut warnings = Vec::new();
    let mut of_ticket = Vec::new();
    let inputs = tickets
        .into_iter()
        .enumerate()
        .map(|(index, ticket)| {
            let input = ticket.into_input(&mut of_ticket);
            let remaining = MAX_WARNINGS - warnings.len();
            let located = of_ticket.drain(..).take(remaining);
            warnings.extend(located.map(|warning| at(&format!("/tickets/{index}"), warning)));
            input
        })
        .collect();
    (inputs, warnings)
}

/// Fails if there are errors of parsing or validating a body.
fn reject_all(mut unparsed: Vec<FieldError>, invalid: Vec<FieldError>) -> Result<()> {
    append_validation(&mut unparsed, invalid);
    reject_if_any(unparsed)
}

/// Parses the reference to an access, which is either its id or its e-mail address.
fn parse_access_ref(
    id: Option<&str>,
    email: Option<Email>,
    errors: &mut Vec<FieldError>,
) -> Option<AccessRef> {
    match (id, email) {
        (Some(id), None) => parse_at("/access_id", id, errors).map(AccessRef::Id),
        (None, Some(email)) => match email.check() {
            Ok(()) => Some(AccessRef::Email(email.into())),
            Err(error) => {
                errors.push(at("/access_email", error));
                None
            }
        },
        _ => {
            errors.push(
                FieldError::new("/access_id", Code::ExactlyOne)
                    .with("allowed", "access_id, access_email"),
            );
            None
        }
    }
}

fn parse_access_ids(ids: &[String], errors: &mut Vec<FieldError>) -> Vec<AccessId> {
    errors.extend(check_count(ids.len(), MAX_ACCESSES, "/access_ids"));
    ids.iter()
        .enumerate()
        .filter_map(|(index, id)| parse_at(&format!("/access_ids/{index}"), id, errors))
        .collect()
}

fn check_filter(filter: &RuleFilter) -> Vec<FieldError> {
    let Err(errors) = filter.validate() else {
        return Vec::new();
    };
    validation_errors(&errors)
        .into_iter()
        .map(|error| at("/filter", error))
        .collect()
}

/// Parses a value, or records its error.
fn parse_at<T: std::str::FromStr<Err = FieldError>>(
    pointer: &str,
    text: &str,
    errors: &mut Vec<FieldError>,
) -> Option<T> {
    match text.parse() {
        Ok(value) => Some(value),
        Err(error) => {
            errors.push(at(pointer, error));
            None
        }
    }
}

/// An error of the value at `pointer`.
fn at(pointer: &str, error: FieldError) -> FieldError {
    FieldError {
        pointer: format!("{pointer}{}", error.pointer),
        ..error
    }
}

/// Zero is accepted: clients that have not seen a revision yet may send it.
fn check_min_revision(min_revision: Option<i64>) -> Option<FieldError> {
    let out_of_range = min_revision.is_some_and(|revision| !(0..=MAX_REVISION).contains(&revision));
    out_of_range.then(|| {
        FieldError::new("/min_revision", Code::OutOfRange)
            .with("allowed", format!("0..{MAX_REVISION}"))
    })
}

fn check_count(count: usize, max: usize, pointer: &str) -> Option<FieldError> {
    match count {
        0 => Some(FieldError::new(pointer, Code::Required)),
        _ => check_max(count, max, pointer),
    }
}

fn check_max(count: usize, max: usize, pointer: &str) -> Option<FieldError> {
    (count > max).then(|| FieldError::new(pointer, Code::TooManyValues).with("max", max))
}

/// A value is missing although no error was recorded for it: a bug.
fn unreported_error() -> Error {
    anyhow::anyhow!("a missing value of a request was not reported").into()
}

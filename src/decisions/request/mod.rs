//! The requests of the decision operations.
//!
//! A body can hold 1000 tickets. It is parsed at most twice: the fast path borrows strings from the
//! body and stops at the first error. If it fails, the slow path parses ticket by ticket, so that
//! an invalid ticket does not fail the others, and reports the errors of the body itself. Both
//! paths produce the same requests.

mod body;
mod ticket_schema;

use serde::Deserialize;
use serde_json::value::RawValue;

use self::body::{ApprovalBody, CreationBody, PreviewBody, VisibilityBody};
use crate::{
    accesses::AccessRef,
    common::{
        FieldError, Result,
        ids::{AccessId, AreaId, BusinessPartnerId, RuleId, TicketTypeId},
        json_object::JsonObject,
    },
    http::body::parse_json,
    ticket_filter::TicketFilter,
};
use ticket_policy::ticket::TicketAttributes;

/// Largest body, in bytes.
pub const MAX_BODY: usize = 4 * 1024 * 1024;
/// Most tickets of one request.
pub const MAX_TICKETS: usize = 1000;
/// Most sample tickets of a preview.
pub const MAX_SAMPLES: usize = 200;
/// Most accesses of a preview.
pub const MAX_ACCESSES: usize = 500;
/// Most warnings of one response.
const MAX_WARNINGS: usize = 200;

/// The documented body of a visibility request.
pub type VisibilityBodySchema = VisibilityBody<'static, ()>;
/// The documented body of a creation request.
pub type CreationBodySchema = CreationBody;
/// The documented body of an approval request.
pub type ApprovalBodySchema = ApprovalBody<'static>;
/// The documented body of a preview request.
pub type PreviewBodySchema = PreviewBody<()>;

/// A ticket, or its error. Both are boxed because they are moved several times.
pub type TicketInput<'b> = Result<Box<TicketAttributes<'b>>, Box<InvalidTicket>>;

/// A ticket as the fast path parses it.
type ParsedAttributes<'b> = JsonObject<Box<TicketAttributes<'b>>>;

/// A ticket with invalid attributes.
#[derive(Debug)]
pub struct InvalidTicket {
    /// The ticket's id, if that could be parsed.
    pub ticket_id: Option<String>,
    /// The first error. Its pointer is relative to the ticket.
    pub field_error: FieldError,
}

/// Which of these tickets may this access see?
#[derive(Debug)]
pub struct VisibilityRequest<'b> {
    pub access: AccessRef,
    /// Whether the response lists the steps of each decision.
    pub explain: bool,
    /// The revision that the partner's integration must have reached.
    pub min_revision: Option<i64>,
    pub tickets: Vec<TicketInput<'b>>,
    /// The first values of tickets that are treated as unknown.
    pub warnings: Vec<FieldError>,
}

/// May this access create a ticket of this type in this area?
#[derive(Debug)]
pub struct CreationRequest {
    pub access: AccessRef,
    pub area_id: AreaId,
    pub ticket_type_id: TicketTypeId,
    /// The revision that the partner's integration must have reached.
    pub min_revision: Option<i64>,
}

/// May this access release this ticket?
#[derive(Debug)]
pub struct ApprovalRequest<'b> {
    pub access: AccessRef,
    /// Whether the response lists the steps of the visibility decision.
    pub explain: bool,
    /// The revision that the partner's integration must have reached.
    pub min_revision: Option<i64>,
    pub ticket: Box<TicketAttributes<'b>>,
    /// The values of the ticket that are treated as unknown.
    pub warnings: Vec<FieldError>,
}

/// What would change if this exclusion rule were saved?
#[derive(Debug)]
pub struct PreviewRequest<'b> {
    /// The owner of the rule; `None` for a global rule.
    pub business_partner_id: Option<BusinessPartnerId>,
    /// The existing rule that the draft replaces.
    pub rule_id: Option<RuleId>,
    pub active: bool,
    pub filter: TicketFilter,
    /// The accesses to preview; `None` for all active ones.
    pub access_ids: Option<Vec<AccessId>>,
    /// Whether tickets were sent. Without tickets, no accesses are previewed.
    pub has_tickets: bool,
    pub tickets: Vec<TicketInput<'b>>,
    /// The first values of tickets that are treated as unknown.
    pub warnings: Vec<FieldError>,
}

impl<'b> VisibilityRequest<'b> {
    /// Parses a body. Invalid tickets are part of the request; any other error rejects it.
    pub fn parse(bytes: &'b [u8]) -> Result<Self> {
        if let Some(body) = parse_fast::<VisibilityBody<'b, ParsedAttributes<'b>>>(bytes) {
            return body.validate(Vec::new());
        }
        let parsed = parse_json::<VisibilityBody<'b, &'b RawValue>>(bytes)?;
        parsed.value.validate(parsed.field_errors)
    }

    /// The request, independent of the body.
    pub fn into_owned(self) -> VisibilityRequest<'static> {
        VisibilityRequest {
            access: self.access,
            explain: self.explain,
            min_revision: self.min_revision,
            tickets: into_owned(self.tickets),
            warnings: self.warnings,
        }
    }
}

impl CreationRequest {
    /// Parses a body.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let parsed = parse_json::<CreationBody>(bytes)?;
        parsed.value.validate(parsed.field_errors)
    }
}

impl<'b> ApprovalRequest<'b> {
    /// Parses a body.
    pub fn parse(bytes: &'b [u8]) -> Result<Self> {
        let parsed = parse_json::<ApprovalBody<'b>>(bytes)?;
        parsed.value.validate(parsed.field_errors)
    }

    /// The request, independent of the body.
    pub fn into_owned(self) -> ApprovalRequest<'static> {
        ApprovalRequest {
            access: self.access,
            explain: self.explain,
            min_revision: self.min_revision,
            ticket: Box::new(self.ticket.into_owned()),
            warnings: self.warnings,
        }
    }
}

impl<'b> PreviewRequest<'b> {
    /// Parses a body. Invalid tickets are part of the request; any other error rejects it.
    pub fn parse(bytes: &'b [u8]) -> Result<Self> {
        if let Some(body) = parse_fast::<PreviewBody<ParsedAttributes<'b>>>(bytes) {
            return body.validate(Vec::new());
        }
        let parsed = parse_json::<PreviewBody<&'b RawValue>>(bytes)?;
        parsed.value.validate(parsed.field_errors)
    }

    /// The request, independent of the body.
    pub fn into_owned(self) -> PreviewRequest<'static> {
        PreviewRequest {
            business_partner_id: self.business_partner_id,
            rule_id: self.rule_id,
            active: self.active,
            filter: self.filter,
            access_ids: self.access_ids,
            has_tickets: self.has_tickets,
            tickets: into_owned(self.tickets),
            warnings: self.warnings,
        }
    }
}

fn into_owned(tickets: Vec<TicketInput<'_>>) -> Vec<TicketInput<'static>> {
    tickets
        .into_iter()
        .map(|input| input.map(|ticket| Box::new(ticket.into_owned())))
        .collect()
}

/// The fast path. `None` if there is any error.
fn parse_fast<'b, T: Deserialize<'b>>(bytes: &'b [u8]) -> Option<T> {
    // checks UTF-8 once for the whole body instead of string by string
    let text = simdutf8::basic::from_utf8(bytes).ok()?;
    let JsonObject(body) = serde_json::from_str(text).ok()?;
    Some(body)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::common::{Code, Error};

    const ACCESS: &str = "019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e60";

    fn ticket(id: &str) -> Value {
        json!({"ticket_id": id, "business_partner_id": "K-1", "area_id": "netz", "internal": false, "confidential": false})
    }

    /// The code and the field errors of a rejected request.
    fn rejection<T>(parsed: Result<T>) -> (Code, Vec<(String, Code)>) {
        let Err(Error::Client(error)) = parsed.map(drop) else {
            panic!("the request was accepted")
        };
        let field_errors = error.field_errors.into_iter();
        (
            error.code,
            field_errors
                .map(|error| (error.pointer, error.code))
                .collect(),
        )
    }

    fn reject_visibility(body: &Value) -> (Code, Vec<(String, Code)>) {
        rejection(VisibilityRequest::parse(body.to_string().as_bytes()))
    }

    fn field_error(pointer: &str, code: Code) -> (String, Code) {
        (pointer.to_owned(), code)
    }

    #[test]
    fn invalid_ticket_is_reported_at_its_position() {
        let tickets = json!([ticket("1"), {"ticket_id": "2", "internal": "yes"}, 3, {"ticket_id": 4}, ticket("5")]);
        let body = json!({"access_id": ACCESS, "tickets": tickets}).to_string();
        let request = VisibilityRequest::parse(body.as_bytes()).unwrap();
        let inputs: Vec<_> = request
            .tickets
            .iter()
            .map(|input| match input {
                Ok(ticket) => (Some(ticket.ticket_id.to_string()), None),
                Err(invalid) => (
                    invalid.ticket_id.clone(),
                    Some((
                        invalid.field_error.pointer.as_str(),
                        invalid.field_error.code,
                    )),
                ),
            })
            .collect();
        assert_eq!(
            inputs,
            [
                (Some("1".into()), None),
                (Some("2".into()), Some(("/internal", Code::WrongType))),
                (None, Some(("", Code::WrongType))),
                (None, Some(("/ticket_id", Code::WrongType))),
                (Some("5".into()), None),
            ]
        );
    }

    #[rstest::rstest]
    #[case::unknown_member("color", Some(json!(1)), "/color", Code::UnknownMember)]
    #[case::missing_member("area_id", None, "/area_id", Code::Required)]
    #[case::unknown_value("status", Some(json!("shut")), "/status", Code::UnknownValue)]
    #[case::wrong_item("tags", Some(json!(["a", 1])), "/tags/1", Code::WrongType)]
    #[case::null("internal", Some(Value::Null), "/internal", Code::WrongType)]
    fn invalid_attribute_is_reported_with_its_pointer(
        #[case] member: &str,
        #[case] value: Option<Value>,
        #[case] pointer: &str,
        #[case] code: Code,
    ) {
        let mut invalid = ticket("1");
        match value {
            Some(value) => invalid[member] = value,
            None => drop(invalid.as_object_mut().unwrap().remove(member)),
        }
        let body = json!({"access_email": "A@b.example", "tickets": [invalid]}).to_string();
        let mut request = VisibilityRequest::parse(body.as_bytes()).unwrap();
        assert_eq!(request.access, AccessRef::Email("a@b.example".to_owned()));
        let error = request.tickets.remove(0).unwrap_err().field_error;
        assert_eq!(
            field_error(&error.pointer, error.code),
            field_error(pointer, code)
        );
    }

    #[test]
    fn empty_visibility_request_reports_all_missing_members() {
        let (code, field_errors) = reject_visibility(&json!({}));
        assert_eq!(code, Code::ValidationFailed);
        assert_eq!(
            field_errors,
            [
                field_error("/access_id", Code::ExactlyOne),
                field_error("/tickets", Code::Required)
            ]
        );
    }

    #[test]
    fn two_access_references_and_too_many_tickets_are_reported_together() {
        let body = json!({"access_id": ACCESS, "access_email": "a@b.example", "tickets": vec![ticket("1"); 1001]});
        assert_eq!(
            reject_visibility(&body).1,
            [
                field_error("/access_id", Code::ExactlyOne),
                field_error("/tickets", Code::TooManyValues)
            ]
        );
    }

    #[test]
    fn invalid_access_id_and_negative_revision_are_reported_together() {
        let body = json!({"access_id": "x", "min_revision": -1, "tickets": [ticket("1")]});
        assert_eq!(
            reject_visibility(&body).1,
            [
                field_error("/access_id", Code::InvalidId),
                field_error("/min_revision", Code::OutOfRange),
            ]
        );
    }

    #[test]
    fn unreadable_visibility_request_is_rejected() {
        assert_eq!(
            reject_visibility(&json!({"acces_id": "x"})).0,
            Code::UnknownMember
        );
        assert_eq!(
            reject_visibility(&json!({"tickets": {}})).0,
            Code::WrongType
        );
        assert!(VisibilityRequest::parse(b"{").is_err());
        assert!(VisibilityRequest::parse(b"\"\xff\"").is_err());
    }

    #[test]
    fn thousand_tickets_are_accepted() {
        let body = json!({"access_id": ACCESS, "tickets": vec![ticket("1"); 1000]}).to_string();
        let request = VisibilityRequest::parse(body.as_bytes()).unwrap();
        assert_eq!(request.tickets.len(), 1000);
    }

    #[test]
    fn complete_creation_request_is_accepted() {
        let body = json!({"access_id": ACCESS, "area_id": "netz", "ticket_type_id": "t", "min_revision": 0});
        assert!(CreationRequest::parse(body.to_string().as_bytes()).is_ok());
    }

    #[test]
    fn invalid_creation_request_reports_all_errors() {
        let body = json!({"ticket_type_id": " ", "min_revision": i64::MIN});
        assert_eq!(
            rejection(CreationRequest::parse(body.to_string().as_bytes())).1,
            [
                field_error("/access_id", Code::ExactlyOne),
                field_error("/area_id", Code::Required),
                field_error("/ticket_type_id", Code::InvalidId),
                field_error("/min_revision", Code::OutOfRange),
            ]
        );
    }
}

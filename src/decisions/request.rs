//! What is asked, read from bodies that may hold a thousand tickets.
//!
//! A body is read twice at most. The quick reading borrows everything it can and gives up at the first thing that is wrong. The
//! careful one reads ticket by ticket, so that a ticket whose facts are wrong gets an error in its own slot and does not fail the
//! others, and tells where the body itself is wrong. Both end in the same question.

use serde::Deserialize;
use serde_json::value::RawValue;
use ticket_policy::ticket::TicketAttributes;

use super::request_body::{CreationBody, PreviewBody, VisibilityBody};
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

/// Largest body, in bytes.
pub const MAX_BODY: usize = 4 * 1024 * 1024;
/// Most tickets of one question.
pub const MAX_TICKETS: usize = 1000;
/// Most sample tickets of a preview.
pub const MAX_SAMPLES: usize = 200;
/// Most accesses of a preview.
pub const MAX_ACCESSES: usize = 500;

/// A ticket, or what is wrong with it. Boxed, since both pass through several hands.
pub type TicketInput<'b> = Result<Box<TicketAttributes<'b>>, Box<InvalidTicket>>;

/// A ticket whose facts are wrong.
#[derive(Debug)]
pub struct InvalidTicket {
    /// The caller's id, where that at least can be read.
    pub ticket_id: Option<String>,
    /// Its pointer is within the ticket.
    pub field_error: FieldError,
}

/// May this access see these tickets?
#[derive(Debug)]
pub struct VisibilityQuestion<'b> {
    pub access: AccessRef,
    pub explain: bool,
    pub min_revision: Option<i64>,
    pub tickets: Vec<TicketInput<'b>>,
}

/// May this access create a ticket of this type in this area?
#[derive(Debug)]
pub struct CreationQuestion {
    pub access: AccessRef,
    pub area_id: AreaId,
    pub ticket_type_id: TicketTypeId,
    pub min_revision: Option<i64>,
}

/// What would a rule change, if it were saved?
#[derive(Debug)]
pub struct PreviewQuestion<'b> {
    /// `None`: a global rule.
    pub business_partner_id: Option<BusinessPartnerId>,
    /// The rule it would take the place of.
    pub rule_id: Option<RuleId>,
    pub active: bool,
    pub filter: TicketFilter,
    /// `None`: all active ones.
    pub access_ids: Option<Vec<AccessId>>,
    pub tickets: Vec<TicketInput<'b>>,
}

impl<'b> VisibilityQuestion<'b> {
    /// Reads a body, or tells all that is wrong with it beside the tickets.
    pub fn read(bytes: &'b [u8]) -> Result<Self> {
        if let Some(body) =
            parse_fast::<VisibilityBody<'b, JsonObject<Box<TicketAttributes<'b>>>>>(bytes)
        {
            return body.question();
        }
        parse_json::<VisibilityBody<'b, &'b RawValue>>(bytes)?.question()
    }
}

impl CreationQuestion {
    /// Reads a body, or tells all that is wrong with it.
    pub fn read(bytes: &[u8]) -> Result<Self> {
        parse_json::<CreationBody>(bytes)?.question()
    }
}

impl<'b> PreviewQuestion<'b> {
    /// Reads a body, or tells all that is wrong with it beside the tickets.
    pub fn read(bytes: &'b [u8]) -> Result<Self> {
        if let Some(body) = parse_fast::<PreviewBody<JsonObject<Box<TicketAttributes<'b>>>>>(bytes)
        {
            return body.question();
        }
        parse_json::<PreviewBody<&'b RawValue>>(bytes)?.question()
    }
}

/// The quick reading; `None`: something is wrong, and the careful one tells what.
fn parse_fast<'b, T: Deserialize<'b>>(bytes: &'b [u8]) -> Option<T> {
    // texts are checked once, not one by one
    let text = simdutf8::basic::from_utf8(bytes).ok()?;
    serde_json::from_str::<JsonObject<T>>(text)
        .ok()
        .map(|JsonObject(body)| body)
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

    fn refused(body: &Value) -> (Code, Vec<(String, Code)>) {
        let text = body.to_string();
        let Err(Error::Client(refusal)) = VisibilityQuestion::read(text.as_bytes()).map(drop)
        else {
            panic!("{body}")
        };
        (
            refusal.code,
            refusal
                .field_errors
                .into_iter()
                .map(|field_error| (field_error.pointer, field_error.code))
                .collect(),
        )
    }

    #[test]
    fn a_wrong_ticket_gets_an_error_in_its_own_slot() {
        let tickets = json!([ticket("1"), {"ticket_id": "2", "internal": "yes"}, 3, {"ticket_id": 4}, ticket("5")]);
        let text = json!({"access_id": ACCESS, "tickets": tickets}).to_string();
        let question = VisibilityQuestion::read(text.as_bytes()).unwrap();
        let told: Vec<_> = question
            .tickets
            .iter()
            .map(|slot| match slot {
                Ok(facts) => (Some(facts.ticket_id.to_string()), None),
                Err(wrong) => (
                    wrong.ticket_id.clone(),
                    Some((wrong.field_error.pointer.as_str(), wrong.field_error.code)),
                ),
            })
            .collect();
        assert_eq!(
            told,
            [
                (Some("1".into()), None),
                (Some("2".into()), Some(("/internal", Code::WrongType))),
                (None, Some(("", Code::WrongType))),
                (None, Some(("/ticket_id", Code::WrongType))),
                (Some("5".into()), None),
            ]
        );
    }

    #[test]
    fn facts_that_are_missing_unknown_or_impossible_are_told() {
        let told = |change: fn(&mut Value)| {
            let mut wrong = ticket("1");
            change(&mut wrong);
            let text = json!({"access_email": "A@b.example", "tickets": [wrong]}).to_string();
            let question = VisibilityQuestion::read(text.as_bytes()).unwrap();
            assert_eq!(question.access, AccessRef::Email("a@b.example".to_owned()));
            let field_error = question
                .tickets
                .into_iter()
                .next()
                .unwrap()
                .unwrap_err()
                .field_error;
            (field_error.pointer, field_error.code)
        };
        assert_eq!(
            told(|it| it["colour"] = json!(1)),
            ("/colour".into(), Code::UnknownMember)
        );
        assert_eq!(
            told(|it| drop(it.as_object_mut().unwrap().remove("area_id"))),
            ("/area_id".into(), Code::Required)
        );
        assert_eq!(
            told(|it| it["status"] = json!("shut")),
            ("/status".into(), Code::UnknownValue)
        );
        assert_eq!(
            told(|it| it["tags"] = json!(["a", 1])),
            ("/tags/1".into(), Code::WrongType)
        );
        assert_eq!(
            told(|it| it["internal"] = json!(null)),
            ("/internal".into(), Code::WrongType)
        );
    }

    #[test]
    fn all_that_is_wrong_with_the_question_itself_is_told() {
        let wrong = |pointer: &str, code| (pointer.to_owned(), code);
        let (code, field_errors) = refused(&json!({}));
        assert_eq!(code, Code::ValidationFailed);
        assert_eq!(
            field_errors,
            [
                wrong("/access_id", Code::ExactlyOne),
                wrong("/tickets", Code::Required)
            ]
        );
        let both = json!({"access_id": ACCESS, "access_email": "a@b.example", "tickets": vec![ticket("1"); 1001]});
        assert_eq!(
            refused(&both).1,
            [
                wrong("/access_id", Code::ExactlyOne),
                wrong("/tickets", Code::TooManyValues)
            ]
        );
        let id = json!({"access_id": "x", "min_revision": -1, "tickets": [ticket("1")]});
        let expected = [
            wrong("/access_id", Code::InvalidId),
            wrong("/min_revision", Code::OutOfRange),
        ];
        assert_eq!(refused(&id).1, expected);
        assert_eq!(refused(&json!({"acces_id": "x"})).0, Code::UnknownMember);
        assert_eq!(refused(&json!({"tickets": {}})).0, Code::WrongType);
        assert!(VisibilityQuestion::read(b"{").is_err());
        assert!(VisibilityQuestion::read(b"\"\xff\"").is_err());
    }

    #[test]
    fn a_thousand_tickets_are_taken() {
        let text = json!({"access_id": ACCESS, "tickets": vec![ticket("1"); 1000]}).to_string();
        assert_eq!(
            VisibilityQuestion::read(text.as_bytes())
                .unwrap()
                .tickets
                .len(),
            1000
        );
    }

    #[test]
    fn a_question_about_creation_is_judged_as_a_whole() {
        let read = |body: Value| match CreationQuestion::read(body.to_string().as_bytes()) {
            Ok(_) => vec![],
            Err(Error::Client(refusal)) => refusal
                .field_errors
                .into_iter()
                .map(|it| (it.pointer, it.code))
                .collect(),
            Err(error) => panic!("{error}"),
        };
        assert_eq!(
            read(
                json!({"access_id": ACCESS, "area_id": "netz", "ticket_type_id": "t", "min_revision": 0})
            ),
            []
        );
        let places =
            ["/access_id", "/area_id", "/ticket_type_id", "/min_revision"].map(str::to_owned);
        let codes = [
            Code::ExactlyOne,
            Code::Required,
            Code::InvalidId,
            Code::OutOfRange,
        ];
        let wrong = json!({"ticket_type_id": " ", "min_revision": i64::MIN});
        assert_eq!(
            read(wrong),
            places.into_iter().zip(codes).collect::<Vec<_>>()
        );
    }
}

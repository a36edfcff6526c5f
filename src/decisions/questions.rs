//! What is asked, read from bodies that may hold a thousand tickets.
//!
//! A body is read twice at most. The quick reading borrows everything it can and gives up at the first thing that is wrong. The
//! careful one reads ticket by ticket, so that a ticket whose facts are wrong gets an error in its own slot and does not fail the
//! others, and tells where the body itself is wrong. Both end in the same question.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::facts::TicketFacts;
use crate::{
    accesses::{AccessId, Who},
    catalog::{AreaId, BusinessPartnerId, TicketTypeId},
    exclusion_rules::RuleId,
    http::{
        body::{judged, shaped},
        faults::{body_fault, faults_of},
    },
    kernel::{Code, Fault, Result, bounded::Bounded, formats::Email, ids::Id, object::Object, patch, text::Check as _},
    ticket_filter::{TicketFilter, parse::RuleFilter},
};

/// Largest body, in bytes.
pub const MAX_BODY: usize = 4 * 1024 * 1024;
/// Most tickets of one question.
pub const MAX_TICKETS: usize = 1000;
/// Most sample tickets of a preview.
pub const MAX_SAMPLES: usize = 200;
/// Most accesses of a preview.
pub const MAX_ACCESSES: usize = 500;

/// A ticket, or what is wrong with it.
pub type Slot<'b> = Result<TicketFacts<'b>, WrongTicket>;

/// A ticket whose facts are wrong.
#[derive(Debug)]
pub struct WrongTicket {
    /// The caller's id, where that at least can be read.
    pub ticket_id: Option<String>,
    /// Its pointer is within the ticket.
    pub fault: Fault,
}

/// May this access see these tickets?
#[derive(Debug)]
pub struct VisibilityQuestion<'b> {
    pub who: Who,
    pub explain: bool,
    pub min_revision: Option<i64>,
    pub tickets: Vec<Slot<'b>>,
}

/// May this access create a ticket of this type in this area?
#[derive(Debug)]
pub struct CreationQuestion {
    pub who: Who,
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
    pub tickets: Vec<Slot<'b>>,
}

impl<'b> VisibilityQuestion<'b> {
    /// Reads a body, or tells all that is wrong with it beside the tickets.
    pub fn read(bytes: &'b [u8]) -> Result<Self> {
        if let Some(body) = quickly::<VisibilityBody<Object<TicketFacts<'b>>>>(bytes) {
            return body.question();
        }
        shaped::<VisibilityBody<&'b RawValue>>(bytes)?.question()
    }
}

impl CreationQuestion {
    /// Reads a body, or tells all that is wrong with it.
    pub fn read(bytes: &[u8]) -> Result<Self> {
        let body: CreationBody = shaped(bytes)?;
        let mut faults = Vec::new();
        let who = who(body.access_id.as_deref(), body.access_email, &mut faults);
        let (area_id, ticket_type_id) = (body.area_id.unwrap_or_default(), body.ticket_type_id.unwrap_or_default());
        let area_id = parsed(&area_id, "/area_id", &mut faults);
        let ticket_type_id = parsed(&ticket_type_id, "/ticket_type_id", &mut faults);
        let question = || Some((who?, area_id?, ticket_type_id?));
        let (who, area_id, ticket_type_id) = whole(question(), faults)?;
        Ok(Self { who, area_id, ticket_type_id, min_revision: body.min_revision })
    }
}

impl<'b> PreviewQuestion<'b> {
    /// Reads a body, or tells all that is wrong with it beside the tickets.
    pub fn read(bytes: &'b [u8]) -> Result<Self> {
        if let Some(body) = quickly::<PreviewBody<Object<TicketFacts<'b>>>>(bytes) {
            return body.question();
        }
        shaped::<PreviewBody<&'b RawValue>>(bytes)?.question()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct VisibilityBody<T> {
    access_id: Option<String>,
    access_email: Option<Email>,
    #[serde(default)]
    explain: bool,
    min_revision: Option<i64>,
    #[serde(default = "none")]
    tickets: Bounded<T, { MAX_TICKETS + 1 }>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CreationBody {
    access_id: Option<String>,
    access_email: Option<Email>,
    area_id: Option<String>,
    ticket_type_id: Option<String>,
    min_revision: Option<i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PreviewBody<T> {
    business_partner_id: Option<String>,
    rule_id: Option<String>,
    #[serde(default = "patch::yes")]
    active: bool,
    #[serde(default)]
    filter: RuleFilter,
    access_ids: Option<Bounded<String, { MAX_ACCESSES + 1 }>>,
    #[serde(default = "none")]
    tickets: Bounded<T, { MAX_SAMPLES + 1 }>,
}

/// Not derived, since that would ask for a default of `T`.
fn none<T, const KEPT: usize>() -> Bounded<T, KEPT> {
    Bounded(Vec::new())
}

/// A ticket as one of the readings leaves it.
trait Ticket<'b> {
    fn slot(self) -> Slot<'b>;
}

impl<'b> Ticket<'b> for Object<TicketFacts<'b>> {
    fn slot(self) -> Slot<'b> {
        let Self(facts) = self;
        match facts.check() {
            Ok(()) => Ok(facts),
            Err(fault) => Err(WrongTicket { ticket_id: Some(facts.ticket_id.0.into_owned()), fault }),
        }
    }
}

impl<'b> Ticket<'b> for &'b RawValue {
    fn slot(self) -> Slot<'b> {
        /// Whatever else there is, the id may be readable.
        #[derive(Deserialize)]
        struct Name {
            ticket_id: String,
        }
        let mut json = serde_json::Deserializer::from_str(self.get());
        match serde_path_to_error::deserialize::<_, Object<TicketFacts<'b>>>(&mut json) {
            Ok(facts) => facts.slot(),
            Err(error) => {
                let name = serde_json::from_str::<Object<Name>>(self.get());
                Err(WrongTicket { ticket_id: name.ok().map(|it| it.0.ticket_id), fault: body_fault(&error) })
            }
        }
    }
}

impl<'b, T: Ticket<'b>> VisibilityBody<T> {
    fn question(self) -> Result<VisibilityQuestion<'b>> {
        let mut faults = Vec::new();
        let who = who(self.access_id.as_deref(), self.access_email, &mut faults);
        faults.extend(quantity(self.tickets.0.len(), MAX_TICKETS, "/tickets"));
        Ok(VisibilityQuestion {
            who: whole(who, faults)?,
            explain: self.explain,
            min_revision: self.min_revision,
            tickets: self.tickets.0.into_iter().map(Ticket::slot).collect(),
        })
    }
}

impl<'b, T: Ticket<'b>> PreviewBody<T> {
    fn question(self) -> Result<PreviewQuestion<'b>> {
        use validator::Validate as _;
        let mut faults = Vec::new();
        let partner = self.business_partner_id.map(|id| parsed(&id, "/business_partner_id", &mut faults));
        let rule_id = self.rule_id.map(|id| parsed(&id, "/rule_id", &mut faults));
        if let Err(errors) = self.filter.validate() {
            faults.extend(
                faults_of(&errors).into_iter().map(|it| Fault { pointer: format!("/filter{}", it.pointer), ..it }),
            );
        }
        let access_ids = self.access_ids.map(|Bounded(ids)| {
            faults.extend(quantity(ids.len(), MAX_ACCESSES, "/access_ids"));
            let ids = ids.iter().enumerate();
            ids.filter_map(|(index, id)| parsed(id, &format!("/access_ids/{index}"), &mut faults)).collect()
        });
        faults.extend(quantity(self.tickets.0.len(), MAX_SAMPLES, "/tickets"));
        judged(faults)?;
        Ok(PreviewQuestion {
            business_partner_id: partner.flatten(),
            rule_id: rule_id.flatten(),
            active: self.active,
            filter: self.filter.into_filter(),
            access_ids,
            tickets: self.tickets.0.into_iter().map(Ticket::slot).collect(),
        })
    }
}

/// The quick reading; `None`: something is wrong, and the careful one tells what.
fn quickly<'b, T: Deserialize<'b>>(bytes: &'b [u8]) -> Option<T> {
    // texts are checked once, not one by one
    let text = std::str::from_utf8(bytes).ok()?;
    serde_json::from_str::<Object<T>>(text).ok().map(|Object(body)| body)
}

/// Which access is meant: by its id or by its e-mail address.
fn who(id: Option<&str>, email: Option<Email>, faults: &mut Vec<Fault>) -> Option<Who> {
    match (id, email) {
        (Some(id), None) => parsed::<Id<_>>(id, "/access_id", faults).map(Who::Id),
        (None, Some(email)) => match email.check() {
            Ok(()) => Some(Who::Email(email.into())),
            Err(fault) => {
                faults.push(Fault { pointer: "/access_email".to_owned(), ..fault });
                None
            }
        },
        _ => {
            faults.push(Fault::new("/access_id", Code::ExactlyOne).with("allowed", "access_id, access_email"));
            None
        }
    }
}

fn parsed<T: std::str::FromStr<Err = Fault>>(text: &str, at: &str, faults: &mut Vec<Fault>) -> Option<T> {
    text.parse().map_err(|fault| faults.push(Fault { pointer: at.to_owned(), ..fault })).ok()
}

fn quantity(there_are: usize, max: usize, at: &str) -> Option<Fault> {
    match there_are {
        0 => Some(Fault::new(at, Code::Required)),
        _ if there_are > max => Some(Fault::new(at, Code::TooManyValues).with("max", max)),
        _ => None,
    }
}

/// What was read, unless something is wrong with it.
fn whole<T>(read: Option<T>, faults: Vec<Fault>) -> Result<T> {
    judged(faults)?;
    read.ok_or_else(|| anyhow::anyhow!("a question that is neither whole nor wrong").into())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::kernel::Error;

    const ACCESS: &str = "019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e60";

    fn ticket(id: &str) -> Value {
        json!({"ticket_id": id, "business_partner_id": "K-1", "area_id": "netz", "internal": false, "confidential": false})
    }

    fn refused(body: &Value) -> (Code, Vec<(String, Code)>) {
        let text = body.to_string();
        let Err(Error::Refused(refusal)) = VisibilityQuestion::read(text.as_bytes()).map(drop) else {
            panic!("{body}")
        };
        (refusal.code, refusal.faults.into_iter().map(|fault| (fault.pointer, fault.code)).collect())
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
                Err(wrong) => (wrong.ticket_id.clone(), Some((wrong.fault.pointer.as_str(), wrong.fault.code))),
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
            assert_eq!(question.who, Who::Email("a@b.example".to_owned()));
            let fault = question.tickets.into_iter().next().unwrap().unwrap_err().fault;
            (fault.pointer, fault.code)
        };
        assert_eq!(told(|it| it["colour"] = json!(1)), ("/colour".into(), Code::UnknownMember));
        assert_eq!(told(|it| drop(it.as_object_mut().unwrap().remove("area_id"))), ("/area_id".into(), Code::Required));
        assert_eq!(told(|it| it["status"] = json!("shut")), ("/status".into(), Code::UnknownValue));
        assert_eq!(told(|it| it["tags"] = json!(["a", 1])), ("/tags/1".into(), Code::WrongType));
        assert_eq!(told(|it| it["internal"] = json!(null)), ("/internal".into(), Code::WrongType));
    }

    #[test]
    fn all_that_is_wrong_with_the_question_itself_is_told() {
        let wrong = |pointer: &str, code| (pointer.to_owned(), code);
        let (code, faults) = refused(&json!({}));
        assert_eq!(code, Code::ValidationFailed);
        assert_eq!(faults, [wrong("/access_id", Code::ExactlyOne), wrong("/tickets", Code::Required)]);
        let both = json!({"access_id": ACCESS, "access_email": "a@b.example", "tickets": vec![ticket("1"); 1001]});
        assert_eq!(refused(&both).1, [wrong("/access_id", Code::ExactlyOne), wrong("/tickets", Code::TooManyValues)]);
        let id = json!({"access_id": "x", "tickets": [ticket("1")]});
        assert_eq!(refused(&id).1, [wrong("/access_id", Code::InvalidId)]);
        assert_eq!(refused(&json!({"acces_id": "x"})).0, Code::UnknownMember);
        assert_eq!(refused(&json!({"tickets": {}})).0, Code::WrongType);
        assert!(VisibilityQuestion::read(b"{").is_err());
        assert!(VisibilityQuestion::read(b"\"\xff\"").is_err());
    }

    #[test]
    fn a_thousand_tickets_are_taken() {
        let text = json!({"access_id": ACCESS, "tickets": vec![ticket("1"); 1000]}).to_string();
        assert_eq!(VisibilityQuestion::read(text.as_bytes()).unwrap().tickets.len(), 1000);
    }

    #[test]
    fn a_question_about_creation_is_judged_as_a_whole() {
        let read = |body: Value| match CreationQuestion::read(body.to_string().as_bytes()) {
            Ok(_) => vec![],
            Err(Error::Refused(refusal)) => refusal.faults.into_iter().map(|it| (it.pointer, it.code)).collect(),
            Err(error) => panic!("{error}"),
        };
        assert_eq!(read(json!({"access_id": ACCESS, "area_id": "netz", "ticket_type_id": "t"})), []);
        let places = ["/access_id", "/area_id", "/ticket_type_id"].map(str::to_owned);
        let codes = [Code::ExactlyOne, Code::Required, Code::InvalidId];
        assert_eq!(read(json!({"ticket_type_id": " "})), places.into_iter().zip(codes).collect::<Vec<_>>());
    }
}

//! Bodies of the questions as they are sent, and how they are judged. [`super::questions`] reads them.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    facts::{Str, TicketFacts},
    questions::{
        CreationQuestion, MAX_ACCESSES, MAX_SAMPLES, MAX_TICKETS, PreviewQuestion, Slot,
        VisibilityQuestion, WrongTicket,
    },
};
use crate::{
    accesses::Who,
    http::{
        body::judged,
        faults::{body_fault, faults_of},
    },
    kernel::{
        Code, Fault, Result, bounded::Bounded, formats::Email, ids::Id, object::Object, patch,
        text::Check as _,
    },
    ticket_filter::parse::RuleFilter,
};

/// Highest revision that can be asked for: the largest integer that every JSON reader keeps as it is.
const MAX_REVISION: i64 = 9_007_199_254_740_991;

/// The body of a question about tickets.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VisibilityBody<'b, T> {
    #[serde(borrow)]
    access_id: Option<Str<'b>>,
    access_email: Option<Email>,
    #[serde(default)]
    explain: bool,
    min_revision: Option<i64>,
    #[serde(default = "none")]
    tickets: Bounded<T, { MAX_TICKETS + 1 }>,
}

/// The body of a question about a new ticket.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreationBody {
    access_id: Option<String>,
    access_email: Option<Email>,
    area_id: Option<String>,
    ticket_type_id: Option<String>,
    min_revision: Option<i64>,
}

/// The body of a draft of a rule, with samples.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PreviewBody<T> {
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
pub trait Ticket<'b> {
    fn slot(self) -> Slot<'b>;
}

impl<'b> Ticket<'b> for Object<Box<TicketFacts<'b>>> {
    fn slot(self) -> Slot<'b> {
        let Self(facts) = self;
        match facts.check() {
            Ok(()) => Ok(facts),
            Err(fault) => Err(WrongTicket {
                ticket_id: Some(facts.ticket_id.0.into_owned()),
                fault,
            }
            .into()),
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
        match serde_path_to_error::deserialize::<_, Object<Box<TicketFacts<'b>>>>(&mut json) {
            Ok(facts) => facts.slot(),
            Err(error) => {
                let name = serde_json::from_str::<Object<Name>>(self.get());
                Err(WrongTicket {
                    ticket_id: name.ok().map(|it| it.0.ticket_id),
                    fault: body_fault(&error),
                }
                .into())
            }
        }
    }
}

impl<'b, T: Ticket<'b>> VisibilityBody<'b, T> {
    /// Judges it.
    pub fn question(self) -> Result<VisibilityQuestion<'b>> {
        let mut faults = Vec::new();
        let who = who(self.access_id.as_deref(), self.access_email, &mut faults);
        faults.extend(impossible(self.min_revision));
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
    /// Judges it.
    pub fn question(self) -> Result<PreviewQuestion<'b>> {
        use validator::Validate as _;
        let mut faults = Vec::new();
        let partner = self
            .business_partner_id
            .map(|id| parsed(&id, "/business_partner_id", &mut faults));
        let rule_id = self.rule_id.map(|id| parsed(&id, "/rule_id", &mut faults));
        if let Err(errors) = self.filter.validate() {
            faults.extend(faults_of(&errors).into_iter().map(|it| Fault {
                pointer: format!("/filter{}", it.pointer),
                ..it
            }));
        }
        let access_ids = self.access_ids.map(|Bounded(ids)| {
            faults.extend(quantity(ids.len(), MAX_ACCESSES, "/access_ids"));
            let ids = ids.iter().enumerate();
            ids.filter_map(|(index, id)| parsed(id, &format!("/access_ids/{index}"), &mut faults))
                .collect()
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

impl CreationBody {
    /// Judges it.
    pub fn question(self) -> Result<CreationQuestion> {
        let mut faults = Vec::new();
        let who = who(self.access_id.as_deref(), self.access_email, &mut faults);
        let (area_id, ticket_type_id) = (
            self.area_id.unwrap_or_default(),
            self.ticket_type_id.unwrap_or_default(),
        );
        let area_id = parsed(&area_id, "/area_id", &mut faults);
        let ticket_type_id = parsed(&ticket_type_id, "/ticket_type_id", &mut faults);
        faults.extend(impossible(self.min_revision));
        let question = || Some((who?, area_id?, ticket_type_id?));
        let (who, area_id, ticket_type_id) = whole(question(), faults)?;
        Ok(CreationQuestion {
            who,
            area_id,
            ticket_type_id,
            min_revision: self.min_revision,
        })
    }
}

/// Which access is meant: by its id or by its e-mail address.
fn who(id: Option<&str>, email: Option<Email>, faults: &mut Vec<Fault>) -> Option<Who> {
    match (id, email) {
        (Some(id), None) => parsed::<Id<_>>(id, "/access_id", faults).map(Who::Id),
        (None, Some(email)) => match email.check() {
            Ok(()) => Some(Who::Email(email.into())),
            Err(fault) => {
                faults.push(Fault {
                    pointer: "/access_email".to_owned(),
                    ..fault
                });
                None
            }
        },
        _ => {
            faults.push(
                Fault::new("/access_id", Code::ExactlyOne)
                    .with("allowed", "access_id, access_email"),
            );
            None
        }
    }
}

fn parsed<T: std::str::FromStr<Err = Fault>>(
    text: &str,
    at: &str,
    faults: &mut Vec<Fault>,
) -> Option<T> {
    text.parse()
        .map_err(|fault| {
            faults.push(Fault {
                pointer: at.to_owned(),
                ..fault
            })
        })
        .ok()
}

/// No revision is negative or beyond what the document says; zero is what a caller has that knows none.
fn impossible(min_revision: Option<i64>) -> Option<Fault> {
    let wrong = min_revision.filter(|revision| !(0..=MAX_REVISION).contains(revision));
    wrong.map(|_| {
        Fault::new("/min_revision", Code::OutOfRange).with("allowed", format!("0..{MAX_REVISION}"))
    })
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

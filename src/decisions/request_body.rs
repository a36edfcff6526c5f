//! Bodies of the questions as they are sent, and how they are judged. [`super::request`] reads them.

use serde::Deserialize;
use serde_json::value::RawValue;
use ticket_policy::{Str, ticket::TicketAttributes};

use super::request::{
    CreationQuestion, InvalidTicket, MAX_ACCESSES, MAX_SAMPLES, MAX_TICKETS, PreviewQuestion,
    TicketInput, VisibilityQuestion,
};
use crate::{
    accesses::AccessRef,
    common::{
        Code, FieldError, Result, formats::Email, ids::Id, json_object::JsonObject, merge_patch,
        text::SelfCheck as _, truncated_vec::TruncatedVec,
    },
    http::{
        body::judged,
        field_errors::{body_fault, validation_errors},
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
    tickets: TruncatedVec<T, { MAX_TICKETS + 1 }>,
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
    #[serde(default = "merge_patch::default_true")]
    active: bool,
    #[serde(default)]
    filter: RuleFilter,
    access_ids: Option<TruncatedVec<String, { MAX_ACCESSES + 1 }>>,
    #[serde(default = "none")]
    tickets: TruncatedVec<T, { MAX_SAMPLES + 1 }>,
}

/// Not derived, since that would ask for a default of `T`.
fn none<T, const KEPT: usize>() -> TruncatedVec<T, KEPT> {
    TruncatedVec(Vec::new())
}

/// A ticket as one of the readings leaves it.
pub trait Ticket<'b> {
    fn slot(self) -> TicketInput<'b>;
}

impl<'b> Ticket<'b> for JsonObject<Box<TicketAttributes<'b>>> {
    fn slot(self) -> TicketInput<'b> {
        let Self(facts) = self;
        match facts.validate() {
            Ok(()) => Ok(facts),
            Err(error) => Err(InvalidTicket {
                ticket_id: Some(facts.ticket_id.0.into_owned()),
                field_error: error.into(),
            }
            .into()),
        }
    }
}

impl<'b> Ticket<'b> for &'b RawValue {
    fn slot(self) -> TicketInput<'b> {
        /// Whatever else there is, the id may be readable.
        #[derive(Deserialize)]
        struct Name {
            ticket_id: String,
        }
        let mut json = serde_json::Deserializer::from_str(self.get());
        match serde_path_to_error::deserialize::<_, JsonObject<Box<TicketAttributes<'b>>>>(
            &mut json,
        ) {
            Ok(facts) => facts.slot(),
            Err(error) => {
                let name = serde_json::from_str::<JsonObject<Name>>(self.get());
                Err(InvalidTicket {
                    ticket_id: name.ok().map(|it| it.0.ticket_id),
                    field_error: body_fault(&error),
                }
                .into())
            }
        }
    }
}

impl<'b, T: Ticket<'b>> VisibilityBody<'b, T> {
    /// Judges it.
    pub fn question(self) -> Result<VisibilityQuestion<'b>> {
        let mut field_errors = Vec::new();
        let access = access(
            self.access_id.as_deref(),
            self.access_email,
            &mut field_errors,
        );
        field_errors.extend(impossible(self.min_revision));
        field_errors.extend(quantity(self.tickets.0.len(), MAX_TICKETS, "/tickets"));
        Ok(VisibilityQuestion {
            access: whole(access, field_errors)?,
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
        let mut field_errors = Vec::new();
        let partner = self
            .business_partner_id
            .map(|id| parsed(&id, "/business_partner_id", &mut field_errors));
        let rule_id = self
            .rule_id
            .map(|id| parsed(&id, "/rule_id", &mut field_errors));
        if let Err(errors) = self.filter.validate() {
            field_errors.extend(validation_errors(&errors).into_iter().map(|it| FieldError {
                pointer: format!("/filter{}", it.pointer),
                ..it
            }));
        }
        let access_ids = self.access_ids.map(|TruncatedVec(ids)| {
            field_errors.extend(quantity(ids.len(), MAX_ACCESSES, "/access_ids"));
            let ids = ids.iter().enumerate();
            ids.filter_map(|(index, id)| {
                parsed(id, &format!("/access_ids/{index}"), &mut field_errors)
            })
            .collect()
        });
        field_errors.extend(quantity(self.tickets.0.len(), MAX_SAMPLES, "/tickets"));
        judged(field_errors)?;
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
        let mut field_errors = Vec::new();
        let access = access(
            self.access_id.as_deref(),
            self.access_email,
            &mut field_errors,
        );
        let (area_id, ticket_type_id) = (
            self.area_id.unwrap_or_default(),
            self.ticket_type_id.unwrap_or_default(),
        );
        let area_id = parsed(&area_id, "/area_id", &mut field_errors);
        let ticket_type_id = parsed(&ticket_type_id, "/ticket_type_id", &mut field_errors);
        field_errors.extend(impossible(self.min_revision));
        let question = || Some((access?, area_id?, ticket_type_id?));
        let (access, area_id, ticket_type_id) = whole(question(), field_errors)?;
        Ok(CreationQuestion {
            access,
            area_id,
            ticket_type_id,
            min_revision: self.min_revision,
        })
    }
}

/// Which access is meant: by its id or by its e-mail address.
fn access(
    id: Option<&str>,
    email: Option<Email>,
    field_errors: &mut Vec<FieldError>,
) -> Option<AccessRef> {
    match (id, email) {
        (Some(id), None) => parsed::<Id<_>>(id, "/access_id", field_errors).map(AccessRef::Id),
        (None, Some(email)) => match email.check() {
            Ok(()) => Some(AccessRef::Email(email.into())),
            Err(field_error) => {
                field_errors.push(FieldError {
                    pointer: "/access_email".to_owned(),
                    ..field_error
                });
                None
            }
        },
        _ => {
            field_errors.push(
                FieldError::new("/access_id", Code::ExactlyOne)
                    .with("allowed", "access_id, access_email"),
            );
            None
        }
    }
}

fn parsed<T: std::str::FromStr<Err = FieldError>>(
    text: &str,
    at: &str,
    field_errors: &mut Vec<FieldError>,
) -> Option<T> {
    text.parse()
        .map_err(|field_error| {
            field_errors.push(FieldError {
                pointer: at.to_owned(),
                ..field_error
            })
        })
        .ok()
}

/// No revision is negative or beyond what the document says; zero is what a caller has that knows none.
fn impossible(min_revision: Option<i64>) -> Option<FieldError> {
    let wrong = min_revision.filter(|revision| !(0..=MAX_REVISION).contains(revision));
    wrong.map(|_| {
        FieldError::new("/min_revision", Code::OutOfRange)
            .with("allowed", format!("0..{MAX_REVISION}"))
    })
}

fn quantity(there_are: usize, max: usize, at: &str) -> Option<FieldError> {
    match there_are {
        0 => Some(FieldError::new(at, Code::Required)),
        _ if there_are > max => Some(FieldError::new(at, Code::TooManyValues).with("max", max)),
        _ => None,
    }
}

/// What was read, unless something is wrong with it.
fn whole<T>(read: Option<T>, field_errors: Vec<FieldError>) -> Result<T> {
    judged(field_errors)?;
    read.ok_or_else(|| anyhow::anyhow!("a question that is neither whole nor wrong").into())
}

//! The access a decision is made for.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    filter::{Field, Truth},
    ticket::TicketAttributes,
};

/// Role of an access. Only editors and dispatchers may create tickets.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Default,
    Serialize,
    Deserialize,
    strum::IntoStaticStr,
    strum::EnumString,
    strum::VariantNames,
)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Role {
    #[default]
    Observer,
    Editor,
    Dispatcher,
}

impl Role {
    /// Whether the role may create tickets, and therefore approve them.
    pub fn may_create(self) -> bool {
        matches!(self, Self::Editor | Self::Dispatcher)
    }
}

/// Which tickets an access may see: only its own, or all of the business partner.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Default,
    Serialize,
    Deserialize,
    strum::IntoStaticStr,
    strum::EnumString,
    strum::VariantNames,
)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum TicketVisibility {
    #[default]
    Own,
    Partner,
}

/// The access a decision is made for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Viewer {
    pub id: Uuid,
    /// The id as it appears in tickets.
    pub id_text: Box<str>,
    /// The contact the access belongs to, if any.
    pub contact_id: Option<Box<str>>,
    /// The login.
    pub email: Box<str>,
    pub active: bool,
    pub role: Role,
    /// Whether the access may release tickets that wait for approval.
    pub approver: bool,
    pub ticket_visibility: TicketVisibility,
}

impl Viewer {
    /// Whether the viewer is the ticket's main contact.
    #[inline]
    pub fn is_main_contact(&self, ticket: &TicketAttributes<'_>) -> Truth {
        let Some(contact) = &self.contact_id else {
            return Truth::False;
        };
        ticket
            .single_value(Field::MainContact)
            .test(false, |id| *id == **contact)
    }

    /// Whether the viewer created the ticket.
    #[inline]
    pub fn is_creator(&self, ticket: &TicketAttributes<'_>) -> Truth {
        ticket
            .single_value(Field::CreatedBy)
            .test(false, |id| *id == *self.id_text)
    }
}

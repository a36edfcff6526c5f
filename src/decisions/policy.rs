//! What is configured for one partner, compiled for being asked: pure data, made of what the database holds.

use std::{collections::HashMap, sync::Arc};

use foldhash::fast::RandomState;

use super::{
    rules::RuleSet,
    ticket::{Attribute, TicketAttributes},
};
use crate::{
    accesses::{Role, TicketVisibility},
    common::ids::{AccessId, BusinessPartnerId, RuleId},
    ticket_filter::{Field, TicketFilter, Truth},
};

/// A set of entries of the catalogue by their ids.
type Entries<T> = HashMap<Box<str>, T, RandomState>;

/// An area granted to the partner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantedArea {
    pub id: Box<str>,
    pub name: Box<str>,
    /// False while the ERP has retired it; the grant then has no effect.
    pub available: bool,
    /// The ticket types that may be opened there; `None`: all.
    pub start_ticket_types: Option<Box<[Box<str>]>>,
}

/// A ticket type granted to the partner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantedType {
    pub id: Box<str>,
    pub name: Box<str>,
    /// False while the ERP has retired it; the grant then has no effect.
    pub available: bool,
    pub approval_required: bool,
}

impl GrantedArea {
    /// Whether tickets of a type may be opened there.
    pub fn may_start(&self, ticket_type: &str) -> bool {
        self.start_ticket_types
            .as_ref()
            .is_none_or(|types| types.iter().any(|it| **it == *ticket_type))
    }
}

/// What a partner's part is made of.
#[derive(Debug, Clone)]
pub struct PolicySource {
    pub business_partner_id: BusinessPartnerId,
    pub integration_active: bool,
    pub business_partner_active: bool,
    pub areas: Vec<GrantedArea>,
    pub ticket_types: Vec<GrantedType>,
    /// The rules in force: id, name and filter of each.
    pub rules: Vec<(RuleId, String, TicketFilter)>,
}

impl PolicySource {
    /// As [`PartnerPolicy::is_live`].
    pub fn is_live(&self) -> bool {
        self.integration_active && self.business_partner_active
    }
}

/// One partner's own part of a policy.
#[derive(Debug)]
pub struct PartnerPolicy {
    pub business_partner_id: BusinessPartnerId,
    pub integration_active: bool,
    pub business_partner_active: bool,
    pub rules: RuleSet,
    /// In the order in which they are listed.
    area_order: Box<[Box<str>]>,
    type_order: Box<[Box<str>]>,
    areas: Entries<GrantedArea>,
    ticket_types: Entries<GrantedType>,
    bytes: usize,
}

impl PartnerPolicy {
    /// Compiles what is configured for a partner.
    pub fn new(source: PolicySource) -> Self {
        let rules = RuleSet::new(source.rules);
        let starts = |area: &GrantedArea| {
            area.start_ticket_types
                .as_ref()
                .map_or(0, |types| types.len() * 40)
        };
        let of_areas: usize = source
            .areas
            .iter()
            .map(|it| 3 * it.id.len() + it.name.len() + starts(it))
            .sum();
        let of_types: usize = source
            .ticket_types
            .iter()
            .map(|it| 3 * it.id.len() + it.name.len())
            .sum();
        let entries = 160 * (source.areas.len() + source.ticket_types.len());
        Self {
            bytes: rules.bytes() + of_areas + of_types + entries + size_of::<Self>(),
            rules,
            area_order: source.areas.iter().map(|area| area.id.clone()).collect(),
            type_order: source.ticket_types.iter().map(|it| it.id.clone()).collect(),
            areas: source
                .areas
                .into_iter()
                .map(|area| (area.id.clone(), area))
                .collect(),
            ticket_types: source
                .ticket_types
                .into_iter()
                .map(|it| (it.id.clone(), it))
                .collect(),
            business_partner_id: source.business_partner_id,
            integration_active: source.integration_active,
            business_partner_active: source.business_partner_active,
        }
    }

    /// Whether accesses can have any effect.
    pub fn is_live(&self) -> bool {
        self.integration_active && self.business_partner_active
    }

    /// The grant of an area, if there is one.
    pub fn area(&self, id: &str) -> Option<&GrantedArea> {
        self.areas.get(id)
    }

    /// The grant of a ticket type, if there is one.
    pub fn ticket_type(&self, id: &str) -> Option<&GrantedType> {
        self.ticket_types.get(id)
    }

    /// All granted areas.
    pub fn areas(&self) -> impl Iterator<Item = &GrantedArea> {
        self.area_order.iter().filter_map(|id| self.areas.get(id))
    }

    /// All granted ticket types.
    pub fn ticket_types(&self) -> impl Iterator<Item = &GrantedType> {
        self.type_order
            .iter()
            .filter_map(|id| self.ticket_types.get(id))
    }

    /// About how much memory it takes, in bytes.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

/// All that decides on a partner's tickets: its own part, and the rules for all partners.
#[derive(Debug, Clone)]
pub struct Policy {
    pub partner: Arc<PartnerPolicy>,
    pub global: Arc<RuleSet>,
}

/// The access that looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Viewer {
    pub id: AccessId,
    /// The id as tickets name it.
    pub id_text: Box<str>,
    /// The contact behind it, where known.
    pub contact_id: Option<Box<str>>,
    /// The login.
    pub email: Box<str>,
    pub active: bool,
    pub role: Role,
    pub ticket_visibility: TicketVisibility,
}

impl Viewer {
    /// Whether it is the ticket's main contact. What is unknown stays so: it never helps.
    pub fn is_main_contact(&self, facts: &TicketAttributes<'_>) -> Truth {
        let Some(contact) = &self.contact_id else {
            return Truth::False;
        };
        is(facts.single(Field::MainContact), contact)
    }

    /// Whether it created the ticket.
    pub fn is_creator(&self, facts: &TicketAttributes<'_>) -> Truth {
        is(facts.single(Field::CreatedBy), &self.id_text)
    }
}

fn is(fact: Attribute<&str>, expected: &str) -> Truth {
    match fact {
        Attribute::Unknown => Truth::Unknown,
        Attribute::Absent => Truth::False,
        Attribute::Known(value) => (value == expected).into(),
    }
}

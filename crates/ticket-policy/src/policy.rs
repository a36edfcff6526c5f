//! What is configured for one business partner, compiled for fast decisions.

use std::{collections::HashMap, sync::Arc};

use foldhash::fast::RandomState;

use crate::rules::{RuleDefinition, RuleSet};

/// Grants by the id of the granted catalog entry.
type Grants<T> = HashMap<Box<str>, T, RandomState>;

/// An area granted to the partner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantedArea {
    pub id: Box<str>,
    pub name: Box<str>,
    /// False if the ERP has retired the area; the grant then has no effect.
    pub available: bool,
    /// The ticket types that may be opened in the area; `None` means all.
    pub start_ticket_types: Option<Box<[Box<str>]>>,
}

/// A ticket type granted to the partner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantedType {
    pub id: Box<str>,
    pub name: Box<str>,
    /// False if the ERP has retired the ticket type; the grant then has no effect.
    pub available: bool,
    pub approval_required: bool,
}

impl GrantedArea {
    /// Whether tickets of this type may be opened in the area.
    pub fn may_start(&self, ticket_type: &str) -> bool {
        self.start_ticket_types
            .as_ref()
            .is_none_or(|types| types.iter().any(|id| **id == *ticket_type))
    }

    fn bytes(&self) -> usize {
        let start_types = self
            .start_ticket_types
            .as_ref()
            .map_or(0, |types| types.len());
        3 * self.id.len() + self.name.len() + start_types * 40 + GRANT_OVERHEAD
    }
}

impl GrantedType {
    fn bytes(&self) -> usize {
        3 * self.id.len() + self.name.len() + GRANT_OVERHEAD
    }
}

/// Estimated memory of one grant besides its texts, in bytes.
const GRANT_OVERHEAD: usize = 160;

/// The input of [`PartnerPolicy::new`].
#[derive(Debug, Clone)]
pub struct PolicySource {
    pub business_partner_id: Box<str>,
    pub integration_active: bool,
    pub business_partner_active: bool,
    pub areas: Vec<GrantedArea>,
    pub ticket_types: Vec<GrantedType>,
    /// The active exclusion rules of the partner.
    pub rules: Vec<RuleDefinition>,
}

impl PolicySource {
    /// See [`PartnerPolicy::is_live`].
    pub fn is_live(&self) -> bool {
        self.integration_active && self.business_partner_active
    }
}

/// The part of a policy that belongs to one partner.
#[derive(Debug)]
pub struct PartnerPolicy {
    pub business_partner_id: Box<str>,
    pub integration_active: bool,
    pub business_partner_active: bool,
    pub rules: RuleSet,
    /// Ids in display order.
    area_order: Box<[Box<str>]>,
    /// Ids in display order.
    type_order: Box<[Box<str>]>,
    areas: Grants<GrantedArea>,
    ticket_types: Grants<GrantedType>,
    bytes: usize,
}

impl PartnerPolicy {
    /// Compiles the configuration of a partner.
    pub fn new(source: PolicySource) -> Self {
        let rules = RuleSet::new(source.rules);
        let area_bytes: usize = source.areas.iter().map(GrantedArea::bytes).sum();
        let type_bytes: usize = source.ticket_types.iter().map(GrantedType::bytes).sum();
        Self {
            bytes: rules.bytes() + area_bytes + type_bytes + size_of::<Self>(),
            rules,
            area_order: source.areas.iter().map(|area| area.id.clone()).collect(),
            type_order: source
                .ticket_types
                .iter()
                .map(|ticket_type| ticket_type.id.clone())
                .collect(),
            areas: source
                .areas
                .into_iter()
                .map(|area| (area.id.clone(), area))
                .collect(),
            ticket_types: source
                .ticket_types
                .into_iter()
                .map(|ticket_type| (ticket_type.id.clone(), ticket_type))
                .collect(),
            business_partner_id: source.business_partner_id,
            integration_active: source.integration_active,
            business_partner_active: source.business_partner_active,
        }
    }

    /// Whether the partner's accesses can have any effect: integration and partner are active.
    pub fn is_live(&self) -> bool {
        self.integration_active && self.business_partner_active
    }

    /// The grant of an area, if there is one.
    #[inline]
    pub fn area(&self, id: &str) -> Option<&GrantedArea> {
        self.areas.get(id)
    }

    /// The grant of a ticket type, if there is one.
    #[inline]
    pub fn ticket_type(&self, id: &str) -> Option<&GrantedType> {
        self.ticket_types.get(id)
    }

    /// Whether an area is granted and not retired.
    #[inline]
    pub fn is_area_available(&self, id: &str) -> bool {
        self.area(id).is_some_and(|area| area.available)
    }

    /// All granted areas, in display order.
    pub fn areas(&self) -> impl Iterator<Item = &GrantedArea> {
        self.area_order.iter().filter_map(|id| self.areas.get(id))
    }

    /// All granted ticket types, in display order.
    pub fn ticket_types(&self) -> impl Iterator<Item = &GrantedType> {
        self.type_order
            .iter()
            .filter_map(|id| self.ticket_types.get(id))
    }

    /// Estimated memory use, in bytes.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

/// Everything that decides about a partner's tickets: its own configuration and the global rules.
#[derive(Debug, Clone)]
pub struct Policy {
    pub partner: Arc<PartnerPolicy>,
    pub global: Arc<RuleSet>,
}

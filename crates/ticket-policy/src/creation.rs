//! The decision whether an access may create a ticket, and what an access can do in each area.

use serde::Serialize;

use crate::{
    Viewer,
    policy::{GrantedArea, GrantedType, Policy},
};

/// Why a ticket may not be created.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    Serialize,
    strum::IntoStaticStr,
    strum::EnumIter,
    strum::VariantNames,
)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum CreationReason {
    IntegrationInactive,
    BusinessPartnerInactive,
    AccessInactive,
    /// Only editors and dispatchers may create tickets.
    RoleMayNotCreate,
    /// The area is not granted, or retired.
    AreaNotGranted,
    /// The ticket type is not granted, or retired.
    TicketTypeNotGranted,
    /// The ticket type is not among the start ticket types of the area.
    TicketTypeNotStartable,
}

/// Whether a ticket may be created, and whether it then needs approval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Creation {
    pub approval_required: bool,
    /// All reasons against it; empty if the ticket may be created.
    pub reasons: Vec<CreationReason>,
}

impl Creation {
    /// Whether the ticket may be created.
    pub fn allowed(&self) -> bool {
        self.reasons.is_empty()
    }
}

/// Decides whether an access may create a ticket of a type in an area.
pub fn may_create(policy: &Policy, viewer: &Viewer, area: &str, ticket_type: &str) -> Creation {
    use CreationReason::*;
    let partner = &policy.partner;
    let available_type = partner
        .ticket_type(ticket_type)
        .filter(|granted| granted.available);
    // the start ticket types apply to a retired area as well
    let startable = partner
        .area(area)
        .is_none_or(|area| area.may_start(ticket_type));
    let checks = [
        (partner.integration_active, IntegrationInactive),
        (partner.business_partner_active, BusinessPartnerInactive),
        (viewer.active, AccessInactive),
        (viewer.role.may_create(), RoleMayNotCreate),
        (partner.is_area_available(area), AreaNotGranted),
        (available_type.is_some(), TicketTypeNotGranted),
        (startable, TicketTypeNotStartable),
    ];
    let reasons: Vec<_> = checks
        .into_iter()
        .filter(|(holds, _)| !holds)
        .map(|(_, reason)| reason)
        .collect();
    Creation {
        approval_required: reasons.is_empty()
            && available_type.is_some_and(|granted| granted.approval_required),
        reasons,
    }
}

/// The abilities of an access in one area.
#[derive(Debug)]
pub struct AreaAbilities<'p> {
    pub area: &'p GrantedArea,
    /// Whether the access may see tickets in the area; false if a rule hides all of them.
    pub view: bool,
    /// The ticket types it may create in the area.
    pub ticket_types: Vec<&'p GrantedType>,
}

/// The abilities of an access in each available area.
pub fn abilities<'p>(policy: &'p Policy, viewer: &Viewer) -> Vec<AreaAbilities<'p>> {
    policy
        .partner
        .areas()
        .filter(|area| area.available)
        .map(|area| area_abilities(policy, viewer, area))
        .collect()
}

fn area_abilities<'p>(
    policy: &'p Policy,
    viewer: &Viewer,
    area: &'p GrantedArea,
) -> AreaAbilities<'p> {
    let partner = &policy.partner;
    AreaAbilities {
        area,
        view: partner.is_live()
            && viewer.active
            && !policy.global.covers_area(&area.id)
            && !partner.rules.covers_area(&area.id),
        ticket_types: partner
            .ticket_types()
            .filter(|granted| may_create(policy, viewer, &area.id, &granted.id).allowed())
            .collect(),
    }
}

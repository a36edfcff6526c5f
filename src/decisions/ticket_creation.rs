//! May this access create a ticket of this type in that area; and what an access can do at all, area by area. Pure, as
//! [`super::evaluator`] is.

use super::policy::{GrantedArea, GrantedType, Policy, Viewer};

/// Why a ticket may not be created.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    serde::Serialize,
    utoipa::ToSchema,
    strum::IntoStaticStr,
    strum::EnumIter,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum CreationReason {
    IntegrationInactive,
    BusinessPartnerInactive,
    AccessInactive,
    /// Only editors and dispatchers create tickets.
    RoleMayNotCreate,
    /// Not granted, or retired.
    AreaNotGranted,
    /// Not granted, or retired.
    TicketTypeNotGranted,
    /// The area's start list does not name the ticket type.
    TicketTypeNotStartable,
}

/// Whether a ticket may be created, and if so, whether it waits for approval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Creation {
    pub approval_required: bool,
    /// Everything that stands in the way; nothing does if the ticket may be created.
    pub reasons: Vec<CreationReason>,
}

impl Creation {
    /// Whether nothing stands in the way.
    pub fn allowed(&self) -> bool {
        self.reasons.is_empty()
    }
}

/// Whether an access may create a ticket of a type in an area.
pub fn may_create(policy: &Policy, viewer: &Viewer, area: &str, ticket_type: &str) -> Creation {
    let partner = &policy.partner;
    let granted_type = partner.ticket_type(ticket_type).filter(|it| it.available);
    // the start list counts also where the grant has no effect
    let startable = partner
        .area(area)
        .is_none_or(|area| area.may_start(ticket_type));
    let checks = [
        (
            partner.integration_active,
            CreationReason::IntegrationInactive,
        ),
        (
            partner.business_partner_active,
            CreationReason::BusinessPartnerInactive,
        ),
        (viewer.active, CreationReason::AccessInactive),
        (viewer.role.may_create(), CreationReason::RoleMayNotCreate),
        (
            partner.area(area).is_some_and(|area| area.available),
            CreationReason::AreaNotGranted,
        ),
        (granted_type.is_some(), CreationReason::TicketTypeNotGranted),
        (startable, CreationReason::TicketTypeNotStartable),
    ];
    let reasons: Vec<_> = checks
        .into_iter()
        .filter(|(holds, _)| !holds)
        .map(|(_, reason)| reason)
        .collect();
    let approval_required =
        reasons.is_empty() && granted_type.is_some_and(|it| it.approval_required);
    Creation {
        approval_required,
        reasons,
    }
}

/// What an access can do in one area.
#[derive(Debug)]
pub struct AreaAbilities<'p> {
    pub area: &'p GrantedArea,
    /// Whether it may see tickets there; false also where rules hide every one.
    pub view: bool,
    /// What it may create there.
    pub ticket_types: Vec<&'p GrantedType>,
}

/// What an access can do in each available area.
pub fn abilities<'p>(policy: &'p Policy, viewer: &Viewer) -> Vec<AreaAbilities<'p>> {
    let effective = policy.partner.is_live() && viewer.active;
    let of_area = |area: &'p GrantedArea| AreaAbilities {
        area,
        view: effective
            && !policy.global.covers_area(&area.id)
            && !policy.partner.rules.covers_area(&area.id),
        ticket_types: policy
            .partner
            .ticket_types()
            .filter(|it| may_create(policy, viewer, &area.id, &it.id).allowed())
            .collect(),
    };
    policy
        .partner
        .areas()
        .filter(|area| area.available)
        .map(of_area)
        .collect()
}

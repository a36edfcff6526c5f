//! JSON of the customer integration.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use super::findings::Readiness;
use crate::{
    catalog::{BusinessPartner, EntryKind},
    common::{
        Audit, Resource,
        etag::EntityTag,
        ids::{AreaId, BusinessPartnerId, ErpId, PlanBoardId, TicketTypeId},
        merge_patch,
        text::check,
        timestamp::Timestamp,
    },
    http::{list_query::ListFilter, response::Representation},
    i18n::Lang,
    integration::{self, IntegrationState},
};

/// The business partner of an integration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct BusinessPartnerRef {
    #[schema(inline)]
    pub id: BusinessPartnerId,
    #[schema(max_length = 200)]
    pub name: String,
    #[schema(max_length = 100)]
    pub search_name: String,
    /// False if the ERP has retired the partner. Its accesses are then ineffective.
    pub active: bool,
}

impl From<BusinessPartner> for BusinessPartnerRef {
    fn from(partner: BusinessPartner) -> Self {
        Self {
            id: partner.id,
            name: partner.name,
            search_name: partner.search_name,
            active: partner.active,
        }
    }
}

/// Number of resources on each sub-tab.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Counts {
    #[schema(minimum = 0)]
    pub accesses: i64,
    #[schema(minimum = 0)]
    pub active_accesses: i64,
    #[schema(minimum = 0)]
    pub areas: i64,
    #[schema(minimum = 0)]
    pub ticket_types: i64,
    #[schema(minimum = 0)]
    pub tags: i64,
    #[schema(minimum = 0)]
    pub queries: i64,
    #[schema(minimum = 0)]
    pub active_queries: i64,
    /// Rules of the partner; global rules are not counted.
    #[schema(minimum = 0)]
    pub exclusion_rules: i64,
    /// Active rules of the partner.
    #[schema(minimum = 0)]
    pub active_exclusion_rules: i64,
    /// Global rules, which apply to all partners.
    #[schema(minimum = 0)]
    pub global_exclusion_rules: i64,
    #[schema(minimum = 0)]
    pub active_global_exclusion_rules: i64,
    #[schema(minimum = 0)]
    pub plan_boards: i64,
}

/// The configuration of one partner: its status, number of resources and readiness.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(example = json!({
    "business_partner": {
        "id": "K-1001", "name": "Muster Maschinenbau GmbH", "search_name": "MUSTER", "active": true
    },
    "active": true, "activated_at": "2026-11-23T08:00:00.000000Z", "revision": 7,
    "counts": {
        "accesses": 2, "active_accesses": 1, "areas": 2, "ticket_types": 3, "tags": 4,
        "queries": 2, "active_queries": 2, "exclusion_rules": 1, "active_exclusion_rules": 1,
        "global_exclusion_rules": 3, "active_global_exclusion_rules": 2, "plan_boards": 0
    },
    "readiness": {
        "usable": true, "can_create_tickets": true, "blockers": [],
        "warnings": [{"code": "area_fully_excluded",
            "message": "Ausschlussregeln verbergen alle Tickets des Bereichs „Netzwerk“.",
            "references": [{"kind": "area", "id": "netz", "name": "Netzwerk"}]}]
    },
    "version": 2, "created_at": "2026-11-23T08:00:00.000000Z",
    "updated_at": "2026-11-23T08:00:00.000000Z",
    "created_by": "erp", "created_by_name": null,
    "updated_by": "anna.admin", "updated_by_name": "Anna Admin"
}))]
pub struct CustomerIntegration {
    pub business_partner: BusinessPartnerRef,
    /// While false, the configuration is read-only and no access is effective.
    pub active: bool,
    /// Time of the last activation; `null` if it was never activated.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub activated_at: Option<Timestamp>,
    /// Incremented by every change to the integration or a resource below it.
    #[schema(minimum = 1)]
    pub revision: i64,
    pub counts: Counts,
    pub readiness: Readiness,
    #[serde(flatten)]
    pub audit: Audit,
    #[serde(skip)]
    #[schema(ignore)]
    etag: EntityTag,
    /// The language of the messages. `None` where no language applies, as in the history.
    #[serde(skip)]
    #[schema(ignore)]
    lang: Option<Lang>,
}

impl CustomerIntegration {
    pub(super) fn new(state: IntegrationState, counts: Counts, readiness: Readiness) -> Self {
        let etag = state.etag();
        let integration = state.integration;
        Self {
            business_partner: state.partner.into(),
            active: integration.active,
            activated_at: integration.activated_at,
            revision: integration.revision,
            counts,
            readiness,
            audit: integration.audit(),
            etag,
            lang: None,
        }
    }

    /// Adds the messages of the findings.
    #[must_use]
    pub fn localize(mut self, lang: Lang) -> Self {
        self.readiness.localize(lang);
        self.lang = Some(lang);
        self
    }
}

impl Representation for CustomerIntegration {}

impl Resource for CustomerIntegration {
    const KIND: &'static str = integration::RESOURCE_KIND;

    fn resource_id(&self) -> String {
        self.business_partner.id.to_string()
    }

    fn etag(&self) -> EntityTag {
        let etag = self.etag.clone();
        match self.lang {
            Some(lang) => etag.in_language(lang.content_hash()),
            None => etag,
        }
    }

    fn audit(&self) -> Option<&Audit> {
        Some(&self.audit)
    }

    fn language(&self) -> Option<&'static str> {
        self.lang.map(Lang::code)
    }
}

/// A customer integration as an item of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(example = json!({
    "business_partner": {
        "id": "K-1001", "name": "Muster Maschinenbau GmbH", "search_name": "MUSTER", "active": true
    },
    "active": true, "activated_at": "2026-11-23T08:00:00.000000Z", "revision": 7,
    "usable": true, "version": 2, "created_at": "2026-11-23T08:00:00.000000Z",
    "updated_at": "2026-11-23T08:00:00.000000Z",
    "created_by": "erp", "created_by_name": null,
    "updated_by": "anna.admin", "updated_by_name": "Anna Admin"
}))]
pub struct CustomerIntegrationSummary {
    pub business_partner: BusinessPartnerRef,
    pub active: bool,
    /// Time of the last activation; `null` if it was never activated.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub activated_at: Option<Timestamp>,
    /// Incremented by every change to the integration or a resource below it.
    #[schema(minimum = 1)]
    pub revision: i64,
    /// Whether any access can see tickets: the integration is active and has an effective access
    /// and an available area.
    pub usable: bool,
    #[serde(flatten)]
    pub audit: Audit,
}

/// Changes to an integration (JSON merge patch): absent members are unchanged.
#[derive(Debug, Clone, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"active": true}))]
pub struct CustomerIntegrationPatch {
    /// Activates or deactivates the integration. Deactivation deletes nothing.
    #[serde(default, deserialize_with = "merge_patch::present")]
    #[schema(nullable = false)]
    pub active: Option<bool>,
}

/// Filters of the list of integrations.
#[derive(Debug, Default, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CustomerIntegrationListQuery {
    /// Only integrations that are active (true) or inactive (false).
    #[param(example = true)]
    pub active: Option<bool>,
    /// Only integrations that are usable (true) or not (false).
    #[param(example = true)]
    pub usable: Option<bool>,
    /// Only integrations of partners to which this area is granted.
    #[param(inline)]
    #[validate(custom(function = check))]
    pub area_id: Option<AreaId>,
    /// Only integrations of partners to which this ticket type is granted.
    #[param(inline)]
    #[validate(custom(function = check))]
    pub ticket_type_id: Option<TicketTypeId>,
    /// Only integrations of partners with which this plan board is shared.
    #[param(inline)]
    #[validate(custom(function = check))]
    pub plan_board_id: Option<PlanBoardId>,
}

impl CustomerIntegrationListQuery {
    /// The catalog entries that must be granted.
    pub(super) fn granted_entries(&self) -> Vec<(EntryKind, &str)> {
        let entries = [
            (EntryKind::Area, self.area_id.as_ref().map(ErpId::as_str)),
            (
                EntryKind::TicketType,
                self.ticket_type_id.as_ref().map(ErpId::as_str),
            ),
            (
                EntryKind::PlanBoard,
                self.plan_board_id.as_ref().map(ErpId::as_str),
            ),
        ];
        entries
            .into_iter()
            .filter_map(|(kind, id)| Some((kind, id?)))
            .collect()
    }
}

impl ListFilter for CustomerIntegrationListQuery {}

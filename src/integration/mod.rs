//! The aggregate: one customer integration per business partner, born inactive with the partner's catalogue entry.
//!
//! Every write below a partner locks the integration's row first, through one of two aggregates: [`ConfigurationLock`], which
//! applies rule R1, or [`ActivationLock`], the one write that is possible while the integration is inactive. What every
//! request below a partner needs to know first – does it exist, is it active, which revision – is its [`IntegrationState`]; who only
//! needs to know whether something has changed asks [`crate::db::RevisionLookup`].

pub mod dto;
pub mod readiness;
mod repo;
pub mod routes;
pub mod service;

pub use dto::CustomerIntegration;
pub use repo::IntegrationRow;
pub use service::{ActivationLock, ConfigurationLock};

use crate::{
    catalog::{BusinessPartner, CatalogEntry as _, CatalogRow},
    common::{change::EntityTag, ids::BusinessPartnerId},
    db::VersionVector,
};

/// Where an integration stands: its row, its partner, and the revisions of what all partners share, read by one query.
#[derive(Debug, Clone)]
pub struct IntegrationState {
    pub integration: IntegrationRow,
    pub partner: BusinessPartner,
    pub catalog_revision: i64,
    pub global_rules_revision: i64,
}

impl IntegrationState {
    fn new(
        (integration, partner, catalog_revision, global_rules_revision): (
            IntegrationRow,
            CatalogRow,
            i64,
            i64,
        ),
    ) -> Self {
        Self {
            integration,
            partner: BusinessPartner::from_row(partner),
            catalog_revision,
            global_rules_revision,
        }
    }

    /// Whose integration this is.
    pub fn business_partner_id(&self) -> &BusinessPartnerId {
        &self.partner.id
    }

    /// The revisions that decisions depend on.
    pub fn revisions(&self) -> VersionVector {
        VersionVector {
            partner: self.integration.revision,
            catalog: self.catalog_revision,
            global_rules: self.global_rules_revision,
        }
    }

    /// The tag of everything that can be read below this integration.
    pub fn etag(&self) -> EntityTag {
        self.revisions().etag()
    }
}

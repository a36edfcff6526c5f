//! The aggregate root: the row of a customer integration, its locks, and its current state.
//!
//! There is one integration per business partner. It is created, inactive, with the partner's
//! catalog entry. Every write below a partner locks the row first, with one of two aggregates:
//! [`ConfigurationLock`], which rejects writes to an inactive integration, or [`ActivationLock`],
//! the only one that does not. [`IntegrationState`] is what most requests need: the row, the
//! partner, and the current revisions.

mod repo;
pub mod service;

pub use repo::IntegrationRow;
pub use service::{ActivationLock, ConfigurationLock};

use crate::{
    catalog::{BusinessPartner, CatalogEntry as _, CatalogRow},
    common::{etag::EntityTag, ids::BusinessPartnerId},
    db::VersionVector,
};

/// The resource kind of integrations in the history and in explanations.
pub const RESOURCE_KIND: &str = "customer_integration";

/// An integration, its partner, and the revisions shared by all partners, read by one query.
#[derive(Debug, Clone)]
pub struct IntegrationState {
    pub integration: IntegrationRow,
    pub partner: BusinessPartner,
    pub catalog_revision: i64,
    pub global_rules_revision: i64,
}

impl From<(IntegrationRow, CatalogRow, i64, i64)> for IntegrationState {
    fn from(row: (IntegrationRow, CatalogRow, i64, i64)) -> Self {
        let (integration, partner, catalog_revision, global_rules_revision) = row;
        Self {
            integration,
            partner: BusinessPartner::from_row(partner),
            catalog_revision,
            global_rules_revision,
        }
    }
}

impl IntegrationState {
    /// The partner to which the integration belongs.
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

    /// The ETag of everything that can be read below this integration.
    pub fn etag(&self) -> EntityTag {
        self.revisions().etag()
    }
}

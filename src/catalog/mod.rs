//! The catalog: business partners, areas, ticket types and plan boards, owned and written by the
//! ERP.
//!
//! The four kinds differ in a few attributes only. They share one table, one service and one trait
//! ([`CatalogEntry`], implemented in `entries`). Ids are assigned by the ERP. An entry is retired
//! (`active: false`), never deleted. Every change increments the revision of the whole catalog.

pub mod dto;
mod entries;
mod repo;
pub mod routes;
pub mod service;

pub use dto::{Area, BusinessPartner, PlanBoard, TicketType, TicketTypeKind};
pub use repo::{Attributes, CatalogRow};
pub use service::{Catalog, CatalogFilter};

use serde::{Serialize, de::DeserializeOwned};
use validator::Validate;

use crate::{
    common::{
        Audit, Resource, Result,
        etag::EntityTag,
        ids::{ErpId, IdKind},
    },
    db::Tx,
};

/// The four kinds of catalog entries.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    strum::IntoStaticStr,
    strum::EnumString,
)]
#[strum(serialize_all = "snake_case")]
pub enum EntryKind {
    BusinessPartner,
    Area,
    TicketType,
    PlanBoard,
}

/// One kind of catalog entry; `Self` is its JSON view.
pub trait CatalogEntry: Serialize + Sized + 'static {
    /// Its kind in the table.
    const ENTRY: EntryKind;

    /// The kind of its id.
    type Kind: IdKind;

    /// Its resource kind in the history.
    const RESOURCE: &'static str;

    /// The body of its PUT.
    type Put: Validate + DeserializeOwned + 'static;

    fn id(&self) -> &ErpId<Self::Kind>;

    fn audit(&self) -> &Audit;

    /// The view of a row.
    fn from_row(row: CatalogRow) -> Self;

    /// The view with the number of partners to which the entry is granted.
    #[must_use]
    fn with_usage(self, _count: i64) -> Self {
        self
    }

    /// The attributes in the body of a PUT.
    fn attributes(put: &Self::Put) -> Attributes;
}

/// A kind of catalog entry that can be written.
///
/// Separate from [`CatalogEntry`] because a new business partner gets a customer integration. The
/// module `integration`, which depends on the catalog, implements this trait for business
/// partners.
pub trait WritableEntry: CatalogEntry {
    /// Runs after a new entry has been inserted, in the same transaction.
    fn on_created(
        _tx: &mut Tx<'_, ()>,
        _id: &ErpId<Self::Kind>,
    ) -> impl Future<Output = Result<()>> {
        std::future::ready(Ok(()))
    }
}

impl<E: CatalogEntry> Resource for E {
    const KIND: &'static str = E::RESOURCE;

    fn resource_id(&self) -> String {
        self.id().to_string()
    }

    fn etag(&self) -> EntityTag {
        EntityTag::of(CatalogEntry::audit(self).version)
    }

    fn audit(&self) -> Option<&Audit> {
        Some(CatalogEntry::audit(self))
    }
}

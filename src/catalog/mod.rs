//! The catalogue: what the ERP owns and tells us – business partners, areas, ticket types, plan boards.
//!
//! The four kinds differ only in a few attributes, so they share one table, one service and one trait
//! ([`CatalogEntry`]); each kind adds its JSON shapes (`dto`) and a small impl (`kinds`). Ids are the ERP's own. An entry is
//! retired (`active: false`), never deleted. Every change bumps the catalogue's one revision.

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
        change::EntityTag,
        ids::{ErpId, IdKind},
    },
    db::Tx,
};

/// The four kinds of catalogue entries.
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

/// What one kind of catalogue entry adds to what all have in common.
pub trait CatalogEntry: Serialize + Sized + 'static {
    const ENTRY: EntryKind;

    /// The kind of its id.
    type Kind: IdKind;

    /// Its name in the history.
    const RESOURCE: &'static str;

    /// The body of its PUT.
    type Put: Validate + DeserializeOwned + 'static;

    fn id(&self) -> &ErpId<Self::Kind>;

    fn audit(&self) -> &Audit;

    /// The entry as stored in `row`.
    fn from_row(row: CatalogRow) -> Self;

    /// What a PUT says.
    fn attributes(put: &Self::Put) -> Attributes;

    /// What else comes into being with a new entry.
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
        EntityTag::of(self.audit().version)
    }
}

//! Resources, and the outcome of a write.
//!
//! Every unit of work returns a [`Change`]. Its history entry is derived from that value, so a
//! write without a history entry does not compile.

use serde::Serialize;
use utoipa::ToSchema;

use crate::common::{Audit, etag::EntityTag};

/// A resource with a representation, a version and a history.
pub trait Resource: Serialize {
    /// The kind as stored in the history (`access`, `area_grant`, …).
    const KIND: &'static str;

    /// Its id, unique within its kind.
    fn resource_id(&self) -> String;

    /// Its current `ETag`.
    fn etag(&self) -> EntityTag;

    /// Its version, and who changed it last; `None` if these are not stored.
    fn audit(&self) -> Option<&Audit> {
        None
    }

    /// The language of its representation, if it contains localized text.
    fn language(&self) -> Option<&'static str> {
        None
    }
}

/// What a change did to a resource.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Serialize,
    ToSchema,
    strum::IntoStaticStr,
    strum::EnumString,
    strum::VariantNames,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Action {
    Created,
    Updated,
    Deleted,
}

/// The outcome of a unit of work. `Unchanged` writes nothing: no version, no revision, no history.
#[derive(Debug)]
pub enum Change<T> {
    Created(T),
    Updated { before: T, after: T },
    Deleted(T),
    Unchanged(T),
}

impl<T> Change<T> {
    /// The resource after the change; for a deletion, the resource before it.
    pub fn into_result(self) -> T {
        match self {
            Self::Created(resource)
            | Self::Updated {
                after: resource, ..
            }
            | Self::Deleted(resource)
            | Self::Unchanged(resource) => resource,
        }
    }
}

/// A committed unit of work.
#[derive(Debug)]
pub struct Committed<T> {
    /// The resource after the change; for a deletion, the resource before it.
    pub resource: T,
    /// Whether the resource was created.
    pub created: bool,
}

impl<T> Committed<T> {
    /// The same unit of work with another view of its resource.
    pub fn map<U>(self, view: impl FnOnce(T) -> U) -> Committed<U> {
        Committed {
            resource: view(self.resource),
            created: self.created,
        }
    }
}

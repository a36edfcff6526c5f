//! Grants: the catalog entries that a partner may use.
//!
//! Areas, ticket types and plan boards are granted in the same way: put and deleted by the ERP's
//! id. They share one table, one service and one trait ([`Grant`]). The module of each sub-tab adds
//! its JSON, its routes, and what prevents a revocation.

pub mod handlers;
mod repo;
pub mod service;

pub use repo::{GrantRow, GrantWithEntry, all, count_available, is_granted, retired};

use crate::{
    catalog::CatalogEntry,
    common::{
        Code, Resource, Result,
        etag::EntityTag,
        ids::{BusinessPartnerId, ErpId},
    },
    db::Conn,
};

/// One kind of grant; `Self` is its JSON view.
pub trait Grant: Resource + Sized + 'static {
    /// The kind of catalog entry that is granted.
    type Entry: CatalogEntry;

    /// The body of its PUT.
    type Put: 'static;

    /// The error of revoking the last grant while an access is active (`docs/domain.md#r3`); `None`
    /// if the last grant may always be revoked.
    const LAST_GRANT_ERROR: Option<Code>;

    /// Whether it may change while the integration is inactive, because it belongs to the ERP
    /// (`docs/domain.md#r1`).
    const CHANGES_WHILE_INACTIVE: bool = false;

    /// The view of a grant.
    fn new(granted: GrantWithEntry) -> Self;

    /// Whether tickets created under the grant wait for approval.
    fn approval_required(_put: &Self::Put) -> bool {
        false
    }

    /// Fails if the grant is still in use.
    fn ensure_removable(
        _conn: &mut Conn,
        _partner: &BusinessPartnerId,
        _id: &ErpId<<Self::Entry as CatalogEntry>::Kind>,
    ) -> impl Future<Output = Result<()>> {
        std::future::ready(Ok(()))
    }
}

impl GrantWithEntry {
    /// The ETag of the grant's view. It depends on the version of the grant, the version of the
    /// entry (name, color, availability), and the time of creation.
    pub fn etag(&self) -> EntityTag {
        let audit = self.grant.audit();
        let entry_version = self.entry.audit().version;
        EntityTag::derived(
            audit.version,
            format_args!("c{entry_version}.{:x}", audit.created_at.unix_micros()),
        )
    }
}

#[cfg(test)]
pub(crate) mod test_support {
    /// Builders of grants for tests.
    pub mod granted {
        use crate::{
            catalog::{Attributes, CatalogRow, EntryKind},
            common::{Actor, Audit, timestamp::Timestamp},
            db::sql_types::Jsonb,
            grants::{GrantRow, GrantWithEntry},
        };

        pub fn area(id: &str, active: bool, start: Option<&[&str]>) -> GrantWithEntry {
            let start = start.map(|ids| Jsonb(ids.iter().map(|id| id.parse().unwrap()).collect()));
            let attributes = Attributes {
                name: id.into(),
                active,
                color: Some("#000000".into()),
                start_ticket_types: start,
                ..Attributes::default()
            };
            granted(EntryKind::Area, id, attributes, false)
        }

        pub fn ticket_type(id: &str, active: bool, approval_required: bool) -> GrantWithEntry {
            let attributes = Attributes {
                name: id.into(),
                active,
                ..Attributes::default()
            };
            granted(EntryKind::TicketType, id, attributes, approval_required)
        }

        fn granted(
            kind: EntryKind,
            id: &str,
            attributes: Attributes,
            approval_required: bool,
        ) -> GrantWithEntry {
            let actor = Actor {
                subject: "anna".into(),
                request_id: "r".into(),
                ..Actor::default()
            };
            let audit = Audit::created(&actor, Timestamp::now());
            let partner = "K-1".parse().unwrap();
            GrantWithEntry {
                grant: GrantRow::new(partner, kind, id, approval_required, audit.clone()),
                entry: CatalogRow::new(kind, id, attributes, audit),
            }
        }
    }
}

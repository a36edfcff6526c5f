//! Grants: what of the ERP's catalogue a partner may use.
//!
//! Areas, ticket types and plan boards are granted alike – put and removed by the ERP's id – so they share one table, one
//! service and one trait ([`Grant`]). Each sub-tab adds its JSON, its routes, and what its removal must not break.

pub mod handlers;
mod repo;
pub mod service;

pub use repo::{GrantRow, GrantWithEntry};

use crate::{
    catalog::CatalogEntry,
    common::{
        Code, Resource, Result,
        change::EntityTag,
        ids::{BusinessPartnerId, ErpId},
    },
    db::Conn,
};

/// What one kind of grant adds to what all have in common.
pub trait Grant: Resource + Sized + 'static {
    /// What is granted.
    type Entry: CatalogEntry;

    /// The body of its PUT.
    type Put: 'static;

    /// R3: the refusal to remove the last one while an access is active; `None` where none is needed.
    const LAST: Option<Code>;

    /// The grant as the API shows it.
    fn new(granted: GrantWithEntry) -> Self;

    /// Whether tickets created by virtue of the grant wait for approval.
    fn approval_required(_put: &Self::Put) -> bool {
        false
    }

    /// Fails when something else still needs the grant.
    fn ensure_removable(
        _conn: &mut Conn,
        _partner: &BusinessPartnerId,
        _id: &ErpId<<Self::Entry as CatalogEntry>::Kind>,
    ) -> impl Future<Output = Result<()>> {
        std::future::ready(Ok(()))
    }
}

impl GrantWithEntry {
    /// The tag of the grant as shown: its version, the entry's version (name, colour, availability), and its birth, since a
    /// grant that was removed and made anew starts at version 1 again.
    pub fn etag(&self) -> EntityTag {
        let (version, created_audit) = (
            self.grant.audit().version,
            self.grant.audit().created_at.unix_micros(),
        );
        EntityTag::derived(
            version,
            format_args!("c{}.{created_audit:x}", self.entry.audit().version),
        )
    }
}

#[cfg(test)]
pub(crate) mod test_support {
    /// Grants as a test needs them.
    pub mod granted {
        use crate::{
            catalog::{Attributes, CatalogRow, EntryKind},
            common::{Actor, Audit, timestamp::Timestamp},
            db::sql_types::Jsonb,
            grants::{GrantRow, GrantWithEntry},
        };

        pub fn area(id: &str, active: bool, start: Option<&[&str]>) -> GrantWithEntry {
            let start = start.map(|ids| Jsonb(ids.iter().map(|id| id.parse().unwrap()).collect()));
            let said = Attributes {
                active,
                color: Some("#000000".into()),
                start_ticket_types: start,
                ..Attributes::default()
            };
            granted(EntryKind::Area, id, said, false)
        }

        pub fn ticket_type(id: &str, active: bool, approval_required: bool) -> GrantWithEntry {
            granted(
                EntryKind::TicketType,
                id,
                Attributes {
                    active,
                    ..Attributes::default()
                },
                approval_required,
            )
        }

        fn granted(
            kind: EntryKind,
            id: &str,
            said: Attributes,
            approval_required: bool,
        ) -> GrantWithEntry {
            let actor = Actor {
                subject: "anna".into(),
                client: None,
                request_id: "r".into(),
            };
            let audit = Audit::created(&actor, Timestamp::now());
            let grant = GrantRow::new(
                "K-1".parse().unwrap(),
                kind,
                id,
                approval_required,
                audit.clone(),
            );
            GrantWithEntry {
                grant,
                entry: CatalogRow::new(kind, id, said, audit),
            }
        }
    }
}

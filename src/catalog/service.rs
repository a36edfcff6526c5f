//! The rules of the catalog: references must exist, and a PUT that changes nothing is not
//! written.

use std::collections::HashMap;

use super::{CatalogEntry, CatalogRow, EntryKind, WritableEntry, repo};
use crate::{
    common::{
        Actor, Change, Code, Committed, Draft, Error, FieldError, Result,
        error::ensure_valid,
        etag::EntityTag,
        ids::{BusinessPartnerId, ErpId, TicketTypeId},
        or_not_found,
        page::{Page, PageRequest},
        precondition::Precondition,
        text::SelfCheck as _,
    },
    db::{Aggregate, AggregateVersion, Conn, Db, Tx, revision_lookup},
};

pub use super::repo::{names, revision};

/// The aggregate of all catalog entries. Writes lock the whole catalog; the ERP is its only
/// writer.
#[derive(Debug, Clone, Copy)]
pub struct Catalog;

impl Aggregate for Catalog {
    type Locked = ();

    async fn lock(&self, conn: &mut Conn) -> Result<((), AggregateVersion)> {
        let revision = repo::lock(conn).await?;
        Ok(((), AggregateVersion::Catalog { revision }))
    }
}

/// The filters of a list of the catalog.
#[derive(Debug, Default)]
pub struct CatalogFilter {
    /// Only entries that are (not) active.
    pub active: Option<bool>,
    /// Only active entries that are not granted to this partner.
    pub grantable_to: Option<BusinessPartnerId>,
    /// Only this entry, for tokens that are limited to one partner.
    pub only: Option<BusinessPartnerId>,
    /// Only entries granted to this partner, for tokens that are limited to it.
    pub shared_with: Option<BusinessPartnerId>,
}

/// One page of the entries of a kind.
pub async fn list<E: CatalogEntry>(
    conn: &mut Conn,
    filter: &CatalogFilter,
    page: &PageRequest,
) -> Result<Page<E>> {
    let rows = repo::list(conn, E::ENTRY, filter, page).await?;
    Ok(Page::new(rows, page).map(E::from_row))
}

/// One page of the entries of a kind, with their usage.
pub async fn list_with_usage<E: CatalogEntry>(
    conn: &mut Conn,
    filter: &CatalogFilter,
    page: &PageRequest,
) -> Result<Page<E>> {
    let page = list::<E>(conn, filter, page).await?;
    let ids: Vec<_> = page.items.iter().map(|entry| entry.id().as_str()).collect();
    let usage: HashMap<_, _> = repo::usage(conn, E::ENTRY, &ids)
        .await?
        .into_iter()
        .collect();
    Ok(page.map(|entry| {
        let count = usage.get(entry.id().as_str()).copied();
        entry.with_usage(count.unwrap_or(0))
    }))
}

/// The ETag of a list. With `grantable_to` or `shared_with` the list depends on the partner's
/// grants, so the partner's ETag is used.
///
/// # Errors
///
/// 404 if that partner does not exist.
pub async fn list_etag(conn: &mut Conn, filter: &CatalogFilter) -> Result<EntityTag> {
    let partner = filter.grantable_to.as_ref().or(filter.shared_with.as_ref());
    match (partner, &filter.only) {
        (Some(partner), _) => revision_lookup::etag_in(conn, partner).await,
        // a limited token gets another list at the same URL
        (None, Some(only)) => Ok(EntityTag::hashed((repo::revision(conn).await?, only))),
        (None, None) => Ok(EntityTag::derived(repo::revision(conn).await?, "catalog")),
    }
}

/// One entry.
///
/// # Errors
///
/// 404 if it does not exist.
pub async fn get<E: CatalogEntry>(db: &Db, id: &ErpId<E::Kind>) -> Result<E> {
    let row = db
        .read(async |conn| repo::find(conn, E::ENTRY, id.as_str()).await)
        .await?;
    or_not_found(row).map(E::from_row)
}

/// One entry, if it is granted to `partner`.
///
/// # Errors
///
/// 404 if it does not exist or is not granted.
pub async fn get_granted<E: CatalogEntry>(
    db: &Db,
    id: &ErpId<E::Kind>,
    partner: &BusinessPartnerId,
) -> Result<E> {
    let row = db
        .read(async |conn| repo::find_granted(conn, E::ENTRY, id.as_str(), partner).await)
        .await?;
    or_not_found(row).map(E::from_row)
}

/// Creates or replaces an entry. Idempotent.
///
/// # Errors
///
/// Those of the body; 422 if it references ticket types that do not exist; 412 if the precondition
/// fails.
pub async fn put<E: WritableEntry>(
    db: &Db,
    actor: Actor,
    id: ErpId<E::Kind>,
    draft: Draft<E::Put>,
    precondition: Precondition,
) -> Result<Committed<E>> {
    let rejections = draft.rejections();
    let work = async move |tx: &mut Tx<'_, ()>| put_in(tx, &id, &draft, &precondition).await;
    rejections.or(db.transact(actor, Catalog, work).await)
}

async fn put_in<E: WritableEntry>(
    tx: &mut Tx<'_, ()>,
    id: &ErpId<E::Kind>,
    draft: &Draft<E::Put>,
    precondition: &Precondition,
) -> Result<Change<E>> {
    let mut rejections = draft.rejections();
    let stored = repo::find(tx.conn, E::ENTRY, id.as_str()).await?;
    precondition.check(stored.clone().map(E::from_row).as_ref())?;
    let attributes = E::attributes(draft.body());
    if let Some(start) = &attributes.start_ticket_types
        && !rejections.concern_all_of("/start_ticket_types")
    {
        let valid = start.0.iter().filter(|id| id.check().is_ok()).cloned();
        let valid: Vec<_> = valid.collect();
        let existing = repo::existing(tx.conn, EntryKind::TicketType, &valid).await?;
        rejections.collect(ensure_ticket_types_exist(&start.0, &existing))?;
    }
    rejections.finish()?;
    match stored {
        None => {
            let row = CatalogRow::new(E::ENTRY, id.as_str(), attributes, tx.created_audit());
            repo::insert(tx.conn, &row).await?;
            E::on_created(tx, id).await?;
            Ok(Change::Created(E::from_row(row)))
        }
        Some(before) if before.attributes() == attributes => {
            Ok(Change::Unchanged(E::from_row(before)))
        }
        Some(before) => {
            let audit = tx.updated_audit(&before.audit());
            let row = CatalogRow::new(E::ENTRY, id.as_str(), attributes, audit);
            repo::update(tx.conn, &row).await?;
            Ok(Change::Updated {
                before: E::from_row(before),
                after: E::from_row(row),
            })
        }
    }
}

/// The row of an entry, if it exists.
pub async fn find<E: CatalogEntry>(
    conn: &mut Conn,
    id: &ErpId<E::Kind>,
) -> Result<Option<CatalogRow>> {
    repo::find(conn, E::ENTRY, id.as_str()).await
}

/// Only existing, active entries can be granted (`docs/domain.md#r8`).
pub fn ensure_grantable(entry: Option<CatalogRow>, id: &str) -> Result<CatalogRow> {
    match entry {
        None => Err(Error::client(Code::UnknownReference).with("id", id)),
        Some(entry) if !entry.active => Err(Error::client(Code::RetiredReference).with("id", id)),
        Some(entry) => Ok(entry),
    }
}

/// `start_ticket_types` may only reference existing ticket types.
fn ensure_ticket_types_exist(ids: &[TicketTypeId], existing: &[TicketTypeId]) -> Result<()> {
    let unknown = ids
        .iter()
        .enumerate()
        .filter(|(_, id)| !existing.contains(id))
        .map(|(index, id)| {
            let pointer = format!("/start_ticket_types/{index}");
            FieldError::new(pointer, Code::UnknownReference).with("id", id)
        });
    ensure_valid(unknown.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        catalog::Attributes,
        common::{Audit, timestamp::Timestamp},
    };

    fn entry(active: bool) -> CatalogRow {
        let actor = Actor {
            subject: "erp".into(),
            request_id: "r".into(),
            ..Actor::default()
        };
        let attributes = Attributes {
            name: "Netzwerk".into(),
            active,
            color: Some("#000000".into()),
            ..Attributes::default()
        };
        let audit = Audit::created(&actor, Timestamp::now());
        CatalogRow::new(EntryKind::Area, "netz", attributes, audit)
    }

    #[test]
    fn r8_unknown_entry_cannot_be_granted() {
        let error = ensure_grantable(None, "netz").unwrap_err();
        assert_eq!(error.code(), Code::UnknownReference);
    }

    #[test]
    fn r8_retired_entry_cannot_be_granted() {
        let error = ensure_grantable(Some(entry(false)), "netz").unwrap_err();
        assert_eq!(error.code(), Code::RetiredReference);
    }

    #[test]
    fn r8_active_entry_can_be_granted() {
        assert!(ensure_grantable(Some(entry(true)), "netz").is_ok());
    }

    #[test]
    fn every_unknown_start_ticket_type_is_reported() {
        let ids: [TicketTypeId; 3] = ["a", "b", "c"].map(|id| id.parse().unwrap());
        let existing = [ids[1].clone()];
        let Err(Error::Client(error)) = ensure_ticket_types_exist(&ids, &existing) else {
            panic!("not a client error")
        };
        let pointers: Vec<_> = error
            .field_errors
            .iter()
            .map(|field_error| field_error.pointer.as_str())
            .collect();
        assert_eq!(pointers, ["/start_ticket_types/0", "/start_ticket_types/2"]);
        assert!(ensure_ticket_types_exist(&ids, &ids).is_ok());
    }
}

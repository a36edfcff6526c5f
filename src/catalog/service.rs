//! The catalogue's rules: the ERP's word counts, references must be known, what does not change is not written.

use super::{CatalogEntry, CatalogRow, EntryKind, repo};
use crate::{
    common::{
        Actor, Change, Code, Committed, Error, FieldError, Result,
        change::{EntityTag, Precondition},
        error::ensure_valid,
        ids::{BusinessPartnerId, ErpId, TicketTypeId},
        or_not_found,
        page::{Page, PageRequest},
    },
    db::{Aggregate, AggregateVersion, Conn, Db, Tx},
    integration,
};

/// Locks the whole catalogue for one write: the ERP is its only writer.
#[derive(Debug, Clone, Copy)]
pub struct Catalog;

impl Aggregate for Catalog {
    type Locked = ();

    async fn lock(&self, conn: &mut Conn) -> Result<((), AggregateVersion)> {
        let revision = repo::lock(conn).await?;
        Ok(((), AggregateVersion::Catalog { revision }))
    }
}

/// What a list of the catalogue is narrowed to.
#[derive(Debug, Default)]
pub struct CatalogFilter {
    pub active: Option<bool>,
    pub grantable_to: Option<BusinessPartnerId>,
    /// Only this entry: for callers that may not know of others.
    pub only: Option<String>,
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

/// The tag of a list: the catalogue's revision, and where it depends on what a partner was granted, the partner's. A partner
/// that does not exist is not found.
pub async fn list_tag(conn: &mut Conn, filter: &CatalogFilter) -> Result<EntityTag> {
    match (&filter.grantable_to, &filter.only) {
        (Some(partner), _) => Ok(integration::service::load_state(conn, partner)
            .await?
            .etag()),
        // whoever may know of this one only gets another list at the same address
        (None, Some(only)) => Ok(EntityTag::hashed((repo::revision(conn).await?, only))),
        (None, None) => Ok(EntityTag::derived(repo::revision(conn).await?, "catalog")),
    }
}

/// One entry.
pub async fn get<E: CatalogEntry>(db: &Db, id: &ErpId<E::Kind>) -> Result<E> {
    let row = db
        .read(async |conn| repo::find(conn, E::ENTRY, id.as_str()).await)
        .await?;
    or_not_found(row).map(E::from_row)
}

/// Creates or replaces an entry as the ERP says.
pub async fn put<E: CatalogEntry>(
    db: &Db,
    actor: Actor,
    id: ErpId<E::Kind>,
    body: E::Put,
    precondition: Precondition,
) -> Result<Committed<E>> {
    db.transact(actor, Catalog, async move |tx| {
        put_in(tx, &id, &body, &precondition).await
    })
    .await
}

async fn put_in<E: CatalogEntry>(
    tx: &mut Tx<'_, ()>,
    id: &ErpId<E::Kind>,
    body: &E::Put,
    precondition: &Precondition,
) -> Result<Change<E>> {
    let stored = repo::find(tx.conn, E::ENTRY, id.as_str()).await?;
    precondition.check(stored.clone().map(E::from_row).as_ref())?;
    let said = E::attributes(body);
    if let Some(start) = &said.start_ticket_types {
        let known = repo::known(tx.conn, EntryKind::TicketType, &start.0).await?;
        references_known(&start.0, &known)?;
    }
    match stored {
        None => {
            let row = CatalogRow::new(E::ENTRY, id.as_str(), said, tx.created_audit());
            repo::insert(tx.conn, &row).await?;
            E::on_created(tx, id).await?;
            Ok(Change::Created(E::from_row(row)))
        }
        Some(before) if before.attributes() == said => Ok(Change::Unchanged(E::from_row(before))),
        Some(before) => {
            let row = CatalogRow::new(
                E::ENTRY,
                id.as_str(),
                said,
                tx.updated_audit(&before.audit()),
            );
            repo::update(tx.conn, &row).await?;
            Ok(Change::Updated {
                before: E::from_row(before),
                after: E::from_row(row),
            })
        }
    }
}

/// The catalogue's revision.
pub async fn revision(conn: &mut Conn) -> Result<i64> {
    repo::revision(conn).await
}

/// The entry behind an id that somebody wants to grant.
pub async fn find<E: CatalogEntry>(
    conn: &mut Conn,
    id: &ErpId<E::Kind>,
) -> Result<Option<CatalogRow>> {
    repo::find(conn, E::ENTRY, id.as_str()).await
}

/// R8: only what the ERP told us, and has not retired, can be granted.
pub fn grantable(entry: Option<CatalogRow>, id: &str) -> Result<CatalogRow> {
    match entry {
        None => Err(Error::client(Code::UnknownReference).with("id", id)),
        Some(entry) if !entry.active => Err(Error::client(Code::RetiredReference).with("id", id)),
        Some(entry) => Ok(entry),
    }
}

/// Start areas may name only ticket types that the ERP told us before.
fn references_known(named: &[TicketTypeId], known: &[TicketTypeId]) -> Result<()> {
    let unknown = named
        .iter()
        .enumerate()
        .filter(|(_, id)| !known.contains(id));
    let field_error = |(index, id)| {
        FieldError::new(
            format!("/start_ticket_types/{index}"),
            Code::UnknownReference,
        )
        .with("id", id)
    };
    ensure_valid(unknown.map(field_error).collect())
}

/// Names of some areas and ticket types; those that the catalogue does not know are left out.
pub async fn names(
    conn: &mut Conn,
    areas: &[&str],
    ticket_types: &[&str],
) -> Result<Vec<(EntryKind, String, String)>> {
    repo::names(conn, areas, ticket_types).await
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
            client: None,
            request_id: "r".into(),
        };
        let said = Attributes {
            name: "Netzwerk".into(),
            active,
            color: Some("#000000".into()),
            ..Attributes::default()
        };
        CatalogRow::new(
            EntryKind::Area,
            "netz",
            said,
            Audit::created(&actor, Timestamp::now()),
        )
    }

    #[test]
    fn r8_unknown_and_retired_entries_cannot_be_granted() {
        assert_eq!(
            grantable(None, "netz").unwrap_err().code(),
            Code::UnknownReference
        );
        assert_eq!(
            grantable(Some(entry(false)), "netz").unwrap_err().code(),
            Code::RetiredReference
        );
        assert!(grantable(Some(entry(true)), "netz").is_ok());
    }

    #[test]
    fn every_unknown_start_ticket_type_is_told() {
        let id = |text: &str| text.parse::<TicketTypeId>().unwrap();
        let (named, known) = ([id("a"), id("b"), id("c")], [id("b")]);
        let Err(Error::Client(refusal)) = references_known(&named, &known) else {
            panic!()
        };
        let pointers: Vec<_> = refusal
            .field_errors
            .iter()
            .map(|field_error| field_error.pointer.as_str())
            .collect();
        assert_eq!(pointers, ["/start_ticket_types/0", "/start_ticket_types/2"]);
        assert!(references_known(&named, &named).is_ok());
    }
}

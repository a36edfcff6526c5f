//! What holds for every grant: only known, unretired entries (R8); the last area and the last ticket type stay while an
//! access is active (R3).

use super::{Grant, GrantRow, GrantWithEntry, repo};
use crate::{
    accesses,
    catalog::{self, CatalogEntry, EntryKind},
    common::{
        Actor, Change, Code, Committed, Error, Result,
        change::Precondition,
        ids::{BusinessPartnerId, ErpId},
        or_not_found,
        page::{Page, PageRequest},
    },
    db::{Conn, Db, Tx},
    integration::{ConfigurationLock, IntegrationState},
};

/// A page of a partner's grants of one kind.
pub async fn list<G: Grant>(
    conn: &mut Conn,
    partner: &BusinessPartnerId,
    page: &PageRequest,
) -> Result<Page<G>> {
    let rows = repo::list(conn, partner, G::Entry::ENTRY, page).await?;
    Ok(Page::new(rows, page).map(G::new))
}

/// One grant.
pub async fn get<G: Grant>(
    db: &Db,
    partner: &BusinessPartnerId,
    id: &ErpId<<G::Entry as CatalogEntry>::Kind>,
) -> Result<G> {
    let granted = db
        .read(async |conn| repo::find(conn, partner, G::Entry::ENTRY, id.as_str()).await)
        .await?;
    or_not_found(granted).map(G::new)
}

/// Grants an entry, or changes how it is granted. Granting what is granted changes nothing.
pub async fn put<G: Grant>(
    db: &Db,
    actor: Actor,
    partner: BusinessPartnerId,
    id: ErpId<<G::Entry as CatalogEntry>::Kind>,
    body: G::Put,
    precondition: Precondition,
) -> Result<Committed<G>> {
    let work = async move |tx: &mut Tx<'_, IntegrationState>| {
        put_in::<G>(tx, &id, &body, &precondition).await
    };
    db.transact(actor, ConfigurationLock(partner), work).await
}

async fn put_in<G: Grant>(
    tx: &mut Tx<'_, IntegrationState>,
    id: &ErpId<<G::Entry as CatalogEntry>::Kind>,
    body: &G::Put,
    precondition: &Precondition,
) -> Result<Change<G>> {
    let (partner, kind) = (tx.locked.business_partner_id().clone(), G::Entry::ENTRY);
    let stored = repo::find(tx.conn, &partner, kind, id.as_str()).await?;
    precondition.check(stored.clone().map(G::new).as_ref())?;
    let approval_required = G::approval_required(body);
    let Some(before) = stored else {
        let entry = catalog::service::find::<G::Entry>(tx.conn, id).await?;
        let entry = catalog::service::grantable(entry, id.as_str())?;
        let grant = GrantRow::new(
            partner,
            kind,
            id.as_str(),
            approval_required,
            tx.created_audit(),
        );
        repo::insert(tx.conn, &grant).await?;
        return Ok(Change::Created(G::new(GrantWithEntry { grant, entry })));
    };
    if before.grant.approval_required == approval_required {
        return Ok(Change::Unchanged(G::new(before)));
    }
    let audit = tx.updated_audit(&before.grant.audit());
    let grant = GrantRow::new(partner, kind, id.as_str(), approval_required, audit);
    repo::update(tx.conn, &grant).await?;
    let after = GrantWithEntry {
        grant,
        entry: before.entry.clone(),
    };
    Ok(Change::Updated {
        before: G::new(before),
        after: G::new(after),
    })
}

/// Takes a grant back.
pub async fn delete<G: Grant>(
    db: &Db,
    actor: Actor,
    partner: BusinessPartnerId,
    id: ErpId<<G::Entry as CatalogEntry>::Kind>,
    precondition: Precondition,
) -> Result<Committed<G>> {
    db.transact(actor, ConfigurationLock(partner), async move |tx| {
        let partner = tx.locked.business_partner_id().clone();
        let stored =
            or_not_found(repo::find(tx.conn, &partner, G::Entry::ENTRY, id.as_str()).await?)?;
        let shown = G::new(stored.clone());
        precondition.check(Some(&shown))?;
        G::ensure_removable(tx.conn, &partner, &id).await?;
        if let Some(refusal) = G::LAST {
            let granted = repo::count(tx.conn, &partner, G::Entry::ENTRY).await?;
            // counting the accesses costs a query that most removals can do without
            if granted <= 1 {
                let active = accesses::service::access_counts(tx.conn, &partner)
                    .await?
                    .active;
                not_the_last(granted, active, refusal)?;
            }
        }
        repo::delete(tx.conn, &stored.grant).await?;
        Ok(Change::Deleted(shown))
    })
    .await
}

/// R3: while an access is active, the last area and the last ticket type stay.
fn not_the_last(granted: i64, active_accesses: i64, refusal: Code) -> Result<()> {
    if granted <= 1 && active_accesses > 0 {
        return Err(Error::client(refusal).with("active_accesses", active_accesses));
    }
    Ok(())
}

/// All grants of a partner, of all kinds.
pub async fn all(conn: &mut Conn, partner: &BusinessPartnerId) -> Result<Vec<GrantWithEntry>> {
    repo::all(conn, partner).await
}

/// How many entries of a kind a partner was granted, retired ones included: what R2 counts.
pub async fn count(conn: &mut Conn, partner: &BusinessPartnerId, kind: EntryKind) -> Result<i64> {
    repo::count(conn, partner, kind).await
}

/// Whether an entry is granted, be it retired or not.
pub async fn is_granted<E: CatalogEntry>(
    conn: &mut Conn,
    partner: &BusinessPartnerId,
    id: &ErpId<E::Kind>,
) -> Result<bool> {
    Ok(repo::find(conn, partner, E::ENTRY, id.as_str())
        .await?
        .is_some())
}

/// What a partner was granted and the ERP has retired since.
pub async fn retired<E: CatalogEntry>(
    conn: &mut Conn,
    partner: &BusinessPartnerId,
) -> Result<Vec<ErpId<E::Kind>>> {
    Ok(repo::retired(conn, partner, E::ENTRY)
        .await?
        .into_iter()
        .map(ErpId::from_trusted)
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case(1, 1, Some(Code::LastArea))]
    #[case(1, 20, Some(Code::LastArea))]
    #[case(2, 1, None)]
    #[case(1, 0, None)]
    fn r3_the_last_one_stays_while_an_access_is_active(
        #[case] granted: i64,
        #[case] active_accesses: i64,
        #[case] expected: Option<Code>,
    ) {
        let refused = not_the_last(granted, active_accesses, Code::LastArea).err();
        assert_eq!(refused.map(|error| error.code()), expected);
    }
}

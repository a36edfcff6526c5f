//! The rules of all kinds of grants.

use super::{Grant, GrantRow, GrantWithEntry, repo};
use crate::{
    catalog::{self, CatalogEntry},
    common::{
        Actor, Audit, Change, Code, Committed, Error, Result,
        ids::{BusinessPartnerId, ErpId},
        or_not_found,
        page::{Page, PageRequest},
        precondition::Precondition,
    },
    db::{Conn, Db, Tx},
    integration::{self, ActivationLock, ConfigurationLock, IntegrationState},
};

/// One page of a partner's grants of one kind.
pub async fn list<G: Grant>(
    conn: &mut Conn,
    partner: &BusinessPartnerId,
    page: &PageRequest,
) -> Result<Page<G>> {
    let rows = repo::list(conn, partner, G::Entry::ENTRY, page).await?;
    Ok(Page::new(rows, page).map(G::new))
}

/// One grant.
///
/// # Errors
///
/// 404 if the entry is not granted.
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

/// Grants an entry or updates its grant. Idempotent. Without a body, an existing grant is unchanged.
///
/// # Errors
///
/// 422 if the entry does not exist or is retired (`docs/domain.md#r8`); 412 if the precondition
/// fails.
pub async fn put<G: Grant>(
    db: &Db,
    actor: Actor,
    partner: BusinessPartnerId,
    id: ErpId<<G::Entry as CatalogEntry>::Kind>,
    body: Option<G::Put>,
    precondition: Precondition,
) -> Result<Committed<G>> {
    let work = async move |tx: &mut Tx<'_, IntegrationState>| {
        put_in::<G>(tx, &id, body.as_ref(), &precondition).await
    };
    transact::<G>(db, actor, partner, work).await
}

/// Runs a unit of work on a partner's grants.
async fn transact<G: Grant>(
    db: &Db,
    actor: Actor,
    partner: BusinessPartnerId,
    work: impl AsyncFn(&mut Tx<'_, IntegrationState>) -> Result<Change<G>> + 'static,
) -> Result<Committed<G>> {
    if G::CHANGES_WHILE_INACTIVE {
        db.transact(actor, ActivationLock(partner), work).await
    } else {
        db.transact(actor, ConfigurationLock(partner), work).await
    }
}

async fn put_in<G: Grant>(
    tx: &mut Tx<'_, IntegrationState>,
    id: &ErpId<<G::Entry as CatalogEntry>::Kind>,
    body: Option<&G::Put>,
    precondition: &Precondition,
) -> Result<Change<G>> {
    let partner = tx.locked.business_partner_id().clone();
    let kind = G::Entry::ENTRY;
    let stored = repo::find(tx.conn, &partner, kind, id.as_str()).await?;
    precondition.check(stored.clone().map(G::new).as_ref())?;
    let stored_approval = stored
        .as_ref()
        .is_some_and(|stored| stored.grant.approval_required);
    let approval_required = body.map_or(stored_approval, G::approval_required);
    let Some(before) = stored else {
        let entry = catalog::service::find::<G::Entry>(tx.conn, id).await?;
        let entry = catalog::service::ensure_grantable(entry, id.as_str())?;
        let revoked_version =
            repo::take_revoked_version(tx.conn, &partner, kind, id.as_str()).await?;
        let audit = Audit {
            version: first_version(revoked_version),
            ..tx.created_audit()
        };
        let grant = GrantRow::new(partner, kind, id.as_str(), approval_required, audit);
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

/// Revokes a grant.
///
/// # Errors
///
/// 404 if the entry is not granted; 409 if the grant is in use (`docs/domain.md#r4`) or the last
/// available one while an access is active (`docs/domain.md#r3`); 412 if the precondition fails.
pub async fn delete<G: Grant>(
    db: &Db,
    actor: Actor,
    partner: BusinessPartnerId,
    id: ErpId<<G::Entry as CatalogEntry>::Kind>,
    precondition: Precondition,
) -> Result<Committed<G>> {
    let work = async move |tx: &mut Tx<'_, IntegrationState>| {
        let partner = tx.locked.business_partner_id().clone();
        let kind = G::Entry::ENTRY;
        let stored = or_not_found(repo::find(tx.conn, &partner, kind, id.as_str()).await?)?;
        let view = G::new(stored.clone());
        precondition.check(Some(&view))?;
        G::ensure_removable(tx.conn, &partner, &id).await?;
        if let Some(code) = G::LAST_GRANT_ERROR
            && stored.entry.active
        {
            let available = repo::count_available(tx.conn, &partner, kind).await?;
            // most revocations need not count the accesses
            if available <= 1 {
                let active = integration::service::active_accesses(tx.conn, &partner).await?;
                ensure_not_last(available, active, code)?;
            }
        }
        repo::delete(tx.conn, &stored.grant).await?;
        repo::insert_revoked_version(tx.conn, &stored.grant).await?;
        Ok(Change::Deleted(view))
    };
    transact::<G>(db, actor, partner, work).await
}

/// The version of a new grant. It continues after that of a revoked grant of the same entry, so
/// that a condition on the revoked one never matches.
fn first_version(revoked: Option<i64>) -> i64 {
    revoked.map_or(1, |version| version + 1)
}

/// The last available area and ticket type stay while an access is active (`docs/domain.md#r3`).
fn ensure_not_last(available: i64, active_accesses: i64, code: Code) -> Result<()> {
    if available <= 1 && active_accesses > 0 {
        return Err(Error::client(code).with("active_accesses", active_accesses));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case(1, 1, Some(Code::LastArea))]
    #[case(1, 20, Some(Code::LastArea))]
    #[case(2, 1, None)]
    #[case(1, 0, None)]
    fn r3_last_grant_is_retained_while_access_is_active(
        #[case] available: i64,
        #[case] active_accesses: i64,
        #[case] expected: Option<Code>,
    ) {
        let error = ensure_not_last(available, active_accesses, Code::LastArea).err();
        assert_eq!(error.map(|error| error.code()), expected);
    }
}

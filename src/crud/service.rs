//! What can be done with every element: list, get, create, change, delete.

use super::{ApplyPatch as _, CrudResource, CrudRow, Parent};
use crate::{
    common::{
        Actor, Change, Code, Committed, Error, Result,
        change::Precondition,
        ids::Id,
        or_not_found,
        page::{Page, PageRequest},
    },
    db::{Conn, Db, Tx},
};

type IdKind<E, H> = <<E as CrudResource<H>>::Row as CrudRow>::IdKind;

/// A page of a list.
pub async fn list<E: CrudResource<H>, H: Parent>(
    conn: &mut Conn,
    parent: &H,
    filter: &E::Filter,
    request: &PageRequest,
) -> Result<Page<E>> {
    let Page { items, next_cursor } =
        Page::new(E::load_page(conn, parent, filter, request).await?, request);
    Ok(Page {
        items: E::to_views(conn, parent, None, items).await?,
        next_cursor,
    })
}

/// One element.
pub async fn get<E: CrudResource<H>, H: Parent>(
    db: &Db,
    parent: &H,
    id: Id<IdKind<E, H>>,
) -> Result<E> {
    db.read(async |conn| {
        let row = or_not_found(E::Row::find(conn, parent.key(), id).await?)?;
        to_view(conn, parent, None, row).await
    })
    .await
}

/// Adds an element.
pub async fn create<E: CrudResource<H>, H: Parent>(
    db: &Db,
    actor: Actor,
    parent: H,
    body: E::Create,
) -> Result<Committed<E>> {
    db.transact(actor, parent.clone(), async move |tx| {
        let mut fields = body.clone().into();
        E::apply_rules(tx, &parent, None, &mut fields).await?;
        within_limit(E::Row::count(tx.conn, parent.key()).await?, E::MAX)?;
        let row = E::Row::new(
            Id::generate(),
            parent.owner().into(),
            fields,
            tx.created_audit(),
        );
        row.insert(tx.conn)
            .await?
            .map_err(|constraint| E::duplicate(&constraint))?;
        E::after_write(tx, &row).await?;
        Ok(Change::Created(
            to_view(tx.conn, &parent, Some(&tx.locked), row).await?,
        ))
    })
    .await
}

/// Changes an element as a merge patch says; a patch that says nothing new changes nothing.
pub async fn update<E: CrudResource<H>, H: Parent>(
    db: &Db,
    actor: Actor,
    parent: H,
    id: Id<IdKind<E, H>>,
    body: E::Patch,
    precondition: Precondition,
) -> Result<Committed<E>> {
    db.transact(actor, parent.clone(), async move |tx| {
        let (stored, before) = lookup::<E, H>(tx, &parent, id, &precondition).await?;
        let mut fields = stored.fields().clone();
        body.clone().apply_to(&mut fields);
        if fields == *stored.fields() {
            return Ok(Change::Unchanged(before));
        }
        E::apply_rules(tx, &parent, Some(&stored), &mut fields).await?;
        let row = E::Row::new(
            id,
            parent.owner().into(),
            fields,
            tx.updated_audit(&stored.audit()),
        );
        row.update(tx.conn)
            .await?
            .map_err(|constraint| E::duplicate(&constraint))?;
        E::after_write(tx, &row).await?;
        Ok(Change::Updated {
            before,
            after: to_view(tx.conn, &parent, Some(&tx.locked), row).await?,
        })
    })
    .await
}

/// Deletes an element.
pub async fn delete<E: CrudResource<H>, H: Parent>(
    db: &Db,
    actor: Actor,
    parent: H,
    id: Id<IdKind<E, H>>,
    precondition: Precondition,
) -> Result<Committed<E>> {
    db.transact(actor, parent.clone(), async move |tx| {
        let (stored, before) = lookup::<E, H>(tx, &parent, id, &precondition).await?;
        stored.delete(tx.conn).await?;
        Ok(Change::Deleted(before))
    })
    .await
}

/// What a write is about to change, if it may.
async fn lookup<E: CrudResource<H>, H: Parent>(
    tx: &mut Tx<'_, H::Locked>,
    parent: &H,
    id: Id<IdKind<E, H>>,
    precondition: &Precondition,
) -> Result<(E::Row, E)> {
    let stored = or_not_found(E::Row::find(tx.conn, parent.key(), id).await?)?;
    let view = to_view::<E, H>(tx.conn, parent, Some(&tx.locked), stored.clone()).await?;
    precondition.check(Some(&view))?;
    Ok((stored, view))
}

async fn to_view<E: CrudResource<H>, H: Parent>(
    conn: &mut Conn,
    parent: &H,
    at: Option<&H::Locked>,
    row: E::Row,
) -> Result<E> {
    or_not_found(E::to_views(conn, parent, at, vec![row]).await?.pop())
}

/// Quantities are bounded (domain.md section 4).
fn within_limit(there_are: i64, max: i64) -> Result<()> {
    if there_are < max {
        Ok(())
    } else {
        Err(Error::client(Code::LimitReached).with("max", max))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_the_last_one_allowed() {
        assert!(within_limit(19_999, 20_000).is_ok());
        assert_eq!(
            within_limit(20_000, 20_000).unwrap_err().code(),
            Code::LimitReached
        );
    }
}

//! What can be done with every element: list, get, create, change, delete.

use super::{Amend as _, Element, Home, Stored};
use crate::{
    db::{Conn, Db, Tx},
    kernel::{
        Actor, Change, Code, Done, Error, Result,
        change::Precondition,
        found,
        ids::Id,
        page::{Page, PageRequest},
    },
};

type Mark<E, H> = <<E as Element<H>>::Row as Stored>::Mark;

/// A page of a list.
pub async fn list<E: Element<H>, H: Home>(
    conn: &mut Conn,
    home: &H,
    filter: &E::Filter,
    request: &PageRequest,
) -> Result<Page<E>> {
    let Page { items, next_cursor } =
        Page::new(E::page(conn, home, filter, request).await?, request);
    Ok(Page {
        items: E::show(conn, home, None, items).await?,
        next_cursor,
    })
}

/// One element.
pub async fn get<E: Element<H>, H: Home>(db: &Db, home: &H, id: Id<Mark<E, H>>) -> Result<E> {
    db.read(async |conn| {
        let row = found(E::Row::find(conn, home.key(), id).await?)?;
        show(conn, home, None, row).await
    })
    .await
}

/// Adds an element.
pub async fn create<E: Element<H>, H: Home>(
    db: &Db,
    actor: Actor,
    home: H,
    body: E::Create,
) -> Result<Done<E>> {
    db.mutate(actor, home.clone(), async move |tx| {
        let mut facts = body.clone().into();
        E::settle(tx, &home, None, &mut facts).await?;
        within_limit(E::Row::count(tx.conn, home.key()).await?, E::MAX)?;
        let row = E::Row::new(Id::generate(), home.owner().into(), facts, tx.born());
        row.insert(tx.conn)
            .await?
            .map_err(|constraint| E::duplicate(&constraint))?;
        E::written(tx, &row).await?;
        Ok(Change::Created(
            show(tx.conn, &home, Some(&tx.locked), row).await?,
        ))
    })
    .await
}

/// Changes an element as a merge patch says; a patch that says nothing new changes nothing.
pub async fn update<E: Element<H>, H: Home>(
    db: &Db,
    actor: Actor,
    home: H,
    id: Id<Mark<E, H>>,
    body: E::Patch,
    precondition: Precondition,
) -> Result<Done<E>> {
    db.mutate(actor, home.clone(), async move |tx| {
        let (stored, before) = lookup::<E, H>(tx, &home, id, &precondition).await?;
        let mut facts = stored.facts().clone();
        body.clone().amend(&mut facts);
        if facts == *stored.facts() {
            return Ok(Change::Unchanged(before));
        }
        E::settle(tx, &home, Some(&stored), &mut facts).await?;
        let row = E::Row::new(id, home.owner().into(), facts, tx.touched(&stored.audit()));
        row.update(tx.conn)
            .await?
            .map_err(|constraint| E::duplicate(&constraint))?;
        E::written(tx, &row).await?;
        Ok(Change::Updated {
            before,
            after: show(tx.conn, &home, Some(&tx.locked), row).await?,
        })
    })
    .await
}

/// Deletes an element.
pub async fn delete<E: Element<H>, H: Home>(
    db: &Db,
    actor: Actor,
    home: H,
    id: Id<Mark<E, H>>,
    precondition: Precondition,
) -> Result<Done<E>> {
    db.mutate(actor, home.clone(), async move |tx| {
        let (stored, before) = lookup::<E, H>(tx, &home, id, &precondition).await?;
        stored.delete(tx.conn).await?;
        Ok(Change::Deleted(before))
    })
    .await
}

/// What a write is about to change, if it may.
async fn lookup<E: Element<H>, H: Home>(
    tx: &mut Tx<'_, H::Locked>,
    home: &H,
    id: Id<Mark<E, H>>,
    precondition: &Precondition,
) -> Result<(E::Row, E)> {
    let stored = found(E::Row::find(tx.conn, home.key(), id).await?)?;
    let shown = show::<E, H>(tx.conn, home, Some(&tx.locked), stored.clone()).await?;
    precondition.check(Some(&shown))?;
    Ok((stored, shown))
}

async fn show<E: Element<H>, H: Home>(
    conn: &mut Conn,
    home: &H,
    at: Option<&H::Locked>,
    row: E::Row,
) -> Result<E> {
    found(E::show(conn, home, at, vec![row]).await?.pop())
}

/// Quantities are bounded (domain.md section 4).
fn within_limit(there_are: i64, max: i64) -> Result<()> {
    if there_are < max {
        Ok(())
    } else {
        Err(Error::refuse(Code::LimitReached).with("max", max))
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

//! List, get, create, update and delete for every [`CrudResource`].

use super::{ApplyPatch as _, CrudResource, CrudRow, Parent, UniqueConstraint};
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

type Row<E, H> = <E as CrudResource<H>>::Row;
type IdKind<E, H> = <Row<E, H> as CrudRow>::IdKind;

/// One page of a list.
pub async fn list<E: CrudResource<H>, H: Parent>(
    conn: &mut Conn,
    parent: &H,
    filter: &E::Filter,
    request: &PageRequest,
) -> Result<Page<E>> {
    let rows = E::load_page(conn, parent, filter, request).await?;
    let Page {
        items,
        total,
        next_cursor,
    } = Page::new(rows, request);
    Ok(Page {
        items: E::to_views(conn, parent, None, items).await?,
        total,
        next_cursor,
    })
}

/// One resource.
///
/// # Errors
///
/// 404 if it does not exist or has another owner.
pub async fn get<E: CrudResource<H>, H: Parent>(
    db: &Db,
    parent: &H,
    id: Id<IdKind<E, H>>,
) -> Result<E> {
    db.read(async |conn| {
        let row = find::<E, H>(conn, parent, id).await?;
        to_view(conn, parent, None, row).await
    })
    .await
}

/// Creates a resource.
///
/// # Errors
///
/// Those of the lock and of the rules; 409 `limit_reached`; 409 for a value that must be unique.
pub async fn create<E: CrudResource<H>, H: Parent>(
    db: &Db,
    actor: Actor,
    parent: H,
    body: E::Create,
) -> Result<Committed<E>> {
    db.transact(actor, parent.clone(), async move |tx| {
        let fields = E::new_fields(tx, &parent, body.clone()).await?;
        E::apply_rules(tx, &parent, None, &fields).await?;
        let owner = parent.owner().into();
        ensure_below_limit(E::Row::count(tx.conn, &owner).await?, E::MAX)?;
        let row = E::Row::new(Id::generate(), owner, fields, tx.created_audit());
        row.insert(tx.conn)
            .await?
            .map_err(|constraint| duplicate(E::UNIQUE, &constraint))?;
        E::after_write(tx, &row).await?;
        Ok(Change::Created(
            to_view(tx.conn, &parent, Some(&tx.locked), row).await?,
        ))
    })
    .await
}

/// Applies a merge patch. A patch that changes nothing leaves version and history as they are.
///
/// # Errors
///
/// Those of [`get`] and [`create`]; 412 if the precondition fails.
pub async fn update<E: CrudResource<H>, H: Parent>(
    db: &Db,
    actor: Actor,
    parent: H,
    id: Id<IdKind<E, H>>,
    body: E::Patch,
    precondition: Precondition,
) -> Result<Committed<E>> {
    db.transact(actor, parent.clone(), async move |tx| {
        let (stored, before) = find_checked::<E, H>(tx, &parent, id, &precondition).await?;
        let mut fields = stored.fields().clone();
        body.clone().apply_to(&mut fields);
        if fields == *stored.fields() {
            return Ok(Change::Unchanged(before));
        }
        E::apply_rules(tx, &parent, Some(&stored), &fields).await?;
        let audit = tx.updated_audit(&stored.audit());
        let row = E::Row::new(id, parent.owner().into(), fields, audit);
        row.update(tx.conn)
            .await?
            .map_err(|constraint| duplicate(E::UNIQUE, &constraint))?;
        E::after_write(tx, &row).await?;
        Ok(Change::Updated {
            before,
            after: to_view(tx.conn, &parent, Some(&tx.locked), row).await?,
        })
    })
    .await
}

/// Deletes a resource.
///
/// # Errors
///
/// Those of [`get`] and of the lock; 412 if the precondition fails.
pub async fn delete<E: CrudResource<H>, H: Parent>(
    db: &Db,
    actor: Actor,
    parent: H,
    id: Id<IdKind<E, H>>,
    precondition: Precondition,
) -> Result<Committed<E>> {
    db.transact(actor, parent.clone(), async move |tx| {
        let (stored, before) = find_checked::<E, H>(tx, &parent, id, &precondition).await?;
        E::ensure_deletable(tx, &parent, &stored).await?;
        stored.delete(tx.conn).await?;
        Ok(Change::Deleted(before))
    })
    .await
}

async fn find<E: CrudResource<H>, H: Parent>(
    conn: &mut Conn,
    parent: &H,
    id: Id<IdKind<E, H>>,
) -> Result<E::Row> {
    or_not_found(E::Row::find(conn, &parent.owner().into(), id).await?)
}

/// The row to be changed and its view, after checking the precondition.
async fn find_checked<E: CrudResource<H>, H: Parent>(
    tx: &mut Tx<'_, H::Locked>,
    parent: &H,
    id: Id<IdKind<E, H>>,
    precondition: &Precondition,
) -> Result<(E::Row, E)> {
    let stored = find::<E, H>(tx.conn, parent, id).await?;
    let view = to_view::<E, H>(tx.conn, parent, Some(&tx.locked), stored.clone()).await?;
    precondition.check(Some(&view))?;
    Ok((stored, view))
}

async fn to_view<E: CrudResource<H>, H: Parent>(
    conn: &mut Conn,
    parent: &H,
    state: Option<&H::Locked>,
    row: E::Row,
) -> Result<E> {
    or_not_found(E::to_views(conn, parent, state, vec![row]).await?.pop())
}

/// The limits of `docs/domain.md#configuration`.
fn ensure_below_limit(count: i64, max: i64) -> Result<()> {
    if count < max {
        Ok(())
    } else {
        Err(Error::client(Code::LimitReached).with("max", max))
    }
}

/// The error of a violated UNIQUE constraint.
fn duplicate(unique: &[UniqueConstraint], constraint: &str) -> Error {
    unique
        .iter()
        .find(|unique| unique.constraint == constraint)
        .map_or_else(
            || Error::Internal(anyhow::anyhow!("unexpected violation of {constraint}")),
            |unique| Error::from_field(unique.violation()),
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limit_rejects_one_more_than_max() {
        assert!(ensure_below_limit(19_999, 20_000).is_ok());
        let error = ensure_below_limit(20_000, 20_000).unwrap_err();
        assert_eq!(error.code(), Code::LimitReached);
    }

    #[test]
    fn r7_violated_constraint_names_the_member() {
        let unique = [UniqueConstraint {
            constraint: "accesses_email_key",
            pointer: "/email",
            code: Code::DuplicateEmail,
        }];
        let Error::Client(error) = duplicate(&unique, "accesses_email_key") else {
            panic!("not a client error")
        };
        assert_eq!(error.code, Code::DuplicateEmail);
        assert_eq!(error.field_errors[0].pointer, "/email");
        let error = duplicate(&unique, "accesses_pkey");
        assert_eq!(error.code(), Code::InternalError);
    }
}

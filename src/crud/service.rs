//! List, get, create, update and delete for every [`CrudResource`].

use super::{ApplyPatch as _, CrudResource, CrudRow, Parent, UniqueConstraint};
use crate::{
    common::{
        Actor, Change, Code, Committed, Draft, Error, Result,
        ids::Id,
        or_not_found,
        page::{Page, PageRequest},
        precondition::Precondition,
    },
    db::{Conn, Db, Tx},
};

type Row<R, P> = <R as CrudResource<P>>::Row;
type IdKind<R, P> = <Row<R, P> as CrudRow>::IdKind;

/// One page of a list.
pub async fn list<R: CrudResource<P>, P: Parent>(
    conn: &mut Conn,
    parent: &P,
    filter: &R::Filter,
    request: &PageRequest,
) -> Result<Page<R>> {
    let rows = R::load_page(conn, parent, filter, request).await?;
    let Page {
        items,
        total,
        next_cursor,
    } = Page::new(rows, request);
    Ok(Page {
        items: R::to_views(conn, parent, None, items).await?,
        total,
        next_cursor,
    })
}

/// One resource.
///
/// # Errors
///
/// 404 if it does not exist or has another owner.
pub async fn get<R: CrudResource<P>, P: Parent>(
    db: &Db,
    parent: &P,
    id: Id<IdKind<R, P>>,
) -> Result<R> {
    db.read(async |conn| {
        let row = find::<R, P>(conn, parent, id).await?;
        to_view(conn, parent, None, row).await
    })
    .await
}

/// Creates a resource.
///
/// # Errors
///
/// Those of the body, of the lock and of the rules; 409 `limit_reached`; 409 for a value that must
/// be unique.
pub async fn create<R: CrudResource<P>, P: Parent>(
    db: &Db,
    actor: Actor,
    parent: P,
    draft: Draft<R::Create>,
) -> Result<Committed<R>> {
    create_with_id(db, actor, parent, Id::generate(), draft).await
}

/// Creates a resource, like [`create`], with a given id that no other resource has.
pub async fn create_with_id<R: CrudResource<P>, P: Parent>(
    db: &Db,
    actor: Actor,
    parent: P,
    id: Id<IdKind<R, P>>,
    draft: Draft<R::Create>,
) -> Result<Committed<R>> {
    let rejections = draft.rejections();
    let aggregate = parent.clone();
    let work = async move |tx: &mut Tx<'_, P::Locked>| {
        let (body, mut rejections) = draft.clone().into_parts();
        let fields = R::new_fields(tx, &parent, body).await?;
        R::check_rules(tx, &parent, None, &fields, &mut rejections).await?;
        rejections.finish()?;
        let owner = parent.owner().into();
        ensure_below_limit(R::Row::count(tx.conn, &owner).await?, R::MAX)?;
        R::before_write(tx, &parent, None, &fields).await?;
        let row = R::Row::new(id, owner, fields, tx.created_audit());
        row.insert(tx.conn)
            .await?
            .map_err(|constraint| duplicate(R::UNIQUE, &constraint))?;
        R::after_write(tx, &row).await?;
        Ok(Change::Created(
            to_view(tx.conn, &parent, Some(&tx.locked), row).await?,
        ))
    };
    rejections.or(db.transact(actor, aggregate, work).await)
}

/// Applies a merge patch. A patch that changes nothing leaves version and history as they are.
///
/// # Errors
///
/// Those of [`get`] and [`create`]; 412 if the precondition fails.
pub async fn update<R: CrudResource<P>, P: Parent>(
    db: &Db,
    actor: Actor,
    parent: P,
    id: Id<IdKind<R, P>>,
    draft: Draft<R::Patch>,
    precondition: Precondition,
) -> Result<Committed<R>> {
    let rejections = draft.rejections();
    let aggregate = parent.clone();
    let work = async move |tx: &mut Tx<'_, P::Locked>| {
        let (stored, before) = find_checked::<R, P>(tx, &parent, id, &precondition).await?;
        let (body, mut rejections) = draft.clone().into_parts();
        let mut fields = stored.fields().clone();
        body.apply_to(&mut fields);
        if rejections.is_empty() && fields == *stored.fields() {
            return Ok(Change::Unchanged(before));
        }
        R::check_rules(tx, &parent, Some(&stored), &fields, &mut rejections).await?;
        rejections.finish()?;
        R::before_write(tx, &parent, Some(&stored), &fields).await?;
        let audit = tx.updated_audit(&stored.audit());
        let row = R::Row::new(id, parent.owner().into(), fields, audit);
        row.update(tx.conn)
            .await?
            .map_err(|constraint| duplicate(R::UNIQUE, &constraint))?;
        R::after_write(tx, &row).await?;
        Ok(Change::Updated {
            before,
            after: to_view(tx.conn, &parent, Some(&tx.locked), row).await?,
        })
    };
    rejections.or(db.transact(actor, aggregate, work).await)
}

/// Deletes a resource.
///
/// # Errors
///
/// Those of [`get`] and of the lock; 412 if the precondition fails.
pub async fn delete<R: CrudResource<P>, P: Parent>(
    db: &Db,
    actor: Actor,
    parent: P,
    id: Id<IdKind<R, P>>,
    precondition: Precondition,
) -> Result<Committed<R>> {
    db.transact(actor, parent.clone(), async move |tx| {
        let (stored, before) = find_checked::<R, P>(tx, &parent, id, &precondition).await?;
        R::ensure_deletable(tx, &parent, &stored).await?;
        stored.delete(tx.conn).await?;
        Ok(Change::Deleted(before))
    })
    .await
}

async fn find<R: CrudResource<P>, P: Parent>(
    conn: &mut Conn,
    parent: &P,
    id: Id<IdKind<R, P>>,
) -> Result<R::Row> {
    or_not_found(R::Row::find(conn, &parent.owner().into(), id).await?)
}

/// The row to be changed and its view, after checking the precondition.
async fn find_checked<R: CrudResource<P>, P: Parent>(
    tx: &mut Tx<'_, P::Locked>,
    parent: &P,
    id: Id<IdKind<R, P>>,
    precondition: &Precondition,
) -> Result<(R::Row, R)> {
    let stored = find::<R, P>(tx.conn, parent, id).await?;
    let view = to_view::<R, P>(tx.conn, parent, Some(&tx.locked), stored.clone()).await?;
    precondition.check(Some(&view))?;
    Ok((stored, view))
}

async fn to_view<R: CrudResource<P>, P: Parent>(
    conn: &mut Conn,
    parent: &P,
    state: Option<&P::Locked>,
    row: R::Row,
) -> Result<R> {
    or_not_found(R::to_views(conn, parent, state, vec![row]).await?.pop())
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

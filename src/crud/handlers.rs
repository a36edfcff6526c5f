//! The handlers of every room with elements, but for their documentation.

use actix_web::HttpResponse;

use super::{CrudResource, CrudRow, Parent, service};
use crate::{
    common::{Actor, Committed, Result, change::EntityTag, ids::Id},
    db::{Conn, ReadCost},
    http::{
        call_context::CallContext,
        params::ListQuery,
        response::{self, List},
    },
    i18n::Lang,
};

type IdKind<E, H> = <<E as CrudResource<H>>::Row as CrudRow>::IdKind;

/// A page of a list; whether the caller has it already is asked first.
pub async fn list<E: CrudResource<H>, H: Parent>(
    call: &CallContext,
    parent: H,
    query: &ListQuery<E::Filter>,
) -> Result<HttpResponse> {
    let lang = call.lang;
    let localize = |tag: EntityTag| {
        if E::LOCALIZED {
            tag.in_language(lang.content_hash())
        } else {
            tag
        }
    };
    let current_etag = async || {
        parent
            .current_etag(&call.db, &call.current)
            .await
            .map(localize)
    };
    let tag_in = async |conn: &mut Conn| {
        parent
            .load_state(conn)
            .await
            .map(|at| localize(H::etag(&at)))
    };
    let read = async |conn: &mut Conn| {
        let page = service::list::<E, H>(conn, &parent, &query.filter, &query.page).await?;
        Ok(List::from(page.map(|element| element.localize(lang))))
    };
    let response = response::cached_read(
        call,
        Some(&call.pages),
        ReadCost::of(&query.page),
        current_etag,
        tag_in,
        read,
    )
    .await?;
    Ok(if E::LOCALIZED {
        response::in_language(response, lang.code())
    } else {
        response
    })
}

/// One element.
pub async fn get<E: CrudResource<H>, H: Parent>(
    call: &CallContext,
    parent: H,
    id: Id<IdKind<E, H>>,
) -> Result<HttpResponse> {
    let element: E = service::get(&call.db, &parent, id).await?;
    Ok(response::resource(
        &element.localize(call.lang),
        &call.conditions,
    ))
}

/// Adds an element.
pub async fn create<E: CrudResource<H>, H: Parent>(
    call: &CallContext,
    actor: Actor,
    parent: H,
    body: E::Create,
) -> Result<HttpResponse> {
    let done = service::create::<E, H>(&call.db, actor, parent, body).await?;
    Ok(response::created(&call.request, &localize(done, call.lang)))
}

/// Changes an element.
pub async fn update<E: CrudResource<H>, H: Parent>(
    call: CallContext,
    actor: Actor,
    parent: H,
    id: Id<IdKind<E, H>>,
    body: E::Patch,
) -> Result<HttpResponse> {
    let done = service::update::<E, H>(
        &call.db,
        actor,
        parent,
        id,
        body,
        call.conditions.precondition,
    )
    .await?;
    Ok(response::updated(&localize(done, call.lang)))
}

/// Deletes an element.
pub async fn delete<E: CrudResource<H>, H: Parent>(
    call: CallContext,
    actor: Actor,
    parent: H,
    id: Id<IdKind<E, H>>,
) -> Result<HttpResponse> {
    service::delete::<E, H>(&call.db, actor, parent, id, call.conditions.precondition).await?;
    Ok(response::no_content())
}

fn localize<E: CrudResource<H>, H: Parent>(done: Committed<E>, lang: Lang) -> Committed<E> {
    Committed {
        resource: done.resource.localize(lang),
        created: done.created,
    }
}

//! The handlers of every room with elements, but for their documentation.

use actix_web::HttpResponse;

use super::{Element, Home, Stored, service};
use crate::{
    db::{Conn, Reach},
    http::{
        call::Call,
        params::ListQuery,
        reply::{self, List},
    },
    kernel::{Actor, Done, Result, change::EntityTag, ids::Id},
    texts::Lang,
};

type Mark<E, H> = <<E as Element<H>>::Row as Stored>::Mark;

/// A page of a list; whether the caller has it already is asked first.
pub async fn list<E: Element<H>, H: Home>(
    call: &Call,
    home: H,
    query: &ListQuery<E::Filter>,
) -> Result<HttpResponse> {
    let lang = call.lang;
    let worded = |tag: EntityTag| {
        if E::WORDED {
            tag.in_language(lang.edition())
        } else {
            tag
        }
    };
    let tag_now = async || home.tag_now(&call.db, &call.current).await.map(worded);
    let tag_in = async |conn: &mut Conn| home.standing(conn).await.map(|at| worded(H::tag(&at)));
    let read = async |conn: &mut Conn| {
        let page = service::list::<E, H>(conn, &home, &query.filter, &query.page).await?;
        Ok(List::from(page.map(|element| element.worded(lang))))
    };
    let response = reply::tag_first(
        call,
        Some(&call.pages),
        Reach::of(&query.page),
        tag_now,
        tag_in,
        read,
    )
    .await?;
    Ok(if E::WORDED {
        reply::in_language(response, lang.tag())
    } else {
        response
    })
}

/// One element.
pub async fn get<E: Element<H>, H: Home>(
    call: &Call,
    home: H,
    id: Id<Mark<E, H>>,
) -> Result<HttpResponse> {
    let element: E = service::get(&call.db, &home, id).await?;
    Ok(reply::resource(
        &element.worded(call.lang),
        &call.conditions,
    ))
}

/// Adds an element.
pub async fn create<E: Element<H>, H: Home>(
    call: &Call,
    actor: Actor,
    home: H,
    body: E::Create,
) -> Result<HttpResponse> {
    let done = service::create::<E, H>(&call.db, actor, home, body).await?;
    Ok(reply::posted(&call.request, &worded(done, call.lang)))
}

/// Changes an element.
pub async fn update<E: Element<H>, H: Home>(
    call: Call,
    actor: Actor,
    home: H,
    id: Id<Mark<E, H>>,
    body: E::Patch,
) -> Result<HttpResponse> {
    let done = service::update::<E, H>(
        &call.db,
        actor,
        home,
        id,
        body,
        call.conditions.precondition,
    )
    .await?;
    Ok(reply::patched(&worded(done, call.lang)))
}

/// Deletes an element.
pub async fn delete<E: Element<H>, H: Home>(
    call: Call,
    actor: Actor,
    home: H,
    id: Id<Mark<E, H>>,
) -> Result<HttpResponse> {
    service::delete::<E, H>(&call.db, actor, home, id, call.conditions.precondition).await?;
    Ok(reply::deleted())
}

fn worded<E: Element<H>, H: Home>(done: Done<E>, lang: Lang) -> Done<E> {
    Done {
        resource: done.resource.worded(lang),
        created: done.created,
    }
}

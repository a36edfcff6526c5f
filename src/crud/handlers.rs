//! Generic handlers of resources. Each resource's `routes` documents them and calls them.

use actix_web::HttpResponse;

use super::{CrudResource, CrudRow, Parent, service};
use crate::{
    common::{Actor, Draft, Result, etag::EntityTag, ids::Id, page::Page},
    db::{Conn, ReadCost},
    http::{
        cached_read::{EtagSource, RenderedBody, cached_rendered_read},
        call_context::CallContext,
        list_query::ListQuery,
        off_worker,
        response::{self, List},
    },
    i18n::Lang,
};

/// Largest page that is localized and serialized on the worker, in approximate bytes.
const MAX_RENDERED_ON_WORKER: usize = 64 * 1024;

type IdKind<R, P> = <<R as CrudResource<P>>::Row as CrudRow>::IdKind;

/// The ETag of the lists below a parent.
struct ListEtag<'a, P>(&'a P);

impl<P: Parent> EtagSource for ListEtag<'_, P> {
    async fn current(&self, call: &CallContext) -> Result<EntityTag> {
        self.0.current_etag(&call.db, &call.revisions).await
    }

    async fn in_snapshot(&self, conn: &mut Conn) -> Result<EntityTag> {
        Ok(P::etag(&self.0.load_state(conn).await?))
    }
}

/// Responds with a page of a list.
pub async fn list<R: CrudResource<P>, P: Parent>(
    call: &CallContext,
    parent: P,
    query: &ListQuery<R::Filter>,
) -> Result<HttpResponse> {
    let lang = call.lang;
    let cost = if R::LARGE {
        ReadCost::Scan
    } else {
        ReadCost::of(&query.page)
    };
    let read = async |conn: &mut Conn| {
        service::list::<R, P>(conn, &parent, &query.filter, &query.page).await
    };
    let render = async |page| render::<R, P>(page, lang).await;
    let item_lang = R::LOCALIZED.then_some(lang);
    cached_rendered_read(call, &ListEtag(&parent), item_lang, cost, read, render).await
}

/// Localizes and serializes a page: on the worker, unless the page is large.
async fn render<R: CrudResource<P>, P: Parent>(page: Page<R>, lang: Lang) -> Result<RenderedBody> {
    let bytes: usize = page.items.iter().map(R::approximate_bytes).sum();
    let render =
        move || RenderedBody::new(&List::from(page.map(|resource| resource.localize(lang))));
    if bytes > MAX_RENDERED_ON_WORKER {
        off_worker::run(render).await?
    } else {
        render()
    }
}

/// Responds with one resource.
pub async fn get<R: CrudResource<P>, P: Parent>(
    call: &CallContext,
    parent: P,
    id: Id<IdKind<R, P>>,
) -> Result<HttpResponse> {
    let resource: R = service::get(&call.db, &parent, id).await?;
    Ok(response::resource(
        &resource.localize(call.lang),
        &call.conditions,
    ))
}

/// Creates a resource.
pub async fn create<R: CrudResource<P>, P: Parent>(
    call: &CallContext,
    actor: Actor,
    parent: P,
    body: Draft<R::Create>,
) -> Result<HttpResponse> {
    let done = service::create::<R, P>(&call.db, actor, parent, body).await?;
    Ok(response::created(
        &call.request,
        &done.map(|resource| resource.localize(call.lang)),
    ))
}

/// Applies a merge patch to a resource.
pub async fn update<R: CrudResource<P>, P: Parent>(
    call: CallContext,
    actor: Actor,
    parent: P,
    id: Id<IdKind<R, P>>,
    body: Draft<R::Patch>,
) -> Result<HttpResponse> {
    let precondition = call.conditions.precondition;
    let done = service::update::<R, P>(&call.db, actor, parent, id, body, precondition).await?;
    Ok(response::updated(
        &done.map(|resource| resource.localize(call.lang)),
    ))
}

/// Deletes a resource.
pub async fn delete<R: CrudResource<P>, P: Parent>(
    call: CallContext,
    actor: Actor,
    parent: P,
    id: Id<IdKind<R, P>>,
) -> Result<HttpResponse> {
    let precondition = call.conditions.precondition;
    service::delete::<R, P>(&call.db, actor, parent, id, precondition).await?;
    Ok(response::no_content())
}

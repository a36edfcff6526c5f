//! Generic handlers of resources. Each resource's `routes` documents them and calls them.

use actix_web::HttpResponse;

use super::{CrudResource, CrudRow, Parent, service};
use crate::{
    common::{Actor, Committed, Draft, Result, etag::EntityTag, ids::Id},
    db::Conn,
    http::{
        cached_read::{EtagSource, cached_page},
        call_context::CallContext,
        list_query::ListQuery,
        response,
    },
    i18n::Lang,
};

type IdKind<R, P> = <<R as CrudResource<P>>::Row as CrudRow>::IdKind;

/// The ETag of the lists below a parent.
struct ListEtag<'a, P> {
    parent: &'a P,
    /// The language of the items, if they are localized.
    lang: Option<Lang>,
}

impl<P> ListEtag<'_, P> {
    fn localize(&self, etag: EntityTag) -> EntityTag {
        match self.lang {
            Some(lang) => etag.in_language(lang.content_hash()),
            None => etag,
        }
    }
}

impl<P: Parent> EtagSource for ListEtag<'_, P> {
    async fn current(&self, call: &CallContext) -> Result<EntityTag> {
        let etag = self.parent.current_etag(&call.db, &call.revisions).await?;
        Ok(self.localize(etag))
    }

    async fn in_snapshot(&self, conn: &mut Conn) -> Result<EntityTag> {
        let state = self.parent.load_state(conn).await?;
        Ok(self.localize(P::etag(&state)))
    }
}

/// Responds with a page of a list.
pub async fn list<R: CrudResource<P>, P: Parent>(
    call: &CallContext,
    parent: P,
    query: &ListQuery<R::Filter>,
) -> Result<HttpResponse> {
    let lang = call.lang;
    let etag = ListEtag {
        parent: &parent,
        lang: R::LOCALIZED.then_some(lang),
    };
    let response = cached_page(call, &etag, &query.page, async |conn| {
        let page = service::list::<R, P>(conn, &parent, &query.filter, &query.page).await?;
        Ok(page.map(|resource| resource.localize(lang)))
    })
    .await?;
    Ok(if R::LOCALIZED {
        response::in_language(response, lang.code())
    } else {
        response
    })
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
    Ok(response::created(&call.request, &localize(done, call.lang)))
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
    Ok(response::updated(&localize(done, call.lang)))
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

fn localize<R: CrudResource<P>, P: Parent>(done: Committed<R>, lang: Lang) -> Committed<R> {
    Committed {
        resource: done.resource.localize(lang),
        created: done.created,
    }
}

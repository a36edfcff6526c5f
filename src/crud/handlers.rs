//! Generic handlers of resources. Each resource's `routes` documents them and calls them.

use actix_web::HttpResponse;

use super::{CrudResource, CrudRow, Parent, service};
use crate::{
    common::{Actor, Committed, Result, change::EntityTag, ids::Id},
    db::Conn,
    http::{
        cached_read::{EtagSource, cached_page},
        call_context::CallContext,
        list_query::ListQuery,
        response,
    },
    i18n::Lang,
};

type IdKind<E, H> = <<E as CrudResource<H>>::Row as CrudRow>::IdKind;

/// The ETag of the lists below a parent.
struct ListEtag<'a, H> {
    parent: &'a H,
    /// The language of the items, if they are localized.
    lang: Option<Lang>,
}

impl<H> ListEtag<'_, H> {
    fn localize(&self, etag: EntityTag) -> EntityTag {
        match self.lang {
            Some(lang) => etag.in_language(lang.content_hash()),
            None => etag,
        }
    }
}

impl<H: Parent> EtagSource for ListEtag<'_, H> {
    async fn current(&self, call: &CallContext) -> Result<EntityTag> {
        let etag = self.parent.current_etag(&call.db, &call.revisions).await?;
        Ok(self.localize(etag))
    }

    async fn in_snapshot(&self, conn: &mut Conn) -> Result<EntityTag> {
        let state = self.parent.load_state(conn).await?;
        Ok(self.localize(H::etag(&state)))
    }
}

/// Responds with a page of a list.
pub async fn list<E: CrudResource<H>, H: Parent>(
    call: &CallContext,
    parent: H,
    query: &ListQuery<E::Filter>,
) -> Result<HttpResponse> {
    let lang = call.lang;
    let etag = ListEtag {
        parent: &parent,
        lang: E::LOCALIZED.then_some(lang),
    };
    let response = cached_page(call, &etag, &query.page, async |conn| {
        let page = service::list::<E, H>(conn, &parent, &query.filter, &query.page).await?;
        Ok(page.map(|resource| resource.localize(lang)))
    })
    .await?;
    Ok(if E::LOCALIZED {
        response::in_language(response, lang.code())
    } else {
        response
    })
}

/// Responds with one resource.
pub async fn get<E: CrudResource<H>, H: Parent>(
    call: &CallContext,
    parent: H,
    id: Id<IdKind<E, H>>,
) -> Result<HttpResponse> {
    let resource: E = service::get(&call.db, &parent, id).await?;
    Ok(response::resource(
        &resource.localize(call.lang),
        &call.conditions,
    ))
}

/// Creates a resource.
pub async fn create<E: CrudResource<H>, H: Parent>(
    call: &CallContext,
    actor: Actor,
    parent: H,
    body: E::Create,
) -> Result<HttpResponse> {
    let done = service::create::<E, H>(&call.db, actor, parent, body).await?;
    Ok(response::created(&call.request, &localize(done, call.lang)))
}

/// Applies a merge patch to a resource.
pub async fn update<E: CrudResource<H>, H: Parent>(
    call: CallContext,
    actor: Actor,
    parent: H,
    id: Id<IdKind<E, H>>,
    body: E::Patch,
) -> Result<HttpResponse> {
    let precondition = call.conditions.precondition;
    let done = service::update::<E, H>(&call.db, actor, parent, id, body, precondition).await?;
    Ok(response::updated(&localize(done, call.lang)))
}

/// Deletes a resource.
pub async fn delete<E: CrudResource<H>, H: Parent>(
    call: CallContext,
    actor: Actor,
    parent: H,
    id: Id<IdKind<E, H>>,
) -> Result<HttpResponse> {
    let precondition = call.conditions.precondition;
    service::delete::<E, H>(&call.db, actor, parent, id, precondition).await?;
    Ok(response::no_content())
}

fn localize<E: CrudResource<H>, H: Parent>(done: Committed<E>, lang: Lang) -> Committed<E> {
    Committed {
        resource: done.resource.localize(lang),
        created: done.created,
    }
}

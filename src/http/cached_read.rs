//! Reads whose ETag is cheaper than their body.
//!
//! A read takes three steps, and stops at the first that has the response:
//!
//! 1. Get the current ETag. If the client has it (`If-None-Match`), respond with 304.
//! 2. Look the body up in the page cache. It is valid if it was read under the current ETag.
//! 3. Read the body from the database, and add it to the page cache.
//!
//! An ETag that is newer than its body would make clients keep an outdated body. So step 3 gets
//! the ETag a second time after reading. If it changed, ETag and body are read again from one
//! snapshot.
//!
//! Lists over many partners have no such ETag. They are compared by the state of the database
//! ([`crate::db::database_state`]), see [`cached_list_of_many`].

use actix_web::{HttpResponse, web::Bytes};
use serde::Serialize;

use super::{
    call_context::CallContext,
    page_cache::{CachedPage, cache_key},
    response::{List, Representation, in_language, next_link, not_modified, page_json},
};
use crate::{
    common::{
        Error, Result,
        etag::EntityTag,
        ids::BusinessPartnerId,
        page::{Page, PageRequest},
    },
    db::{Conn, ReadCost, revision_lookup},
    i18n::Lang,
};

/// Provides the ETag of a read, without the language of a localized body.
pub trait EtagSource {
    /// The partner to which the caller's token is limited, if the body depends on it.
    fn limited_to(&self) -> Option<&BusinessPartnerId> {
        None
    }

    /// The current ETag, not older than this call.
    fn current(&self, call: &CallContext) -> impl Future<Output = Result<EntityTag>>;

    /// The ETag of the state that `conn` sees.
    fn in_snapshot(&self, conn: &mut Conn) -> impl Future<Output = Result<EntityTag>>;
}

/// The ETag of everything below a business partner's integration; "not found" if there is none.
pub struct PartnerEtag<'a>(pub &'a BusinessPartnerId);

impl EtagSource for PartnerEtag<'_> {
    async fn current(&self, call: &CallContext) -> Result<EntityTag> {
        call.revisions.etag(self.0).await
    }

    async fn in_snapshot(&self, conn: &mut Conn) -> Result<EntityTag> {
        revision_lookup::etag_in(conn, self.0).await
    }
}

/// Responds with a page of an indexed list: cheap to read, unless it is searched.
pub async fn cached_page<S: EtagSource, T: Serialize>(
    call: &CallContext,
    source: &S,
    page: &PageRequest,
    read: impl AsyncFn(&mut Conn) -> Result<Page<T>>,
) -> Result<HttpResponse> {
    let render = async |page: Page<T>| RenderedBody::new(&List::from(page));
    cached_rendered_read(call, source, None, ReadCost::of(page), read, render).await
}

/// Responds with anything else that is read from the database. `lang` is the language of the body,
/// if it is localized.
pub async fn cached_read<S: EtagSource, T: Representation>(
    call: &CallContext,
    source: &S,
    lang: Option<Lang>,
    read: impl AsyncFn(&mut Conn) -> Result<T>,
) -> Result<HttpResponse> {
    let render = async |body: T| RenderedBody::new(&body);
    cached_rendered_read(call, source, lang, ReadCost::Scan, read, render).await
}

/// As [`cached_read`], for bodies that may be large: `render` decides where they are serialized.
pub async fn cached_rendered_read<S: EtagSource, T>(
    call: &CallContext,
    source: &S,
    lang: Option<Lang>,
    cost: ReadCost,
    read: impl AsyncFn(&mut Conn) -> Result<T>,
    render: impl AsyncFnOnce(T) -> Result<RenderedBody>,
) -> Result<HttpResponse> {
    let response = respond(call, source, lang, cost, read, render).await?;
    Ok(localize_response(response, lang))
}

/// A serialized body.
pub struct RenderedBody {
    json: Bytes,
    next_cursor: Option<String>,
}

impl RenderedBody {
    /// Serializes a body.
    pub fn new(body: &impl Representation) -> Result<Self> {
        let json = serde_json::to_vec(body).map_err(anyhow::Error::from)?;
        Ok(Self {
            // without spare capacity, since it may be cached
            json: Bytes::from(json.into_boxed_slice()),
            next_cursor: body.next_cursor().map(ToOwned::to_owned),
        })
    }
}

async fn respond<S: EtagSource, T>(
    call: &CallContext,
    source: &S,
    lang: Option<Lang>,
    cost: ReadCost,
    read: impl AsyncFn(&mut Conn) -> Result<T>,
    render: impl AsyncFnOnce(T) -> Result<RenderedBody>,
) -> Result<HttpResponse> {
    let current = source.current(call).await?;
    let etag = localize_etag(current.clone(), lang);
    if call.conditions.matches_if_none_match(&etag) {
        return Ok(not_modified(&etag));
    }
    let cache_key = cache_key(&call.request, call.lang, source.limited_to());
    if let Some(page) = call.page_cache.get(&cache_key, &etag) {
        return Ok(page_json(page.json, &etag, page.next_link));
    }
    let (read_under, body) = read_with_etag(call, source, current, cost, read).await?;
    let etag = localize_etag(read_under, lang);
    let RenderedBody { json, next_cursor } = render(body).await?;
    let next_link = next_link(&call.request, next_cursor.as_deref());
    let page = CachedPage {
        etag: etag.clone(),
        state: None,
        json: json.clone(),
        next_link: next_link.clone(),
    };
    call.page_cache.insert(cache_key, page);
    Ok(page_json(json, &etag, next_link))
}

/// Responds with a page of a list over many partners. Its ETag is a hash of its content.
///
/// `limited_to` is the partner to which the caller's token is limited, if the list depends on it;
/// `lang` is the language of the items, if they are localized.
pub async fn cached_list_of_many<T: Serialize>(
    call: &CallContext,
    limited_to: Option<&BusinessPartnerId>,
    lang: Option<Lang>,
    read: impl AsyncFn(&mut Conn) -> Result<Page<T>>,
) -> Result<HttpResponse> {
    let cache_key = cache_key(&call.request, call.lang, limited_to);
    if call.page_cache.is_enabled() {
        let state = call.database_state.current().await?;
        if let Some(page) = call.page_cache.get_read_in(&cache_key, &state) {
            return Ok(localize_response(page_or_not_modified(call, page), lang));
        }
    }
    let (state, page) = call.database_state.read(read).await?;
    let RenderedBody { json, next_cursor } = RenderedBody::new(&List::from(page))?;
    let page = CachedPage {
        etag: localize_etag(EntityTag::hashed(&json), lang),
        state: Some(state),
        json,
        next_link: next_link(&call.request, next_cursor.as_deref()),
    };
    call.page_cache.insert(cache_key, page.clone());
    Ok(localize_response(page_or_not_modified(call, page), lang))
}

fn page_or_not_modified(call: &CallContext, page: CachedPage) -> HttpResponse {
    if call.conditions.matches_if_none_match(&page.etag) {
        not_modified(&page.etag)
    } else {
        page_json(page.json, &page.etag, page.next_link)
    }
}

fn localize_etag(etag: EntityTag, lang: Option<Lang>) -> EntityTag {
    match lang {
        Some(lang) => etag.in_language(lang.content_hash()),
        None => etag,
    }
}

fn localize_response(response: HttpResponse, lang: Option<Lang>) -> HttpResponse {
    match lang {
        Some(lang) => in_language(response, lang.code()),
        None => response,
    }
}

/// Reads a body and the ETag that belongs to it; `etag` was current before.
async fn read_with_etag<T>(
    call: &CallContext,
    source: &impl EtagSource,
    etag: EntityTag,
    cost: ReadCost,
    read: impl AsyncFn(&mut Conn) -> Result<T>,
) -> Result<(EntityTag, T)> {
    let result = call.db.read_with(cost, async |conn| read(conn).await).await;
    if let Err(Error::Unavailable(_) | Error::ConnectionLost(_)) = result {
        // The read has already waited and retried.
        return result.map(|body| (etag, body));
    }
    // Any other error may come from statements that saw different states.
    if source.current(call).await? == etag {
        return Ok((etag, result?));
    }
    call.db
        .snapshot(cost, async |conn| {
            Ok((source.in_snapshot(conn).await?, read(conn).await?))
        })
        .await
}

//! Successful answers, each form once.

use actix_web::{
    HttpRequest, HttpResponse, HttpResponseBuilder,
    http::header::{self, HeaderValue},
    web::Bytes,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    call_context::CallContext,
    conditional::Conditions,
    page_cache::{self, CachedPage, PageCache},
    request_context::route,
};
use crate::{
    common::{Committed, Error, Resource, Result, change::EntityTag, page::Page},
    db::{Conn, ReadCost},
    i18n::Lang,
};

/// For what is good for this moment only.
pub(super) const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// The type of JSON. Written out, since actix would copy the name for each answer.
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct List<T> {
    #[schema(max_items = 200)]
    pub items: Vec<T>,
    /// Pass it as `cursor` to get the next page; `null` on the last one.
    #[schema(max_length = 2000)]
    pub next_cursor: Option<String>,
}

impl<T> From<Page<T>> for List<T> {
    fn from(page: Page<T>) -> Self {
        Self {
            items: page.items,
            next_cursor: page.next_cursor,
        }
    }
}

/// 200 with a resource, or 304 when the caller has it already.
pub fn resource<T: Resource>(resource: &T, conditions: &Conditions) -> HttpResponse {
    let tag = resource.etag();
    let response = if conditions.matches_if_none_match(&tag) {
        not_modified(&tag)
    } else {
        with_etag(HttpResponse::Ok(), &tag).json(resource)
    };
    match resource.language() {
        Some(lang) => in_language(response, lang),
        None => response,
    }
}

/// Says that an answer holds words of a language, and that other callers get it in another.
pub fn in_language(mut response: HttpResponse, lang: &'static str) -> HttpResponse {
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(lang));
    headers.append(header::VARY, HeaderValue::from_static("accept-language"));
    response
}

/// 200 with a page of a list.
pub fn list<T: Serialize>(page: Page<T>, tag: &EntityTag) -> HttpResponse {
    with_etag(HttpResponse::Ok(), tag).json(List::from(page))
}

/// Answers a read whose tag is cheaper than its body. A caller that is up to date costs no more than the tag and gets 304, and so
/// does one whose page is kept in `pages`. Everybody else gets a body that was read while the tag stayed the same: with a tag newer
/// than its body, a caller would keep the old body for current. What changes meanwhile is read again, in one snapshot.
///
/// `tag_now` yields the tag of a moment that is not before its call, `tag_in` that of the state that a connection sees, `read`
/// makes the body.
pub async fn cached_read<T: Serialize>(
    call: &CallContext,
    pages: Option<&PageCache>,
    reach: ReadCost,
    tag_now: impl AsyncFn() -> Result<EntityTag>,
    tag_in: impl AsyncFn(&mut Conn) -> Result<EntityTag>,
    read: impl AsyncFn(&mut Conn) -> Result<T>,
) -> Result<HttpResponse> {
    let tag = tag_now().await?;
    if call.conditions.matches_if_none_match(&tag) {
        return Ok(not_modified(&tag));
    }
    let pages = pages.map(|pages| (pages, page_cache::cache_key(&call.request, call.lang)));
    if let Some(json) = pages
        .as_ref()
        .and_then(|(pages, address)| pages.get(address, &tag))
    {
        return Ok(etag_json(json, &tag));
    }
    let outcome = match call.db.look(reach, async |conn| read(conn).await).await {
        // it has been waited for long enough
        Err(error @ (Error::Unavailable(_) | Error::ConnectionLost(_))) => return Err(error),
        // may be of two states, also where it failed: the tag tells
        outcome => outcome,
    };
    let (tag, body) = if tag_now().await? == tag {
        (tag, outcome?)
    } else {
        call.db
            .snapshot(reach, async |conn| {
                Ok((tag_in(conn).await?, read(conn).await?))
            })
            .await?
    };
    // of its exact size, since it may be kept
    let json = Bytes::from(
        serde_json::to_vec(&body)
            .map_err(anyhow::Error::from)?
            .into_boxed_slice(),
    );
    if let Some((pages, address)) = pages {
        pages.insert(
            address,
            CachedPage {
                tag: tag.clone(),
                json: json.clone(),
            },
        );
    }
    Ok(etag_json(json, &tag))
}

/// 200 with an answer that is good for this moment only, in words of the caller's language.
pub fn no_store_json<T: Serialize>(body: &T, lang: Lang) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    response
        .insert_header((header::CONTENT_TYPE, JSON))
        .insert_header((header::CACHE_CONTROL, NO_STORE));
    in_language(response.json(body), lang.code())
}

/// 200 with JSON that has been written already.
pub fn etag_json(json: impl Into<Bytes>, tag: &EntityTag) -> HttpResponse {
    with_etag(HttpResponse::Ok(), tag)
        .insert_header((header::CONTENT_TYPE, JSON))
        .body(json.into())
}

/// 304: what bears this tag is what the caller has.
pub fn not_modified(tag: &EntityTag) -> HttpResponse {
    with_etag(HttpResponse::NotModified(), tag).finish()
}

/// After POST: 201 with the resource, and where it is.
pub fn created<T: Resource>(request: &HttpRequest, done: &Committed<T>) -> HttpResponse {
    let location = format!(
        "{}/{}",
        canonical_path(request),
        done.resource.resource_id()
    );
    write_resource(
        HttpResponse::Created().insert_header((header::LOCATION, location)),
        &done.resource,
    )
}

/// After PUT: 201 when it created, else 200.
pub fn put_result<T: Resource>(request: &HttpRequest, done: &Committed<T>) -> HttpResponse {
    if done.created {
        write_resource(
            HttpResponse::Created().insert_header((header::LOCATION, canonical_path(request))),
            &done.resource,
        )
    } else {
        write_resource(&mut HttpResponse::Ok(), &done.resource)
    }
}

/// After PATCH: 200.
pub fn updated<T: Resource>(done: &Committed<T>) -> HttpResponse {
    write_resource(&mut HttpResponse::Ok(), &done.resource)
}

/// After DELETE: 204.
pub fn no_content() -> HttpResponse {
    HttpResponse::NoContent().finish()
}

/// The path of a request as we write it, however the caller escaped it: ids consist of characters that need no escape
/// (RFC 3986 section 2.3), and the extractors have judged them.
fn canonical_path(request: &HttpRequest) -> String {
    let pattern = route(request).unwrap_or_default();
    request
        .match_info()
        .iter()
        .fold(pattern.to_string(), |path, (name, value)| {
            path.replace(&format!("{{{name}}}"), value)
        })
}

fn write_resource<T: Resource>(response: &mut HttpResponseBuilder, resource: &T) -> HttpResponse {
    let response = response
        .insert_header((header::ETAG, resource.etag().quoted()))
        .json(resource);
    match resource.language() {
        Some(lang) => in_language(response, lang),
        None => response,
    }
}

fn with_etag(mut response: HttpResponseBuilder, tag: &EntityTag) -> HttpResponseBuilder {
    response.insert_header((header::ETAG, tag.quoted()));
    response
}

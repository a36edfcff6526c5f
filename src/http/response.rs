//! Successful responses.

use actix_web::{
    HttpRequest, HttpResponse, HttpResponseBuilder,
    http::header::{self, HeaderValue},
    web::Bytes,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{call_context::CallContext, conditional::Conditions, request_context::route};
use crate::{
    common::{Committed, Resource, Result, etag::EntityTag, page::Page},
    i18n::Lang,
};

/// `Cache-Control` of responses that must not be cached.
pub(super) const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// A static header value, because actix would copy the media type for each response.
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// The body of a successful read.
pub trait Representation: Serialize {
    /// Cursor of the next page, if this is a page of a list.
    fn next_cursor(&self) -> Option<&str> {
        None
    }
}

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct List<T> {
    #[schema(max_items = 200)]
    pub items: Vec<T>,
    /// Cursor of the next page; `null` on the last page.
    #[schema(max_length = 2000)]
    pub next_cursor: Option<String>,
    /// Number of items of all pages; `null` without `count=true`.
    #[schema(minimum = 0)]
    pub total_count: Option<i64>,
}

impl<T: Serialize> Representation for List<T> {
    fn next_cursor(&self) -> Option<&str> {
        self.next_cursor.as_deref()
    }
}

impl<T> From<Page<T>> for List<T> {
    fn from(page: Page<T>) -> Self {
        Self {
            items: page.items,
            next_cursor: page.next_cursor,
            total_count: page.total,
        }
    }
}

/// 200 with a resource, or 304 if the client has it.
pub fn resource<T: Resource>(resource: &T, conditions: &Conditions) -> HttpResponse {
    let etag = resource.etag();
    let response = if conditions.matches_if_none_match(&etag) {
        not_modified(&etag)
    } else {
        with_etag(HttpResponse::Ok(), &etag).json(resource)
    };
    in_language_of(resource, response)
}

/// 200 with a page of a list, or 304 if the client has it. For lists whose ETag derives from
/// their items; see [`super::cached_read`] for all others.
pub fn list<T: Serialize>(page: Page<T>, etag: &EntityTag, call: &CallContext) -> HttpResponse {
    if call.conditions.matches_if_none_match(etag) {
        return not_modified(etag);
    }
    let mut response = with_etag(HttpResponse::Ok(), etag);
    if let Some(link) = next_link(&call.request, page.next_cursor.as_deref()) {
        response.insert_header((header::LINK, link));
    }
    response.json(List::from(page))
}

/// As [`list`], for lists that depend on many aggregates: the ETag is derived from the page. `lang`
/// is the language of the items, if they are localized.
pub fn list_of_many<T: Serialize>(
    page: Page<T>,
    lang: Option<Lang>,
    call: &CallContext,
) -> Result<HttpResponse> {
    let next_link = next_link(&call.request, page.next_cursor.as_deref());
    let json = serde_json::to_vec(&List::from(page)).map_err(anyhow::Error::from)?;
    let etag = EntityTag::hashed(&json);
    let etag = match lang {
        Some(lang) => etag.in_language(lang.content_hash()),
        None => etag,
    };
    let response = if call.conditions.matches_if_none_match(&etag) {
        not_modified(&etag)
    } else {
        page_json(json, &etag, next_link)
    };
    Ok(match lang {
        Some(lang) => in_language(response, lang.code()),
        None => response,
    })
}

/// The header `Link` to the next page (RFC 8288): the request with another cursor.
pub(super) fn next_link(request: &HttpRequest, next_cursor: Option<&str>) -> Option<HeaderValue> {
    let cursor = next_cursor?;
    let params = form_urlencoded::parse(request.query_string().as_bytes());
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(params.filter(|(name, _)| name != "cursor"))
        .append_pair("cursor", cursor)
        .finish();
    let link = format!("<{}?{query}>; rel=\"next\"", canonical_path(request));
    link.try_into().ok()
}

/// 200 with serialized JSON, or 304 if the client has it.
pub fn json(json: impl Into<Bytes>, etag: &EntityTag, conditions: &Conditions) -> HttpResponse {
    if conditions.matches_if_none_match(etag) {
        return not_modified(etag);
    }
    page_json(json, etag, None)
}

/// 200 with serialized JSON and, for a page of a list, the link to the next one.
pub(super) fn page_json(
    json: impl Into<Bytes>,
    etag: &EntityTag,
    next_link: Option<HeaderValue>,
) -> HttpResponse {
    let mut response = with_etag(HttpResponse::Ok(), etag);
    response.insert_header((header::CONTENT_TYPE, JSON));
    if let Some(link) = next_link {
        response.insert_header((header::LINK, link));
    }
    response.body(json.into())
}

/// 200 with a localized body that must not be cached.
pub fn no_store_json<T: Serialize>(body: &T, lang: Lang) -> HttpResponse {
    in_language(uncached().json(body), lang.code())
}

/// 200 with localized, serialized JSON that must not be cached.
pub fn no_store_bytes(json: Vec<u8>, lang: Lang) -> HttpResponse {
    in_language(uncached().body(json), lang.code())
}

fn uncached() -> HttpResponseBuilder {
    let mut response = HttpResponse::Ok();
    response
        .insert_header((header::CONTENT_TYPE, JSON))
        .insert_header((header::CACHE_CONTROL, NO_STORE));
    response
}

/// 304: the client's representation is current.
pub fn not_modified(etag: &EntityTag) -> HttpResponse {
    with_etag(HttpResponse::NotModified(), etag).finish()
}

/// 201 with the created resource and its location, after POST.
pub fn created<T: Resource>(request: &HttpRequest, done: &Committed<T>) -> HttpResponse {
    let list_path = canonical_path(request);
    let location = format!("{list_path}/{}", done.resource.resource_id());
    write_result(
        HttpResponse::Created().insert_header((header::LOCATION, location)),
        &done.resource,
    )
}

/// 201 if the resource was created, else 200, after PUT.
pub fn put_result<T: Resource>(request: &HttpRequest, done: &Committed<T>) -> HttpResponse {
    if done.created {
        let location = canonical_path(request);
        write_result(
            HttpResponse::Created().insert_header((header::LOCATION, location)),
            &done.resource,
        )
    } else {
        write_result(&mut HttpResponse::Ok(), &done.resource)
    }
}

/// 200 with the resource, after PATCH.
pub fn updated<T: Resource>(done: &Committed<T>) -> HttpResponse {
    write_result(&mut HttpResponse::Ok(), &done.resource)
}

/// 204, after DELETE.
pub fn no_content() -> HttpResponse {
    HttpResponse::NoContent().finish()
}

/// Marks a response as localized.
pub fn in_language(mut response: HttpResponse, lang: &'static str) -> HttpResponse {
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(lang));
    headers.append(header::VARY, HeaderValue::from_static("accept-language"));
    response
}

/// The path of a request without the client's percent-encoding. The extractors have validated
/// the ids, which consist of unreserved characters (RFC 3986 section 2.3).
fn canonical_path(request: &HttpRequest) -> String {
    let pattern = route(request).unwrap_or_default();
    request
        .match_info()
        .iter()
        .fold(pattern.to_string(), |path, (name, value)| {
            path.replace(&format!("{{{name}}}"), value)
        })
}

fn write_result<T: Resource>(response: &mut HttpResponseBuilder, resource: &T) -> HttpResponse {
    let response = response
        .insert_header((header::ETAG, resource.etag().quoted()))
        .json(resource);
    in_language_of(resource, response)
}

fn in_language_of<T: Resource>(resource: &T, response: HttpResponse) -> HttpResponse {
    match resource.language() {
        Some(lang) => in_language(response, lang),
        None => response,
    }
}

fn with_etag(mut response: HttpResponseBuilder, etag: &EntityTag) -> HttpResponseBuilder {
    response.insert_header((header::ETAG, etag.quoted()));
    response
}

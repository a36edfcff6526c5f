//! The routes of the history.

use actix_web::{HttpResponse, get};

use super::{
    dto::{HistoryEntry, HistoryListQuery, SystemHistoryListQuery},
    repo,
};
use crate::{
    common::{Result, etag::EntityTag, page::Page},
    db::ReadCost,
    http::{
        auth::{Authorized, AuthorizedPartner, scope::AuditRead},
        cached_read::{PartnerEtag, cached_read},
        call_context::CallContext,
        list_query::{ListQuery, ListSort, PageParams},
        response::{self, List},
    },
};

/// List the history of a customer integration
///
/// All changes of the integration and the resources below it, newest first by default: author,
/// time, request, a text, and the resource before and after the change. `GET /history` also lists
/// changes of the catalog and of global rules.
#[utoipa::path(
    tag = "history",
    params(PageParams, ListSort::<HistoryListQuery>, HistoryListQuery),
    responses((status = 200, description = "A page of changes.", body = List<HistoryEntry>)),
    security(("bearer" = ["audit:read"]))
)]
#[get("/history")]
pub async fn list_history(
    auth: AuthorizedPartner<AuditRead>,
    query: ListQuery<HistoryListQuery>,
    call: CallContext,
) -> Result<HttpResponse> {
    let lang = call.lang;
    let etag = PartnerEtag(&auth.partner).in_language(lang);
    let response = cached_read(&call, &etag, async |conn| {
        let rows = repo::list(conn, &auth.partner, &query.filter, &query.page).await?;
        let page = Page::new(rows, &query.page).map(|row| row.into_entry(lang));
        Ok(List::from(page))
    })
    .await?;
    Ok(response::in_language(response, lang.code()))
}

/// List the history of the whole system
///
/// All changes of customer integrations, the catalog and global rules, newest first by default. Not
/// available to tokens restricted to one partner.
#[utoipa::path(
    tag = "history",
    params(PageParams, ListSort::<SystemHistoryListQuery>, SystemHistoryListQuery),
    responses((status = 200, description = "A page of changes.", body = List<HistoryEntry>)),
    security(("bearer" = ["audit:read"])),
    extensions(("x-problem-codes" = json!(["partner_restricted"])))
)]
#[get("/history")]
pub async fn list_system_history(
    auth: Authorized<AuditRead>,
    query: ListQuery<SystemHistoryListQuery>,
    call: CallContext,
) -> Result<HttpResponse> {
    auth.require_unrestricted()?;
    let rows = call
        .db
        .read_with(ReadCost::Scan, async |conn| {
            repo::list_system(conn, &query.filter, &query.page).await
        })
        .await?;
    let lang = call.lang;
    let page = Page::new(rows, &query.page).map(|row| row.into_entry(lang));
    // Entries never change.
    let ids: Vec<_> = page.items.iter().map(|entry| entry.id).collect();
    let etag = EntityTag::hashed((ids, &page.next_cursor)).in_language(lang.content_hash());
    let response = response::list(page, &etag, &call);
    Ok(response::in_language(response, lang.code()))
}

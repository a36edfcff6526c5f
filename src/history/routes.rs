//! The routes of the history.

use actix_web::{HttpResponse, get};

use super::{
    dto::{HistoryEntry, HistoryListQuery, SystemHistoryListQuery},
    repo,
};
use crate::{
    common::{Result, page::Page},
    http::{
        auth::{
            Authorized, AuthorizedPartner,
            permission::{HistoryRead, SystemHistoryRead},
        },
        cached_read::{PartnerEtag, cached_list_of_many, cached_read},
        call_context::CallContext,
        list_query::{ListQuery, ListSort, PageParams},
        response::List,
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
    auth: AuthorizedPartner<HistoryRead>,
    query: ListQuery<HistoryListQuery>,
    call: CallContext,
) -> Result<HttpResponse> {
    let lang = call.lang;
    cached_read(
        &call,
        &PartnerEtag(&auth.partner),
        Some(lang),
        async |conn| {
            let rows = repo::list(conn, &auth.partner, &query.filter, &query.page).await?;
            let page = Page::new(rows, &query.page).map(|row| row.into_entry(lang));
            Ok(List::from(page))
        },
    )
    .await
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
    _auth: Authorized<SystemHistoryRead>,
    query: ListQuery<SystemHistoryListQuery>,
    call: CallContext,
) -> Result<HttpResponse> {
    let lang = call.lang;
    cached_list_of_many(&call, None, Some(lang), async |conn| {
        let rows = repo::list_system(conn, &query.filter, &query.page).await?;
        Ok(Page::new(rows, &query.page).map(|row| row.into_entry(lang)))
    })
    .await
}

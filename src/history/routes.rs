//! The route of the history.

use actix_web::{HttpResponse, get};

use super::{
    dto::{HistoryEntry, HistoryListQuery},
    repo,
};
use crate::{
    common::{Result, page::Page},
    http::{
        auth::{AuthorizedPartner, scope::AuditRead},
        cached_read::{PartnerEtag, cached_read},
        call_context::CallContext,
        list_query::{ListQuery, PageParams},
        response::List,
    },
};

/// List the history of a customer integration
///
/// All changes of the integration and the resources below it, newest first by default: author,
/// time, request, and the resource before and after the change. Changes of the catalog and of
/// global rules are not included.
#[utoipa::path(
    tag = "history",
    params(PageParams, HistoryListQuery),
    responses((status = 200, description = "A page of changes.", body = List<HistoryEntry>)),
    security(("bearer" = ["audit:read"]))
)]
#[get("/history")]
pub async fn list_history(
    auth: AuthorizedPartner<AuditRead>,
    query: ListQuery<HistoryListQuery>,
    call: CallContext,
) -> Result<HttpResponse> {
    cached_read(&call, &PartnerEtag(&auth.partner), async |conn| {
        let rows = repo::list(conn, &auth.partner, &query.filter, &query.page).await?;
        let page = Page::new(rows, &query.page).map(HistoryEntry::from);
        Ok(List::from(page))
    })
    .await
}

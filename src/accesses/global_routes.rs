//! The route of the accesses of all business partners.

use actix_web::{HttpResponse, get};

use super::{Access, dto::AllAccessListQuery, service};
use crate::{
    common::Result,
    db::ReadCost,
    http::{
        auth::{Authorized, scope::IntegrationRead},
        call_context::CallContext,
        list_query::{ListQuery, ListSort, PageParams, SelectionParams},
        response::{self, List},
    },
};

/// List the accesses of all business partners
///
/// Finds a person by name, e-mail address or contact. A token restricted to one partner returns only
/// that partner's accesses. Sorted by last name by default.
#[utoipa::path(
    tag = "accesses",
    params(PageParams, ListSort::<AllAccessListQuery>, SelectionParams, AllAccessListQuery),
    responses((status = 200, description = "A page of accesses.", body = List<Access>)),
    security(("bearer" = ["integration:read"]))
)]
#[get("/accesses")]
pub async fn list_all_accesses(
    auth: Authorized<IntegrationRead>,
    query: ListQuery<AllAccessListQuery>,
    call: CallContext,
) -> Result<HttpResponse> {
    // a search may scan all accesses
    let page = call
        .db
        .snapshot(ReadCost::Scan, async |conn| {
            service::list_all(conn, auth.limited_to(), &query.filter, &query.page).await
        })
        .await?;
    let lang = call.lang;
    let page = page.map(|access| access.localize(lang));
    response::list_of_many(page, Some(lang), &call)
}

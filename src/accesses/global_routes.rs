//! The route of the accesses of all business partners.

use actix_web::{HttpResponse, get};

use super::{Access, dto::AllAccessListQuery, service};
use crate::{
    common::Result,
    http::{
        auth::{Authorized, permission::IntegrationRead},
        cached_read::cached_list_of_many,
        call_context::CallContext,
        list_query::{ListQuery, ListSort, PageParams, SelectionParams},
        response::List,
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
    let limited_to = auth.limited_to();
    let lang = call.lang;
    cached_list_of_many(&call, limited_to, Some(lang), async |conn| {
        let page = service::list_all(conn, limited_to, &query.filter, &query.page).await?;
        Ok(page.map(|access| access.localize(lang)))
    })
    .await
}

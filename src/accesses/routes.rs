//! Routes of the sub-tab "Kundenzugänge".

use actix_web::{HttpRequest, HttpResponse, get, patch, post, web::Data};

use super::{
    Access, AccessId,
    dto::{AccessCreate, AccessListQuery, AccessPatch},
    service,
};
use crate::{
    db::Db,
    http::{
        auth::{
            InPartner,
            scope::{IntegrationRead, IntegrationWrite},
        },
        body::Body,
        conditions::Conditions,
        params::{InPath, ListQuery, PageParams},
        reply::{self, List},
    },
    integration,
    kernel::Result,
};

/// List accesses
///
/// The external logins of the partner's people, sorted by last name.
#[utoipa::path(
    tag = "accesses",
    params(PageParams, AccessListQuery),
    responses((status = 200, description = "A page of accesses.", body = List<Access>)),
    security(("bearer" = ["integration:read"]))
)]
#[get("/customer-integrations/{business_partner_id}/accesses")]
pub async fn list_accesses(
    at: InPartner<IntegrationRead>,
    query: ListQuery<AccessListQuery>,
    conditions: Conditions,
    db: Data<Db>,
) -> Result<HttpResponse> {
    integration::routes::below(&db, &at.partner, &conditions, async |conn, standing| {
        service::list(conn, standing, &query.filter, &query.page).await
    })
    .await
}

/// Add an access
///
/// An active access needs an area and a ticket type to be granted first; an approver needs the role editor or dispatcher.
/// The e-mail address is the login and exists once over all partners. A partner may have 20,000 accesses.
#[utoipa::path(
    tag = "accesses",
    request_body = AccessCreate,
    responses((status = 201, description = "Added.", body = Access)),
    security(("bearer" = ["integration:write"])),
    extensions(("x-problem-codes" = json!([
        "integration_inactive", "integration_incomplete", "duplicate_email", "duplicate_contact", "limit_reached", "approver_role"
    ])))
)]
#[post("/customer-integrations/{business_partner_id}/accesses")]
pub async fn create_access(
    at: InPartner<IntegrationWrite>,
    body: Body<AccessCreate>,
    request: HttpRequest,
    db: Data<Db>,
) -> Result<HttpResponse> {
    let done = service::create(&db, at.actor, at.partner, body.0).await?;
    Ok(reply::posted(&request, &done))
}

/// Get an access
///
/// Says also whether the access is effective, and if not, why.
#[utoipa::path(
    tag = "accesses",
    responses((status = 200, description = "The access.", body = Access)),
    security(("bearer" = ["integration:read"]))
)]
#[get("/customer-integrations/{business_partner_id}/accesses/{access_id}")]
pub async fn get_access(
    at: InPartner<IntegrationRead>,
    id: InPath<AccessId>,
    conditions: Conditions,
    db: Data<Db>,
) -> Result<HttpResponse> {
    Ok(reply::resource(&service::get(&db, &at.partner, id.0).await?, &conditions))
}

/// Change, deactivate or reactivate an access
///
/// A merge patch: absent members are kept, `null` clears. Accesses are never deleted; deactivation keeps everything.
/// Activation needs an area and a ticket type to be granted. The role of an approver is judged on the merged result.
#[utoipa::path(
    tag = "accesses",
    request_body = AccessPatch,
    responses((status = 200, description = "The access as it is now.", body = Access)),
    security(("bearer" = ["integration:write"])),
    extensions(("x-problem-codes" = json!([
        "integration_inactive", "integration_incomplete", "duplicate_email", "duplicate_contact", "approver_role"
    ])))
)]
#[patch("/customer-integrations/{business_partner_id}/accesses/{access_id}")]
pub async fn update_access(
    at: InPartner<IntegrationWrite>,
    id: InPath<AccessId>,
    conditions: Conditions,
    body: Body<AccessPatch>,
    db: Data<Db>,
) -> Result<HttpResponse> {
    let done = service::update(&db, at.actor, at.partner, id.0, body.0, conditions.precondition).await?;
    Ok(reply::patched(&done))
}

//! Routes of the sub-tab "Kundenzugänge".

use actix_web::{HttpResponse, get, patch, post};

use super::{
    Access, AccessId,
    dto::{AccessCreate, AccessListQuery, AccessPatch},
};
use crate::{
    elements::routes,
    http::{
        auth::{
            InPartner,
            scope::{IntegrationRead, IntegrationWrite},
        },
        body::Body,
        call::Call,
        params::{InPath, ListQuery, NameParams, PageParams},
        reply::List,
    },
    integration::Configuration,
    kernel::Result,
};

/// List accesses
///
/// The external logins of the partner's people, sorted by last name.
#[utoipa::path(
    tag = "accesses",
    params(PageParams, NameParams, AccessListQuery),
    responses((status = 200, description = "A page of accesses.", body = List<Access>)),
    security(("bearer" = ["integration:read"]))
)]
#[get("")]
pub async fn list_accesses(
    at: InPartner<IntegrationRead>,
    query: ListQuery<AccessListQuery>,
    call: Call,
) -> Result<HttpResponse> {
    routes::list::<Access, _>(&call, Configuration(at.partner), &query).await
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
#[post("")]
pub async fn create_access(
    at: InPartner<IntegrationWrite>,
    body: Body<AccessCreate>,
    call: Call,
) -> Result<HttpResponse> {
    routes::create::<Access, _>(&call, at.actor(), Configuration(at.partner), body.0).await
}

/// Get an access
///
/// Says also whether the access is effective, and if not, why.
#[utoipa::path(
    tag = "accesses",
    responses((status = 200, description = "The access.", body = Access)),
    security(("bearer" = ["integration:read"]))
)]
#[get("/{access_id}")]
pub async fn get_access(
    at: InPartner<IntegrationRead>,
    id: InPath<AccessId>,
    call: Call,
) -> Result<HttpResponse> {
    routes::get::<Access, _>(&call, Configuration(at.partner), id.0).await
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
#[patch("/{access_id}")]
pub async fn update_access(
    at: InPartner<IntegrationWrite>,
    id: InPath<AccessId>,
    body: Body<AccessPatch>,
    call: Call,
) -> Result<HttpResponse> {
    routes::update::<Access, _>(call, at.actor(), Configuration(at.partner), id.0, body.0).await
}

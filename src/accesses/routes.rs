//! Routes of the sub-tab "Kundenzugänge".

use actix_web::{HttpResponse, get, patch, post};

use super::{
    Access,
    dto::{AccessCreate, AccessListQuery, AccessPatch},
};
use crate::{
    common::{Result, ids::AccessId},
    crud::handlers,
    http::{
        auth::{
            AuthorizedPartner,
            scope::{IntegrationRead, IntegrationWrite},
        },
        body::Body,
        call_context::CallContext,
        list_query::{ListQuery, NameParams, PageParams},
        path_params::PathParam,
        response::List,
    },
    integration::ConfigurationLock,
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
    at: AuthorizedPartner<IntegrationRead>,
    query: ListQuery<AccessListQuery>,
    call: CallContext,
) -> Result<HttpResponse> {
    handlers::list::<Access, _>(&call, ConfigurationLock(at.partner), &query).await
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
    at: AuthorizedPartner<IntegrationWrite>,
    body: Body<AccessCreate>,
    call: CallContext,
) -> Result<HttpResponse> {
    handlers::create::<Access, _>(&call, at.actor(), ConfigurationLock(at.partner), body.0).await
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
    at: AuthorizedPartner<IntegrationRead>,
    id: PathParam<AccessId>,
    call: CallContext,
) -> Result<HttpResponse> {
    handlers::get::<Access, _>(&call, ConfigurationLock(at.partner), id.0).await
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
    at: AuthorizedPartner<IntegrationWrite>,
    id: PathParam<AccessId>,
    body: Body<AccessPatch>,
    call: CallContext,
) -> Result<HttpResponse> {
    handlers::update::<Access, _>(
        call,
        at.actor(),
        ConfigurationLock(at.partner),
        id.0,
        body.0,
    )
    .await
}

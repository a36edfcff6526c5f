//! Routes of the sub-tab "Kundenzugänge".

use actix_web::{HttpResponse, get, patch, post};

use super::{
    Access,
    dto::{AccessCreate, AccessListQuery, AccessPatch},
    service,
};
use crate::{
    common::{Result, ids::AccessId},
    crud::handlers,
    http::{
        auth::{
            AuthorizedPartner,
            permission::{IntegrationRead, IntegrationWrite},
        },
        body::Body,
        call_context::CallContext,
        list_query::{ListQuery, ListSort, PageParams, SelectionParams},
        path_params::PathParam,
        response::List,
    },
    integration::ConfigurationLock,
};

/// List accesses
///
/// Accesses are the logins of the partner's contacts. Sorted by last name by default.
#[utoipa::path(
    tag = "accesses",
    params(PageParams, ListSort::<AccessListQuery>, SelectionParams, AccessListQuery),
    responses((status = 200, description = "A page of accesses.", body = List<Access>)),
    security(("bearer" = ["integration:read"]))
)]
#[get("")]
pub async fn list_accesses(
    auth: AuthorizedPartner<IntegrationRead>,
    query: ListQuery<AccessListQuery>,
    call: CallContext,
) -> Result<HttpResponse> {
    handlers::list::<Access, _>(&call, ConfigurationLock(auth.partner), &query).await
}

/// Create an access
///
/// An active access requires at least one granted area and one granted ticket type. An approver
/// must have the role `editor` or `dispatcher`. The e-mail address is the login and must be unique
/// across all partners. A partner can have up to 20,000 accesses.
#[utoipa::path(
    tag = "accesses",
    request_body = AccessCreate,
    responses((status = 201, description = "The new access.", body = Access)),
    security(("bearer" = ["integration:write"])),
    extensions(("x-problem-codes" = json!([
        "integration_inactive", "integration_incomplete", "duplicate_email", "duplicate_contact",
        "limit_reached", "approver_role"
    ])))
)]
#[post("")]
pub async fn create_access(
    auth: AuthorizedPartner<IntegrationWrite>,
    body: Body<AccessCreate>,
    call: CallContext,
) -> Result<HttpResponse> {
    let email = body.0.body().email.clone();
    let parent = ConfigurationLock(auth.partner.clone());
    let created = handlers::create::<Access, _>(&call, auth.actor(), parent, body.0).await;
    service::with_duplicate(created, &call.db, Some(email), |partner| {
        auth.can_read(partner)
    })
    .await
}

/// Get an access
///
/// Includes whether the access is effective and, if not, the reasons.
#[utoipa::path(
    tag = "accesses",
    responses((status = 200, description = "The access.", body = Access)),
    security(("bearer" = ["integration:read"]))
)]
#[get("/{access_id}")]
pub async fn get_access(
    auth: AuthorizedPartner<IntegrationRead>,
    id: PathParam<AccessId>,
    call: CallContext,
) -> Result<HttpResponse> {
    handlers::get::<Access, _>(&call, ConfigurationLock(auth.partner), id.0).await
}

/// Update an access
///
/// JSON merge patch: absent members are unchanged, `null` clears a member. Accesses are never
/// deleted, only deactivated, and can be reactivated. Activation requires at least one granted area
/// and one granted ticket type. The approver's role is validated after the patch is applied.
#[utoipa::path(
    tag = "accesses",
    request_body = AccessPatch,
    responses((status = 200, description = "The updated access.", body = Access)),
    security(("bearer" = ["integration:write"])),
    extensions(("x-problem-codes" = json!([
        "integration_inactive", "integration_incomplete", "duplicate_email", "duplicate_contact",
        "approver_role"
    ])))
)]
#[patch("/{access_id}")]
pub async fn update_access(
    auth: AuthorizedPartner<IntegrationWrite>,
    id: PathParam<AccessId>,
    body: Body<AccessPatch>,
    call: CallContext,
) -> Result<HttpResponse> {
    let db = call.db.clone();
    let email = body.0.body().email.clone();
    let parent = ConfigurationLock(auth.partner.clone());
    let updated = handlers::update::<Access, _>(call, auth.actor(), parent, id.0, body.0).await;
    service::with_duplicate(updated, &db, email, |partner| auth.can_read(partner)).await
}

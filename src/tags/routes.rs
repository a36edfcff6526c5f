//! Routes of the sub-tab "Tags".

use actix_web::{HttpResponse, delete, get, patch, post};

use super::{
    Tag, TagId,
    dto::{TagCreate, TagListQuery, TagPatch},
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

/// List tags
///
/// Those of the partner, internal ones included: accesses are offered the others only.
#[utoipa::path(
    tag = "tags",
    params(PageParams, NameParams, TagListQuery),
    responses((status = 200, description = "A page of tags.", body = List<Tag>)),
    security(("bearer" = ["integration:read"]))
)]
#[get("")]
pub async fn list_tags(
    at: InPartner<IntegrationRead>,
    query: ListQuery<TagListQuery>,
    call: Call,
) -> Result<HttpResponse> {
    routes::list::<Tag, _>(&call, Configuration(at.partner), &query).await
}

/// Add a tag
///
/// For tickets in all areas, or in one that is granted. A name exists once per area, whatever its case. A partner may have
/// 20,000 tags.
#[utoipa::path(
    tag = "tags",
    request_body = TagCreate,
    responses((status = 201, description = "Added.", body = Tag)),
    security(("bearer" = ["integration:write"])),
    extensions(("x-problem-codes" = json!(["integration_inactive", "area_not_granted", "duplicate_name", "limit_reached"])))
)]
#[post("")]
pub async fn create_tag(
    at: InPartner<IntegrationWrite>,
    body: Body<TagCreate>,
    call: Call,
) -> Result<HttpResponse> {
    routes::create::<Tag, _>(&call, at.actor(), Configuration(at.partner), body.0).await
}

/// Get a tag
///
/// Says also whether its area is available.
#[utoipa::path(
    tag = "tags",
    responses((status = 200, description = "The tag.", body = Tag)),
    security(("bearer" = ["integration:read"]))
)]
#[get("/{tag_id}")]
pub async fn get_tag(
    at: InPartner<IntegrationRead>,
    id: InPath<TagId>,
    call: Call,
) -> Result<HttpResponse> {
    routes::get::<Tag, _>(&call, Configuration(at.partner), id.0).await
}

/// Change a tag
///
/// A merge patch: absent members are kept, `null` clears.
#[utoipa::path(
    tag = "tags",
    request_body = TagPatch,
    responses((status = 200, description = "The tag as it is now.", body = Tag)),
    security(("bearer" = ["integration:write"])),
    extensions(("x-problem-codes" = json!(["integration_inactive", "area_not_granted", "duplicate_name"])))
)]
#[patch("/{tag_id}")]
pub async fn update_tag(
    at: InPartner<IntegrationWrite>,
    id: InPath<TagId>,
    body: Body<TagPatch>,
    call: Call,
) -> Result<HttpResponse> {
    routes::update::<Tag, _>(call, at.actor(), Configuration(at.partner), id.0, body.0).await
}

/// Delete a tag
///
/// Tickets that bear it keep it; it is not offered any more.
#[utoipa::path(
    tag = "tags",
    responses((status = 204, description = "Deleted.")),
    security(("bearer" = ["integration:write"])),
    extensions(("x-problem-codes" = json!(["integration_inactive"])))
)]
#[delete("/{tag_id}")]
pub async fn delete_tag(
    at: InPartner<IntegrationWrite>,
    id: InPath<TagId>,
    call: Call,
) -> Result<HttpResponse> {
    routes::delete::<Tag, _>(call, at.actor(), Configuration(at.partner), id.0).await
}

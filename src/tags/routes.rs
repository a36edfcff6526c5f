//! Routes of the sub-tab "Tags".

use actix_web::{HttpResponse, delete, get, patch, post};

use super::{
    Tag,
    dto::{TagCreate, TagListQuery, TagPatch, TagWriteQuery},
    service::PartnerTags,
};
use crate::{
    common::{Result, ids::TagId},
    crud::handlers,
    http::{
        auth::{
            AuthorizedPartner,
            permission::{IntegrationRead, IntegrationWrite},
        },
        body::Body,
        call_context::CallContext,
        list_query::{ListQuery, ListSort, PageParams, QueryParams, SelectionParams},
        path_params::PathParam,
        response::List,
    },
};

/// List tags
///
/// All tags of the partner, including internal ones, which are not offered to accesses.
#[utoipa::path(
    tag = "tags",
    params(PageParams, ListSort::<TagListQuery>, SelectionParams, TagListQuery),
    responses((status = 200, description = "A page of tags.", body = List<Tag>)),
    security(("bearer" = ["integration:read"]))
)]
#[get("")]
pub async fn list_tags(
    auth: AuthorizedPartner<IntegrationRead>,
    query: ListQuery<TagListQuery>,
    call: CallContext,
) -> Result<HttpResponse> {
    handlers::list::<Tag, _>(&call, PartnerTags::new(auth.partner), &query).await
}

/// Create a tag
///
/// A tag applies to tickets in all areas or in one granted area. Its name must be unique within the
/// area, ignoring case. A partner can have up to 20,000 tags.
#[utoipa::path(
    tag = "tags",
    request_body = TagCreate,
    responses((status = 201, description = "The new tag.", body = Tag)),
    security(("bearer" = ["integration:write"])),
    extensions(("x-problem-codes" = json!([
        "integration_inactive", "area_not_granted", "duplicate_name", "limit_reached"
    ])))
)]
#[post("")]
pub async fn create_tag(
    auth: AuthorizedPartner<IntegrationWrite>,
    body: Body<TagCreate>,
    call: CallContext,
) -> Result<HttpResponse> {
    handlers::create::<Tag, _>(&call, auth.actor(), PartnerTags::new(auth.partner), body.0).await
}

/// Get a tag
///
/// Includes whether the area of the tag is available.
#[utoipa::path(
    tag = "tags",
    responses((status = 200, description = "The tag.", body = Tag)),
    security(("bearer" = ["integration:read"]))
)]
#[get("/{tag_id}")]
pub async fn get_tag(
    auth: AuthorizedPartner<IntegrationRead>,
    id: PathParam<TagId>,
    call: CallContext,
) -> Result<HttpResponse> {
    handlers::get::<Tag, _>(&call, PartnerTags::new(auth.partner), id.0).await
}

/// Update a tag
///
/// JSON merge patch: absent members are unchanged, `null` clears a member. Exclusion rules name tags
/// by text, so a tag that an active rule of the partner names cannot be renamed, unless
/// `references=keep`.
#[utoipa::path(
    tag = "tags",
    params(TagWriteQuery),
    request_body = TagPatch,
    responses((status = 200, description = "The updated tag.", body = Tag)),
    security(("bearer" = ["integration:write"])),
    extensions(("x-problem-codes" = json!([
        "integration_inactive", "tag_in_use", "area_not_granted", "duplicate_name"
    ])))
)]
#[patch("/{tag_id}")]
pub async fn update_tag(
    auth: AuthorizedPartner<IntegrationWrite>,
    id: PathParam<TagId>,
    params: QueryParams<TagWriteQuery>,
    body: Body<TagPatch>,
    call: CallContext,
) -> Result<HttpResponse> {
    handlers::update::<Tag, _>(
        call,
        auth.actor(),
        PartnerTags::new(auth.partner).with(&params.0),
        id.0,
        body.0,
    )
    .await
}

/// Delete a tag
///
/// Tickets that have the tag are unchanged; it is no longer offered. A tag that an active exclusion
/// rule of the partner names cannot be deleted, unless `references=keep`.
#[utoipa::path(
    tag = "tags",
    params(TagWriteQuery),
    responses((status = 204, description = "Deleted.")),
    security(("bearer" = ["integration:write"])),
    extensions(("x-problem-codes" = json!(["integration_inactive", "tag_in_use"])))
)]
#[delete("/{tag_id}")]
pub async fn delete_tag(
    auth: AuthorizedPartner<IntegrationWrite>,
    id: PathParam<TagId>,
    params: QueryParams<TagWriteQuery>,
    call: CallContext,
) -> Result<HttpResponse> {
    handlers::delete::<Tag, _>(
        call,
        auth.actor(),
        PartnerTags::new(auth.partner).with(&params.0),
        id.0,
    )
    .await
}

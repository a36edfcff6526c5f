//! JSON of the tags.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use crate::{
    common::{
        Audit, Resource,
        comma_separated::CommaSeparated,
        etag::EntityTag,
        ids::{AreaId, BusinessPartnerId, TagId},
        merge_patch,
        text::{Text, check},
    },
    http::list_query::ListFilter,
};

/// A label that accesses can assign to tickets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e64", "business_partner_id": "K-1001", "name": "VPN",
    "description": "Fernzugriff der Außenstellen", "area_id": "netz", "internal_only": false,
    "available": true, "version": 1, "created_at": "2026-11-23T08:00:00.000000Z",
    "updated_at": "2026-11-23T08:00:00.000000Z",
    "created_by": "anna.admin", "created_by_name": "Anna Admin",
    "updated_by": "anna.admin", "updated_by_name": "Anna Admin"
}))]
pub struct Tag {
    #[schema(inline)]
    pub id: TagId,
    #[schema(inline)]
    pub business_partner_id: BusinessPartnerId,
    #[schema(max_length = 100)]
    pub name: String,
    #[schema(max_length = 1000)]
    pub description: Option<String>,
    /// The granted area to which the tag is limited; `null`: all areas.
    #[schema(inline)]
    pub area_id: Option<AreaId>,
    /// Whether the tag is hidden from accesses.
    pub internal_only: bool,
    /// False if the ERP has retired its area. The tag is then not offered.
    pub available: bool,
    #[serde(flatten)]
    pub audit: Audit,
}

impl Resource for Tag {
    const KIND: &'static str = "tag";

    fn resource_id(&self) -> String {
        self.id.to_string()
    }

    fn etag(&self) -> EntityTag {
        EntityTag::derived(self.audit.version, u8::from(self.available))
    }

    fn audit(&self) -> Option<&Audit> {
        Some(&self.audit)
    }
}

/// A new tag.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "name": "WLAN", "description": "Funknetz der Standorte", "area_id": "netz"
}))]
pub struct TagCreate {
    /// Unique within its area, or among the tags of all areas; case is ignored.
    #[serde(default)]
    #[schema(inline, required)]
    #[validate(custom(function = check))]
    pub name: Text<1, 100>,
    #[serde(default)]
    #[schema(inline)]
    #[validate(custom(function = check))]
    pub description: Option<Text<0, 1000>>,
    /// A granted area; absent or `null`: all areas.
    #[serde(default)]
    #[schema(inline)]
    #[validate(custom(function = check))]
    pub area_id: Option<AreaId>,
    /// Whether the tag is hidden from accesses. Default: false.
    #[serde(default)]
    pub internal_only: bool,
}

/// Changes to a tag (JSON merge patch): absent members are unchanged, `null` clears a member.
#[derive(Debug, Clone, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"internal_only": true}))]
pub struct TagPatch {
    #[serde(default, deserialize_with = "merge_patch::present")]
    #[schema(inline, nullable = false)]
    #[validate(custom(function = check))]
    pub name: Option<Text<1, 100>>,
    #[serde(default, deserialize_with = "merge_patch::present")]
    #[schema(inline)]
    #[validate(custom(function = check))]
    pub description: Option<Option<Text<0, 1000>>>,
    /// `null`: all areas.
    #[serde(default, deserialize_with = "merge_patch::present")]
    #[schema(inline)]
    #[validate(custom(function = check))]
    pub area_id: Option<Option<AreaId>>,
    #[serde(default, deserialize_with = "merge_patch::present")]
    #[schema(nullable = false)]
    pub internal_only: Option<bool>,
}

/// Filters of the list of tags.
#[derive(Debug, Default, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct TagListQuery {
    /// Only tags limited to one of these areas.
    #[param(
        inline,
        style = Form,
        explode = false,
        value_type = Option<Vec<AreaId>>,
        min_items = 1,
        max_items = 100,
        example = json!(["netz"])
    )]
    #[validate(custom(function = check))]
    pub area_id: Option<CommaSeparated<AreaId>>,
    /// Only tags that are hidden from accesses (true) or offered to them (false).
    #[param(example = false)]
    pub internal_only: Option<bool>,
}

impl ListFilter for TagListQuery {}

/// What happens to the exclusion rules that name a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum References {
    /// They stay unchanged, and no longer match tickets with another tag.
    Keep,
}

/// Parameters of changing or deleting a tag.
#[derive(Debug, Default, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct TagWriteQuery {
    /// `keep` renames or deletes the tag although active exclusion rules name it. They stay
    /// unchanged. Without it, the request is rejected.
    #[param(inline, example = "keep")]
    pub references: Option<References>,
}

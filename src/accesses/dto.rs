//! JSON of the accesses.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use super::{Role, TicketVisibility};
use crate::{
    common::{
        Audit, Resource,
        comma_separated::CommaSeparated,
        email::Email,
        etag::EntityTag,
        ids::{AccessId, BusinessPartnerId, ContactId},
        lenient_enum::LenientEnum,
        max_length::MaxLength,
        merge_patch,
        page::SortKey,
        text::{Text, check},
    },
    http::list_query::ListFilter,
    i18n::{self, Lang},
};

/// Language of the portal for this access.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Default,
    Serialize,
    Deserialize,
    ToSchema,
    strum::IntoStaticStr,
    strum::EnumString,
    strum::VariantNames,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Language {
    #[default]
    De,
    En,
}

/// Why an access is ineffective.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Serialize,
    ToSchema,
    strum::VariantNames,
    strum::IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum IneffectiveReason {
    IntegrationInactive,
    BusinessPartnerInactive,
    AccessInactive,
}

/// The login of a partner's contact to the ticket portal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e60", "business_partner_id": "K-1001",
    "contact_id": "P-77", "first_name": "Änne", "last_name": "Schäfer",
    "email": "aenne.schaefer@muster.example", "language": "de", "role": "editor", "approver": true,
    "ticket_visibility": "partner", "active": true, "effective": true, "ineffective_reasons": [],
    "ineffective_messages": [],
    "version": 1, "created_at": "2026-11-23T08:00:00.000000Z",
    "updated_at": "2026-11-23T08:00:00.000000Z",
    "created_by": "anna.admin", "created_by_name": "Anna Admin",
    "updated_by": "anna.admin", "updated_by_name": "Anna Admin"
}))]
pub struct Access {
    #[schema(inline)]
    pub id: AccessId,
    #[schema(inline)]
    pub business_partner_id: BusinessPartnerId,
    /// Id of the contact in the ERP, if known; unique within the partner.
    #[schema(inline)]
    pub contact_id: Option<ContactId>,
    #[schema(max_length = 100)]
    pub first_name: String,
    #[schema(max_length = 100)]
    pub last_name: String,
    /// The login, in lower case; unique across all partners.
    #[schema(format = Email, max_length = 254)]
    pub email: String,
    pub language: Language,
    pub role: Role,
    /// Whether it can approve tickets.
    pub approver: bool,
    pub ticket_visibility: TicketVisibility,
    pub active: bool,
    /// Whether the access, the integration and the business partner are all active.
    pub effective: bool,
    /// Why the access is not effective; empty if it is.
    #[schema(max_items = 3)]
    pub ineffective_reasons: Vec<IneffectiveReason>,
    /// The reasons as text in the language of the request, in the same order.
    #[serde(
        serialize_with = "serialize_messages",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(inline, value_type = Vec<MaxLength<500>>, max_items = 3)]
    pub ineffective_messages: Messages,
    #[serde(flatten)]
    pub audit: Audit,
}

/// Messages in the language of a request. `None` where no language applies, as in the history.
pub type Messages = Option<(Lang, Vec<String>)>;

fn serialize_messages<S: serde::Serializer>(
    messages: &Messages,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let messages = messages.as_ref().map(|(_, messages)| messages);
    serializer.collect_seq(messages.into_iter().flatten())
}

impl Access {
    /// Adds the messages of the reasons.
    #[must_use]
    pub fn localize(mut self, lang: Lang) -> Self {
        let messages = self.ineffective_reasons.iter().map(|reason| {
            let id = format!("ineffective-{}", <&str>::from(*reason));
            i18n::message(lang, &id, [])
        });
        self.ineffective_messages = Some((lang, messages.collect()));
        self
    }
}

impl Resource for Access {
    const KIND: &'static str = "access";

    fn resource_id(&self) -> String {
        self.id.to_string()
    }

    fn etag(&self) -> EntityTag {
        let state = self
            .ineffective_reasons
            .iter()
            .fold(0_u8, |state, reason| state | (1 << *reason as u8));
        let etag = EntityTag::derived(self.audit.version, state);
        match &self.ineffective_messages {
            Some((lang, _)) => etag.in_language(lang.content_hash()),
            None => etag,
        }
    }

    fn audit(&self) -> Option<&Audit> {
        Some(&self.audit)
    }

    fn language(&self) -> Option<&'static str> {
        let messages = self.ineffective_messages.as_ref();
        messages.map(|(lang, _)| lang.code())
    }
}

/// A new access.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "first_name": "Ida", "last_name": "Muster", "email": "ida.muster@muster.example",
    "role": "editor"
}))]
pub struct AccessCreate {
    /// Id of the contact in the ERP, if known; unique within the partner.
    #[schema(inline)]
    #[validate(custom(function = check))]
    pub contact_id: Option<ContactId>,
    #[serde(default)]
    #[schema(inline, required)]
    #[validate(custom(function = check))]
    pub first_name: Text<1, 100>,
    #[serde(default)]
    #[schema(inline, required)]
    #[validate(custom(function = check))]
    pub last_name: Text<1, 100>,
    /// The login; unique across all partners. Stored in lower case.
    #[serde(default)]
    #[schema(inline, required)]
    #[validate(custom(function = check))]
    pub email: Email,
    /// Default: `de`.
    #[serde(default = "LenientEnum::default_choice")]
    #[validate(custom(function = check))]
    #[schema(value_type = Language)]
    pub language: LenientEnum<Language>,
    /// Default: `observer`.
    #[serde(default = "LenientEnum::default_choice")]
    #[validate(custom(function = check))]
    #[schema(value_type = Role)]
    pub role: LenientEnum<Role>,
    /// Whether it can approve tickets. Requires the role `editor` or `dispatcher`. Default: false.
    #[serde(default)]
    pub approver: bool,
    /// Default: `own`.
    #[serde(default = "LenientEnum::default_choice")]
    #[validate(custom(function = check))]
    #[schema(value_type = TicketVisibility)]
    pub ticket_visibility: LenientEnum<TicketVisibility>,
    /// Requires at least one granted area and one granted ticket type. Default: true.
    #[serde(default = "merge_patch::default_true")]
    pub active: bool,
}

/// Changes to an access (JSON merge patch): absent members are unchanged, `null` clears a member.
#[derive(Debug, Clone, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"active": false}))]
pub struct AccessPatch {
    /// `null` removes the link to the contact.
    #[serde(default, deserialize_with = "merge_patch::present")]
    #[schema(inline)]
    #[validate(custom(function = check))]
    pub contact_id: Option<Option<ContactId>>,
    #[serde(default, deserialize_with = "merge_patch::present")]
    #[schema(inline, nullable = false)]
    #[validate(custom(function = check))]
    pub first_name: Option<Text<1, 100>>,
    #[serde(default, deserialize_with = "merge_patch::present")]
    #[schema(inline, nullable = false)]
    #[validate(custom(function = check))]
    pub last_name: Option<Text<1, 100>>,
    #[serde(default, deserialize_with = "merge_patch::present")]
    #[schema(inline, nullable = false)]
    #[validate(custom(function = check))]
    pub email: Option<Email>,
    #[serde(default, deserialize_with = "merge_patch::present")]
    #[schema(value_type = Option<Language>, nullable = false)]
    #[validate(custom(function = check))]
    pub language: Option<LenientEnum<Language>>,
    #[serde(default, deserialize_with = "merge_patch::present")]
    #[schema(value_type = Option<Role>, nullable = false)]
    #[validate(custom(function = check))]
    pub role: Option<LenientEnum<Role>>,
    #[serde(default, deserialize_with = "merge_patch::present")]
    #[schema(nullable = false)]
    pub approver: Option<bool>,
    #[serde(default, deserialize_with = "merge_patch::present")]
    #[schema(value_type = Option<TicketVisibility>, nullable = false)]
    #[validate(custom(function = check))]
    pub ticket_visibility: Option<LenientEnum<TicketVisibility>>,
    #[serde(default, deserialize_with = "merge_patch::present")]
    #[schema(nullable = false)]
    pub active: Option<bool>,
}

/// Filters of the list of accesses.
#[derive(Debug, Default, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AccessListQuery {
    /// Only accesses that are active (true) or inactive (false).
    #[param(example = true)]
    pub active: Option<bool>,
    /// Only accesses with one of these roles.
    #[param(
        style = Form,
        explode = false,
        value_type = Option<Vec<Role>>,
        min_items = 1,
        max_items = 100,
        example = json!(["editor", "dispatcher"])
    )]
    pub role: Option<CommaSeparated<Role>>,
    /// Only the access of this contact.
    #[param(inline, example = "P-77")]
    #[validate(custom(function = check))]
    pub contact_id: Option<ContactId>,
}

impl ListFilter for AccessListQuery {
    const ORDERS: &[SortKey] = &[
        SortKey::Name,
        SortKey::Email,
        SortKey::Role,
        SortKey::CreatedAt,
        SortKey::UpdatedAt,
    ];
}

/// Filters of the list of the accesses of all partners.
#[derive(Debug, Default, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AllAccessListQuery {
    /// Only the access with this e-mail address.
    #[param(inline, example = "aenne.schaefer@muster.example")]
    #[validate(custom(function = check))]
    pub email: Option<Email>,
    /// Only accesses of this contact.
    #[param(inline, example = "P-77")]
    #[validate(custom(function = check))]
    pub contact_id: Option<ContactId>,
    /// Only accesses that are active (true) or inactive (false).
    #[param(example = true)]
    pub active: Option<bool>,
}

impl ListFilter for AllAccessListQuery {
    const ORDERS: &[SortKey] = &[
        SortKey::Name,
        SortKey::Email,
        SortKey::CreatedAt,
        SortKey::UpdatedAt,
    ];
}

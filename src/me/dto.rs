//! JSON of the caller.

use serde::Serialize;
use strum::IntoEnumIterator as _;
use utoipa::ToSchema;

use crate::{
    common::{ids::BusinessPartnerId, timestamp::Timestamp},
    http::auth::permission::Permissions,
    i18n::Lang,
    tokens::{Claims, Scope},
};

/// The caller, as its token describes it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "subject": "anna.admin", "subject_name": "Anna Admin", "actor": null,
    "client": "portal-admin",
    "scopes": ["integration:read", "catalog:read"], "business_partner_id": null,
    "expires_at": "2026-11-23T09:00:00.000000Z", "language": "de",
    "permissions": {"integration_read": true, "integration_write": false,
        "global_rules_read": true, "global_rules_write": false, "catalog_read": true,
        "catalog_usage_read": true, "catalog_write": false, "plan_boards_share": false,
        "decisions_read": false, "history_read": false, "system_history_read": false}
}))]
pub struct Me {
    /// Subject of the token, which `created_by` and the history name.
    #[schema(max_length = 255)]
    pub subject: String,
    /// Display name of the subject; `null` if unknown.
    #[schema(max_length = 255)]
    pub subject_name: Option<String>,
    /// The party that acts for the subject (claim `act`, RFC 8693); `null` if the subject acts
    /// itself.
    #[schema(max_length = 255)]
    pub actor: Option<String>,
    /// Application that the token was issued to; `null` if unknown.
    #[schema(max_length = 255)]
    pub client: Option<String>,
    /// Granted scopes of this service.
    #[schema(max_items = 20)]
    pub scopes: Vec<ScopeName>,
    /// The only business partner that the token reaches; `null` if it reaches all.
    #[schema(inline)]
    pub business_partner_id: Option<BusinessPartnerId>,
    /// When the token expires (UTC).
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
    /// Language of texts in responses to this request, chosen by `Accept-Language`.
    #[schema(min_length = 2, max_length = 2)]
    pub language: &'static str,
    pub permissions: Permissions,
}

/// A scope, such as `integration:read`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(max_length = 64)]
pub struct ScopeName(&'static str);

impl Me {
    /// Describes the caller with these claims.
    pub fn new(claims: &Claims, lang: Lang) -> Self {
        Self {
            subject: claims.sub.clone(),
            subject_name: claims.name.clone(),
            actor: claims.act.as_ref().map(|act| act.sub.clone()),
            client: claims.client_id.clone(),
            scopes: Scope::iter()
                .filter(|scope| claims.has_scope(*scope))
                .map(|scope| ScopeName(scope.as_str()))
                .collect(),
            business_partner_id: claims.business_partner_id.clone(),
            expires_at: Timestamp::from_unix_seconds(claims.exp),
            language: lang.code(),
            permissions: Permissions::of(claims),
        }
    }
}

//! Who made a change, and the audit fields of a resource.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::common::timestamp::Timestamp;

/// Who sent a request, as recorded in the history. Never contains a token.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Actor {
    /// The token's `sub`.
    pub subject: String,
    /// Display name of the subject, if the token has one.
    pub name: Option<String>,
    /// The party that acts for the subject (`act`, RFC 8693), if any.
    pub acting_party: Option<String>,
    /// The token's `client_id` (RFC 9068), if present.
    pub client: Option<String>,
    /// The request's `X-Request-Id`.
    pub request_id: String,
}

/// The audit fields of a resource: its version, and who created and last changed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Audit {
    /// Starts at 1 and increases by one with every change.
    #[schema(example = 1, minimum = 1)]
    pub version: i64,
    /// When it was created (UTC).
    #[schema(value_type = String, format = DateTime, example = "2026-11-23T08:00:00.000000Z")]
    pub created_at: Timestamp,
    /// When it was last changed (UTC).
    #[schema(value_type = String, format = DateTime, example = "2026-11-23T08:00:00.000000Z")]
    pub updated_at: Timestamp,
    /// Subject of the token that created it.
    #[schema(example = "anna.admin", max_length = 255)]
    pub created_by: String,
    /// Display name of `created_by` at that time; `null` if unknown.
    #[schema(example = "Anna Admin", max_length = 255)]
    pub created_by_name: Option<String>,
    /// Subject of the token that last changed it.
    #[schema(example = "anna.admin", max_length = 255)]
    pub updated_by: String,
    /// Display name of `updated_by` at that time; `null` if unknown.
    #[schema(example = "Anna Admin", max_length = 255)]
    pub updated_by_name: Option<String>,
}

impl Audit {
    /// The audit fields of a resource that `actor` creates at `now`.
    pub fn created(actor: &Actor, now: Timestamp) -> Self {
        Self {
            version: 1,
            created_at: now,
            updated_at: now,
            created_by: actor.subject.clone(),
            created_by_name: actor.name.clone(),
            updated_by: actor.subject.clone(),
            updated_by_name: actor.name.clone(),
        }
    }

    /// The audit fields after `actor` changes the resource at `now`.
    #[must_use]
    pub fn updated(&self, actor: &Actor, now: Timestamp) -> Self {
        Self {
            version: self.version + 1,
            created_at: self.created_at,
            updated_at: now,
            created_by: self.created_by.clone(),
            created_by_name: self.created_by_name.clone(),
            updated_by: actor.subject.clone(),
            updated_by_name: actor.name.clone(),
        }
    }
}

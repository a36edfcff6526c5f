//! Who changed what. Written only by the door ([`crate::db::Db::transact`]), one entry per revision; read by auditors.

pub mod dto;
mod repo;
pub mod routes;

pub use dto::HistoryEntry;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    common::{
        Actor, Change, Resource, Result,
        ids::{BusinessPartnerId, HistoryEntryId, Id},
        timestamp::Timestamp,
    },
    db::{
        Conn,
        schema::history,
        sql_types::{EnumText, Jsonb},
        with_conn,
    },
};

/// The root under which a change is counted, and the revision the change makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AggregateVersion {
    CustomerIntegration {
        business_partner_id: BusinessPartnerId,
        revision: i64,
    },
    Catalog {
        revision: i64,
    },
    GlobalRules {
        revision: i64,
    },
}

/// What happened to a resource.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema, strum::IntoStaticStr, strum::EnumString,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Action {
    Created,
    Updated,
    Deleted,
}

#[derive(Insertable)]
#[diesel(table_name = history)]
struct NewEntry<'a> {
    id: HistoryEntryId,
    aggregate: &'static str,
    business_partner_id: Option<&'a BusinessPartnerId>,
    revision: i64,
    at: Timestamp,
    subject: &'a str,
    client: Option<&'a str>,
    request_id: &'a str,
    resource: &'static str,
    resource_id: String,
    action: EnumText<Action>,
    before: Option<Jsonb<serde_json::Value>>,
    after: Option<Jsonb<serde_json::Value>>,
}

/// Records what a unit of work did; nothing for [`Change::Unchanged`].
pub(crate) async fn record<T: Resource>(
    conn: &mut Conn,
    origin: &AggregateVersion,
    actor: &Actor,
    at: Timestamp,
    change: &Change<T>,
) -> Result<()> {
    let (action, resource, before, after) = match change {
        Change::Created(after) => (Action::Created, after, None, Some(after)),
        Change::Updated { before, after } => (Action::Updated, after, Some(before), Some(after)),
        Change::Deleted(before) => (Action::Deleted, before, Some(before), None),
        Change::Unchanged(_) => return Ok(()),
    };
    let (aggregate, business_partner_id, revision) = match origin {
        AggregateVersion::CustomerIntegration {
            business_partner_id,
            revision,
        } => ("customer_integration", Some(business_partner_id), *revision),
        AggregateVersion::Catalog { revision } => ("catalog", None, *revision),
        AggregateVersion::GlobalRules { revision } => ("global_rules", None, *revision),
    };
    let row = NewEntry {
        id: Id::generate(),
        aggregate,
        business_partner_id,
        revision,
        at,
        subject: &actor.subject,
        client: actor.client.as_deref(),
        request_id: &actor.request_id,
        resource: T::KIND,
        resource_id: resource.resource_id(),
        action: EnumText(action),
        before: before.map(snapshot).transpose()?,
        after: after.map(snapshot).transpose()?,
    };
    with_conn!(conn, |c| diesel::insert_into(history::table)
        .values(&row)
        .execute(c))?;
    Ok(())
}

fn snapshot<T: Resource>(resource: &T) -> Result<Jsonb<serde_json::Value>> {
    Ok(Jsonb(
        serde_json::to_value(resource).map_err(anyhow::Error::from)?,
    ))
}

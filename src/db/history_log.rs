//! The write half of the history: one entry per change, written in the transaction of the change.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::Value;

use super::{
    Conn,
    schema::history,
    sql_types::{EnumText, Jsonb},
    with_conn,
};
use crate::common::{
    Action, Actor, Change, Resource, Result,
    ids::{BusinessPartnerId, HistoryEntryId, Id},
    timestamp::Timestamp,
};

/// An aggregate and its new revision, after a unit of work has locked it.
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
    subject_name: Option<&'a str>,
    actor: Option<&'a str>,
    request_id: &'a str,
    resource: &'static str,
    resource_id: String,
    action: EnumText<Action>,
    before: Option<Jsonb<Value>>,
    after: Option<Jsonb<Value>>,
}

/// Records a change in the history. [`Change::Unchanged`] is not recorded.
pub(super) async fn record<T: Resource>(
    conn: &mut Conn,
    version: &AggregateVersion,
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
    let (aggregate, business_partner_id, revision) = match version {
        AggregateVersion::CustomerIntegration {
            business_partner_id,
            revision,
        } => ("customer_integration", Some(business_partner_id), *revision),
        AggregateVersion::Catalog { revision } => ("catalog", None, *revision),
        AggregateVersion::GlobalRules { revision } => ("global_rules", None, *revision),
    };
    let entry = NewEntry {
        id: Id::generate(),
        aggregate,
        business_partner_id,
        revision,
        at,
        subject: &actor.subject,
        client: actor.client.as_deref(),
        subject_name: actor.name.as_deref(),
        actor: actor.acting_party.as_deref(),
        request_id: &actor.request_id,
        resource: T::KIND,
        resource_id: resource.resource_id(),
        action: EnumText(action),
        before: before.map(to_json).transpose()?,
        after: after.map(to_json).transpose()?,
    };
    with_conn!(conn, |c| diesel::insert_into(history::table)
        .values(&entry)
        .execute(c))?;
    Ok(())
}

fn to_json(resource: &impl Resource) -> Result<Jsonb<Value>> {
    let json = serde_json::to_value(resource).map_err(anyhow::Error::from)?;
    Ok(Jsonb(json))
}

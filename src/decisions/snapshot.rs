//! From the database to a policy: everything that decides for one partner, of one moment.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

use super::{
    policy::{GrantedArea, GrantedType, PartnerPolicy, Policy, Source},
    rules::RuleSet,
};
use crate::{
    catalog::{BusinessPartnerId, EntryKind},
    db::{Conn, Stamp},
    exclusion_rules::{self, GLOBAL},
    grants::{self, Granted},
    integration::{self, Standing},
    kernel::Result,
};

/// A policy with the revisions it was made of. All its parts were read in one snapshot, or did not change since they were.
#[derive(Debug)]
pub struct Snapshot {
    pub policy: Policy,
    /// The revisions of the partner's integration, the catalogue and the global rules.
    pub revisions: Stamp,
    /// What has to be covered for the snapshot to be current. On PostgreSQL these are the revisions; on SQLite the counters of
    /// [`crate::db::Changes`] as they were before it was read.
    pub stamp: Stamp,
}

/// The global rules, compiled once per revision and shared by all partners.
#[derive(Debug, Default)]
pub struct SharedRules(Mutex<(i64, Arc<OnceCell<Arc<RuleSet>>>)>);

impl SharedRules {
    /// The rules of a revision, read by `conn`, which must see that revision, unless somebody has read them before.
    async fn of(&self, conn: &mut Conn, revision: i64) -> Result<Arc<RuleSet>> {
        let cell = {
            let mut newest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            // another one, newer or, after a restored backup, older
            if newest.0 != revision {
                *newest = (revision, Arc::default());
            }
            Arc::clone(&newest.1)
        };
        let read = async || Ok(Arc::new(RuleSet::new(exclusion_rules::service::in_force(conn, GLOBAL).await?)));
        cell.get_or_try_init(read).await.cloned()
    }
}

/// Reads a policy, but only what has changed since `older` was read. `conn` must be in a snapshot; `stamp` is what the process
/// knew before that (`None`: what is read is known by its revisions).
pub async fn read(
    conn: &mut Conn,
    partner: &BusinessPartnerId,
    older: Option<&Snapshot>,
    shared: &SharedRules,
    stamp: Option<Stamp>,
) -> Result<Snapshot> {
    let standing = integration::service::standing(conn, partner).await?;
    let revisions = standing.revisions();
    let unchanged = older
        .filter(|older| (older.revisions.partner, older.revisions.catalog) == (revisions.partner, revisions.catalog));
    let own = match unchanged {
        Some(older) => Arc::clone(&older.policy.partner),
        None => Arc::new(compiled(conn, &standing).await?),
    };
    let global = shared.of(conn, revisions.global_rules).await?;
    Ok(Snapshot { policy: Policy { partner: own, global }, revisions, stamp: stamp.unwrap_or(revisions) })
}

async fn compiled(conn: &mut Conn, standing: &Standing) -> Result<PartnerPolicy> {
    let partner = standing.business_partner_id();
    let granted = grants::service::all(conn, partner).await?;
    let of = |kind| granted.iter().filter(move |grant| grant.kind() == kind);
    let rules = exclusion_rules::service::in_force(conn, partner.as_str()).await?;
    Ok(PartnerPolicy::new(Source {
        business_partner_id: partner.clone(),
        integration_active: standing.integration.active,
        business_partner_active: standing.partner.active,
        areas: of(EntryKind::Area).map(area).collect(),
        ticket_types: of(EntryKind::TicketType).map(ticket_type).collect(),
        rules,
    }))
}

fn area(granted: &Granted) -> GrantedArea {
    let start = granted.entry.start_ticket_types.as_ref();
    GrantedArea {
        id: granted.entry.id.as_str().into(),
        name: granted.entry.name.as_str().into(),
        available: granted.entry.active,
        start_ticket_types: start.map(|types| types.0.iter().map(|id| id.as_str().into()).collect()),
    }
}

fn ticket_type(granted: &Granted) -> GrantedType {
    GrantedType {
        id: granted.entry.id.as_str().into(),
        name: granted.entry.name.as_str().into(),
        available: granted.entry.active,
        approval_required: granted.grant.approval_required,
    }
}

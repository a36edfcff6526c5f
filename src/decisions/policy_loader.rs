//! From the database to a policy: everything that decides for one partner, of one moment.

use std::sync::{Arc, Mutex, PoisonError};

use ticket_policy::{
    policy::{GrantedArea, GrantedType, PartnerPolicy, Policy, PolicySource},
    rules::{RuleDefinition, RuleSet},
};
use tokio::sync::OnceCell;

use crate::{
    catalog::EntryKind,
    common::{
        Result,
        ids::{BusinessPartnerId, RuleId},
    },
    db::{Conn, VersionVector},
    exclusion_rules::{self, GLOBAL},
    grants::{self, GrantWithEntry},
    integration::{self, IntegrationState},
    ticket_filter::TicketFilter,
};

/// A policy with the revisions it was made of. All its parts were read in one snapshot, or did not change since they were.
#[derive(Debug)]
pub struct PolicySnapshot {
    pub policy: Policy,
    /// The revisions of the partner's integration, the catalogue and the global rules.
    pub revisions: VersionVector,
    /// What has to be covered for the snapshot to be current. On PostgreSQL these are the revisions; on SQLite the counters of
    /// [`crate::db::CommitCounters`] as they were before it was read.
    pub stamp: VersionVector,
}

/// A rule in force as it is stored: id, name and filter.
type StoredRule = (RuleId, String, TicketFilter);
/// Where the rules of one revision go when they are compiled.
type Compiled = Arc<OnceCell<Arc<RuleSet>>>;

/// The global rules, compiled once per revision and shared by all partners.
#[derive(Debug, Default)]
pub struct GlobalRuleCache(Mutex<(i64, Compiled)>);

impl GlobalRuleCache {
    fn of(&self, revision: i64) -> Compiled {
        let mut newest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // another one, newer or, after a restored backup, older
        if newest.0 != revision {
            *newest = (revision, Arc::default());
        }
        Arc::clone(&newest.1)
    }
}

/// What the database holds of a policy. It is compiled later: large rules take long, and neither a connection nor a worker should
/// wait for that.
pub struct PolicyInput {
    own: PartnerPart,
    global: (Compiled, Vec<StoredRule>),
    revisions: VersionVector,
    stamp: VersionVector,
}

enum PartnerPart {
    /// It has not changed.
    Kept(Arc<PartnerPolicy>),
    Read(Box<PolicySource>),
}

impl PolicyInput {
    /// Reads what has changed since `older` was read. `conn` must be in a snapshot; `stamp` is what the process knew before that
    /// (`None`: what is read is known by its revisions).
    pub async fn read(
        conn: &mut Conn,
        partner: &BusinessPartnerId,
        older: Option<&PolicySnapshot>,
        shared: &GlobalRuleCache,
        stamp: Option<VersionVector>,
    ) -> Result<Self> {
        let standing = integration::service::load_state(conn, partner).await?;
        let revisions = standing.revisions();
        let unchanged = older.filter(|older| {
            (older.revisions.partner, older.revisions.catalog)
                == (revisions.partner, revisions.catalog)
        });
        let own = match unchanged {
            Some(older) => PartnerPart::Kept(Arc::clone(&older.policy.partner)),
            None => PartnerPart::Read(Box::new(source(conn, &standing).await?)),
        };
        let global = shared.of(revisions.global_rules);
        // who comes before they are compiled reads them too, and drops them if another one was faster
        let rules = if global.initialized() {
            Vec::new()
        } else {
            exclusion_rules::service::list_active(conn, GLOBAL).await?
        };
        Ok(Self {
            own,
            global: (global, rules),
            revisions,
            stamp: stamp.unwrap_or(revisions),
        })
    }

    /// Whether accesses can have any effect.
    pub fn is_live(&self) -> bool {
        match &self.own {
            PartnerPart::Kept(policy) => policy.is_live(),
            PartnerPart::Read(source) => source.is_live(),
        }
    }

    /// Compiles what has been read.
    pub async fn compile(self) -> Result<PolicySnapshot> {
        let Self {
            own,
            global: (cell, rules),
            revisions,
            stamp,
        } = self;
        let global = cell
            .get_or_try_init(|| spawn_compute(|| Arc::new(RuleSet::new(definitions(rules)))))
            .await?
            .clone();
        let partner = match own {
            PartnerPart::Kept(policy) => policy,
            PartnerPart::Read(source) => {
                spawn_compute(|| Arc::new(PartnerPolicy::new(*source))).await?
            }
        };
        Ok(PolicySnapshot {
            policy: Policy { partner, global },
            revisions,
            stamp,
        })
    }
}

/// Computes on a thread that no request waits on.
async fn spawn_compute<T: Send + 'static>(
    compute: impl FnOnce() -> T + Send + 'static,
) -> Result<T> {
    Ok(tokio::task::spawn_blocking(compute)
        .await
        .map_err(anyhow::Error::from)?)
}

async fn source(conn: &mut Conn, standing: &IntegrationState) -> Result<PolicySource> {
    let partner = standing.business_partner_id();
    let granted = grants::service::all(conn, partner).await?;
    let of = |kind| granted.iter().filter(move |grant| grant.kind() == kind);
    let rules = exclusion_rules::service::list_active(conn, partner.as_str()).await?;
    Ok(PolicySource {
        business_partner_id: partner.as_str().into(),
        integration_active: standing.integration.active,
        business_partner_active: standing.partner.active,
        areas: of(EntryKind::Area).map(area).collect(),
        ticket_types: of(EntryKind::TicketType).map(ticket_type).collect(),
        rules: definitions(rules).collect(),
    })
}

fn definitions(rules: Vec<StoredRule>) -> impl Iterator<Item = RuleDefinition> {
    rules.into_iter().map(|(id, name, filter)| RuleDefinition {
        id: id.as_uuid(),
        name,
        filter,
    })
}

fn area(granted: &GrantWithEntry) -> GrantedArea {
    let start = granted.entry.start_ticket_types.as_ref();
    GrantedArea {
        id: granted.entry.id.as_str().into(),
        name: granted.entry.name.as_str().into(),
        available: granted.entry.active,
        start_ticket_types: start
            .map(|types| types.0.iter().map(|id| id.as_str().into()).collect()),
    }
}

fn ticket_type(granted: &GrantWithEntry) -> GrantedType {
    GrantedType {
        id: granted.entry.id.as_str().into(),
        name: granted.entry.name.as_str().into(),
        available: granted.entry.active,
        approval_required: granted.grant.approval_required,
    }
}

//! Reads the policy of a partner from the database and compiles it.

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
    db::{Conn, VersionVector, sql_types::RawJson},
    exclusion_rules::{self, RuleOwner},
    grants::{self, GrantWithEntry},
    http::off_worker,
    integration::{self, IntegrationState},
};

/// A compiled policy. All its parts were read in one snapshot, or have not changed since they were
/// read.
#[derive(Debug)]
pub struct PolicySnapshot {
    pub policy: Policy,
    /// The revisions of the partner's integration, of the catalog and of the global rules.
    pub revisions: VersionVector,
    /// The version to validate the policy by. On PostgreSQL these are the revisions. On SQLite
    /// these are the commit counters ([`crate::db::CommitCounters`]) from before the snapshot
    /// began.
    pub version: VersionVector,
}

/// An active rule as stored: id, name and filter.
type StoredRule = (RuleId, String, RawJson);
/// Holds the compiled global rules of one revision, once they are compiled.
type GlobalRulesCell = Arc<OnceCell<Arc<RuleSet>>>;

/// The global rules, compiled once per revision and shared by all partners.
#[derive(Debug, Default)]
pub struct GlobalRuleCache {
    latest: Mutex<GlobalRulesEntry>,
}

#[derive(Debug, Default)]
struct GlobalRulesEntry {
    revision: i64,
    cell: GlobalRulesCell,
}

impl GlobalRuleCache {
    fn get(&self, revision: i64) -> GlobalRulesCell {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        // compared for equality, because revisions go backwards when a backup is restored
        if latest.revision != revision {
            *latest = GlobalRulesEntry {
                revision,
                cell: Arc::default(),
            };
        }
        Arc::clone(&latest.cell)
    }
}

/// A policy as read from the database. It is compiled later, because compiling many rules takes
/// long and must block neither a connection nor a worker.
pub struct PolicyInput {
    partner: PartnerPart,
    global_rules: GlobalRulesPart,
    revisions: VersionVector,
    version: VersionVector,
}

enum PartnerPart {
    /// Compiled before and unchanged.
    Unchanged(Arc<PartnerPolicy>),
    /// The source without rules, and the rules.
    Read(Box<PolicySource>, Vec<StoredRule>),
}

struct GlobalRulesPart {
    cell: GlobalRulesCell,
    /// The rules to compile. Empty if they are compiled already.
    rules: Vec<StoredRule>,
}

impl PolicyInput {
    /// Reads the parts of a policy that have changed since `cached`. `conn` must be in a snapshot;
    /// `version` holds the commit counters from before it began. `None`: use the revisions as the
    /// version.
    pub async fn read(
        conn: &mut Conn,
        partner: &BusinessPartnerId,
        cached: Option<&PolicySnapshot>,
        global_rules: &GlobalRuleCache,
        version: Option<VersionVector>,
    ) -> Result<Self> {
        let state = integration::service::load_state(conn, partner).await?;
        let revisions = state.revisions();
        let unchanged = cached.filter(|cached| {
            cached.revisions.partner == revisions.partner
                && cached.revisions.catalog == revisions.catalog
        });
        let partner = match unchanged {
            Some(cached) => PartnerPart::Unchanged(Arc::clone(&cached.policy.partner)),
            None => read_partner(conn, &state).await?,
        };
        let cell = global_rules.get(revisions.global_rules);
        // concurrent loads may all read the rules; only one of them compiles them
        let rules = if cell.initialized() {
            Vec::new()
        } else {
            exclusion_rules::list_active_unparsed(conn, &RuleOwner::Global).await?
        };
        Ok(Self {
            partner,
            global_rules: GlobalRulesPart { cell, rules },
            revisions,
            version: version.unwrap_or(revisions),
        })
    }

    /// Whether accesses of the partner can be effective.
    pub fn is_live(&self) -> bool {
        match &self.partner {
            PartnerPart::Unchanged(policy) => policy.is_live(),
            PartnerPart::Read(source, _) => source.is_live(),
        }
    }

    /// Compiles the policy on the blocking thread pool.
    pub async fn compile(self) -> Result<PolicySnapshot> {
        let GlobalRulesPart { cell, rules } = self.global_rules;
        let compile_global =
            || async move { off_worker::run_unlimited(|| compile_rules(rules)).await? };
        let global = cell.get_or_try_init(compile_global).await?.clone();
        let partner = match self.partner {
            PartnerPart::Unchanged(policy) => policy,
            PartnerPart::Read(source, rules) => {
                off_worker::run_unlimited(|| compile_partner(*source, rules)).await??
            }
        };
        Ok(PolicySnapshot {
            policy: Policy { partner, global },
            revisions: self.revisions,
            version: self.version,
        })
    }
}

async fn read_partner(conn: &mut Conn, state: &IntegrationState) -> Result<PartnerPart> {
    let partner = state.business_partner_id();
    let grants = grants::all(conn, partner).await?;
    let owner = RuleOwner::Partner(partner.clone());
    let rules = exclusion_rules::list_active_unparsed(conn, &owner).await?;
    let source = PolicySource {
        business_partner_id: partner.as_str().into(),
        integration_active: state.integration.active,
        business_partner_active: state.partner.active,
        areas: grants
            .iter()
            .filter(|grant| grant.kind() == EntryKind::Area)
            .map(granted_area)
            .collect(),
        ticket_types: grants
            .iter()
            .filter(|grant| grant.kind() == EntryKind::TicketType)
            .map(granted_type)
            .collect(),
        rules: Vec::new(),
    };
    Ok(PartnerPart::Read(Box::new(source), rules))
}

fn compile_rules(rules: Vec<StoredRule>) -> Result<Arc<RuleSet>> {
    Ok(Arc::new(RuleSet::new(parse_rules(rules)?)))
}

fn compile_partner(source: PolicySource, rules: Vec<StoredRule>) -> Result<Arc<PartnerPolicy>> {
    let rules = parse_rules(rules)?;
    Ok(Arc::new(PartnerPolicy::new(PolicySource {
        rules,
        ..source
    })))
}

fn parse_rules(rules: Vec<StoredRule>) -> Result<Vec<RuleDefinition>> {
    rules
        .into_iter()
        .map(|(id, name, filter)| {
            Ok(RuleDefinition {
                id: id.as_uuid(),
                name,
                filter: filter.parse().map_err(anyhow::Error::from)?,
            })
        })
        .collect()
}

fn granted_area(grant: &GrantWithEntry) -> GrantedArea {
    let start_ticket_types = grant.entry.start_ticket_types.as_ref();
    GrantedArea {
        id: grant.entry.id.as_str().into(),
        name: grant.entry.name.as_str().into(),
        available: grant.entry.active,
        start_ticket_types: start_ticket_types
            .map(|types| types.0.iter().map(|id| id.as_str().into()).collect()),
    }
}

fn granted_type(grant: &GrantWithEntry) -> GrantedType {
    GrantedType {
        id: grant.entry.id.as_str().into(),
        name: grant.entry.name.as_str().into(),
        available: grant.entry.active,
        approval_required: grant.grant.approval_required,
    }
}

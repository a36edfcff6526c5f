//! The rules of the aggregate: what may be written while it is inactive, and switching it on and off.

use ticket_policy::rules::CompiledFilter;

use super::{
    IntegrationRow, IntegrationState, RevisionLookup,
    dto::{
        CustomerIntegration, CustomerIntegrationListQuery, CustomerIntegrationPatch,
        CustomerIntegrationSummary,
    },
    readiness::{ReadinessInput, Settings},
    repo,
};
use crate::{
    accesses,
    catalog::{self, BusinessPartner, CatalogEntry as _},
    common::{
        Actor, Change, Code, Committed, Error, Result,
        change::{EntityTag, Precondition},
        ids::BusinessPartnerId,
        or_not_found,
        page::{Page, PageRequest},
        timestamp::Timestamp,
    },
    crud::Parent,
    db::{Aggregate, Conn, Db, ReadCost, Tx, VersionVector},
    exclusion_rules, grants,
    history::AggregateVersion,
    queries, tags, ticket_filter,
};

/// Everything configured below an integration. Locking it applies R1.
#[derive(Debug, Clone)]
pub struct ConfigurationLock(pub BusinessPartnerId);

/// The integration's own switch, the one thing that can be written while it is inactive.
#[derive(Debug, Clone)]
pub struct ActivationLock(pub BusinessPartnerId);

impl Aggregate for ConfigurationLock {
    type Locked = IntegrationState;

    async fn lock(&self, conn: &mut Conn) -> Result<(IntegrationState, AggregateVersion)> {
        let (state, origin) = ActivationLock(self.0.clone()).lock(conn).await?;
        configurable(state.integration.active)?;
        Ok((state, origin))
    }
}

impl Parent for ConfigurationLock {
    type Owner = BusinessPartnerId;

    fn key(&self) -> &str {
        self.0.as_str()
    }

    fn owner(&self) -> BusinessPartnerId {
        self.0.clone()
    }

    async fn load_state(&self, conn: &mut Conn) -> Result<IntegrationState> {
        load_state(conn, &self.0).await
    }

    fn tag(state: &IntegrationState) -> EntityTag {
        state.etag()
    }

    async fn current_etag(&self, _: &Db, current: &RevisionLookup) -> Result<EntityTag> {
        current.tag(&self.0).await
    }
}

impl Aggregate for ActivationLock {
    type Locked = IntegrationState;

    async fn lock(&self, conn: &mut Conn) -> Result<(IntegrationState, AggregateVersion)> {
        or_not_found(repo::lock(conn, &self.0).await?.then_some(()))?;
        let state = load_state(conn, &self.0).await?;
        let revision = state.integration.revision;
        Ok((
            state,
            AggregateVersion::CustomerIntegration {
                business_partner_id: self.0.clone(),
                revision,
            },
        ))
    }
}

/// R1: while the integration is inactive its configuration can be read, not changed.
fn configurable(active: bool) -> Result<()> {
    if active {
        Ok(())
    } else {
        Err(Error::client(Code::IntegrationInactive))
    }
}

/// R10: switching keeps everything else, and switching to where it already is changes nothing (`None`).
fn toggled(row: &IntegrationRow, wanted: Option<bool>, now: Timestamp) -> Option<IntegrationRow> {
    let active = wanted.filter(|wanted| *wanted != row.active)?;
    let activated_at = if active { Some(now) } else { row.activated_at };
    Some(IntegrationRow {
        active,
        activated_at,
        ..row.clone()
    })
}

/// Where an integration stands, or that there is none.
pub async fn load_state(conn: &mut Conn, partner: &BusinessPartnerId) -> Result<IntegrationState> {
    or_not_found(repo::load_state(conn, partner).await?).map(IntegrationState::new)
}

/// The revisions that each partner's decisions depend on, all of one moment; partners that do not exist are left out.
pub async fn revisions(
    conn: &mut Conn,
    partners: &[BusinessPartnerId],
) -> Result<impl Iterator<Item = (BusinessPartnerId, VersionVector)> + use<>> {
    let rows = repo::revisions(conn, partners).await?.into_iter();
    Ok(rows.map(|(id, partner, catalog, global_rules)| {
        (
            id,
            VersionVector {
                partner,
                catalog,
                global_rules,
            },
        )
    }))
}

/// A page of the integrations a caller may know (`only`: of one partner), and its tag.
pub async fn list(
    db: &Db,
    only: Option<&BusinessPartnerId>,
    filter: &CustomerIntegrationListQuery,
    page: &PageRequest,
) -> Result<(EntityTag, Page<CustomerIntegrationSummary>)> {
    // a search may go through all of them
    let (catalog, rows) = db
        .snapshot(ReadCost::Scan, async |conn| {
            let catalog = catalog::service::revision(conn).await?;
            Ok((catalog, repo::list(conn, only, filter, page).await?))
        })
        .await?;
    let page = Page::new(rows, page).map(|row| CustomerIntegrationSummary {
        active: row.integration.active,
        activated_at: row.integration.activated_at,
        revision: row.integration.revision,
        usable: row.usable,
        audit: row.integration.audit(),
        business_partner: BusinessPartner::from_row(row.partner).into(),
    });
    let revisions: Vec<_> = page
        .items
        .iter()
        .map(|it| (it.business_partner.id.as_str(), it.revision))
        .collect();
    let etag = EntityTag::hashed((catalog, revisions, &page.next_cursor));
    Ok((etag, page))
}

/// Activates or deactivates the integration.
pub async fn update(
    db: &Db,
    actor: Actor,
    partner: BusinessPartnerId,
    body: CustomerIntegrationPatch,
    precondition: Precondition,
) -> Result<Committed<CustomerIntegration>> {
    db.transact(actor, ActivationLock(partner), async move |tx| {
        // the lock has bumped the revision already; what the caller knows is the one before
        let mut before = tx.locked.clone();
        before.integration.revision -= 1;
        let view = describe(tx.conn, before.clone()).await?;
        precondition.check(Some(&view))?;
        let Some(row) = toggled(&before.integration, body.active, tx.now) else {
            return Ok(Change::Unchanged(view));
        };
        let audit = tx.updated_audit(&row.audit());
        let integration = IntegrationRow {
            revision: tx.locked.integration.revision,
            ..row
        }
        .stamped(audit);
        repo::update(tx.conn, &integration).await?;
        let after = describe(
            tx.conn,
            IntegrationState {
                integration,
                ..before
            },
        )
        .await?;
        Ok(Change::Updated {
            before: view,
            after,
        })
    })
    .await
}

/// A new partner's integration comes into being, inactive.
pub async fn create_for_partner(tx: &mut Tx<'_, ()>, partner: &BusinessPartnerId) -> Result<()> {
    let row = IntegrationRow::new_inactive(partner.clone(), tx.created_audit());
    repo::insert(tx.conn, &row).await
}

/// The integration with its counts and its readiness; all of one moment when `state` was read in the same snapshot or
/// unit of work.
pub async fn describe(conn: &mut Conn, state: IntegrationState) -> Result<CustomerIntegration> {
    let granted = grants::service::all(conn, state.business_partner_id()).await?;
    let access_counts = accesses::service::access_counts(conn, state.business_partner_id()).await?;
    let settings = settings(conn, state.business_partner_id()).await?;
    let fields = ReadinessInput {
        integration_active: state.integration.active,
        partner_active: state.partner.active,
        granted: &granted,
        access_counts: &access_counts,
        settings: &settings,
    };
    let (counts, readiness) = (fields.counts(), fields.readiness());
    Ok(CustomerIntegration::new(state, counts, readiness))
}

async fn settings(conn: &mut Conn, partner: &BusinessPartnerId) -> Result<Settings> {
    let excluding = exclusion_rules::service::filters_with_areas(conn, partner).await?;
    Ok(Settings {
        tags: tags::service::count(conn, partner).await?,
        queries: queries::service::count(conn, partner).await?,
        exclusion_rules: exclusion_rules::service::count(conn, partner).await?,
        retired: ticket_filter::references::retired(conn, partner).await?,
        excluding: excluding.iter().map(CompiledFilter::new).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::common::Audit;

    fn row(active: bool) -> IntegrationRow {
        let actor = Actor {
            subject: "anna".into(),
            client: None,
            request_id: "r".into(),
        };
        let created_audit = IntegrationRow::new_inactive(
            "K-1".parse().unwrap(),
            Audit::created(&actor, Timestamp::now()),
        );
        IntegrationRow {
            active,
            activated_at: active.then(Timestamp::now),
            ..created_audit
        }
    }

    #[test]
    fn r1_an_inactive_integration_cannot_be_configured() {
        assert_eq!(
            configurable(false).unwrap_err().code(),
            Code::IntegrationInactive
        );
        assert!(configurable(true).is_ok());
    }

    #[test]
    fn r10_switching_is_idempotent() {
        let now = Timestamp::now();
        assert_eq!(toggled(&row(true), Some(true), now), None);
        assert_eq!(toggled(&row(false), Some(false), now), None);
        assert_eq!(toggled(&row(false), None, now), None);
    }

    #[test]
    fn r10_deactivation_keeps_everything_and_activation_is_dated() {
        let (on, now) = (row(true), Timestamp::now().plus_seconds(60));
        let off = toggled(&on, Some(false), now).unwrap();
        assert_eq!(
            off,
            IntegrationRow {
                active: false,
                ..on.clone()
            }
        );
        let again = toggled(&off, Some(true), now).unwrap();
        assert_eq!(
            again,
            IntegrationRow {
                activated_at: Some(now),
                ..on
            }
        );
    }
}

//! The rules of the aggregate: what may be written while it is inactive, and switching it on and off.

use super::{
    Current, IntegrationRow, Standing,
    dto::{
        CustomerIntegration, CustomerIntegrationListQuery, CustomerIntegrationPatch,
        CustomerIntegrationSummary,
    },
    readiness::{Facts, Settings},
    repo,
};
use crate::{
    accesses,
    catalog::{self, BusinessPartner, BusinessPartnerId, CatalogEntry as _},
    db::{Aggregate, Conn, Db, Reach, Stamp, Tx},
    decisions::rules::Node,
    elements::Home,
    exclusion_rules, grants,
    history::Origin,
    kernel::{
        Actor, Change, Code, Done, Error, Result,
        change::{EntityTag, Precondition},
        found as there,
        page::{Page, PageRequest},
        time::Timestamp,
    },
    queries, tags, ticket_filter,
};

/// Everything configured below an integration. Locking it applies R1.
#[derive(Debug, Clone)]
pub struct Configuration(pub BusinessPartnerId);

/// The integration's own switch, the one thing that can be written while it is inactive.
#[derive(Debug, Clone)]
pub struct Activation(pub BusinessPartnerId);

impl Aggregate for Configuration {
    type Locked = Standing;

    async fn lock(&self, conn: &mut Conn) -> Result<(Standing, Origin)> {
        let (standing, origin) = Activation(self.0.clone()).lock(conn).await?;
        configurable(standing.integration.active)?;
        Ok((standing, origin))
    }
}

impl Home for Configuration {
    type Owner = BusinessPartnerId;

    fn key(&self) -> &str {
        self.0.as_str()
    }

    fn owner(&self) -> BusinessPartnerId {
        self.0.clone()
    }

    async fn standing(&self, conn: &mut Conn) -> Result<Standing> {
        standing(conn, &self.0).await
    }

    fn tag(standing: &Standing) -> EntityTag {
        standing.etag()
    }

    async fn tag_now(&self, _: &Db, current: &Current) -> Result<EntityTag> {
        current.tag(&self.0).await
    }
}

impl Aggregate for Activation {
    type Locked = Standing;

    async fn lock(&self, conn: &mut Conn) -> Result<(Standing, Origin)> {
        there(repo::lock(conn, &self.0).await?.then_some(()))?;
        let standing = standing(conn, &self.0).await?;
        let revision = standing.integration.revision;
        Ok((
            standing,
            Origin::CustomerIntegration {
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
        Err(Error::refuse(Code::IntegrationInactive))
    }
}

/// R10: switching keeps everything else, and switching to where it already is changes nothing (`None`).
fn switched(row: &IntegrationRow, wanted: Option<bool>, now: Timestamp) -> Option<IntegrationRow> {
    let active = wanted.filter(|wanted| *wanted != row.active)?;
    let activated_at = if active { Some(now) } else { row.activated_at };
    Some(IntegrationRow {
        active,
        activated_at,
        ..row.clone()
    })
}

/// Where an integration stands, or that there is none.
pub async fn standing(conn: &mut Conn, partner: &BusinessPartnerId) -> Result<Standing> {
    there(repo::standing(conn, partner).await?).map(Standing::new)
}

/// The revisions that each partner's decisions depend on, all of one moment; partners that do not exist are left out.
pub async fn revisions(
    conn: &mut Conn,
    partners: &[BusinessPartnerId],
) -> Result<impl Iterator<Item = (BusinessPartnerId, Stamp)> + use<>> {
    let rows = repo::revisions(conn, partners).await?.into_iter();
    Ok(rows.map(|(id, partner, catalog, global_rules)| {
        (
            id,
            Stamp {
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
        .snapshot(Reach::Much, async |conn| {
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
) -> Result<Done<CustomerIntegration>> {
    db.mutate(actor, Activation(partner), async move |tx| {
        // the lock has bumped the revision already; what the caller knows is the one before
        let mut before = tx.locked.clone();
        before.integration.revision -= 1;
        let shown = describe(tx.conn, before.clone()).await?;
        precondition.check(Some(&shown))?;
        let Some(row) = switched(&before.integration, body.active, tx.now) else {
            return Ok(Change::Unchanged(shown));
        };
        let audit = tx.touched(&row.audit());
        let integration = IntegrationRow {
            revision: tx.locked.integration.revision,
            ..row
        }
        .stamped(audit);
        repo::update(tx.conn, &integration).await?;
        let after = describe(
            tx.conn,
            Standing {
                integration,
                ..before
            },
        )
        .await?;
        Ok(Change::Updated {
            before: shown,
            after,
        })
    })
    .await
}

/// A new partner's integration comes into being, inactive.
pub async fn found(tx: &mut Tx<'_, ()>, partner: &BusinessPartnerId) -> Result<()> {
    let row = IntegrationRow::born(partner.clone(), tx.born());
    repo::insert(tx.conn, &row).await
}

/// The integration with its counts and its readiness; all of one moment when `standing` was read in the same snapshot or
/// unit of work.
pub async fn describe(conn: &mut Conn, standing: Standing) -> Result<CustomerIntegration> {
    let granted = grants::service::all(conn, standing.business_partner_id()).await?;
    let census = accesses::service::census(conn, standing.business_partner_id()).await?;
    let settings = settings(conn, standing.business_partner_id()).await?;
    let facts = Facts {
        integration_active: standing.integration.active,
        partner_active: standing.partner.active,
        granted: &granted,
        census: &census,
        settings: &settings,
    };
    let (counts, readiness) = (facts.counts(), facts.readiness());
    Ok(CustomerIntegration::new(standing, counts, readiness))
}

async fn settings(conn: &mut Conn, partner: &BusinessPartnerId) -> Result<Settings> {
    let excluding = exclusion_rules::service::filters_with_areas(conn, partner).await?;
    Ok(Settings {
        tags: tags::service::count(conn, partner).await?,
        queries: queries::service::count(conn, partner).await?,
        exclusion_rules: exclusion_rules::service::count(conn, partner).await?,
        retired: ticket_filter::references::retired(conn, partner).await?,
        excluding: excluding.iter().map(Node::new).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Audit;

    fn row(active: bool) -> IntegrationRow {
        let actor = Actor {
            subject: "anna".into(),
            client: None,
            request_id: "r".into(),
        };
        let born = IntegrationRow::born(
            "K-1".parse().unwrap(),
            Audit::born(&actor, Timestamp::now()),
        );
        IntegrationRow {
            active,
            activated_at: active.then(Timestamp::now),
            ..born
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
        assert_eq!(switched(&row(true), Some(true), now), None);
        assert_eq!(switched(&row(false), Some(false), now), None);
        assert_eq!(switched(&row(false), None, now), None);
    }

    #[test]
    fn r10_deactivation_keeps_everything_and_activation_is_dated() {
        let (on, now) = (row(true), Timestamp::now().plus_seconds(60));
        let off = switched(&on, Some(false), now).unwrap();
        assert_eq!(
            off,
            IntegrationRow {
                active: false,
                ..on.clone()
            }
        );
        let again = switched(&off, Some(true), now).unwrap();
        assert_eq!(
            again,
            IntegrationRow {
                activated_at: Some(now),
                ..on
            }
        );
    }
}

//! Listing, describing and activating customer integrations.

use super::{
    dto::{
        Counts, CustomerIntegration, CustomerIntegrationListQuery, CustomerIntegrationPatch,
        CustomerIntegrationSummary,
    },
    readiness::{ReadinessInput, Settings, TagUser},
    repo,
};
use ticket_policy::rules::CompiledFilter;

use crate::{
    accesses,
    catalog::{BusinessPartner, CatalogEntry as _, EntryKind},
    common::{
        Actor, Change, Committed, Resource as _, Result,
        ids::BusinessPartnerId,
        page::{Page, PageRequest},
        precondition::Precondition,
    },
    db::{Conn, Db},
    exclusion_rules::{self, ExclusionRule},
    grants,
    integration::{self, ActivationLock, IntegrationState},
    queries::{self, TicketQuery},
    tags::{self, service::TagNames},
    ticket_filter::{self, TicketFilter, catalog_entries::referenced_entries},
};

/// One page of the integrations. `only` limits the list to one partner.
pub async fn list(
    conn: &mut Conn,
    only: Option<&BusinessPartnerId>,
    filter: &CustomerIntegrationListQuery,
    page: &PageRequest,
) -> Result<Page<CustomerIntegrationSummary>> {
    let rows = repo::list(conn, only, filter, page).await?;
    Ok(Page::new(rows, page).map(|row| CustomerIntegrationSummary {
        active: row.integration.active,
        activated_at: row.integration.activated_at,
        revision: row.integration.revision,
        usable: row.usable,
        audit: row.integration.audit(),
        business_partner: BusinessPartner::from_row(row.partner).into(),
    }))
}

/// Activates or deactivates an integration. Idempotent (`docs/domain.md#r10`).
///
/// # Errors
///
/// 404 if it does not exist; 412 if the precondition fails.
pub async fn update(
    db: &Db,
    actor: Actor,
    partner: BusinessPartnerId,
    body: CustomerIntegrationPatch,
    precondition: Precondition,
) -> Result<Committed<CustomerIntegration>> {
    db.transact(actor, ActivationLock(partner), async move |tx| {
        // the lock has incremented the revision; clients have seen the previous one
        let mut before = tx.locked.clone();
        before.integration.revision -= 1;
        let view = describe(tx.conn, before.clone()).await?;
        precondition.check(Some(&view))?;
        let Some(state) = integration::service::set_active(tx, body.active).await? else {
            return Ok(Change::Unchanged(view));
        };
        Ok(Change::Updated {
            before: view,
            after: describe(tx.conn, state).await?,
        })
    })
    .await
}

/// An integration with its counts and its readiness. They are consistent if `state` was read in the
/// same snapshot or transaction.
pub async fn describe(conn: &mut Conn, state: IntegrationState) -> Result<CustomerIntegration> {
    let partner = state.business_partner_id();
    let granted = grants::all(conn, partner).await?;
    let access_counts = accesses::service::access_counts(conn, partner).await?;
    let query_counts = queries::service::counts(conn, partner).await?;
    let rule_counts = exclusion_rules::service::counts(conn, partner).await?;
    let settings = load_settings(conn, partner).await?;
    let granted_of = |kind| {
        let count = granted.iter().filter(|grant| grant.kind() == kind).count();
        i64::try_from(count).unwrap_or(i64::MAX)
    };
    let counts = Counts {
        accesses: access_counts.all,
        active_accesses: access_counts.active,
        areas: granted_of(EntryKind::Area),
        ticket_types: granted_of(EntryKind::TicketType),
        tags: tags::service::count(conn, partner).await?,
        queries: query_counts.all,
        active_queries: query_counts.active,
        exclusion_rules: rule_counts.own.all,
        active_exclusion_rules: rule_counts.own.active,
        global_exclusion_rules: rule_counts.global.all,
        active_global_exclusion_rules: rule_counts.global.active,
        plan_boards: granted_of(EntryKind::PlanBoard),
    };
    let readiness = ReadinessInput {
        integration_active: state.integration.active,
        partner_active: state.partner.active,
        granted: &granted,
        access_counts: &access_counts,
        settings: &settings,
    }
    .readiness();
    Ok(CustomerIntegration::new(state, counts, readiness))
}

async fn load_settings(conn: &mut Conn, partner: &BusinessPartnerId) -> Result<Settings> {
    let rules = exclusion_rules::service::list_applying(conn, partner).await?;
    let queries = queries::service::list_active(conn, partner).await?;
    let references_area = |filter: &TicketFilter| {
        let entries = referenced_entries(filter);
        entries.iter().any(|(_, kind, _)| *kind == EntryKind::Area)
    };
    let excluding = rules
        .iter()
        .map(|rule| &rule.filter)
        .filter(|filter| references_area(filter))
        .map(CompiledFilter::new);
    let mut tag_users: Vec<_> = queries
        .iter()
        .map(|(id, fields)| TagUser::new(TicketQuery::KIND, *id, &fields.name, &fields.filter.0))
        .collect();
    let own_rules = rules.iter().filter(|rule| rule.owner.is_some());
    tag_users.extend(
        own_rules.map(|rule| TagUser::new(ExclusionRule::KIND, rule.id, &rule.name, &rule.filter)),
    );
    tag_users.retain(|user| !user.tag_names.is_empty());
    Ok(Settings {
        retired: ticket_filter::references::retired(conn, partner).await?,
        excluding: excluding.collect(),
        tags: if tag_users.is_empty() {
            TagNames::default()
        } else {
            tags::service::names(conn, partner).await?
        },
        tag_users,
    })
}

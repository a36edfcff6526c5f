//! Locking, reading and activating the integration's own row.

use super::{IntegrationRow, IntegrationState, repo};
use crate::{
    catalog::{BusinessPartner, WritableEntry},
    common::{
        Code, Error, Result, etag::EntityTag, ids::BusinessPartnerId, or_not_found,
        timestamp::Timestamp,
    },
    crud::Parent,
    db::{Aggregate, AggregateVersion, Conn, Db, RevisionLookup, Tx},
};

pub use super::repo::active_accesses;

/// The lock of every write to the configuration of a partner. It rejects writes while the
/// integration is inactive (`docs/domain.md#r1`).
#[derive(Debug, Clone)]
pub struct ConfigurationLock(pub BusinessPartnerId);

/// The lock for activation and deactivation, which are allowed while the integration is inactive.
#[derive(Debug, Clone)]
pub struct ActivationLock(pub BusinessPartnerId);

impl Aggregate for ConfigurationLock {
    type Locked = IntegrationState;

    async fn lock(&self, conn: &mut Conn) -> Result<(IntegrationState, AggregateVersion)> {
        let (state, version) = ActivationLock(self.0.clone()).lock(conn).await?;
        ensure_active(state.integration.active)?;
        Ok((state, version))
    }
}

impl Parent for ConfigurationLock {
    type Owner = BusinessPartnerId;

    fn owner(&self) -> BusinessPartnerId {
        self.0.clone()
    }

    async fn load_state(&self, conn: &mut Conn) -> Result<IntegrationState> {
        load_state(conn, &self.0).await
    }

    fn etag(state: &IntegrationState) -> EntityTag {
        state.etag()
    }

    async fn current_etag(&self, _: &Db, current: &RevisionLookup) -> Result<EntityTag> {
        current.etag(&self.0).await
    }
}

impl Aggregate for ActivationLock {
    type Locked = IntegrationState;

    async fn lock(&self, conn: &mut Conn) -> Result<(IntegrationState, AggregateVersion)> {
        or_not_found(repo::lock(conn, &self.0).await?.then_some(()))?;
        let state = load_state(conn, &self.0).await?;
        let version = AggregateVersion::CustomerIntegration {
            business_partner_id: self.0.clone(),
            revision: state.integration.revision,
        };
        Ok((state, version))
    }
}

/// An inactive integration is read-only (`docs/domain.md#r1`).
fn ensure_active(active: bool) -> Result<()> {
    if active {
        Ok(())
    } else {
        Err(Error::client(Code::IntegrationInactive))
    }
}

/// The current state of an integration.
///
/// # Errors
///
/// 404 if it does not exist.
pub async fn load_state(conn: &mut Conn, partner: &BusinessPartnerId) -> Result<IntegrationState> {
    or_not_found(repo::load_state(conn, partner).await?).map(IntegrationState::from)
}

/// Activates or deactivates the locked integration. Returns its new state, or `None` if nothing
/// changes.
pub async fn set_active(
    tx: &mut Tx<'_, IntegrationState>,
    active: Option<bool>,
) -> Result<Option<IntegrationState>> {
    let Some(row) = toggled(&tx.locked.integration, active, tx.now) else {
        return Ok(None);
    };
    let audit = tx.updated_audit(&row.audit());
    let integration = row.with_audit(audit);
    repo::update(tx.conn, &integration).await?;
    Ok(Some(IntegrationState {
        integration,
        ..tx.locked.clone()
    }))
}

/// The row after the change; `None` if nothing changes (`docs/domain.md#r10`).
fn toggled(row: &IntegrationRow, active: Option<bool>, now: Timestamp) -> Option<IntegrationRow> {
    let active = active.filter(|active| *active != row.active)?;
    let activated_at = if active { Some(now) } else { row.activated_at };
    Some(IntegrationRow {
        active,
        activated_at,
        ..row.clone()
    })
}

impl WritableEntry for BusinessPartner {
    /// Every business partner has a customer integration, which starts inactive.
    async fn on_created(tx: &mut Tx<'_, ()>, id: &BusinessPartnerId) -> Result<()> {
        let row = IntegrationRow::new_inactive(id.clone(), tx.created_audit());
        repo::insert(tx.conn, &row).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::common::{Actor, Audit};

    fn row(active: bool) -> IntegrationRow {
        let actor = Actor {
            subject: "anna".into(),
            request_id: "r".into(),
            ..Actor::default()
        };
        let audit = Audit::created(&actor, Timestamp::now());
        IntegrationRow {
            active,
            activated_at: active.then(Timestamp::now),
            ..IntegrationRow::new_inactive("K-1".parse().unwrap(), audit)
        }
    }

    #[test]
    fn r1_inactive_integration_is_read_only() {
        assert!(ensure_active(true).is_ok());
        let error = ensure_active(false).unwrap_err();
        assert_eq!(error.code(), Code::IntegrationInactive);
    }

    #[rstest::rstest]
    #[case(true, Some(true))]
    #[case(false, Some(false))]
    #[case(false, None)]
    fn r10_repeated_activation_changes_nothing(#[case] active: bool, #[case] patch: Option<bool>) {
        assert_eq!(toggled(&row(active), patch, Timestamp::now()), None);
    }

    #[test]
    fn r10_deactivation_retains_everything_else() {
        let active = row(true);
        let inactive = toggled(&active, Some(false), Timestamp::now());
        let expected = IntegrationRow {
            active: false,
            ..active
        };
        assert_eq!(inactive, Some(expected));
    }

    #[test]
    fn r10_activation_sets_activated_at() {
        let inactive = row(false);
        let now = Timestamp::now();
        let expected = IntegrationRow {
            active: true,
            activated_at: Some(now),
            ..inactive.clone()
        };
        assert_eq!(toggled(&inactive, Some(true), now), Some(expected));
    }
}

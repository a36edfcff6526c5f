//! Where global rules live.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use crate::{
    catalog,
    common::{Result, change::EntityTag, ids::BusinessPartnerId},
    crud::Parent,
    db::{
        Aggregate, AggregateVersion, Conn, Db,
        schema::{GLOBAL_RULES, shared_revisions},
        with_conn,
    },
    integration::RevisionLookup,
};

/// The owner of the global rules, as the column `owner` has it.
pub const GLOBAL: &str = "";

/// The one list of global rules.
#[derive(Debug, Clone, Copy)]
pub struct GlobalRules;

/// Where the global rules stand.
#[derive(Debug, Clone, Copy)]
pub struct GlobalRulesState {
    pub revision: i64,
    pub catalog_revision: i64,
}

/// Nobody's rules in particular.
#[derive(Debug, Clone, Copy)]
pub struct AllPartners;

impl From<AllPartners> for Option<BusinessPartnerId> {
    fn from(AllPartners: AllPartners) -> Self {
        None
    }
}

impl Aggregate for GlobalRules {
    type Locked = GlobalRulesState;

    async fn lock(&self, conn: &mut Conn) -> Result<(GlobalRulesState, AggregateVersion)> {
        let bumped = diesel::update(shared_revisions::table.find(GLOBAL_RULES))
            .set(shared_revisions::revision.eq(shared_revisions::revision + 1))
            .returning(shared_revisions::revision);
        let revision = with_conn!(conn, |c| bumped.get_result(c))?;
        let catalog_revision = catalog::service::revision(conn).await?;
        Ok((
            GlobalRulesState {
                revision,
                catalog_revision,
            },
            AggregateVersion::GlobalRules { revision },
        ))
    }
}

impl Parent for GlobalRules {
    type Owner = AllPartners;

    fn key(&self) -> &'static str {
        GLOBAL
    }

    fn owner(&self) -> AllPartners {
        AllPartners
    }

    async fn load_state(&self, conn: &mut Conn) -> Result<GlobalRulesState> {
        let query = shared_revisions::table
            .find(GLOBAL_RULES)
            .select(shared_revisions::revision);
        let revision = with_conn!(conn, |c| query.first(c))?;
        Ok(GlobalRulesState {
            revision,
            catalog_revision: catalog::service::revision(conn).await?,
        })
    }

    fn tag(state: &GlobalRulesState) -> EntityTag {
        EntityTag::derived(state.revision, format_args!("c{}", state.catalog_revision))
    }

    async fn current_etag(&self, db: &Db, _: &RevisionLookup) -> Result<EntityTag> {
        db.read(async |conn| self.load_state(conn).await)
            .await
            .map(|state| Self::tag(&state))
    }
}

//! The aggregate of the global rules.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::RuleOwner;
use crate::{
    catalog,
    common::{Result, etag::EntityTag},
    crud::Parent,
    db::{
        Aggregate, AggregateVersion, Conn, Db, RevisionLookup,
        schema::{GLOBAL_RULES, shared_revisions},
        with_conn,
    },
};

/// The list of global rules.
#[derive(Debug, Clone, Copy)]
pub struct GlobalRules;

/// The revisions on which the views of global rules depend.
#[derive(Debug, Clone, Copy)]
pub struct GlobalRulesState {
    pub revision: i64,
    pub catalog_revision: i64,
}

impl Aggregate for GlobalRules {
    type Locked = GlobalRulesState;

    async fn lock(&self, conn: &mut Conn) -> Result<(GlobalRulesState, AggregateVersion)> {
        let bump = diesel::update(shared_revisions::table.find(GLOBAL_RULES))
            .set(shared_revisions::revision.eq(shared_revisions::revision + 1))
            .returning(shared_revisions::revision);
        let revision = with_conn!(conn, |c| bump.get_result(c))?;
        let state = GlobalRulesState {
            revision,
            catalog_revision: catalog::service::revision(conn).await?,
        };
        Ok((state, AggregateVersion::GlobalRules { revision }))
    }
}

impl Parent for GlobalRules {
    type Owner = RuleOwner;

    fn owner(&self) -> RuleOwner {
        RuleOwner::Global
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

    fn etag(state: &GlobalRulesState) -> EntityTag {
        EntityTag::derived(state.revision, format_args!("c{}", state.catalog_revision))
    }

    async fn current_etag(&self, db: &Db, _: &RevisionLookup) -> Result<EntityTag> {
        let state = db.read(async |conn| self.load_state(conn).await).await?;
        Ok(Self::etag(&state))
    }
}

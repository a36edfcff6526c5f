//! Where global rules live.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use crate::{
    catalog,
    catalog::BusinessPartnerId,
    db::{Aggregate, Conn, Db, on, schema::shared_revisions},
    elements::Home,
    history::Origin,
    integration::Current,
    kernel::{Result, change::EntityTag},
};

/// The owner of the global rules, as the column `owner` has it.
pub const GLOBAL: &str = "";

/// The name of the global rules' row in `shared_revisions`.
pub const GLOBAL_RULES: &str = "global_rules";

/// The one list of global rules.
#[derive(Debug, Clone, Copy)]
pub struct GlobalRules;

/// Where the global rules stand.
#[derive(Debug, Clone, Copy)]
pub struct GlobalStanding {
    pub revision: i64,
    pub catalog_revision: i64,
}

/// Nobody's rules in particular.
#[derive(Debug, Clone, Copy)]
pub struct Everybody;

impl From<Everybody> for Option<BusinessPartnerId> {
    fn from(Everybody: Everybody) -> Self {
        None
    }
}

impl Aggregate for GlobalRules {
    type Locked = GlobalStanding;

    async fn lock(&self, conn: &mut Conn) -> Result<(GlobalStanding, Origin)> {
        let bumped = diesel::update(shared_revisions::table.find(GLOBAL_RULES))
            .set(shared_revisions::revision.eq(shared_revisions::revision + 1))
            .returning(shared_revisions::revision);
        let revision = on!(conn, |c| bumped.get_result(c))?;
        let catalog_revision = catalog::service::revision(conn).await?;
        Ok((
            GlobalStanding {
                revision,
                catalog_revision,
            },
            Origin::GlobalRules { revision },
        ))
    }
}

impl Home for GlobalRules {
    type Owner = Everybody;

    fn key(&self) -> &'static str {
        GLOBAL
    }

    fn owner(&self) -> Everybody {
        Everybody
    }

    async fn standing(&self, conn: &mut Conn) -> Result<GlobalStanding> {
        let query = shared_revisions::table
            .find(GLOBAL_RULES)
            .select(shared_revisions::revision);
        let revision = on!(conn, |c| query.first(c))?;
        Ok(GlobalStanding {
            revision,
            catalog_revision: catalog::service::revision(conn).await?,
        })
    }

    fn tag(standing: &GlobalStanding) -> EntityTag {
        EntityTag::derived(
            standing.revision,
            format_args!("c{}", standing.catalog_revision),
        )
    }

    async fn tag_now(&self, db: &Db, _: &Current) -> Result<EntityTag> {
        db.read(async |conn| self.standing(conn).await)
            .await
            .map(|standing| Self::tag(&standing))
    }
}

//! What an access can do at all: one answer for a portal that builds its pages from it.
//!
//! The tags stand beside the areas, not within each: a tag that belongs to every area would otherwise be repeated for each of
//! them, and a partner may have twenty thousand.

use ticket_policy::creation::{AreaAbilities, abilities};

use super::{
    policy_cache::{PolicyCache, viewer},
    policy_loader::{PolicyInput, PolicySnapshot},
    response::{
        AreaCapability, Capabilities, CreatableType, OfferedPlanBoard, OfferedQuery, OfferedTag,
    },
};
use crate::{
    accesses::{self, AccessRef},
    catalog::EntryKind,
    common::{
        Result,
        change::EntityTag,
        ids::{AccessId, AreaId, BusinessPartnerId, ErpId, QueryId},
        or_not_found,
    },
    db::{Conn, VersionVector},
    grants::{self, GrantWithEntry},
    queries::{self, QueryFields},
    tags,
};

/// What the database holds of an access' offers; nothing of one that has no effect.
#[derive(Default)]
struct Offers {
    tags: Vec<OfferedTag>,
    queries: Vec<OfferedQuery>,
    plan_boards: Vec<OfferedPlanBoard>,
}

/// Reads what an access of a partner can do, all of one moment.
pub async fn read(
    policy_cache: &PolicyCache,
    partner: &BusinessPartnerId,
    id: AccessId,
) -> Result<(VersionVector, Capabilities)> {
    let read = async |conn: &mut Conn, input: &PolicyInput| {
        let row = accesses::service::look_up(conn, &AccessRef::Id(id)).await?;
        let (row, _) = or_not_found(row.filter(|(row, _)| row.business_partner_id == *partner))?;
        let viewer = viewer(row.id, row.fields);
        let effective = input.is_live() && viewer.active;
        let offers = if effective {
            offers(conn, partner).await?
        } else {
            Offers::default()
        };
        Ok((viewer, effective, offers))
    };
    let (snapshot, (viewer, effective, offers)) = policy_cache.load(partner, read).await?;
    let PolicySnapshot {
        policy, revisions, ..
    } = &*snapshot;
    let available = |area: &Option<AreaId>| {
        area.as_ref().is_none_or(|area| {
            policy
                .partner
                .area(area.as_str())
                .is_some_and(|area| area.available)
        })
    };
    let capabilities = Capabilities {
        access_id: id,
        revision: revisions.partner,
        effective,
        areas: abilities(policy, &viewer).into_iter().map(area).collect(),
        tags: offers
            .tags
            .into_iter()
            .filter(|tag| available(&tag.area_id))
            .collect(),
        queries: offers.queries,
        plan_boards: offers.plan_boards,
    };
    Ok((*revisions, capabilities))
}

/// The tag of an answer: it changes when the answer does, so with every revision of the partner's integration, but not with what
/// the catalogue or the global rules hold beside.
pub fn tag(json: &[u8]) -> EntityTag {
    EntityTag::hashed(json)
}

fn area(abilities: AreaAbilities<'_>) -> AreaCapability {
    let AreaAbilities {
        area,
        view,
        ticket_types,
    } = abilities;
    AreaCapability {
        area_id: ErpId::from_trusted(area.id.to_string()),
        name: area.name.to_string(),
        view,
        create: !ticket_types.is_empty(),
        ticket_types: ticket_types
            .into_iter()
            .map(|it| CreatableType {
                ticket_type_id: ErpId::from_trusted(it.id.to_string()),
                name: it.name.to_string(),
                approval_required: it.approval_required,
            })
            .collect(),
    }
}

async fn offers(conn: &mut Conn, partner: &BusinessPartnerId) -> Result<Offers> {
    let tags = tags::service::list_visible(conn, partner)
        .await?
        .into_iter();
    let queries = queries::service::list_visible(conn, partner)
        .await?
        .into_iter();
    let granted = grants::service::all(conn, partner).await?.into_iter();
    let boards = granted.filter(|grant| grant.kind() == EntryKind::PlanBoard && grant.entry.active);
    Ok(Offers {
        tags: tags
            .map(|(id, name, area_id)| OfferedTag { id, name, area_id })
            .collect(),
        queries: queries.map(query).collect(),
        plan_boards: boards.map(plan_board).collect(),
    })
}

fn query((id, facts): (QueryId, QueryFields)) -> OfferedQuery {
    OfferedQuery {
        id,
        name: facts.name,
        description: facts.description,
        position: facts.position,
        filter: facts.filter.0,
        columns: facts.board_columns.0,
        sort: facts.sort.0,
    }
}

fn plan_board(GrantWithEntry { entry, .. }: GrantWithEntry) -> OfferedPlanBoard {
    OfferedPlanBoard {
        plan_board_id: ErpId::from_trusted(entry.id),
        name: entry.name,
        description: entry.description.unwrap_or_default(),
    }
}

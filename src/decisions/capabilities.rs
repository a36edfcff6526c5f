//! What an access can do at all: one answer for a portal that builds its pages from it.
//!
//! The tags stand beside the areas, not within each: a tag that belongs to every area would otherwise be repeated for each of
//! them, and a partner may have twenty thousand.

use super::{
    answers::{AreaCapability, Capabilities, CreatableType, OfferedPlanBoard, OfferedQuery, OfferedTag},
    creation::{AreaAbilities, abilities, is_effective},
    keeper::{Keeper, viewer},
    policy::Policy,
    snapshot::Snapshot,
};
use crate::{
    accesses::{self, AccessId, Who},
    catalog::{AreaId, BusinessPartnerId, EntryKind},
    db::{Conn, Stamp},
    grants,
    kernel::{Result, change::EntityTag, found, ids::ErpId},
    queries, tags,
};

/// Reads what an access of a partner can do, all of one moment.
pub async fn read(
    conn: &mut Conn,
    keeper: &Keeper,
    partner: &BusinessPartnerId,
    id: AccessId,
) -> Result<(Stamp, Capabilities)> {
    let row = accesses::service::look_up(conn, &Who::Id(id)).await?;
    let (row, _) = found(row.filter(|(row, _)| row.business_partner_id == *partner))?;
    let Snapshot { policy, revisions, .. } = keeper.read_in(conn, partner).await?;
    let viewer = viewer(row.id, row.facts);
    let effective = is_effective(&policy, &viewer);
    let areas = abilities(&policy, &viewer).into_iter().map(area).collect();
    let mut capabilities = Capabilities {
        access_id: id,
        revision: revisions.partner,
        effective,
        areas,
        tags: Vec::new(),
        queries: Vec::new(),
        plan_boards: Vec::new(),
    };
    if effective {
        capabilities.tags = offered_tags(conn, partner, &policy).await?;
        capabilities.queries = offered_queries(conn, partner).await?;
        capabilities.plan_boards = offered_plan_boards(conn, partner).await?;
    }
    Ok((revisions, capabilities))
}

/// The tag of an answer: it changes when the answer does, so with every revision of the partner's integration, but not with what
/// the catalogue or the global rules hold beside.
pub fn tag(json: &[u8]) -> EntityTag {
    EntityTag::hashed(json)
}

fn area(abilities: AreaAbilities<'_>) -> AreaCapability {
    let AreaAbilities { area, view, ticket_types } = abilities;
    AreaCapability {
        area_id: ErpId::stored(area.id.to_string()),
        name: area.name.to_string(),
        view,
        create: !ticket_types.is_empty(),
        ticket_types: ticket_types
            .into_iter()
            .map(|it| CreatableType {
                ticket_type_id: ErpId::stored(it.id.to_string()),
                name: it.name.to_string(),
                approval_required: it.approval_required,
            })
            .collect(),
    }
}

async fn offered_tags(conn: &mut Conn, partner: &BusinessPartnerId, policy: &Policy) -> Result<Vec<OfferedTag>> {
    let available = |area: &Option<AreaId>| {
        area.as_ref().is_none_or(|area| policy.partner.area(area.as_str()).is_some_and(|area| area.available))
    };
    let tags = tags::service::offered(conn, partner).await?.into_iter();
    Ok(tags
        .filter(|(_, _, area)| available(area))
        .map(|(id, name, area_id)| OfferedTag { id, name, area_id })
        .collect())
}

async fn offered_queries(conn: &mut Conn, partner: &BusinessPartnerId) -> Result<Vec<OfferedQuery>> {
    let queries = queries::service::offered(conn, partner).await?.into_iter();
    let offered = queries.map(|(id, facts)| OfferedQuery {
        id,
        name: facts.name,
        description: facts.description,
        position: facts.position,
        filter: facts.filter.0,
        columns: facts.board_columns.0,
        sort: facts.sort.0,
    });
    Ok(offered.collect())
}

async fn offered_plan_boards(conn: &mut Conn, partner: &BusinessPartnerId) -> Result<Vec<OfferedPlanBoard>> {
    let granted = grants::service::all(conn, partner).await?.into_iter();
    let boards = granted.filter(|grant| grant.kind() == EntryKind::PlanBoard && grant.entry.active);
    let offered = boards.map(|grant| OfferedPlanBoard {
        plan_board_id: ErpId::stored(grant.entry.id),
        name: grant.entry.name,
        description: grant.entry.description.unwrap_or_default(),
    });
    Ok(offered.collect())
}

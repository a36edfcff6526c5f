//! The capabilities of an access: everything that a portal needs to build its user interface, in
//! one response.
//!
//! The tags are listed next to the areas instead of within each: a tag without an area would be
//! repeated for all of them, and a partner can have 20,000 tags.

use ticket_policy::{
    Viewer,
    creation::{AreaAbilities, abilities},
    policy::{GrantedType, Policy},
};

use super::{
    policy_cache::{PolicyCache, viewer},
    policy_loader::PolicyInput,
    response::{
        AreaCapability, Capabilities, CreatableType, OfferedPlanBoard, OfferedQuery, OfferedTag,
    },
};
use crate::{
    accesses::{self, AccessRef},
    catalog::EntryKind,
    common::{
        Result,
        etag::EntityTag,
        ids::{AccessId, AreaId, BusinessPartnerId, ErpId, QueryId},
        or_not_found,
    },
    db::{Conn, VersionVector},
    grants::{self, GrantWithEntry},
    queries::{self, QueryFields},
    tags,
};

/// The tags, queries and plan boards offered to an access. Empty for an ineffective access.
#[derive(Default)]
struct Offers {
    tags: Vec<OfferedTag>,
    queries: Vec<OfferedQuery>,
    plan_boards: Vec<OfferedPlanBoard>,
}

/// An access as read together with its policy.
struct AccessWithOffers {
    viewer: Viewer,
    effective: bool,
    offers: Offers,
}

/// Loads the capabilities of a partner's access in one snapshot. 404 if there is no such access.
pub async fn load(
    policy_cache: &PolicyCache,
    partner: &BusinessPartnerId,
    id: AccessId,
) -> Result<(VersionVector, Capabilities)> {
    let read_access = async |conn: &mut Conn, input: &PolicyInput| {
        read_access_with_offers(conn, input, partner, id).await
    };
    let (snapshot, access) = policy_cache.load(partner, read_access).await?;
    let policy = &snapshot.policy;
    let tags = access.offers.tags.into_iter();
    let capabilities = Capabilities {
        access_id: id,
        revision: snapshot.revisions.partner,
        effective: access.effective,
        areas: abilities(policy, &access.viewer)
            .into_iter()
            .map(area_capability)
            .collect(),
        tags: tags
            .filter(|tag| is_available(policy, tag.area_id.as_ref()))
            .collect(),
        queries: access.offers.queries,
        plan_boards: access.offers.plan_boards,
    };
    Ok((snapshot.revisions, capabilities))
}

/// The ETag of capabilities. It depends on the response only, and therefore on the revision of the
/// partner's integration, but not on unrelated changes of the catalog or the global rules.
pub fn etag(json: &[u8]) -> EntityTag {
    EntityTag::hashed(json)
}

async fn read_access_with_offers(
    conn: &mut Conn,
    input: &PolicyInput,
    partner: &BusinessPartnerId,
    id: AccessId,
) -> Result<AccessWithOffers> {
    let found = accesses::service::look_up(conn, &AccessRef::Id(id)).await?;
    let (row, _) = or_not_found(found.filter(|(row, _)| row.business_partner_id == *partner))?;
    let viewer = viewer(row.id, row.fields);
    let effective = input.is_live() && viewer.active;
    let offers = if effective {
        read_offers(conn, partner).await?
    } else {
        Offers::default()
    };
    Ok(AccessWithOffers {
        viewer,
        effective,
        offers,
    })
}

/// Whether a tag of this area is offered. Tags without an area always are.
fn is_available(policy: &Policy, area: Option<&AreaId>) -> bool {
    let Some(area) = area else { return true };
    let granted = policy.partner.area(area.as_str());
    granted.is_some_and(|granted| granted.available)
}

fn area_capability(abilities: AreaAbilities<'_>) -> AreaCapability {
    AreaCapability {
        area_id: ErpId::from_trusted(abilities.area.id.to_string()),
        name: abilities.area.name.to_string(),
        view: abilities.view,
        create: !abilities.ticket_types.is_empty(),
        ticket_types: abilities
            .ticket_types
            .into_iter()
            .map(creatable_type)
            .collect(),
    }
}

fn creatable_type(granted: &GrantedType) -> CreatableType {
    CreatableType {
        ticket_type_id: ErpId::from_trusted(granted.id.to_string()),
        name: granted.name.to_string(),
        approval_required: granted.approval_required,
    }
}

async fn read_offers(conn: &mut Conn, partner: &BusinessPartnerId) -> Result<Offers> {
    let tags = tags::service::list_visible(conn, partner).await?;
    let queries = queries::service::list_visible(conn, partner).await?;
    let grants = grants::all(conn, partner).await?;
    Ok(Offers {
        tags: tags
            .into_iter()
            .map(|(id, name, area_id)| OfferedTag { id, name, area_id })
            .collect(),
        queries: queries
            .into_iter()
            .map(|(id, fields)| offered_query(id, fields))
            .collect(),
        plan_boards: grants
            .into_iter()
            .filter(|grant| grant.kind() == EntryKind::PlanBoard && grant.entry.active)
            .map(offered_plan_board)
            .collect(),
    })
}

fn offered_query(id: QueryId, fields: QueryFields) -> OfferedQuery {
    OfferedQuery {
        id,
        name: fields.name,
        description: fields.description,
        position: fields.position,
        filter: fields.filter.0,
        columns: fields.board_columns.0,
        sort: fields.sort.0,
    }
}

fn offered_plan_board(grant: GrantWithEntry) -> OfferedPlanBoard {
    OfferedPlanBoard {
        plan_board_id: ErpId::from_trusted(grant.entry.id),
        name: grant.entry.name,
        description: grant.entry.description.unwrap_or_default(),
    }
}

//! Routes of the catalog. The handlers of the four kinds of entries differ only in their
//! documentation.

use actix_web::{HttpResponse, get, put};

use super::{
    Area, BusinessPartner, CatalogEntry, CatalogFilter, PlanBoard, TicketType, WritableEntry,
    dto::{
        AreaPut, BusinessPartnerPut, CatalogListQuery, GrantableListQuery, PlanBoardPut,
        TicketTypePut,
    },
    service,
};
use crate::{
    common::{
        Draft, Result,
        etag::EntityTag,
        ids::{AreaId, BusinessPartnerId, ErpId, PlanBoardId, TicketTypeId},
        page::PageRequest,
    },
    db::Conn,
    http::{
        auth::{
            Authorized,
            permission::{CatalogRead, CatalogUsageRead, CatalogWrite},
        },
        body::Body,
        cached_read::{EtagSource, cached_list_of_many, cached_read},
        call_context::CallContext,
        list_query::{ListQuery, ListSort, PageParams, SelectionParams},
        path_params::PathParam,
        response::{self, List},
    },
};

/// List business partners of the catalog
///
/// Customer companies, as provided by the ERP. A token restricted to one partner returns only that
/// partner.
#[utoipa::path(
    tag = "catalog",
    params(PageParams, ListSort::<CatalogListQuery>, SelectionParams, CatalogListQuery),
    responses((
        status = 200,
        description = "A page of business partners.",
        body = List<BusinessPartner>
    )),
    security(("bearer" = ["catalog:read"]))
)]
#[get("/business-partners")]
pub async fn list_catalog_business_partners(
    auth: Authorized<CatalogRead>,
    query: ListQuery<CatalogListQuery>,
    call: CallContext,
) -> Result<HttpResponse> {
    let only = auth.limited_to().cloned();
    let filter = CatalogFilter {
        active: query.filter.active,
        only,
        ..CatalogFilter::default()
    };
    list::<BusinessPartner>(&call, &filter, &query.page).await
}

/// Get a business partner of the catalog
///
/// Retired entries remain readable.
#[utoipa::path(
    tag = "catalog",
    responses((status = 200, description = "The business partner.", body = BusinessPartner)),
    security(("bearer" = ["catalog:read"]))
)]
#[get("/business-partners/{business_partner_id}")]
pub async fn get_catalog_business_partner(
    auth: Authorized<CatalogRead>,
    id: PathParam<BusinessPartnerId>,
    call: CallContext,
) -> Result<HttpResponse> {
    auth.require_access(&id.0)?;
    get::<BusinessPartner>(&call, &id.0).await
}

/// Create or replace a business partner of the catalog
///
/// A new business partner gets a customer integration, which starts inactive. Idempotent.
#[utoipa::path(
    tag = "catalog",
    request_body = BusinessPartnerPut,
    responses(
        (
            status = 200,
            description = "The business partner, replaced or unchanged.",
            body = BusinessPartner
        ),
        (status = 201, description = "The new business partner.", body = BusinessPartner)
    ),
    security(("bearer" = ["catalog:write"])),
    extensions(("x-problem-codes" = json!(["partner_restricted"])))
)]
#[put("/business-partners/{business_partner_id}")]
pub async fn put_catalog_business_partner(
    auth: Authorized<CatalogWrite>,
    id: PathParam<BusinessPartnerId>,
    call: CallContext,
    body: Body<BusinessPartnerPut>,
) -> Result<HttpResponse> {
    put::<BusinessPartner>(call, &auth, id.0, body.0).await
}

/// List areas of the catalog
///
/// Ticket queues and departments, as provided by the ERP. `grantable_to` selects those that can
/// still be granted to that partner.
#[utoipa::path(
    tag = "catalog",
    params(PageParams, ListSort::<GrantableListQuery>, SelectionParams, GrantableListQuery),
    responses((status = 200, description = "A page of areas.", body = List<Area>)),
    security(("bearer" = ["catalog:read"])),
    extensions(("x-problem-codes" = json!(["partner_restricted", "not_found"])))
)]
#[get("/areas")]
pub async fn list_catalog_areas(
    auth: Authorized<CatalogRead>,
    query: ListQuery<GrantableListQuery>,
    call: CallContext,
) -> Result<HttpResponse> {
    list_grantable::<Area>(&call, &auth, query, None).await
}

/// Get an area of the catalog
///
/// Retired entries remain readable.
#[utoipa::path(
    tag = "catalog",
    responses((status = 200, description = "The area.", body = Area)),
    security(("bearer" = ["catalog:read"]))
)]
#[get("/areas/{area_id}")]
pub async fn get_catalog_area(
    _auth: Authorized<CatalogRead>,
    id: PathParam<AreaId>,
    call: CallContext,
) -> Result<HttpResponse> {
    get::<Area>(&call, &id.0).await
}

/// Create or replace an area of the catalog
///
/// `active: false` retires the area: it can no longer be granted, and existing grants have no
/// effect until it is active again. Without `start_ticket_types`, or with `null`, all ticket types
/// can be created in the area, also if the replaced entry had a list. It may only reference ticket
/// types of the catalog. Idempotent.
#[utoipa::path(
    tag = "catalog",
    request_body = AreaPut,
    responses(
        (status = 200, description = "The area, replaced or unchanged.", body = Area),
        (status = 201, description = "The new area.", body = Area)
    ),
    security(("bearer" = ["catalog:write"])),
    extensions(("x-problem-codes" = json!(["partner_restricted", "unknown_reference"])))
)]
#[put("/areas/{area_id}")]
pub async fn put_catalog_area(
    auth: Authorized<CatalogWrite>,
    id: PathParam<AreaId>,
    call: CallContext,
    body: Body<AreaPut>,
) -> Result<HttpResponse> {
    put::<Area>(call, &auth, id.0, body.0).await
}

/// List ticket types of the catalog
///
/// Ticket types, as provided by the ERP. `grantable_to` selects those that can still be granted to
/// that partner.
#[utoipa::path(
    tag = "catalog",
    params(PageParams, ListSort::<GrantableListQuery>, SelectionParams, GrantableListQuery),
    responses((status = 200, description = "A page of ticket types.", body = List<TicketType>)),
    security(("bearer" = ["catalog:read"])),
    extensions(("x-problem-codes" = json!(["partner_restricted", "not_found"])))
)]
#[get("/ticket-types")]
pub async fn list_catalog_ticket_types(
    auth: Authorized<CatalogRead>,
    query: ListQuery<GrantableListQuery>,
    call: CallContext,
) -> Result<HttpResponse> {
    list_grantable::<TicketType>(&call, &auth, query, None).await
}

/// Get a ticket type of the catalog
///
/// Retired entries remain readable.
#[utoipa::path(
    tag = "catalog",
    responses((status = 200, description = "The ticket type.", body = TicketType)),
    security(("bearer" = ["catalog:read"]))
)]
#[get("/ticket-types/{ticket_type_id}")]
pub async fn get_catalog_ticket_type(
    _auth: Authorized<CatalogRead>,
    id: PathParam<TicketTypeId>,
    call: CallContext,
) -> Result<HttpResponse> {
    get::<TicketType>(&call, &id.0).await
}

/// Create or replace a ticket type of the catalog
///
/// `active: false` retires the ticket type: it can no longer be granted, and existing grants have
/// no effect until it is active again. Idempotent.
#[utoipa::path(
    tag = "catalog",
    request_body = TicketTypePut,
    responses(
        (status = 200, description = "The ticket type, replaced or unchanged.", body = TicketType),
        (status = 201, description = "The new ticket type.", body = TicketType)
    ),
    security(("bearer" = ["catalog:write"])),
    extensions(("x-problem-codes" = json!(["partner_restricted"])))
)]
#[put("/ticket-types/{ticket_type_id}")]
pub async fn put_catalog_ticket_type(
    auth: Authorized<CatalogWrite>,
    id: PathParam<TicketTypeId>,
    call: CallContext,
    body: Body<TicketTypePut>,
) -> Result<HttpResponse> {
    put::<TicketType>(call, &auth, id.0, body.0).await
}

/// List plan boards of the catalog
///
/// Plan boards, as provided by the ERP. `grantable_to` selects those that can still be shared with
/// that partner. A token restricted to one partner returns only plan boards shared with that
/// partner.
#[utoipa::path(
    tag = "catalog",
    params(PageParams, ListSort::<GrantableListQuery>, SelectionParams, GrantableListQuery),
    responses((status = 200, description = "A page of plan boards.", body = List<PlanBoard>)),
    security(("bearer" = ["catalog:read"])),
    extensions(("x-problem-codes" = json!(["partner_restricted", "not_found"])))
)]
#[get("/plan-boards")]
pub async fn list_catalog_plan_boards(
    auth: Authorized<CatalogRead>,
    query: ListQuery<GrantableListQuery>,
    call: CallContext,
) -> Result<HttpResponse> {
    let shared_with = auth.limited_to().cloned();
    list_grantable::<PlanBoard>(&call, &auth, query, shared_with).await
}

/// Get a plan board of the catalog
///
/// Retired entries remain readable. A token restricted to one partner finds only plan boards shared
/// with that partner.
#[utoipa::path(
    tag = "catalog",
    responses((status = 200, description = "The plan board.", body = PlanBoard)),
    security(("bearer" = ["catalog:read"]))
)]
#[get("/plan-boards/{plan_board_id}")]
pub async fn get_catalog_plan_board(
    auth: Authorized<CatalogRead>,
    id: PathParam<PlanBoardId>,
    call: CallContext,
) -> Result<HttpResponse> {
    let entry = match auth.limited_to() {
        Some(partner) => service::get_granted::<PlanBoard>(&call.db, &id.0, partner).await?,
        None => service::get::<PlanBoard>(&call.db, &id.0).await?,
    };
    Ok(response::resource(&entry, &call.conditions))
}

/// Create or replace a plan board of the catalog
///
/// `active: false` retires the plan board: it can no longer be shared, and existing shares have no
/// effect until it is active again. Idempotent.
#[utoipa::path(
    tag = "catalog",
    request_body = PlanBoardPut,
    responses(
        (status = 200, description = "The plan board, replaced or unchanged.", body = PlanBoard),
        (status = 201, description = "The new plan board.", body = PlanBoard)
    ),
    security(("bearer" = ["catalog:write"])),
    extensions(("x-problem-codes" = json!(["partner_restricted"])))
)]
#[put("/plan-boards/{plan_board_id}")]
pub async fn put_catalog_plan_board(
    auth: Authorized<CatalogWrite>,
    id: PathParam<PlanBoardId>,
    call: CallContext,
    body: Body<PlanBoardPut>,
) -> Result<HttpResponse> {
    put::<PlanBoard>(call, &auth, id.0, body.0).await
}

impl EtagSource for CatalogFilter {
    fn limited_to(&self) -> Option<&BusinessPartnerId> {
        self.only.as_ref().or(self.shared_with.as_ref())
    }

    async fn current(&self, call: &CallContext) -> Result<EntityTag> {
        call.db
            .read(async |conn| service::list_etag(conn, self).await)
            .await
    }

    async fn in_snapshot(&self, conn: &mut Conn) -> Result<EntityTag> {
        service::list_etag(conn, self).await
    }
}

async fn list<E: CatalogEntry>(
    call: &CallContext,
    filter: &CatalogFilter,
    page: &PageRequest,
) -> Result<HttpResponse> {
    cached_read(call, filter, None, async |conn| {
        service::list::<E>(conn, filter, page).await.map(List::from)
    })
    .await
}

/// Responds with a page whose entries have their usage.
async fn list_with_usage<E: CatalogEntry>(
    call: &CallContext,
    filter: &CatalogFilter,
    page: &PageRequest,
) -> Result<HttpResponse> {
    cached_list_of_many(call, filter.limited_to(), None, async |conn| {
        service::list_with_usage::<E>(conn, filter, page).await
    })
    .await
}

async fn list_grantable<E: CatalogEntry>(
    call: &CallContext,
    auth: &Authorized<CatalogRead>,
    query: ListQuery<GrantableListQuery>,
    shared_with: Option<BusinessPartnerId>,
) -> Result<HttpResponse> {
    let GrantableListQuery {
        active,
        grantable_to,
        include_usage,
    } = query.filter;
    grantable_to
        .as_ref()
        .map_or(Ok(()), |partner| auth.require_access(partner))?;
    let filter = CatalogFilter {
        active,
        grantable_to,
        shared_with,
        ..CatalogFilter::default()
    };
    if include_usage {
        auth.require::<CatalogUsageRead>()?;
        return list_with_usage::<E>(call, &filter, &query.page).await;
    }
    list::<E>(call, &filter, &query.page).await
}

async fn get<E: CatalogEntry>(call: &CallContext, id: &ErpId<E::Kind>) -> Result<HttpResponse> {
    let entry = service::get::<E>(&call.db, id).await?;
    Ok(response::resource(&entry, &call.conditions))
}

async fn put<E: WritableEntry>(
    call: CallContext,
    auth: &Authorized<CatalogWrite>,
    id: ErpId<E::Kind>,
    body: Draft<E::Put>,
) -> Result<HttpResponse> {
    let precondition = call.conditions.precondition;
    let done = service::put::<E>(&call.db, auth.actor(), id, body, precondition).await?;
    Ok(response::put_result(&call.request, &done))
}

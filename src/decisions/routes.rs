//! Routes of the decisions.

use actix_web::{HttpResponse, get, post, web::Data};

use super::{
    capabilities,
    policy_cache::PolicyCache,
    preview,
    request::{CreationQuestion, MAX_BODY, PreviewQuestion, VisibilityQuestion},
    request_schema::{
        ExclusionRulePreviewQuestion, TicketCreationQuestion, TicketVisibilityQuestion,
    },
    response::{Capabilities, ExclusionRulePreview, TicketCreationAnswer, TicketVisibilityAnswer},
    service::{self, ResponseOptions},
};
use crate::{
    accesses::AccessRef,
    common::{Result, ids::AccessId, or_not_found},
    http::{
        auth::{
            Authorized, AuthorizedPartner,
            scope::{DecisionsRead, IntegrationRead},
        },
        body::RawBody,
        call_context::CallContext,
        path_params::PathParam,
        response,
    },
    i18n::Lang,
};

/// Decide which tickets an access may see
///
/// The facts of up to 1000 tickets come with the question, since the service owns no tickets. Of the facts that may be absent,
/// absent means unknown and `null` means known to be none; what is unknown may hide a ticket, never show it. A ticket whose facts
/// are wrong gets an `error` in its own slot and does not fail the others. With `explain`, every step of the decision is told
/// with the settings responsible; tokens limited to one partner are never told why. No answer is older than its request:
/// a change that any instance has acknowledged counts.
#[utoipa::path(
    tag = "decisions",
    request_body = TicketVisibilityQuestion,
    responses((status = 200, description = "A decision for each ticket, in the order of the question.", body = TicketVisibilityAnswer)),
    security(("bearer" = ["decisions:read"])),
    extensions(("x-problem-codes" = json!(["unknown_access", "revision_not_reached"])))
)]
#[post("/api/v1/decisions/ticket-visibility")]
pub async fn decide_ticket_visibility(
    permit: Authorized<DecisionsRead>,
    body: RawBody<MAX_BODY>,
    lang: Lang,
    policy_cache: Data<PolicyCache>,
) -> Result<HttpResponse> {
    let question = VisibilityQuestion::read(&body.0)?;
    let caller = ResponseOptions {
        limited_to: permit.limited_to(),
        lang,
    };
    let answer = service::visibility(&policy_cache, caller, question).await?;
    Ok(response::no_store_json(&answer, lang))
}

/// Decide whether an access may create a ticket
///
/// Of a ticket type in an area. An area or a type that the catalogue does not know is one that is not granted.
#[utoipa::path(
    tag = "decisions",
    request_body = TicketCreationQuestion,
    responses((status = 200, description = "The decision.", body = TicketCreationAnswer)),
    security(("bearer" = ["decisions:read"])),
    extensions(("x-problem-codes" = json!(["unknown_access", "revision_not_reached"])))
)]
#[post("/api/v1/decisions/ticket-creation")]
pub async fn decide_ticket_creation(
    permit: Authorized<DecisionsRead>,
    body: RawBody<MAX_BODY>,
    lang: Lang,
    policy_cache: Data<PolicyCache>,
) -> Result<HttpResponse> {
    let question = CreationQuestion::read(&body.0)?;
    let caller = ResponseOptions {
        limited_to: permit.limited_to(),
        lang,
    };
    let answer = service::creation(&policy_cache, caller, &question).await?;
    Ok(response::no_store_json(&answer, lang))
}

/// Preview an exclusion rule
///
/// What would change for which access if the rule were saved: with `rule_id` in place of that rule, without it as a new one; of
/// one partner, or global where `business_partner_id` is absent. `active: false` tells what turning it off would change. Up to 200
/// sample tickets are judged for up to 500 active accesses, or for those named. EmptyBody is saved. A token limited to one partner
/// can preview that partner's rules only.
#[utoipa::path(
    tag = "decisions",
    request_body = ExclusionRulePreviewQuestion,
    responses((status = 200, description = "What would change.", body = ExclusionRulePreview)),
    security(("bearer" = ["integration:read"])),
    extensions(("x-problem-codes" = json!(["partner_restricted", "unknown_reference", "unknown_access"])))
)]
#[post("/api/v1/decisions/exclusion-rule-preview")]
pub async fn preview_exclusion_rule(
    permit: Authorized<IntegrationRead>,
    body: RawBody<MAX_BODY>,
    lang: Lang,
    policy_cache: Data<PolicyCache>,
) -> Result<HttpResponse> {
    let question = PreviewQuestion::read(&body.0)?;
    match &question.business_partner_id {
        None => permit.require_unrestricted()?,
        Some(partner) if permit.can_access(partner) => {}
        Some(partner) => return Err(preview::unknown_partner(partner)),
    }
    let answer = preview::preview(&policy_cache, question, lang).await?;
    Ok(response::no_store_json(&answer, lang))
}

/// Get what an access can do
///
/// Area by area what it may see and create, and the tags, queries and plan boards it is offered, in one answer. An access that
/// has no effect can do nothing. The tag changes when the answer does, which names the revision of the partner's integration; not with what else
/// the catalogue or the global rules hold.
#[utoipa::path(
    tag = "decisions",
    responses((status = 200, description = "What the access can do.", body = Capabilities)),
    security(("bearer" = ["decisions:read"]))
)]
#[get("/{access_id}/capabilities")]
pub async fn get_access_capabilities(
    at: AuthorizedPartner<DecisionsRead>,
    id: PathParam<AccessId>,
    call: CallContext,
    policy_cache: Data<PolicyCache>,
) -> Result<HttpResponse> {
    let PathParam(id) = id;
    if call.conditions.has_if_none_match() {
        let access = or_not_found(
            policy_cache
                .resolve(&AccessRef::Id(id), |partner| *partner == at.partner)
                .await?,
        )?;
        if let Some(etag) = policy_cache
            .cached_etag(id, access.snapshot.revisions)
            .filter(|etag| call.conditions.matches_if_none_match(etag))
        {
            return Ok(response::not_modified(&etag));
        }
    }
    let (revisions, capabilities) = capabilities::read(&policy_cache, &at.partner, id).await?;
    let json = serde_json::to_vec(&capabilities).map_err(anyhow::Error::from)?;
    let etag = capabilities::tag(&json);
    policy_cache.cache_etag(id, revisions, etag.clone());
    Ok(response::json(json, &etag, &call.conditions))
}

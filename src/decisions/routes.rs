//! Routes of the decisions.

use actix_web::{HttpResponse, get, post, web::Data};

use super::{
    answers::{Capabilities, ExclusionRulePreview, TicketCreationAnswer, TicketVisibilityAnswer},
    capabilities,
    keeper::Keeper,
    preview,
    questions::{CreationQuestion, MAX_BODY, PreviewQuestion, VisibilityQuestion},
    schemas::{ExclusionRulePreviewQuestion, TicketCreationQuestion, TicketVisibilityQuestion},
    service::{self, Caller},
};
use crate::{
    accesses::{AccessId, Who},
    http::{
        auth::{
            InPartner, Permit,
            scope::{DecisionsRead, IntegrationRead},
        },
        body::RawBody,
        conditions::Conditions,
        params::InPath,
        reply,
    },
    kernel::{Result, found},
    texts::Lang,
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
    permit: Permit<DecisionsRead>,
    body: RawBody<MAX_BODY>,
    lang: Lang,
    keeper: Data<Keeper>,
) -> Result<HttpResponse> {
    let question = VisibilityQuestion::read(&body.0)?;
    let caller = Caller {
        limited_to: permit.limited_to(),
        lang,
    };
    let answer = service::visibility(&keeper, caller, question).await?;
    Ok(reply::answer(&answer, lang))
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
    permit: Permit<DecisionsRead>,
    body: RawBody<MAX_BODY>,
    lang: Lang,
    keeper: Data<Keeper>,
) -> Result<HttpResponse> {
    let question = CreationQuestion::read(&body.0)?;
    let caller = Caller {
        limited_to: permit.limited_to(),
        lang,
    };
    let answer = service::creation(&keeper, caller, &question).await?;
    Ok(reply::answer(&answer, lang))
}

/// Preview an exclusion rule
///
/// What would change for which access if the rule were saved: with `rule_id` in place of that rule, without it as a new one; of
/// one partner, or global where `business_partner_id` is absent. `active: false` tells what turning it off would change. Up to 200
/// sample tickets are judged for up to 500 active accesses, or for those named. Nothing is saved. A token limited to one partner
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
    permit: Permit<IntegrationRead>,
    body: RawBody<MAX_BODY>,
    lang: Lang,
    keeper: Data<Keeper>,
) -> Result<HttpResponse> {
    let question = PreviewQuestion::read(&body.0)?;
    match &question.business_partner_id {
        None => permit.must_be_unlimited()?,
        Some(partner) if permit.may_know(partner) => {}
        Some(partner) => return Err(preview::unknown_partner(partner)),
    }
    let answer = preview::preview(&keeper, question, lang).await?;
    Ok(reply::answer(&answer, lang))
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
    at: InPartner<DecisionsRead>,
    id: InPath<AccessId>,
    conditions: Conditions,
    keeper: Data<Keeper>,
) -> Result<HttpResponse> {
    let InPath(id) = id;
    if conditions.ask_for_news() {
        let asked = found(
            keeper
                .ask(&Who::Id(id), |partner| *partner == at.partner)
                .await?,
        )?;
        if let Some(tag) = keeper
            .told(id, asked.snapshot.revisions)
            .filter(|tag| conditions.has(tag))
        {
            return Ok(reply::not_modified(&tag));
        }
    }
    let (revisions, capabilities) = capabilities::read(&keeper, &at.partner, id).await?;
    let json = serde_json::to_vec(&capabilities).map_err(anyhow::Error::from)?;
    let tag = capabilities::tag(&json);
    keeper.tell(id, revisions, tag.clone());
    Ok(if conditions.has(&tag) {
        reply::not_modified(&tag)
    } else {
        reply::tagged_json(json, &tag)
    })
}

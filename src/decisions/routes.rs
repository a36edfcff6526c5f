//! HTTP handlers of the decisions.

use actix_web::{HttpResponse, get, post, web::Data};

use super::{
    approval, capabilities,
    policy_cache::PolicyCache,
    preview,
    request::{
        ApprovalBodySchema, CreationBodySchema, CreationRequest, MAX_BODY, PreviewBodySchema,
        PreviewRequest, VisibilityBodySchema,
    },
    response::{
        ApprovalResponse, Capabilities, CreationResponse, ExclusionRulePreview, VisibilityResponse,
    },
    service::{self, ResponseOptions},
    work::Deadline,
};
use crate::{
    accesses::AccessRef,
    common::{Result, ids::AccessId, or_not_found},
    http::{
        app_context::AppContext,
        auth::{
            Authorized, AuthorizedPartner,
            permission::{DecisionsRead, GlobalRulesRead, IntegrationRead},
        },
        body::RawBody,
        call_context::CallContext,
        off_worker,
        path_params::PathParam,
        response,
    },
    i18n::Lang,
};

/// Decide which tickets an access may see
///
/// Decides up to 1000 tickets. Their attributes are part of the request, because this service
/// stores no tickets. An omitted optional attribute is unknown; `null` means that the ticket has no
/// such value. An unknown attribute can hide a ticket, but never make it visible. A ticket with
/// invalid attributes gets an `error` and does not fail the others. Optional ids and texts that no
/// rule can name, such as an overlong subject, count as unknown and are listed in `warnings`. The
/// positions of a ticket that the access may not see are listed in `hidden_positions`. The tags of
/// all tickets, multiplied by the tag values of all rules, must not exceed 100,000,000; each 64
/// bytes of a subject or a reference number count as much for each condition on it. With
/// `explain`, the response lists every step of the decisions with the responsible configuration,
/// at most five rules per step; tokens restricted to one partner never get explanations. Decisions
/// reflect all changes
/// acknowledged before the request, on any instance.
#[utoipa::path(
    tag = "decisions",
    request_body = VisibilityBodySchema,
    responses((status = 200, description = "A decision for each ticket, in the order of the request.", body = VisibilityResponse)),
    security(("bearer" = ["decisions:read"])),
    extensions(("x-problem-codes" = json!(["unknown_access", "revision_not_reached"])))
)]
#[post("/api/v1/decisions/ticket-visibility")]
pub async fn decide_ticket_visibility(
    auth: Authorized<DecisionsRead>,
    body: RawBody<MAX_BODY>,
    lang: Lang,
    policy_cache: Data<PolicyCache>,
    app: Data<AppContext>,
) -> Result<HttpResponse> {
    let deadline = Deadline::after(app.request_timeout);
    let options = ResponseOptions {
        limited_to: auth.limited_to(),
        lang,
    };
    let decisions = service::decide_visibility(&policy_cache, options, &body.0, deadline).await?;
    Ok(response::no_store_bytes(decisions, lang))
}

/// Decide whether an access may create a ticket
///
/// Decides on one ticket type in one area. An area or a ticket type that does not exist in the
/// catalog counts as not granted.
#[utoipa::path(
    tag = "decisions",
    request_body = CreationBodySchema,
    responses((status = 200, description = "The decision.", body = CreationResponse)),
    security(("bearer" = ["decisions:read"])),
    extensions(("x-problem-codes" = json!(["unknown_access", "revision_not_reached"])))
)]
#[post("/api/v1/decisions/ticket-creation")]
pub async fn decide_ticket_creation(
    auth: Authorized<DecisionsRead>,
    body: RawBody<MAX_BODY>,
    lang: Lang,
    policy_cache: Data<PolicyCache>,
) -> Result<HttpResponse> {
    let request = CreationRequest::parse(&body.0)?;
    let options = ResponseOptions {
        limited_to: auth.limited_to(),
        lang,
    };
    let decision = service::decide_creation(&policy_cache, options, &request).await?;
    Ok(response::no_store_json(&decision, lang))
}

/// Decide whether an access may release a ticket
///
/// A ticket that waits for approval may be released by an effective access that is an approver and
/// may see the ticket, as long as the ticket has not been released. All reasons against it are
/// returned. An omitted `released` is unknown, so the ticket may not be released; `null` means that
/// it has not been released. With `explain`, the response lists every step of the decision whether
/// the access may see the ticket; tokens restricted to one partner get neither reasons nor steps. A
/// ticket with invalid attributes is rejected. Optional ids and texts that no rule can name count as
/// unknown and are listed in `warnings`. The decision reflects all changes acknowledged before the
/// request, on any instance.
#[utoipa::path(
    tag = "decisions",
    request_body = ApprovalBodySchema,
    responses((status = 200, description = "The decision.", body = ApprovalResponse)),
    security(("bearer" = ["decisions:read"])),
    extensions(("x-problem-codes" = json!(["unknown_access", "revision_not_reached"])))
)]
#[post("/api/v1/decisions/ticket-approval")]
pub async fn decide_ticket_approval(
    auth: Authorized<DecisionsRead>,
    body: RawBody<MAX_BODY>,
    lang: Lang,
    policy_cache: Data<PolicyCache>,
) -> Result<HttpResponse> {
    let options = ResponseOptions {
        limited_to: auth.limited_to(),
        lang,
    };
    let decision = approval::decide_approval(&policy_cache, options, body.0).await?;
    Ok(response::no_store_json(&decision, lang))
}

/// Preview an exclusion rule
///
/// Returns the tickets that each access would gain or lose if the rule were saved. `rule_id` names
/// the rule that the draft replaces; without it, the draft is a new rule. Without
/// `business_partner_id`, the rule is global. `active: false` previews deactivating a rule. Up to
/// 200 sample tickets are evaluated for the first 500 active accesses, or for those in
/// `access_ids`. The response also contains the filter as it would be stored and its summary. An
/// editor that needs only these, or the errors of an unsaved filter, omits `tickets`. The tags of
/// all tickets, multiplied by the tag values of all rules, must not exceed 100,000,000; each 64 bytes
/// of a subject or a reference number count as much for each condition on it. Nothing is saved. A
/// token restricted to one partner can preview rules of that partner only.
#[utoipa::path(
    tag = "decisions",
    request_body = PreviewBodySchema,
    responses((status = 200, description = "The effects of saving the rule.", body = ExclusionRulePreview)),
    security(("bearer" = ["integration:read"])),
    extensions(("x-problem-codes" = json!(["partner_restricted", "unknown_reference", "unknown_access"])))
)]
#[post("/api/v1/decisions/exclusion-rule-preview")]
pub async fn preview_exclusion_rule(
    auth: Authorized<IntegrationRead>,
    body: RawBody<MAX_BODY>,
    lang: Lang,
    policy_cache: Data<PolicyCache>,
    app: Data<AppContext>,
) -> Result<HttpResponse> {
    let deadline = Deadline::after(app.request_timeout);
    let RawBody(body) = body;
    let parse = move || PreviewRequest::parse(&body).map(PreviewRequest::into_owned);
    let request = off_worker::run(parse).await??;
    match &request.business_partner_id {
        None => auth.require::<GlobalRulesRead>()?,
        Some(partner) if auth.can_access(partner) => {}
        Some(partner) => return Err(preview::unknown_partner(partner)),
    }
    let preview = preview::preview(&policy_cache, request, lang, deadline).await?;
    Ok(response::no_store_bytes(preview, lang))
}

/// Get the capabilities of an access
///
/// Lists the role of the access, the areas with what it may see and create there, and the tags,
/// queries and plan boards that it may use. An ineffective access can do nothing. The ETag changes with every
/// revision of the partner's integration, and with changes of the catalog or the global rules
/// that affect the response.
#[utoipa::path(
    tag = "decisions",
    responses((status = 200, description = "The capabilities of the access.", body = Capabilities)),
    security(("bearer" = ["decisions:read"]))
)]
#[get("/{access_id}/capabilities")]
pub async fn get_access_capabilities(
    auth: AuthorizedPartner<DecisionsRead>,
    id: PathParam<AccessId>,
    call: CallContext,
    policy_cache: Data<PolicyCache>,
) -> Result<HttpResponse> {
    let PathParam(id) = id;
    if call.conditions.has_if_none_match() {
        let resolved = or_not_found(
            policy_cache
                .resolve(&AccessRef::Id(id), |partner| *partner == auth.partner)
                .await?,
        )?;
        let cached = policy_cache.cached_etag(id, resolved.snapshot.revisions);
        if let Some(etag) = cached.filter(|etag| call.conditions.matches_if_none_match(etag)) {
            return Ok(response::not_modified(&etag));
        }
    }
    let (revisions, capabilities) = capabilities::load(&policy_cache, &auth.partner, id).await?;
    let json = serde_json::to_vec(&capabilities).map_err(anyhow::Error::from)?;
    let etag = capabilities::etag(&json);
    policy_cache.cache_etag(id, revisions, etag.clone());
    Ok(response::json(json, &etag, &call.conditions))
}

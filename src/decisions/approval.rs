//! The decision whether an access may release a ticket.

use std::sync::Arc;

use actix_web::web::Bytes;
use ticket_policy::{approval::may_approve, evaluator::Scratch};

use super::{
    explanation::Explainer,
    policy_cache::{PolicyCache, ResolvedAccess},
    request::ApprovalRequest,
    response::{ApprovalResponse, warning_bodies},
    service::{ResponseOptions, resolve},
    work::{self, MAX_BODY_ON_WORKER, Workload},
};
use crate::{
    common::{Result, timestamp::Timestamp},
    http::off_worker,
    i18n::Lang,
};

/// Decides whether an access may release a ticket.
pub async fn decide_approval(
    policy_cache: &Arc<PolicyCache>,
    options: ResponseOptions<'_>,
    body: Bytes,
) -> Result<ApprovalResponse> {
    let is_large = body.len() > MAX_BODY_ON_WORKER;
    let parse = move || ApprovalRequest::parse(&body).map(ApprovalRequest::into_owned);
    let request = if is_large {
        off_worker::run(parse).await??
    } else {
        parse()?
    };
    let resolved = resolve(policy_cache, options, &request.access, request.min_revision).await?;
    let policy = &resolved.snapshot.policy;
    let workload = Workload::of(policy, [&*request.ticket]).with_explanations(1);
    workload.ensure_allowed("/ticket")?;
    let lang = options.lang;
    let includes_reasons = options.includes_reasons();
    let evaluate = move || evaluate(&resolved, &request, lang, includes_reasons);
    let response = work::run(workload, evaluate).await?;
    let stats = &policy_cache.stats;
    if response.allowed {
        &stats.allowed_approvals
    } else {
        &stats.denied_approvals
    }
    .inc();
    Ok(response)
}

fn evaluate(
    resolved: &ResolvedAccess,
    request: &ApprovalRequest<'_>,
    lang: Lang,
    includes_reasons: bool,
) -> ApprovalResponse {
    let policy = &resolved.snapshot.policy;
    let viewer = &resolved.access.viewer;
    let ticket = &request.ticket;
    let now = Timestamp::now().into();
    let approval = may_approve(policy, viewer, ticket, now, &mut Scratch::default());
    let explainer = Explainer {
        policy,
        viewer,
        lang,
    };
    let reasons = approval.reasons.iter().filter(|_| includes_reasons);
    ApprovalResponse {
        revision: resolved.snapshot.revisions.partner,
        allowed: approval.allowed(),
        reasons: reasons
            .map(|(reason, outcome)| explainer.approval(*reason, *outcome))
            .collect(),
        steps: (includes_reasons && request.explain).then(|| {
            let steps = approval.visibility.iter();
            steps.map(|result| explainer.step(result, ticket)).collect()
        }),
        warnings: warning_bodies(&request.warnings, lang),
    }
}

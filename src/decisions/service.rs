//! The visibility and creation decisions: resolves the access and its current policy, decides, and
//! explains if requested.

use std::{borrow::Cow, sync::Arc};

use actix_web::web::Bytes;
use ticket_policy::{
    creation::may_create,
    evaluator::{self, Outcome, Scratch},
    positions::{self, PositionIds},
    ticket::{MAX_TICKET_ID, TicketAttributes},
};

use super::{
    DecisionStats,
    explanation::Explainer,
    policy_cache::{PolicyCache, ResolvedAccess},
    request::{CreationRequest, InvalidTicket, TicketInput, VisibilityRequest},
    response::{CreationResponse, TicketDecision, VisibilityResponse, warning_bodies},
    work::{Deadline, MAX_BODY_ON_WORKER, Workload},
};
use crate::{
    accesses::AccessRef,
    common::{
        Code, Error, FieldError, Result, ids::BusinessPartnerId, normalize::truncate_untrusted,
        timestamp::Timestamp,
    },
    http::{off_worker, problem::FieldErrorBody},
    i18n::Lang,
};

/// The partner that the caller is limited to, and the language of the response.
#[derive(Debug, Clone, Copy)]
pub struct ResponseOptions<'c> {
    /// The only partner that the token gives access to, if it is restricted. Restricted callers get
    /// decisions without reasons: these are for staff.
    pub limited_to: Option<&'c BusinessPartnerId>,
    pub lang: Lang,
}

impl ResponseOptions<'_> {
    fn can_access(&self, partner: &BusinessPartnerId) -> bool {
        self.limited_to.is_none_or(|only| only == partner)
    }

    pub fn includes_reasons(&self) -> bool {
        self.limited_to.is_none()
    }
}

/// Decides which tickets an access may see. Returns the response as JSON.
pub async fn decide_visibility(
    policy_cache: &Arc<PolicyCache>,
    options: ResponseOptions<'_>,
    body: &Bytes,
    deadline: Deadline,
) -> Result<Vec<u8>> {
    if body.len() > MAX_BODY_ON_WORKER {
        // boxed: the future is large and rarely needed
        let decide = decide_large_visibility(policy_cache, options, body.clone(), deadline);
        return Box::pin(decide).await;
    }
    let request = VisibilityRequest::parse(body)?;
    let resolved = resolve(policy_cache, options, &request.access, request.min_revision).await?;
    let context = DecisionContext::new(resolved, options, request.explain, deadline);
    if context.workload(&request).is_small() {
        let stats = &policy_cache.stats;
        return Scratch::with_thread_local(|scratch| context.decide_all(request, stats, scratch));
    }
    let request = request.into_owned();
    Box::pin(decide_off_worker(policy_cache, context, request)).await
}

/// Decides a request with a large body, like [`decide_visibility`], but parses, evaluates and
/// serializes outside the worker.
async fn decide_large_visibility(
    policy_cache: &Arc<PolicyCache>,
    options: ResponseOptions<'_>,
    body: Bytes,
    deadline: Deadline,
) -> Result<Vec<u8>> {
    let parse = move || VisibilityRequest::parse(&body).map(VisibilityRequest::into_owned);
    let request = off_worker::run(parse).await??;
    match resolve(policy_cache, options, &request.access, request.min_revision).await {
        Ok(resolved) => {
            let context = DecisionContext::new(resolved, options, request.explain, deadline);
            decide_off_worker(policy_cache, context, request).await
        }
        Err(error) => {
            // freeing a million strings takes a while too
            off_worker::run(move || drop(request)).await?;
            Err(error)
        }
    }
}

async fn decide_off_worker(
    policy_cache: &Arc<PolicyCache>,
    context: DecisionContext,
    request: VisibilityRequest<'static>,
) -> Result<Vec<u8>> {
    let cache = Arc::clone(policy_cache);
    let decide = move || {
        context.workload(&request).ensure_allowed("/tickets")?;
        context.decide_all(request, &cache.stats, &mut Scratch::default())
    };
    off_worker::run(decide).await?
}

/// The inputs of a visibility decision besides the tickets.
struct DecisionContext {
    resolved: ResolvedAccess,
    lang: Lang,
    /// The language of the steps; `None` omits them.
    explain_in: Option<Lang>,
    now: ticket_policy::Timestamp,
    deadline: Deadline,
}

impl DecisionContext {
    fn new(
        resolved: ResolvedAccess,
        options: ResponseOptions<'_>,
        explain: bool,
        deadline: Deadline,
    ) -> Self {
        Self {
            resolved,
            lang: options.lang,
            explain_in: (explain && options.includes_reasons()).then_some(options.lang),
            now: Timestamp::now().into(),
            deadline,
        }
    }

    fn workload(&self, request: &VisibilityRequest<'_>) -> Workload {
        let tickets = request.tickets.iter().flatten().map(|ticket| &**ticket);
        let workload = Workload::of(&self.resolved.snapshot.policy, tickets);
        match self.explain_in {
            Some(_) => workload.with_explanations(request.tickets.len()),
            None => workload,
        }
    }

    /// Decides all tickets of a request. Returns the response as JSON.
    fn decide_all(
        &self,
        request: VisibilityRequest<'_>,
        stats: &DecisionStats,
        scratch: &mut Scratch,
    ) -> Result<Vec<u8>> {
        let mut decisions = Vec::with_capacity(request.tickets.len());
        for (index, input) in request.tickets.into_iter().enumerate() {
            self.deadline.check()?;
            decisions.push(self.decide(index, input, scratch));
        }
        count_decisions(stats, &decisions);
        let response = VisibilityResponse {
            revision: self.resolved.snapshot.revisions.partner,
            decisions,
            warnings: warning_bodies(&request.warnings, self.lang),
        };
        Ok(serde_json::to_vec(&response).map_err(anyhow::Error::from)?)
    }

    fn decide<'b>(
        &self,
        index: usize,
        input: TicketInput<'b>,
        scratch: &mut Scratch,
    ) -> TicketDecision<'b> {
        match input {
            Ok(ticket) => decide_ticket(&self.resolved, ticket, self.explain_in, self.now, scratch),
            Err(invalid) => invalid_ticket(*invalid, index, self.lang),
        }
    }
}

fn count_decisions(stats: &DecisionStats, decisions: &[TicketDecision<'_>]) {
    let mut visible = 0;
    let mut invalid = 0;
    for decision in decisions {
        visible += u64::from(decision.visible);
        invalid += u64::from(decision.error.is_some());
    }
    stats.visible.inc_by(visible);
    stats.invalid.inc_by(invalid);
    stats
        .hidden
        .inc_by(decisions.len() as u64 - visible - invalid);
}

/// Decides one ticket. `explain_in`: the language of the steps; `None` omits them.
fn decide_ticket<'b>(
    resolved: &ResolvedAccess,
    ticket: Box<TicketAttributes<'b>>,
    explain_in: Option<Lang>,
    now: ticket_policy::Timestamp,
    scratch: &mut Scratch,
) -> TicketDecision<'b> {
    let policy = &resolved.snapshot.policy;
    let viewer = &resolved.access.viewer;
    let Some(lang) = explain_in else {
        let visible = evaluator::is_visible(policy, viewer, &ticket, now, scratch);
        return TicketDecision {
            visible,
            hidden_positions: hidden_positions(&ticket, visible),
            steps: None,
            position_reasons: None,
            error: None,
            ticket_id: Some(ticket.ticket_id.0),
        };
    };
    let results = evaluator::explain(policy, viewer, &ticket, now, scratch);
    let visible = results.iter().all(|result| result.outcome == Outcome::Pass);
    let explainer = Explainer {
        policy,
        viewer,
        lang,
    };
    let steps = results
        .iter()
        .map(|result| explainer.step(result, &ticket))
        .collect();
    let position_reasons = positions::reasons(&ticket, visible)
        .into_iter()
        .map(|(reason, ids)| explainer.positions(reason, owned_ids(ids)))
        .collect();
    TicketDecision {
        visible,
        hidden_positions: hidden_positions(&ticket, visible),
        steps: Some(steps),
        position_reasons: Some(position_reasons),
        error: None,
        ticket_id: Some(ticket.ticket_id.0),
    }
}

fn hidden_positions<'b>(
    ticket: &TicketAttributes<'b>,
    ticket_is_visible: bool,
) -> Option<Vec<Cow<'b, str>>> {
    positions::hidden_positions(ticket, ticket_is_visible).map(owned_ids)
}

/// The ids, independent of the ticket. Those that borrow from the request body are not copied.
fn owned_ids<'b>(ids: PositionIds<'_, 'b>) -> Vec<Cow<'b, str>> {
    ids.into_iter().map(|id| id.0.clone()).collect()
}

fn invalid_ticket<'b>(invalid: InvalidTicket, index: usize, lang: Lang) -> TicketDecision<'b> {
    let (ticket_id, error) = ticket_error(invalid, index, lang);
    TicketDecision {
        ticket_id: ticket_id.map(Cow::Owned),
        visible: false,
        hidden_positions: None,
        steps: None,
        position_reasons: None,
        error: Some(error),
    }
}

/// The id and the error of an invalid ticket. The error's pointer is relative to the request.
pub(super) fn ticket_error(
    invalid: InvalidTicket,
    index: usize,
    lang: Lang,
) -> (Option<String>, FieldErrorBody) {
    let error = FieldError {
        pointer: format!("/tickets/{index}{}", invalid.field_error.pointer),
        ..invalid.field_error
    };
    // the id itself may be too long
    let ticket_id = invalid
        .ticket_id
        .map(|id| truncate_untrusted(&id, MAX_TICKET_ID));
    (ticket_id, FieldErrorBody::new(&error, lang))
}

/// Decides whether an access may create a ticket.
pub async fn decide_creation(
    policy_cache: &Arc<PolicyCache>,
    options: ResponseOptions<'_>,
    request: &CreationRequest,
) -> Result<CreationResponse> {
    let resolved = resolve(policy_cache, options, &request.access, request.min_revision).await?;
    let policy = &resolved.snapshot.policy;
    let viewer = &resolved.access.viewer;
    let area = request.area_id.as_str();
    let ticket_type = request.ticket_type_id.as_str();
    let creation = may_create(policy, viewer, area, ticket_type);
    let allowed = creation.allowed();
    let stats = &policy_cache.stats;
    if allowed {
        &stats.allowed
    } else {
        &stats.denied
    }
    .inc();

    let explainer = Explainer {
        policy,
        viewer,
        lang: options.lang,
    };
    let reasons = if options.includes_reasons() {
        creation
            .reasons
            .iter()
            .map(|reason| explainer.obstacle(*reason, area, ticket_type))
            .collect()
    } else {
        Vec::new()
    };
    Ok(CreationResponse {
        revision: resolved.snapshot.revisions.partner,
        allowed,
        approval_required: creation.approval_required,
        reasons,
    })
}

/// Resolves an access and its policy. An access of a partner that the caller has no access to does
/// not exist for the caller.
pub async fn resolve(
    policy_cache: &Arc<PolicyCache>,
    options: ResponseOptions<'_>,
    access: &AccessRef,
    min_revision: Option<i64>,
) -> Result<ResolvedAccess> {
    let resolved = policy_cache
        .resolve(access, |partner| options.can_access(partner))
        .await?;
    let pointer = match access {
        AccessRef::Id(_) => "/access_id",
        AccessRef::Email(_) => "/access_email",
    };
    let resolved =
        resolved.ok_or_else(|| Error::from_field(FieldError::new(pointer, Code::UnknownAccess)))?;
    ensure_reached(resolved.snapshot.revisions.partner, min_revision)?;
    Ok(resolved)
}

/// Rejects a `min_revision` above the current revision. Waiting is pointless: the policy is up to
/// date.
fn ensure_reached(revision: i64, min_revision: Option<i64>) -> Result<()> {
    if min_revision.is_none_or(|min_revision| min_revision <= revision) {
        return Ok(());
    }
    Err(Error::client(Code::RevisionNotReached).with("revision", revision))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::{Db, DbOptions, RevisionLookup};

    #[test]
    fn min_revision_above_current_returns_revision_not_reached() {
        assert!(ensure_reached(7, None).is_ok());
        assert!(ensure_reached(7, Some(7)).is_ok());
        assert_eq!(
            ensure_reached(7, Some(8)).unwrap_err().code(),
            Code::RevisionNotReached
        );
    }

    /// Every request creates and moves this future, so its rarely used parts are boxed.
    #[test]
    fn visibility_future_is_small() {
        let directory = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/x.db", directory.path().display())
            .parse()
            .unwrap();
        let db = Db::open(&url, DbOptions::default()).unwrap();
        let revisions = Arc::new(RevisionLookup::new(db.clone()));
        let policy_cache = Arc::new(PolicyCache::new(db, revisions, 1 << 20).unwrap());
        let body = Bytes::from_static(b"{}");
        let options = ResponseOptions {
            limited_to: None,
            lang: Lang::En,
        };
        let deadline = Deadline::after(std::time::Duration::MAX);
        let decide = decide_visibility(&policy_cache, options, &body, deadline);
        let size = size_of_val(&decide);
        assert!(size < 1024, "{size} bytes");
    }
}

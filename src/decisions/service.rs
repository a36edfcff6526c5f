//! The visibility and creation decisions: resolves the access and its current policy, decides, and
//! explains if requested.

use std::{borrow::Cow, sync::Arc, time::Instant};

use actix_web::web::Bytes;
use ticket_policy::{
    creation::may_create,
    evaluator::{self, Outcome, Scratch},
    ticket::{MAX_TICKET_ID, TicketAttributes},
};
use tokio::task::yield_now;

use super::{
    DecisionStats,
    explanation::Explainer,
    policy_cache::{PolicyCache, ResolvedAccess},
    request::{CreationRequest, InvalidTicket, TicketInput, VisibilityRequest},
    response::{CreationResponse, TicketDecision, VisibilityResponse},
    work::{Deadline, MAX_SLICE, Workload},
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

    fn includes_reasons(&self) -> bool {
        self.limited_to.is_none()
    }
}

/// Decides which tickets an access may see.
pub async fn decide_visibility<'b>(
    policy_cache: &Arc<PolicyCache>,
    options: ResponseOptions<'_>,
    request: VisibilityRequest<'b>,
    deadline: Deadline,
) -> Result<VisibilityResponse<'b>> {
    let resolved = resolve(policy_cache, options, &request.access, request.min_revision).await?;
    let workload = Workload::of(&resolved.snapshot.policy, &request.tickets);
    workload.ensure_allowed()?;
    let context = DecisionContext::new(resolved, options, request.explain);
    let decisions = if workload.is_small() && context.explain_in.is_none() {
        Scratch::with_thread_local(|scratch| {
            let inputs = request.tickets.into_iter().enumerate();
            inputs
                .map(|(index, input)| context.decide(index, input, scratch))
                .collect()
        })
    } else {
        // boxed: the future is large and rarely needed
        Box::pin(decide_in_slices(&context, request.tickets, deadline)).await?
    };
    count_decisions(&policy_cache.stats, &decisions);
    Ok(context.response(decisions))
}

/// Decides on tickets, and lets the worker serve other requests after each slice.
async fn decide_in_slices<'b>(
    context: &DecisionContext,
    tickets: Vec<TicketInput<'b>>,
    deadline: Deadline,
) -> Result<Vec<TicketDecision<'b>>> {
    let mut decisions = Vec::with_capacity(tickets.len());
    let mut inputs = tickets.into_iter().enumerate();
    while inputs.len() > 0 {
        deadline.check()?;
        let begin = Instant::now();
        Scratch::with_thread_local(|scratch| {
            for (index, input) in inputs.by_ref() {
                decisions.push(context.decide(index, input, scratch));
                if begin.elapsed() >= MAX_SLICE {
                    break;
                }
            }
        });
        yield_now().await;
    }
    Ok(decisions)
}

/// Decides a request with a large body, like [`decide_visibility`], but parses, evaluates and
/// serializes outside the worker. Returns the response as JSON.
pub async fn parse_and_decide(
    policy_cache: &Arc<PolicyCache>,
    options: ResponseOptions<'_>,
    body: Bytes,
    deadline: Deadline,
) -> Result<Vec<u8>> {
    let parse = move || VisibilityRequest::parse(&body).map(VisibilityRequest::into_owned);
    let request = off_worker::run(parse).await??;
    decide_off_worker(policy_cache, options, request, deadline).await
}

/// Decides a request with a large response, like [`decide_visibility`], but evaluates and
/// serializes outside the worker. Returns the response as JSON.
pub async fn decide_off_worker(
    policy_cache: &Arc<PolicyCache>,
    options: ResponseOptions<'_>,
    request: VisibilityRequest<'static>,
    deadline: Deadline,
) -> Result<Vec<u8>> {
    let resolved = resolve(policy_cache, options, &request.access, request.min_revision).await?;
    let context = DecisionContext::new(resolved, options, request.explain);
    let policy_cache = Arc::clone(policy_cache);
    let evaluate = move || {
        let policy = &context.resolved.snapshot.policy;
        Workload::of(policy, &request.tickets).ensure_allowed()?;
        let mut scratch = Scratch::default();
        let inputs = request.tickets.into_iter().enumerate();
        let decisions = inputs
            .map(|(index, input)| {
                deadline.check()?;
                Ok(context.decide(index, input, &mut scratch))
            })
            .collect::<Result<Vec<_>>>()?;
        count_decisions(&policy_cache.stats, &decisions);
        let json = serde_json::to_vec(&context.response(decisions));
        Ok(json.map_err(anyhow::Error::from)?)
    };
    off_worker::run(evaluate).await?
}

/// The inputs of a visibility decision besides the tickets.
struct DecisionContext {
    resolved: ResolvedAccess,
    lang: Lang,
    /// The language of the steps; `None` omits them.
    explain_in: Option<Lang>,
    now: ticket_policy::Timestamp,
}

impl DecisionContext {
    fn new(resolved: ResolvedAccess, options: ResponseOptions<'_>, explain: bool) -> Self {
        Self {
            resolved,
            lang: options.lang,
            explain_in: (explain && options.includes_reasons()).then_some(options.lang),
            now: Timestamp::now().into(),
        }
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

    fn response<'t>(&self, decisions: Vec<TicketDecision<'t>>) -> VisibilityResponse<'t> {
        VisibilityResponse {
            revision: self.resolved.snapshot.revisions.partner,
            decisions,
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
            ticket_id: Some(ticket.ticket_id.0),
            visible,
            steps: None,
            error: None,
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
    TicketDecision {
        ticket_id: Some(ticket.ticket_id.0),
        visible,
        steps: Some(steps),
        error: None,
    }
}

fn invalid_ticket<'b>(invalid: InvalidTicket, index: usize, lang: Lang) -> TicketDecision<'b> {
    let (ticket_id, error) = ticket_error(invalid, index, lang);
    TicketDecision {
        ticket_id: ticket_id.map(Cow::Owned),
        visible: false,
        steps: None,
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
async fn resolve(
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
        let request = VisibilityRequest {
            access: AccessRef::Email("a@b.example".to_owned()),
            explain: false,
            min_revision: None,
            tickets: Vec::new(),
        };
        let options = ResponseOptions {
            limited_to: None,
            lang: Lang::En,
        };
        let deadline = Deadline::after(std::time::Duration::MAX);
        let size = size_of_val(&decide_visibility(
            &policy_cache,
            options,
            request,
            deadline,
        ));
        assert!(size < 1024, "{size} bytes");
    }
}

//! From a question to an answer: who asks is found, the policy is current, the evaluator decides, and is explained if wanted.

use std::{borrow::Cow, sync::Arc};
use ticket_policy::{
    creation::may_create,
    evaluator::{self, Outcome, Scratch},
    ticket::{MAX_TICKET_ID, TicketAttributes},
};

use super::{
    DecisionStats,
    explanation::Explainer,
    policy_cache::{PolicyCache, ResolvedAccess},
    request::{CreationQuestion, InvalidTicket, TicketInput, VisibilityQuestion},
    response::{TicketCreationAnswer, TicketDecision, TicketVisibilityAnswer},
};
use crate::{
    accesses::AccessRef,
    common::{
        Code, Error, FieldError, Result, ids::BusinessPartnerId, normalize::truncate_untrusted,
        timestamp::Timestamp,
    },
    http::problem::FieldErrorBody,
    i18n::Lang,
};

/// For whom an answer is made.
#[derive(Debug, Clone, Copy)]
pub struct ResponseOptions<'c> {
    /// The one partner it may know of. It is told what is decided, never why: reasons are for staff.
    pub limited_to: Option<&'c BusinessPartnerId>,
    pub lang: Lang,
}

impl ResponseOptions<'_> {
    fn can_access(&self, partner: &BusinessPartnerId) -> bool {
        self.limited_to.is_none_or(|only| only == partner)
    }

    fn is_told_why(&self) -> bool {
        self.limited_to.is_none()
    }
}

/// Decides which tickets an access may see.
pub async fn visibility<'b>(
    policy_cache: &Arc<PolicyCache>,
    caller: ResponseOptions<'_>,
    question: VisibilityQuestion<'b>,
) -> Result<TicketVisibilityAnswer<'b>> {
    let asked = ask(
        policy_cache,
        caller,
        &question.access,
        question.min_revision,
    )
    .await?;
    let explain = question.explain && caller.is_told_why();
    let now = Timestamp::now().into();
    let decisions: Vec<_> = Scratch::with_thread_local(|scratch| {
        let decide = |(index, slot): (usize, TicketInput<'b>)| match slot {
            Ok(facts) => decision(&asked, facts, explain.then_some(caller.lang), now, scratch),
            Err(wrong) => refusal(*wrong, index, caller.lang),
        };
        question
            .tickets
            .into_iter()
            .enumerate()
            .map(decide)
            .collect()
    });
    count(&policy_cache.counts, &decisions);
    Ok(TicketVisibilityAnswer {
        revision: asked.snapshot.revisions.partner,
        decisions,
    })
}

fn count(counts: &DecisionStats, decisions: &[TicketDecision<'_>]) {
    let (mut visible, mut wrong) = (0, 0);
    for decision in decisions {
        visible += usize::from(decision.visible);
        wrong += usize::from(decision.error.is_some());
    }
    counts.visible.add(visible);
    counts.wrong.add(wrong);
    counts.hidden.add(decisions.len() - visible - wrong);
}

/// `explain`: in which language, if at all.
fn decision<'b>(
    asked: &ResolvedAccess,
    facts: Box<TicketAttributes<'b>>,
    explain: Option<Lang>,
    now: ticket_policy::Timestamp,
    scratch: &mut Scratch,
) -> TicketDecision<'b> {
    let (policy, viewer) = (&asked.snapshot.policy, &asked.known.viewer);
    let Some(lang) = explain else {
        let visible = evaluator::is_visible(policy, viewer, &facts, now, scratch);
        return TicketDecision {
            ticket_id: Some(facts.ticket_id.0),
            visible,
            steps: None,
            error: None,
        };
    };
    let judged = evaluator::explain(policy, viewer, &facts, now, scratch);
    let visible = judged.iter().all(|step| step.outcome == Outcome::Pass);
    let explainer = Explainer {
        policy,
        viewer,
        lang,
    };
    let steps = judged
        .iter()
        .map(|step| explainer.step(step, &facts))
        .collect();
    TicketDecision {
        ticket_id: Some(facts.ticket_id.0),
        visible,
        steps: Some(steps),
        error: None,
    }
}

fn refusal<'b>(wrong: InvalidTicket, index: usize, lang: Lang) -> TicketDecision<'b> {
    let (ticket_id, error) = ticket_error(wrong, index, lang);
    TicketDecision {
        ticket_id: ticket_id.map(Cow::Owned),
        visible: false,
        steps: None,
        error: Some(error),
    }
}

/// What is wrong with a ticket, at its place within the question.
pub(super) fn ticket_error(
    wrong: InvalidTicket,
    index: usize,
    lang: Lang,
) -> (Option<String>, FieldErrorBody) {
    let InvalidTicket {
        ticket_id,
        field_error,
    } = wrong;
    let field_error = FieldError {
        pointer: format!("/tickets/{index}{}", field_error.pointer),
        ..field_error
    };
    // the id may be what is wrong
    (
        ticket_id.map(|id| truncate_untrusted(&id, MAX_TICKET_ID)),
        FieldErrorBody::new(&field_error, lang),
    )
}

/// Decides whether an access may create a ticket.
pub async fn creation(
    policy_cache: &Arc<PolicyCache>,
    caller: ResponseOptions<'_>,
    question: &CreationQuestion,
) -> Result<TicketCreationAnswer> {
    let asked = ask(
        policy_cache,
        caller,
        &question.access,
        question.min_revision,
    )
    .await?;
    let (policy, viewer) = (&asked.snapshot.policy, &asked.known.viewer);
    let (area, ticket_type) = (question.area_id.as_str(), question.ticket_type_id.as_str());
    let decided = may_create(policy, viewer, area, ticket_type);
    let counts = &policy_cache.counts;
    if decided.allowed() {
        &counts.allowed
    } else {
        &counts.refused
    }
    .add(1);
    let explainer = Explainer {
        policy,
        viewer,
        lang: caller.lang,
    };
    let obstacles = decided
        .reasons
        .iter()
        .map(|reason| explainer.obstacle(*reason, area, ticket_type));
    Ok(TicketCreationAnswer {
        revision: asked.snapshot.revisions.partner,
        allowed: decided.allowed(),
        approval_required: decided.approval_required,
        reasons: if caller.is_told_why() {
            obstacles.collect()
        } else {
            Vec::new()
        },
    })
}

/// Who is asked about, with the policy that decides. An access that the caller may not know of is the same as none.
async fn ask(
    policy_cache: &Arc<PolicyCache>,
    caller: ResponseOptions<'_>,
    access: &AccessRef,
    min_revision: Option<i64>,
) -> Result<ResolvedAccess> {
    let asked = policy_cache
        .resolve(access, |partner| caller.can_access(partner))
        .await?;
    let pointer = match access {
        AccessRef::Id(_) => "/access_id",
        AccessRef::Email(_) => "/access_email",
    };
    let asked =
        asked.ok_or_else(|| Error::from_field(FieldError::new(pointer, Code::UnknownAccess)))?;
    reached(asked.snapshot.revisions.partner, min_revision)?;
    Ok(asked)
}

/// No answer is older than its question, so a revision that is not reached yet does not exist.
fn reached(revision: i64, wanted: Option<i64>) -> Result<()> {
    if wanted.is_none_or(|wanted| wanted <= revision) {
        return Ok(());
    }
    Err(Error::client(Code::RevisionNotReached).with("revision", revision))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        db::{Db, DbOptions},
        integration::RevisionLookup,
    };

    #[test]
    fn a_revision_in_the_future_is_a_conflict() {
        assert!(reached(7, None).is_ok() && reached(7, Some(7)).is_ok());
        assert_eq!(
            reached(7, Some(8)).unwrap_err().code(),
            Code::RevisionNotReached
        );
    }

    /// Every question makes this future, and moves it: what is seldom needed is boxed.
    #[test]
    fn the_future_of_a_question_is_small() {
        let directory = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/x.db", directory.path().display())
            .parse()
            .unwrap();
        let db = Db::open(&url, DbOptions::default()).unwrap();
        let policy_cache = Arc::new(
            PolicyCache::new(db.clone(), Arc::new(RevisionLookup::new(db)), 1 << 20).unwrap(),
        );
        let access = AccessRef::Email("a@b.example".to_owned());
        let question = VisibilityQuestion {
            access,
            explain: false,
            min_revision: None,
            tickets: Vec::new(),
        };
        let size = size_of_val(&visibility(
            &policy_cache,
            ResponseOptions {
                limited_to: None,
                lang: Lang::En,
            },
            question,
        ));
        assert!(size < 1024, "{size} bytes");
    }
}

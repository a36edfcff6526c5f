//! Previews an exclusion rule: the effect that saving it would have.
//!
//! Exclusion rules do not depend on the access. Therefore the rules are evaluated once per ticket,
//! with and without the draft; only the remaining steps of the decision are evaluated per access.

use std::{collections::BTreeSet, mem, sync::Arc};

use ticket_policy::{
    evaluator::{self, Effect, Scratch},
    policy::Policy,
    rules::{RuleDefinition, RuleSet},
    ticket::TicketAttributes,
};

use super::{
    policy_cache::{PolicyCache, viewer},
    policy_loader::PolicySnapshot,
    request::{MAX_ACCESSES, PreviewRequest, TicketInput},
    response::{AccessPreview, Affected, ExclusionRulePreview, SampleError, warning_bodies},
    service::ticket_error,
    work::{Deadline, Workload},
};
use crate::{
    accesses::{self, AccessRow, filter_references},
    common::{
        Code, Error, FieldError, Result,
        error::ensure_valid,
        ids::{AccessId, BusinessPartnerId, RuleId},
        timestamp::Timestamp,
    },
    db::{Conn, ReadCost},
    exclusion_rules::{self, RuleOwner},
    http::off_worker,
    i18n::Lang,
    integration,
    ticket_filter::{Names, TicketFilter, Truth, summary},
};

type Tickets<'b> = [Box<TicketAttributes<'b>>];

/// The names for the summary of the draft, and the accesses to preview.
struct Participants {
    names: Names,
    partners: Vec<BusinessPartnerId>,
    accesses: Vec<AccessRow>,
    /// Number of active accesses beyond the limit.
    left_out: i64,
}

/// Computes what a rule would change for which access. Returns the response as JSON.
pub async fn preview(
    policy_cache: &Arc<PolicyCache>,
    mut request: PreviewRequest<'static>,
    lang: Lang,
    deadline: Deadline,
) -> Result<Vec<u8>> {
    let (tickets, errors) = split_inputs(mem::take(&mut request.tickets), lang);
    let warnings = warning_bodies(&request.warnings, lang);
    let read = async |conn: &mut Conn| read_participants(conn, &request, &tickets).await;
    let participants = policy_cache.db().snapshot(ReadCost::Scan, read).await?;
    let mut groups = Vec::new();
    let partners = participants.partners.into_iter();
    for partner in partners.filter(|_| request.has_tickets) {
        let accesses: Vec<_> = participants
            .accesses
            .iter()
            .filter(|access| access.business_partner_id == partner)
            .cloned()
            .collect();
        if !accesses.is_empty() {
            groups.push(PartnerGroup {
                snapshot: policy_cache.fresh(&partner).await?,
                accesses,
            });
        }
    }
    let evaluation = PreviewEvaluation {
        request,
        tickets: tickets.into_boxed_slice(),
        groups,
        now: Timestamp::now().into(),
        deadline,
    };
    off_worker::run(move || {
        let mut preview = evaluation.run()?;
        preview.summary = summary(&preview.filter, &participants.names, lang);
        preview.accesses_left_out = participants.left_out;
        preview.errors = errors;
        preview.warnings = warnings;
        let json = serde_json::to_vec(&preview);
        Ok(json.map_err(anyhow::Error::from)?)
    })
    .await?
}

/// The accesses of one partner, and its policy.
struct PartnerGroup {
    snapshot: Arc<PolicySnapshot>,
    accesses: Vec<AccessRow>,
}

/// Everything that the effects of a draft depend on.
struct PreviewEvaluation {
    request: PreviewRequest<'static>,
    tickets: Box<Tickets<'static>>,
    groups: Vec<PartnerGroup>,
    now: ticket_policy::Timestamp,
    deadline: Deadline,
}

impl PreviewEvaluation {
    fn run(&self) -> Result<ExclusionRulePreview> {
        let draft = self.request.active.then(|| RuleDefinition {
            id: RuleId::generate().as_uuid(),
            name: String::new(),
            filter: self.request.filter.clone(),
        });
        let draft = RuleSet::new(draft);
        self.workload(&draft).ensure_allowed("/tickets")?;
        let mut scratch = Scratch::default();
        let mut matches = Vec::with_capacity(self.tickets.len());
        for ticket in &self.tickets {
            self.deadline.check()?;
            matches.push(evaluator::matched_by(
                &draft,
                ticket,
                self.now,
                &mut scratch,
            ));
        }
        let mut preview = ExclusionRulePreview::new(self.request.filter.clone());
        preview.add_matches(&self.tickets, &matches);
        for group in &self.groups {
            let policy = &group.snapshot.policy;
            let effects = self.effects(policy, &matches, &mut scratch)?;
            for access in &group.accesses {
                self.deadline.check()?;
                preview.add_access(preview_access(policy, access, &self.tickets, &effects));
            }
        }
        Ok(preview)
    }

    /// The effect of the draft on each ticket, for the accesses of one partner.
    fn effects(
        &self,
        policy: &Policy,
        matches: &[Truth],
        scratch: &mut Scratch,
    ) -> Result<Vec<Effect>> {
        let replaced = self.request.rule_id.map(|id| id.as_uuid());
        let mut effects = Vec::with_capacity(self.tickets.len());
        for (ticket, truth) in self.tickets.iter().zip(matches) {
            self.deadline.check()?;
            effects.push(if is_owned_by(ticket, policy) {
                // an undetermined match hides the ticket too
                let hidden = *truth != Truth::False;
                evaluator::effect(policy, ticket, replaced, hidden, self.now, scratch)
            } else {
                // hidden regardless of rules
                Effect {
                    hidden_before: true,
                    hidden_after: true,
                }
            });
        }
        Ok(effects)
    }

    /// The work of evaluating the draft and the existing rules.
    fn workload(&self, draft: &RuleSet) -> Workload {
        let tickets = || self.tickets.iter().map(|ticket| &**ticket);
        let of_draft = Workload::of_rules(draft.size(), tickets());
        self.groups.iter().fold(of_draft, |sum, group| {
            let policy = &group.snapshot.policy;
            let own_tickets = tickets().filter(|ticket| is_owned_by(ticket, policy));
            sum + Workload::of(policy, own_tickets)
        })
    }
}

/// Whether a ticket belongs to the partner of a policy.
fn is_owned_by(ticket: &TicketAttributes<'_>, policy: &Policy) -> bool {
    *ticket.business_partner_id == *policy.partner.business_partner_id
}

/// Splits the samples into valid tickets and errors.
fn split_inputs(
    inputs: Vec<TicketInput<'_>>,
    lang: Lang,
) -> (Vec<Box<TicketAttributes<'_>>>, Vec<SampleError>) {
    let mut tickets = Vec::with_capacity(inputs.len());
    let mut errors = Vec::new();
    for (index, input) in inputs.into_iter().enumerate() {
        match input {
            Ok(ticket) => tickets.push(ticket),
            Err(invalid) => {
                let (ticket_id, error) = ticket_error(*invalid, index, lang);
                errors.push(SampleError { ticket_id, error });
            }
        }
    }
    (tickets, errors)
}

impl ExclusionRulePreview {
    fn new(filter: TicketFilter) -> Self {
        Self {
            filter,
            summary: String::new(),
            matching: Vec::new(),
            undetermined: Vec::new(),
            newly_hidden: 0,
            newly_visible: 0,
            unchanged: 0,
            accesses: Vec::new(),
            accesses_left_out: 0,
            errors: Vec::new(),
            warnings: Vec::new(),
        }
    }

    fn add_matches(&mut self, tickets: &Tickets<'_>, matches: &[Truth]) {
        for (ticket, truth) in tickets.iter().zip(matches) {
            match truth {
                Truth::True => self.matching.push(ticket.ticket_id.to_string()),
                Truth::Unknown => self.undetermined.push(ticket.ticket_id.to_string()),
                Truth::False => {}
            }
        }
    }

    fn add_access(&mut self, access: AccessPreview) {
        self.newly_hidden += access.newly_hidden.count;
        self.newly_visible += access.newly_visible.count;
        self.unchanged += access.unchanged.count;
        self.accesses.push(access);
    }
}

fn preview_access(
    policy: &Policy,
    row: &AccessRow,
    tickets: &Tickets<'_>,
    effects: &[Effect],
) -> AccessPreview {
    let viewer = viewer(row.id, row.fields.clone());
    let mut preview = AccessPreview {
        access_id: row.id,
        business_partner_id: row.business_partner_id.clone(),
        name: format!("{} {}", row.fields.first_name, row.fields.last_name),
        newly_hidden: Affected::default(),
        newly_visible: Affected::default(),
        unchanged: Affected::default(),
    };
    for (ticket, effect) in tickets.iter().zip(effects) {
        let depends_on_rules = evaluator::is_visible_ignoring_rules(policy, &viewer, ticket);
        let affected = match (depends_on_rules, effect.hidden_before, effect.hidden_after) {
            (true, false, true) => &mut preview.newly_hidden,
            (true, true, false) => &mut preview.newly_visible,
            _ => &mut preview.unchanged,
        };
        affected.count += 1;
        affected.ticket_ids.push(ticket.ticket_id.to_string());
    }
    preview
}

/// Checks the references of the request, and reads the names for the summary and the accesses to
/// preview.
async fn read_participants(
    conn: &mut Conn,
    request: &PreviewRequest<'_>,
    tickets: &Tickets<'_>,
) -> Result<Participants> {
    let owner = request.business_partner_id.as_ref();
    if let Some(partner) = owner {
        ensure_partner_exists(conn, partner).await?;
    }
    let (names, mut errors) = filter_references::resolve(conn, owner, &request.filter).await?;
    if let Some(rule) = request.rule_id {
        errors.extend(unknown_rule(conn, owner, rule).await?);
    }
    let partners = match (owner, &request.access_ids) {
        (Some(partner), _) => vec![partner.clone()],
        (None, Some(ids)) => accesses::service::partners(conn, ids).await?,
        (None, None) => partners_of(tickets),
    };
    let access_ids = request.access_ids.as_deref();
    let (accesses, left_out) = if request.has_tickets || access_ids.is_some() {
        read_accesses(conn, &partners, access_ids).await?
    } else {
        (Vec::new(), 0)
    };
    errors.extend(unknown_accesses(access_ids, &accesses));
    ensure_valid(errors)?;
    Ok(Participants {
        names,
        partners,
        accesses,
        left_out,
    })
}

/// The partners that own the tickets. No other partner's accesses can see them.
fn partners_of(tickets: &Tickets<'_>) -> Vec<BusinessPartnerId> {
    let ids: BTreeSet<&str> = tickets
        .iter()
        .map(|ticket| &*ticket.business_partner_id)
        .collect();
    ids.into_iter().filter_map(|id| id.parse().ok()).collect()
}

async fn ensure_partner_exists(conn: &mut Conn, partner: &BusinessPartnerId) -> Result<()> {
    match integration::service::load_state(conn, partner).await {
        Err(error) if error.code() == Code::NotFound => Err(unknown_partner(partner)),
        state => state.map(drop),
    }
}

/// The error for a partner that does not exist or that the caller has no access to.
pub fn unknown_partner(partner: &BusinessPartnerId) -> Error {
    Error::from_field(
        FieldError::new("/business_partner_id", Code::UnknownReference).with("id", partner),
    )
}

/// The error for a rule that does not exist or has another owner.
async fn unknown_rule(
    conn: &mut Conn,
    owner: Option<&BusinessPartnerId>,
    rule: RuleId,
) -> Result<Option<FieldError>> {
    let owner = owner.map_or(RuleOwner::Global, |partner| {
        RuleOwner::Partner(partner.clone())
    });
    if exclusion_rules::service::exists(conn, &owner, rule).await? {
        return Ok(None);
    }
    let error = FieldError::new("/rule_id", Code::UnknownReference).with("id", rule);
    Ok(Some(error))
}

/// Reads the accesses with these `ids`, or the first active ones, and the number of active accesses
/// beyond the limit.
async fn read_accesses(
    conn: &mut Conn,
    partners: &[BusinessPartnerId],
    ids: Option<&[AccessId]>,
) -> Result<(Vec<AccessRow>, i64)> {
    let mut rows = Vec::new();
    let mut left_out = 0;
    for partner in partners {
        let remaining = MAX_ACCESSES.saturating_sub(rows.len());
        let limit = i64::try_from(remaining).unwrap_or(i64::MAX);
        let read = accesses::service::list_for_preview(conn, partner, ids, limit).await?;
        if ids.is_none() && read.len() == remaining {
            let counts = accesses::service::access_counts(conn, partner).await?;
            left_out += counts.active - limit;
        }
        rows.extend(read);
    }
    Ok((rows, left_out))
}

/// An error for each requested access that was not found.
fn unknown_accesses(ids: Option<&[AccessId]>, rows: &[AccessRow]) -> Vec<FieldError> {
    let found: BTreeSet<_> = rows.iter().map(|row| row.id).collect();
    ids.unwrap_or_default()
        .iter()
        .enumerate()
        .filter(|(_, id)| !found.contains(id))
        .map(|(index, _)| FieldError::new(format!("/access_ids/{index}"), Code::UnknownAccess))
        .collect()
}

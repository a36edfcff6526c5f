//! What an exclusion rule would change, before it is saved.
//!
//! A rule does not depend on the access that looks, so each ticket is judged once by the rules as they are and as they would
//! be; whether an access would see the ticket but for the rules is the rest.

use std::{collections::BTreeSet, sync::Arc};
use ticket_policy::{
    Viewer,
    evaluator::{self, Effect, Scratch},
    policy::Policy,
    rules::{RuleDefinition, RuleSet},
    ticket::TicketAttributes,
};

use super::{
    policy_cache::{PolicyCache, viewer},
    request::{MAX_ACCESSES, PreviewQuestion},
    response::{AccessPreview, Affected, ExclusionRulePreview, SampleError},
    service::ticket_error,
};
use crate::{
    accesses::{self, AccessRow},
    common::{
        Code, Error, FieldError, Result,
        ids::{AccessId, BusinessPartnerId, RuleId},
        timestamp::Timestamp,
    },
    db::{Conn, ReadCost},
    exclusion_rules::{self, GLOBAL},
    i18n::Lang,
    integration,
    ticket_filter::{Truth, references},
};

/// Says what would change for which access.
pub async fn preview(
    policy_cache: &Arc<PolicyCache>,
    question: PreviewQuestion<'_>,
    lang: Lang,
) -> Result<ExclusionRulePreview> {
    let mut answer = ExclusionRulePreview::default();
    let mut tickets = Vec::with_capacity(question.tickets.len());
    for (index, slot) in question.tickets.into_iter().enumerate() {
        match slot {
            Ok(facts) => tickets.push(facts),
            Err(wrong) => {
                let (ticket_id, error) = ticket_error(*wrong, index, lang);
                answer.errors.push(SampleError { ticket_id, error });
            }
        }
    }
    let owner = question
        .business_partner_id
        .as_ref()
        .map_or(GLOBAL, |partner| partner.as_str());
    let load_access = async |conn: &mut Conn| {
        references::settle(conn, None, &question.filter).await?;
        partner_must_exist(conn, question.business_partner_id.as_ref()).await?;
        rule_must_exist(conn, owner, question.rule_id).await?;
        let partners = match (&question.business_partner_id, &question.access_ids) {
            (Some(partner), _) => vec![partner.clone()],
            (None, Some(named)) => accesses::service::partners(conn, named).await?,
            (None, None) => partners_of(&tickets),
        };
        let (rows, left_out) =
            participants(conn, &partners, question.access_ids.as_deref()).await?;
        Ok((partners, rows, left_out))
    };
    let (partners, rows, left_out) = policy_cache
        .db()
        .snapshot(ReadCost::Scan, load_access)
        .await?;
    all_known(question.access_ids.as_deref(), &rows)?;
    answer.accesses_left_out = left_out;
    let rule = question.active.then(|| RuleDefinition {
        id: RuleId::generate().as_uuid(),
        name: String::new(),
        filter: question.filter.clone(),
    });
    let draft = RuleSet::new(rule);
    let now = Timestamp::now().into();
    let mut scratch = Scratch::default();
    let drafted: Vec<_> = tickets
        .iter()
        .map(|it| evaluator::matched_by(&draft, it, now, &mut scratch))
        .collect();
    for (ticket, truth) in tickets.iter().zip(&drafted) {
        match truth {
            Truth::True => answer.matching.push(ticket.ticket_id.to_string()),
            Truth::Unknown => answer.undetermined.push(ticket.ticket_id.to_string()),
            Truth::False => {}
        }
    }
    for partner in partners {
        let of_partner = |row: &&AccessRow| row.business_partner_id == partner;
        if rows.iter().any(|row| of_partner(&row)) {
            let snapshot = policy_cache.fresh(&partner).await?;
            let judged = tickets.iter().zip(&drafted);
            let effects = judged.map(|(facts, drafted)| {
                let hides = *drafted != Truth::False;
                evaluator::effect(
                    &snapshot.policy,
                    facts,
                    question.rule_id.map(|id| id.as_uuid()),
                    hides,
                    now,
                    &mut scratch,
                )
            });
            let effects: Vec<_> = effects.collect();
            for row in rows.iter().filter(of_partner) {
                answer.add(of_access(&snapshot.policy, row, &tickets, &effects));
            }
        }
    }
    Ok(answer)
}

impl ExclusionRulePreview {
    fn add(&mut self, access: AccessPreview) {
        self.newly_hidden += access.newly_hidden.count;
        self.newly_visible += access.newly_visible.count;
        self.unchanged += access.unchanged.count;
        self.accesses.push(access);
    }
}

fn of_access(
    policy: &Policy,
    row: &AccessRow,
    tickets: &[Box<TicketAttributes<'_>>],
    effects: &[Effect],
) -> AccessPreview {
    let viewer: Viewer = viewer(row.id, row.fields.clone());
    let (mut hidden, mut visible, mut unchanged) = (
        Affected::default(),
        Affected::default(),
        Affected::default(),
    );
    for (ticket, effect) in tickets.iter().zip(effects) {
        let but_for_rules = evaluator::is_visible_ignoring_rules(policy, &viewer, ticket);
        let affected = match (but_for_rules, effect.hidden_before, effect.hidden_after) {
            (true, false, true) => &mut hidden,
            (true, true, false) => &mut visible,
            _ => &mut unchanged,
        };
        affected.count += 1;
        affected.ticket_ids.push(ticket.ticket_id.to_string());
    }
    AccessPreview {
        access_id: row.id,
        business_partner_id: row.business_partner_id.clone(),
        name: format!("{} {}", row.fields.first_name, row.fields.last_name),
        newly_hidden: hidden,
        newly_visible: visible,
        unchanged,
    }
}

/// Whose accesses a global rule concerns: those of the tickets' partners, as no other sees them.
fn partners_of(tickets: &[Box<TicketAttributes<'_>>]) -> Vec<BusinessPartnerId> {
    let named: BTreeSet<&str> = tickets
        .iter()
        .map(|ticket| &*ticket.business_partner_id)
        .collect();
    named.into_iter().filter_map(|id| id.parse().ok()).collect()
}

async fn partner_must_exist(conn: &mut Conn, partner: Option<&BusinessPartnerId>) -> Result<()> {
    let Some(partner) = partner else {
        return Ok(());
    };
    match integration::service::load_state(conn, partner).await {
        Err(error) if error.code() == Code::NotFound => Err(unknown_partner(partner)),
        found => found.map(drop),
    }
}

/// The refusal of a partner that does not exist, or that the caller may not know of.
pub fn unknown_partner(partner: &BusinessPartnerId) -> Error {
    Error::from_field(
        FieldError::new("/business_partner_id", Code::UnknownReference).with("id", partner),
    )
}

async fn rule_must_exist(conn: &mut Conn, owner: &str, rule: Option<RuleId>) -> Result<()> {
    let Some(rule) = rule else { return Ok(()) };
    if exclusion_rules::service::exists(conn, owner, rule).await? {
        return Ok(());
    }
    Err(Error::from_field(
        FieldError::new("/rule_id", Code::UnknownReference).with("id", rule),
    ))
}

/// The accesses to look at, and how many active ones are left out.
async fn participants(
    conn: &mut Conn,
    partners: &[BusinessPartnerId],
    named: Option<&[AccessId]>,
) -> Result<(Vec<AccessRow>, i64)> {
    let (mut rows, mut left_out) = (Vec::new(), 0);
    for partner in partners {
        let room = MAX_ACCESSES.saturating_sub(rows.len());
        let some = accesses::service::list_for_preview(
            conn,
            partner,
            named,
            i64::try_from(room).unwrap_or(i64::MAX),
        )
        .await?;
        if named.is_none() && some.len() == room {
            let active = accesses::service::access_counts(conn, partner)
                .await?
                .active;
            left_out += active - i64::try_from(some.len()).unwrap_or(i64::MAX);
        }
        rows.extend(some);
    }
    Ok((rows, left_out))
}

fn all_known(named: Option<&[AccessId]>, rows: &[AccessRow]) -> Result<()> {
    let known: BTreeSet<_> = rows.iter().map(|row| row.id).collect();
    let named = named.unwrap_or_default().iter().enumerate();
    let unknown = named.filter(|(_, id)| !known.contains(id));
    let field_errors = unknown
        .map(|(index, _)| FieldError::new(format!("/access_ids/{index}"), Code::UnknownAccess));
    crate::common::error::ensure_valid(field_errors.collect())
}

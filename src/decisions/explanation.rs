//! Why: a step's outcome as a sentence, with the settings that decide and where to find them.

use ticket_policy::{
    Viewer,
    creation::CreationReason,
    evaluator::{Outcome, Step, StepResult},
    policy::Policy,
    rules::Rule,
    ticket::TicketAttributes,
};

use super::response::{CreationObstacle, DecisionSource, DecisionStep};
use crate::{
    accesses::{Access, TicketVisibility},
    areas::AreaGrant,
    common::Resource,
    exclusion_rules::ExclusionRule,
    http::API_BASE,
    i18n::{self, Lang, ListKind, message},
    integration::CustomerIntegration,
    ticket_filter::{MAX_LISTED, strip_quotes},
};

/// Most rules that a step names as its sources.
const MAX_SOURCES: usize = 20;

/// Says what was decided, on a ticket for an access.
pub struct Explainer<'e> {
    pub policy: &'e Policy,
    pub viewer: &'e Viewer,
    pub lang: Lang,
}

impl Explainer<'_> {
    /// One step of the decision on a ticket.
    pub fn step(&self, judged: &StepResult<'_>, facts: &TicketAttributes<'_>) -> DecisionStep {
        let StepResult {
            step,
            outcome,
            rules,
        } = judged;
        DecisionStep {
            code: *step,
            outcome: *outcome,
            detail: self.sentence(
                (*step).into(),
                self.case(*step, *outcome, facts),
                rules,
                self.area_name(&facts.area_id),
            ),
            sources: self.sources(*step, rules, facts),
        }
    }

    /// Why a ticket may not be created.
    pub fn obstacle(
        &self,
        reason: CreationReason,
        area: &str,
        ticket_type: &str,
    ) -> CreationObstacle {
        let case = match reason {
            CreationReason::AreaNotGranted => self.area_case(area),
            CreationReason::TicketTypeNotGranted
                if self.policy.partner.ticket_type(ticket_type).is_some() =>
            {
                "retired"
            }
            _ => "deny",
        };
        let name = match reason {
            CreationReason::AreaNotGranted => self.area_name(area),
            _ => self
                .policy
                .partner
                .ticket_type(ticket_type)
                .map_or(ticket_type, |it| &it.name),
        };
        CreationObstacle {
            code: reason,
            detail: self.sentence(reason.into(), case, &[], name),
        }
    }

    /// Which of a step's sentences is meant.
    fn case(&self, step: Step, outcome: Outcome, facts: &TicketAttributes<'_>) -> &'static str {
        match (step, outcome) {
            (Step::TicketConfidential, Outcome::Pass) if facts.confidential => "main_contact",
            (Step::NotOwnTicket, Outcome::Pass)
                if self.viewer.ticket_visibility == TicketVisibility::Own =>
            {
                "own"
            }
            (Step::AreaNotGranted, Outcome::Deny) => self.area_case(&facts.area_id),
            (_, outcome) => outcome.into(),
        }
    }

    fn area_case(&self, area: &str) -> &'static str {
        if self.policy.partner.area(area).is_some() {
            "retired"
        } else {
            "deny"
        }
    }

    /// What an area is called; its id if it is not granted.
    fn area_name<'n>(&'n self, id: &'n str) -> &'n str {
        self.policy.partner.area(id).map_or(id, |area| &area.name)
    }

    /// `name` is that of what the sentence is about: an area or a ticket type.
    fn sentence(&self, code: &str, case: &str, rules: &[&Rule], name: &str) -> String {
        let mut names: Vec<_> = rules
            .iter()
            .take(MAX_LISTED)
            .map(|rule| self.quoted(&rule.name))
            .collect();
        if let Some(more) = rules.len().checked_sub(MAX_LISTED).filter(|more| *more > 0) {
            names.push(message(self.lang, "more", [("count", more.into())]));
        }
        let args = [
            ("case", case.into()),
            ("name", self.quoted(name).into()),
            ("rules", i18n::list(self.lang, ListKind::And, &names).into()),
            ("count", rules.len().into()),
        ];
        message(self.lang, &format!("step-{code}"), args)
    }

    fn quoted(&self, text: &str) -> String {
        message(self.lang, "quoted", [("text", strip_quotes(text).into())])
    }

    fn sources(
        &self,
        step: Step,
        rules: &[&Rule],
        facts: &TicketAttributes<'_>,
    ) -> Vec<DecisionSource> {
        let partner = &*self.policy.partner.business_partner_id;
        let tab = format!("{API_BASE}/customer-integrations/{partner}");
        match step {
            Step::IntegrationInactive => {
                vec![source(CustomerIntegration::KIND, partner, partner, tab)]
            }
            Step::BusinessPartnerInactive => {
                vec![source(
                    "business_partner",
                    partner,
                    partner,
                    format!("{API_BASE}/catalog/business-partners/{partner}"),
                )]
            }
            Step::AccessInactive | Step::TicketConfidential | Step::NotOwnTicket => {
                let Viewer { id_text, email, .. } = self.viewer;
                vec![source(
                    Access::KIND,
                    id_text,
                    email,
                    format!("{tab}/accesses/{id_text}"),
                )]
            }
            // the ticket alone decides
            Step::OtherBusinessPartner | Step::TicketInternal => vec![],
            Step::AreaNotGranted => {
                let id = &*facts.area_id;
                vec![source(
                    AreaGrant::KIND,
                    id,
                    self.area_name(id),
                    format!("{tab}/areas/{id}"),
                )]
            }
            Step::ExcludedByGlobalRule | Step::ExcludedByGlobalRuleUndetermined => {
                of_rules(rules, API_BASE)
            }
            Step::ExcludedByRule | Step::ExcludedByRuleUndetermined => of_rules(rules, &tab),
        }
    }
}

fn of_rules(rules: &[&Rule], list_response: &str) -> Vec<DecisionSource> {
    let of_rule = |rule: &&Rule| {
        let id = rule.id.to_string();
        source(
            ExclusionRule::KIND,
            &id,
            &rule.name,
            format!("{list_response}/exclusion-rules/{id}"),
        )
    };
    rules.iter().take(MAX_SOURCES).map(of_rule).collect()
}

fn source(kind: &'static str, id: &str, name: &str, href: String) -> DecisionSource {
    DecisionSource {
        kind,
        id: id.to_owned(),
        name: name.to_owned(),
        href,
    }
}

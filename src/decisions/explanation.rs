//! Explains decisions to users: the outcome of a step as text, with links to the configuration that
//! caused it.

use std::borrow::Cow;

use ticket_policy::{
    Viewer,
    approval::ApprovalReason,
    creation::CreationReason,
    evaluator::{Outcome, Step, StepResult},
    policy::Policy,
    positions::PositionReason,
    rules::Rule,
    ticket::TicketAttributes,
};

use super::response::{
    ApprovalObstacle, CreationObstacle, DecisionSource, DecisionStep, PositionObstacle,
};
use crate::{
    accesses::{Access, TicketVisibility},
    areas::AreaGrant,
    common::Resource,
    exclusion_rules::ExclusionRule,
    http::API_BASE,
    i18n::{self, Lang, MAX_LISTED, message},
    integration,
};

/// Most rules that a step lists as its sources: those that its text names.
const MAX_SOURCES: usize = MAX_LISTED;

/// Explains the decisions made for one access.
pub struct Explainer<'e> {
    pub policy: &'e Policy,
    pub viewer: &'e Viewer,
    pub lang: Lang,
}

impl Explainer<'_> {
    /// Explains one step of the decision on a ticket.
    pub fn step(&self, result: &StepResult<'_>, ticket: &TicketAttributes<'_>) -> DecisionStep {
        let StepResult {
            step,
            outcome,
            rules,
        } = result;
        let case = self.step_case(*step, *outcome, ticket);
        let area_name = self.area_name(&ticket.area_id);
        let sources = self.sources(*step, rules, ticket);
        DecisionStep {
            code: *step,
            outcome: *outcome,
            detail: self.detail((*step).into(), case, rules, area_name),
            sources_total: sources.len().max(rules.len()),
            sources,
        }
    }

    /// Explains why a ticket cannot be created.
    pub fn obstacle(
        &self,
        reason: CreationReason,
        area: &str,
        ticket_type: &str,
    ) -> CreationObstacle {
        let granted_type = self.policy.partner.ticket_type(ticket_type);
        let case = match reason {
            CreationReason::AreaNotGranted => self.area_case(area),
            CreationReason::TicketTypeNotGranted if granted_type.is_some() => "retired",
            _ => "deny",
        };
        let name = match reason {
            CreationReason::AreaNotGranted => self.area_name(area),
            _ => granted_type.map_or(ticket_type, |granted| &granted.name),
        };
        CreationObstacle {
            code: reason,
            detail: self.detail(reason.into(), case, &[], name),
        }
    }

    /// Explains why positions are hidden.
    pub fn positions<'t>(
        &self,
        reason: PositionReason,
        position_ids: Vec<Cow<'t, str>>,
    ) -> PositionObstacle<'t> {
        let code: &str = reason.into();
        let listed = i18n::list_quoted(self.lang, position_ids.iter().map(|id| &**id));
        let args = [
            ("positions", listed.into()),
            ("count", position_ids.len().into()),
        ];
        PositionObstacle {
            code: reason,
            detail: message(self.lang, &format!("step-{code}"), args),
            position_ids,
        }
    }

    /// Explains why a ticket cannot be released.
    pub fn approval(&self, reason: ApprovalReason, outcome: Outcome) -> ApprovalObstacle {
        ApprovalObstacle {
            code: reason,
            outcome,
            detail: self.detail(reason.into(), outcome.into(), &[], ""),
        }
    }

    /// The variant of a step's message.
    fn step_case(
        &self,
        step: Step,
        outcome: Outcome,
        ticket: &TicketAttributes<'_>,
    ) -> &'static str {
        let sees_own_only = self.viewer.ticket_visibility == TicketVisibility::Own;
        match (step, outcome) {
            (Step::TicketConfidential, Outcome::Pass) if ticket.confidential => "main_contact",
            (Step::NotOwnTicket, Outcome::Pass) if sees_own_only => "own",
            (Step::AreaNotGranted, Outcome::Deny) => self.area_case(&ticket.area_id),
            _ => outcome.into(),
        }
    }

    /// An area that is granted but not available has been retired.
    fn area_case(&self, area: &str) -> &'static str {
        if self.policy.partner.area(area).is_some() {
            "retired"
        } else {
            "deny"
        }
    }

    /// The name of an area, or its id if it is not granted.
    fn area_name<'n>(&'n self, id: &'n str) -> &'n str {
        self.policy.partner.area(id).map_or(id, |area| &area.name)
    }

    /// The text of a step. `name` is the name of the area or the ticket type that it mentions.
    fn detail(&self, code: &str, case: &str, rules: &[&Rule], name: &str) -> String {
        let rule_names = rules.iter().map(|rule| &*rule.name);
        let args = [
            ("case", case.into()),
            ("name", i18n::quoted(self.lang, name).into()),
            ("rules", i18n::list_quoted(self.lang, rule_names).into()),
            ("count", rules.len().into()),
        ];
        message(self.lang, &format!("step-{code}"), args)
    }

    /// The configuration that a step depends on. Empty if it depends on the ticket alone.
    fn sources(
        &self,
        step: Step,
        rules: &[&Rule],
        ticket: &TicketAttributes<'_>,
    ) -> Vec<DecisionSource> {
        match step {
            Step::IntegrationInactive => vec![self.integration_source()],
            Step::BusinessPartnerInactive => vec![self.partner_source()],
            Step::AccessInactive | Step::TicketConfidential | Step::NotOwnTicket => {
                vec![self.access_source()]
            }
            Step::OtherBusinessPartner | Step::TicketInternal => Vec::new(),
            Step::AreaNotGranted => vec![self.area_source(&ticket.area_id)],
            Step::ExcludedByGlobalRule | Step::ExcludedByGlobalRuleUndetermined => {
                rule_sources(rules, API_BASE)
            }
            Step::ExcludedByRule | Step::ExcludedByRuleUndetermined => {
                rule_sources(rules, &self.integration_href())
            }
        }
    }

    fn integration_href(&self) -> String {
        let partner = &self.policy.partner.business_partner_id;
        format!("{API_BASE}/customer-integrations/{partner}")
    }

    fn integration_source(&self) -> DecisionSource {
        let partner = self.policy.partner.business_partner_id.to_string();
        DecisionSource {
            kind: integration::RESOURCE_KIND,
            id: partner.clone(),
            name: partner,
            href: self.integration_href(),
        }
    }

    fn partner_source(&self) -> DecisionSource {
        let partner = self.policy.partner.business_partner_id.to_string();
        DecisionSource {
            kind: "business_partner",
            href: format!("{API_BASE}/catalog/business-partners/{partner}"),
            id: partner.clone(),
            name: partner,
        }
    }

    fn access_source(&self) -> DecisionSource {
        let Viewer { id_text, email, .. } = self.viewer;
        DecisionSource {
            kind: Access::KIND,
            id: id_text.to_string(),
            name: email.to_string(),
            href: format!("{}/accesses/{id_text}", self.integration_href()),
        }
    }

    fn area_source(&self, id: &str) -> DecisionSource {
        DecisionSource {
            kind: AreaGrant::KIND,
            id: id.to_owned(),
            name: self.area_name(id).to_owned(),
            href: format!("{}/areas/{id}", self.integration_href()),
        }
    }
}

/// The rules below the resource at `parent_href`.
fn rule_sources(rules: &[&Rule], parent_href: &str) -> Vec<DecisionSource> {
    rules
        .iter()
        .take(MAX_SOURCES)
        .map(|rule| DecisionSource {
            kind: ExclusionRule::KIND,
            id: rule.id.to_string(),
            name: rule.name.clone(),
            href: format!("{parent_href}/exclusion-rules/{}", rule.id),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use strum::IntoEnumIterator as _;

    use super::*;
    use crate::ticket_filter::{Field, Operator};

    /// Missing messages are replaced by their id.
    fn assert_exists(lang: Lang, id: &str) {
        assert_ne!(message(lang, id, []), id, "{lang:?}");
    }

    #[test]
    fn every_step_has_a_text_in_every_language() {
        for lang in Lang::iter() {
            for step in Step::iter().map(<&str>::from) {
                assert_exists(lang, &format!("step-{step}"));
            }
            for reason in CreationReason::iter().map(<&str>::from) {
                assert_exists(lang, &format!("step-{reason}"));
            }
            for reason in ApprovalReason::iter().map(<&str>::from) {
                assert_exists(lang, &format!("step-{reason}"));
            }
            for reason in PositionReason::iter().map(<&str>::from) {
                assert_exists(lang, &format!("step-{reason}"));
            }
        }
    }

    #[test]
    fn every_part_of_a_filter_has_a_text_in_every_language() {
        for lang in Lang::iter() {
            for field in Field::iter() {
                let id = format!("field-{}", field.as_str());
                assert_exists(lang, &id);
                assert_ne!(i18n::attribute(lang, &id, "inline"), id, "{lang:?}");
                for word in field.words() {
                    assert_exists(lang, &format!("word-{word}"));
                }
            }
            for operator in Operator::iter() {
                assert_exists(lang, &format!("operator-{}", operator.as_str()));
                assert_exists(lang, &format!("clause-{}", operator.as_str()));
            }
        }
    }
}

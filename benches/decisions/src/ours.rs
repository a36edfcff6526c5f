//! The evaluator of customer-integration. It has only one form.

use std::sync::Arc;

use ticket_policy::{
    Role, TicketVisibility, Timestamp, Viewer,
    evaluator::{Scratch, is_visible},
    policy::{GrantedArea, PartnerPolicy, Policy, PolicySource},
    rules::{RuleDefinition, RuleSet},
    ticket::TicketAttributes,
};

use crate::{AccessRef, Engine, Form, Question, Scenario};

/// A policy with its viewers.
pub struct Ours {
    policy: Policy,
    viewers: Vec<Viewer>,
    now: Timestamp,
    scratch: Scratch,
}

fn rules(scenario: &Scenario, global: bool) -> Vec<RuleDefinition> {
    scenario
        .rules
        .iter()
        .enumerate()
        .filter(|(_, rule)| rule.global == global)
        .map(|(number, rule)| RuleDefinition {
            id: uuid::Uuid::from_u128(number as u128),
            name: rule.name.clone(),
            filter: rule.filter.clone(),
        })
        .collect()
}

fn viewer(access: &AccessRef) -> Viewer {
    Viewer {
        id: access.access.parse().expect("a UUID"),
        id_text: access.access.as_str().into(),
        contact_id: Some(access.contact.as_str().into()),
        email: "a@example.com".into(),
        active: true,
        role: Role::Observer,
        approver: false,
        ticket_visibility: if access.own {
            TicketVisibility::Own
        } else {
            TicketVisibility::Partner
        },
    }
}

impl Engine for Ours {
    const NAME: &'static str = "customer-integration";
    type Input<'s> = (TicketAttributes<'s>, usize);

    fn compile(scenario: &Scenario, _: Form) -> Self {
        let areas = scenario.grants.iter().map(|grant| GrantedArea {
            id: grant.area.as_str().into(),
            name: grant.area.as_str().into(),
            available: grant.available,
            start_ticket_types: None,
        });
        let partner = PartnerPolicy::new(PolicySource {
            business_partner_id: scenario.partner.as_str().into(),
            integration_active: true,
            business_partner_active: true,
            areas: areas.collect(),
            ticket_types: Vec::new(),
            rules: rules(scenario, false),
        });
        Self {
            policy: Policy {
                partner: Arc::new(partner),
                global: Arc::new(RuleSet::new(rules(scenario, true))),
            },
            viewers: scenario.viewers.iter().map(viewer).collect(),
            now: Timestamp::parse(&scenario.now).expect("a time"),
            scratch: Scratch::default(),
        }
    }

    fn input<'s>(&self, question: Question<'s>) -> Self::Input<'s> {
        let viewer = self
            .viewers
            .iter()
            .position(|viewer| *viewer.id_text == *question.viewer.access);
        (
            serde_json::from_str(question.json).expect("a ticket"),
            viewer.expect("a viewer of the scenario"),
        )
    }

    fn is_visible(&mut self, (ticket, viewer): &Self::Input<'_>) -> bool {
        let viewer = self.viewers.get(*viewer).expect("a viewer of the scenario");
        is_visible(&self.policy, viewer, ticket, self.now, &mut self.scratch)
    }
}

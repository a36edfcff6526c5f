//! The evaluator of the service. It has one form.

use std::sync::Arc;

use customer_integration::{
    accesses::{Role, TicketVisibility},
    common::{ids::RuleId, timestamp::Timestamp},
    decisions::{
        evaluator::{Scratch, is_visible},
        policy::{GrantedArea, PartnerPolicy, Policy, PolicySource, Viewer},
        rules::RuleSet,
        ticket::TicketAttributes,
    },
    ticket_filter::TicketFilter,
};

use crate::{AccessRef, DecisionInput, Engine, Form, Scenario};

/// A policy and its viewers.
pub struct Ours {
    policy: Policy,
    viewers: Vec<Viewer>,
    now: Timestamp,
    scratch: Scratch,
}

fn uuid(number: usize) -> uuid::Uuid {
    uuid::Uuid::from_u128(number as u128)
}

fn rules(scenario: &Scenario, global: bool) -> Vec<(RuleId, String, TicketFilter)> {
    let numbered = scenario.rules.iter().enumerate();
    let of_scope = numbered.filter(|(_, rule)| rule.global == global);
    of_scope
        .map(|(number, rule)| (uuid(number).into(), rule.name.clone(), rule.filter.clone()))
        .collect()
}

fn viewer(who: &AccessRef) -> Viewer {
    let id: uuid::Uuid = who.access.parse().expect("an id");
    Viewer {
        id: id.into(),
        id_text: who.access.as_str().into(),
        contact_id: Some(who.contact.as_str().into()),
        email: "a@example.com".into(),
        active: true,
        role: Role::Observer,
        ticket_visibility: if who.own {
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
        let granted = |grant: &crate::scenario::Grant| GrantedArea {
            id: grant.area.as_str().into(),
            name: grant.area.as_str().into(),
            available: grant.available,
            start_ticket_types: None,
        };
        let partner = PartnerPolicy::new(PolicySource {
            business_partner_id: scenario.partner.parse().expect("an id"),
            integration_active: true,
            business_partner_active: true,
            areas: scenario.grants.iter().map(granted).collect(),
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

    fn input<'s>(&self, input: DecisionInput<'s>) -> Self::Input<'s> {
        let viewer = self
            .viewers
            .iter()
            .position(|viewer| *viewer.id_text == *input.viewer.access);
        (
            serde_json::from_str(input.json).expect("a ticket"),
            viewer.expect("a viewer of the scenario"),
        )
    }

    fn is_visible(&mut self, (facts, viewer): &Self::Input<'_>) -> bool {
        let viewer = self.viewers.get(*viewer).expect("a viewer of the scenario");
        is_visible(&self.policy, viewer, facts, self.now, &mut self.scratch)
    }
}

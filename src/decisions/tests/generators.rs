//! Partners and tickets, as they are described and made up.

use std::sync::Arc;

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use serde_json::{Value, json};

use crate::{
    accesses::{Role, TicketVisibility},
    common::{
        ids::{AccessId, RuleId},
        timestamp::Timestamp,
    },
    decisions::{
        evaluator::{self, Scratch, StepResult},
        policy::{GrantedArea, GrantedType, PartnerPolicy, Policy, PolicySource, Viewer},
        rules::RuleSet,
        ticket::TicketAttributes,
    },
    ticket_filter::TicketFilter,
};

/// When everything happens.
pub fn now() -> Timestamp {
    Timestamp::parse("2026-11-24T12:00:00Z").unwrap()
}

/// All that decides, as people would describe it.
#[derive(Debug, Clone)]
pub struct World {
    pub integration_active: bool,
    pub business_partner_active: bool,
    /// Id, whether it is available, and its start list.
    pub areas: Vec<(&'static str, bool, Option<Vec<&'static str>>)>,
    /// Id, whether it is available, and whether approval is required.
    pub ticket_types: Vec<(&'static str, bool, bool)>,
    pub rules: Vec<Value>,
    pub global_rules: Vec<Value>,
    pub viewer: Viewer,
}

/// Makes something up.
pub struct Dice(StdRng);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(StdRng::seed_from_u64(seed))
    }

    pub fn of<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[self.0.random_range(0..choices.len())].clone()
    }

    pub fn one_in(&mut self, n: u32) -> bool {
        self.0.random_range(0..n) == 0
    }

    pub fn up_to(&mut self, n: usize) -> usize {
        self.0.random_range(0..=n)
    }

    fn some(&mut self, choices: &[&str]) -> Vec<String> {
        let mut picked: Vec<_> = (0..=self.up_to(2))
            .map(|_| self.of(choices).to_owned())
            .collect();
        picked.sort();
        picked.dedup();
        picked
    }
}

const AREAS: [&str; 4] = ["a", "b", "c", "d"];
const TYPES: [&str; 3] = ["t", "u", "v"];
const CONTACTS: [&str; 3] = ["P-1", "P-2", "P-3"];
const CHANNELS: [&str; 3] = ["email", "phone", "portal"];
const TAGS: [&str; 5] = ["VPN", "vpn", "Drucker", "ÄRGER", "ärger"];
const TEXTS: [&str; 6] = [
    "Gehalt",
    "GEHALT",
    "Straße",
    "STRASSE 7",
    "Gehaltsabrechnung Änne",
    "x",
];
const TIMES: [&str; 5] = [
    "2026-11-24T11:00:00Z",
    "2026-11-20T12:00:00+02:00",
    "2026-10-24T12:00:00Z",
    "2025-01-01T00:00:00.5Z",
    "2024-02-29T00:00:00Z",
];

impl World {
    /// A partner whose access `P-1` sees everything in area `a`.
    pub fn plain() -> Self {
        let id = AccessId::generate();
        Self {
            integration_active: true,
            business_partner_active: true,
            areas: vec![("a", true, None)],
            ticket_types: vec![("t", true, false)],
            rules: vec![],
            global_rules: vec![],
            viewer: Viewer {
                id,
                id_text: id.to_string().into(),
                contact_id: Some("P-1".into()),
                email: "p1@b.example".into(),
                active: true,
                role: Role::Editor,
                ticket_visibility: TicketVisibility::Partner,
            },
        }
    }

    /// Some partner; mostly one that lets something be seen.
    pub fn random(dice: &mut Dice) -> Self {
        let starts = [
            None,
            None,
            Some(vec![]),
            Some(vec!["t"]),
            Some(vec!["t", "u"]),
        ];
        let mut world = Self::plain();
        world.integration_active = !dice.one_in(15);
        world.business_partner_active = !dice.one_in(15);
        world.viewer.active = !dice.one_in(15);
        world.viewer.contact_id = if dice.one_in(3) {
            None
        } else {
            Some(dice.of(&CONTACTS).into())
        };
        world.viewer.role = dice.of(&[Role::Observer, Role::Editor, Role::Dispatcher]);
        world.viewer.ticket_visibility = dice.of(&[
            TicketVisibility::Own,
            TicketVisibility::Partner,
            TicketVisibility::Partner,
        ]);
        world.areas = AREAS[..dice.up_to(4)]
            .iter()
            .map(|id| (*id, !dice.one_in(5), dice.of(&starts)))
            .collect();
        world.ticket_types = TYPES[..dice.up_to(3)]
            .iter()
            .map(|id| (*id, !dice.one_in(5), dice.one_in(2)))
            .collect();
        world.rules = (0..dice.up_to(4)).map(|_| world.filter(dice, 1)).collect();
        world.global_rules = (0..dice.up_to(2)).map(|_| world.filter(dice, 1)).collect();
        world
    }

    /// Some filter that a query could have.
    pub fn filter(&self, dice: &mut Dice, depth: usize) -> Value {
        if depth > 3 || dice.one_in(3) {
            return self.condition(dice);
        }
        let filters: Vec<_> = (0..=dice.up_to(3))
            .map(|_| self.filter(dice, depth + 1))
            .collect();
        json!({"type": dice.of(&["all", "all", "any", "none"]), "filters": filters})
    }

    fn condition(&self, dice: &mut Dice) -> Value {
        let set = |dice: &mut Dice| dice.of(&["in", "not_in"]);
        let field = dice.of(&[
            "area",
            "ticket_type",
            "status",
            "closure",
            "urgency",
            "impact",
            "tag",
            "released",
            "confidential",
            "main_contact",
            "created_by",
            "entry_channel",
            "project",
            "service_contract",
            "subject",
            "reference_number",
            "created_at",
        ]);
        let me = &*self.viewer.id_text;
        let (operator, values) = match field {
            "area" => (set(dice), dice.some(&AREAS)),
            "ticket_type" => (set(dice), dice.some(&TYPES)),
            "status" => (
                set(dice),
                dice.some(&["open", "in_progress", "parked", "closed"]),
            ),
            "closure" => (
                set(dice),
                dice.some(&["completed", "cancelled", "withdrawn"]),
            ),
            "urgency" | "impact" => (set(dice), dice.some(&["low", "medium", "high"])),
            "tag" => (dice.of(&["any_of", "all_of", "none_of"]), dice.some(&TAGS)),
            "released" | "confidential" => ("is", vec![dice.of(&["true", "false"]).to_owned()]),
            "main_contact" | "created_by" if dice.one_in(3) => ("is_self", vec![]),
            "main_contact" => (set(dice), dice.some(&CONTACTS)),
            "created_by" => (
                set(dice),
                dice.some(&[me, "019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e60"]),
            ),
            "subject" | "reference_number" => (
                dice.of(&["contains", "equals"]),
                vec![dice.of(&TEXTS).to_owned()],
            ),
            "created_at" if dice.one_in(2) => (
                dice.of(&["before", "after"]),
                vec![dice.of(&TIMES).to_owned()],
            ),
            "created_at" => (
                dice.of(&["older_than", "newer_than"]),
                vec![dice.of(&["P30D", "P1M", "PT1H", "P1Y"]).to_owned()],
            ),
            _ => (set(dice), dice.some(&CHANNELS)),
        };
        json!({"type": "condition", "field": field, "operator": operator, "values": values})
    }

    /// Some ticket. Each optional fact may be missing, or known to be none.
    pub fn ticket(&self, dice: &mut Dice) -> Value {
        let mut ticket = json!({
            "ticket_id": "4711", "business_partner_id": if dice.one_in(20) { "K-2" } else { "K-1" },
            "area_id": dice.of(&AREAS), "internal": dice.one_in(15), "confidential": dice.one_in(4)});
        let me = self.viewer.id_text.to_string();
        let tags: Vec<_> = (0..dice.up_to(3)).map(|_| dice.of(&TAGS)).collect();
        let optional = [
            ("ticket_type_id", json!(dice.of(&TYPES))),
            (
                "status",
                json!(dice.of(&["open", "in_progress", "parked", "closed"])),
            ),
            (
                "closure",
                json!(dice.of(&["completed", "cancelled", "withdrawn"])),
            ),
            ("released", json!(dice.one_in(2))),
            ("main_contact_id", json!(dice.of(&CONTACTS))),
            (
                "created_by_access_id",
                json!(dice.of(&[me, "019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e60".to_owned()])),
            ),
            ("tags", json!(tags)),
            ("urgency", json!(dice.of(&["low", "medium", "high"]))),
            ("impact", json!(dice.of(&["low", "medium", "high"]))),
            ("entry_channel", json!(dice.of(&CHANNELS))),
            ("project_id", json!(dice.of(&CHANNELS))),
            ("service_contract_id", json!(dice.of(&CHANNELS))),
            (
                "subject",
                json!(format!("{}{}", dice.of(&["", "Re: "]), dice.of(&TEXTS))),
            ),
            ("reference_number", json!(dice.of(&TEXTS))),
            ("created_at", json!(dice.of(&TIMES))),
        ];
        for (member, value) in optional {
            match dice.up_to(9) {
                0 => {}
                1 => ticket[member] = Value::Null,
                _ => ticket[member] = value,
            }
        }
        ticket
    }

    /// The policy that is meant.
    pub fn policy(&self) -> Policy {
        let rules = |filters: &[Value]| -> Vec<(RuleId, String, TicketFilter)> {
            let number = |(n, filter): (usize, &Value)| {
                (
                    RuleId::generate(),
                    format!("R{n}"),
                    serde_json::from_value(filter.clone()).unwrap(),
                )
            };
            filters.iter().enumerate().map(number).collect()
        };
        let area = |(id, available, start): &(&str, bool, Option<Vec<&str>>)| GrantedArea {
            id: (*id).into(),
            name: (*id).into(),
            available: *available,
            start_ticket_types: start
                .as_ref()
                .map(|types| types.iter().map(|it| (*it).into()).collect()),
        };
        let ticket_type = |(id, available, approval_required): &(&str, bool, bool)| GrantedType {
            id: (*id).into(),
            name: (*id).into(),
            available: *available,
            approval_required: *approval_required,
        };
        let source = PolicySource {
            business_partner_id: "K-1".parse().unwrap(),
            integration_active: self.integration_active,
            business_partner_active: self.business_partner_active,
            areas: self.areas.iter().map(area).collect(),
            ticket_types: self.ticket_types.iter().map(ticket_type).collect(),
            rules: rules(&self.rules),
        };
        let global = Arc::new(RuleSet::new(rules(&self.global_rules)));
        Policy {
            partner: Arc::new(PartnerPolicy::new(source)),
            global,
        }
    }

    /// Whether the access sees a ticket, without an explanation.
    pub fn is_visible(&self, ticket: &Value) -> bool {
        is_visible(&self.policy(), &self.viewer, ticket)
    }
}

/// Whether an access sees a ticket, without an explanation.
pub fn is_visible(policy: &Policy, viewer: &Viewer, ticket: &Value) -> bool {
    with_facts(ticket, |facts| {
        evaluator::is_visible(policy, viewer, facts, now(), &mut Scratch::default())
    })
}

/// Every step of the decision.
pub fn explain<'p>(policy: &'p Policy, viewer: &Viewer, ticket: &Value) -> Vec<StepResult<'p>> {
    with_facts(ticket, |facts| {
        evaluator::explain(policy, viewer, facts, now(), &mut Scratch::default())
    })
}

pub fn with_facts<T>(ticket: &Value, work: impl FnOnce(&TicketAttributes<'_>) -> T) -> T {
    let text = ticket.to_string();
    let facts: TicketAttributes<'_> = serde_json::from_str(&text).unwrap();
    facts
        .check()
        .unwrap_or_else(|field_error| panic!("{field_error:?} in {ticket}"));
    work(&facts)
}

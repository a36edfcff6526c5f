//! Random configurations and tickets, as JSON-like descriptions.

use std::sync::Arc;

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    Role, TicketVisibility, Timestamp, Viewer,
    evaluator::{self, Scratch, StepResult},
    policy::{GrantedArea, GrantedType, PartnerPolicy, Policy, PolicySource},
    rules::{RuleDefinition, RuleSet},
    ticket::TicketAttributes,
};

/// The time of all decisions.
pub const NOW: &str = "2026-11-24T12:00:00Z";

/// [`NOW`], parsed.
pub fn now() -> Timestamp {
    Timestamp::parse(NOW).unwrap()
}

/// A configuration and a viewer.
#[derive(Debug, Clone)]
pub struct World {
    pub integration_active: bool,
    pub business_partner_active: bool,
    pub areas: Vec<Area>,
    pub ticket_types: Vec<TicketType>,
    pub rules: Vec<Value>,
    pub global_rules: Vec<Value>,
    pub viewer: Viewer,
}

/// A granted area.
#[derive(Debug, Clone)]
pub struct Area {
    pub id: &'static str,
    pub available: bool,
    pub start_ticket_types: Option<Vec<&'static str>>,
}

impl Area {
    /// An available area in which all ticket types may be opened.
    pub fn new(id: &'static str) -> Self {
        Self {
            id,
            available: true,
            start_ticket_types: None,
        }
    }
}

/// A granted ticket type.
#[derive(Debug, Clone)]
pub struct TicketType {
    pub id: &'static str,
    pub available: bool,
    pub approval_required: bool,
}

/// A seeded source of random choices.
pub struct Dice(StdRng);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(StdRng::seed_from_u64(seed))
    }

    pub fn choose<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[self.0.random_range(0..choices.len())].clone()
    }

    pub fn one_in(&mut self, n: u32) -> bool {
        self.0.random_range(0..n) == 0
    }

    /// A number from 0 to `n`, inclusive.
    pub fn up_to(&mut self, n: usize) -> usize {
        self.0.random_range(0..=n)
    }

    /// One to three different choices.
    fn some(&mut self, choices: &[&str]) -> Vec<String> {
        let mut picked: Vec<_> = (0..=self.up_to(2))
            .map(|_| self.choose(choices).to_owned())
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

const STATUSES: [&str; 4] = ["open", "in_progress", "parked", "closed"];
const CLOSURES: [&str; 3] = ["completed", "cancelled", "withdrawn"];
const LEVELS: [&str; 3] = ["low", "medium", "high"];
const ACCESS: &str = "019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e5f";
/// An access that is not the viewer.
pub const OTHER_ACCESS: &str = "019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e60";
const FIELDS: [&str; 17] = [
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
];

impl World {
    /// A partner whose contact `P-1` sees everything in area `a`.
    pub fn plain() -> Self {
        Self {
            integration_active: true,
            business_partner_active: true,
            areas: vec![Area::new("a")],
            ticket_types: vec![TicketType {
                id: "t",
                available: true,
                approval_required: false,
            }],
            rules: vec![],
            global_rules: vec![],
            viewer: Viewer {
                id: ACCESS.parse().unwrap(),
                id_text: ACCESS.into(),
                contact_id: Some("P-1".into()),
                email: "p1@b.example".into(),
                active: true,
                role: Role::Editor,
                approver: true,
                ticket_visibility: TicketVisibility::Partner,
            },
        }
    }

    /// A random partner. Most of them let the viewer see something.
    pub fn random(dice: &mut Dice) -> Self {
        let mut world = Self::plain();
        world.integration_active = !dice.one_in(15);
        world.business_partner_active = !dice.one_in(15);
        randomize_viewer(&mut world.viewer, dice);
        let start_ticket_types = [
            None,
            None,
            Some(vec![]),
            Some(vec!["t"]),
            Some(vec!["t", "u"]),
        ];
        world.areas = AREAS[..dice.up_to(4)]
            .iter()
            .map(|id| Area {
                id,
                available: !dice.one_in(5),
                start_ticket_types: dice.choose(&start_ticket_types),
            })
            .collect();
        world.ticket_types = TYPES[..dice.up_to(3)]
            .iter()
            .map(|id| TicketType {
                id,
                available: !dice.one_in(5),
                approval_required: dice.one_in(2),
            })
            .collect();
        world.rules = (0..dice.up_to(4)).map(|_| filter(dice, 1)).collect();
        world.global_rules = (0..dice.up_to(2)).map(|_| filter(dice, 1)).collect();
        world
    }

    /// The compiled policy.
    pub fn policy(&self) -> Policy {
        let source = PolicySource {
            business_partner_id: "K-1".into(),
            integration_active: self.integration_active,
            business_partner_active: self.business_partner_active,
            areas: self.areas.iter().map(Area::granted).collect(),
            ticket_types: self.ticket_types.iter().map(TicketType::granted).collect(),
            rules: definitions(&self.rules, 1),
        };
        Policy {
            partner: Arc::new(PartnerPolicy::new(source)),
            global: Arc::new(RuleSet::new(definitions(&self.global_rules, 100))),
        }
    }

    /// Whether the viewer sees a ticket, decided without an explanation.
    pub fn is_visible(&self, ticket: &Value) -> bool {
        is_visible(&self.policy(), &self.viewer, ticket)
    }
}

impl Area {
    fn granted(&self) -> GrantedArea {
        GrantedArea {
            id: self.id.into(),
            name: self.id.into(),
            available: self.available,
            start_ticket_types: self
                .start_ticket_types
                .as_ref()
                .map(|types| types.iter().map(|id| (*id).into()).collect()),
        }
    }
}

impl TicketType {
    fn granted(&self) -> GrantedType {
        GrantedType {
            id: self.id.into(),
            name: self.id.into(),
            available: self.available,
            approval_required: self.approval_required,
        }
    }
}

fn randomize_viewer(viewer: &mut Viewer, dice: &mut Dice) {
    viewer.active = !dice.one_in(15);
    viewer.contact_id = if dice.one_in(3) {
        None
    } else {
        Some(dice.choose(&CONTACTS).into())
    };
    viewer.role = dice.choose(&[Role::Observer, Role::Editor, Role::Dispatcher]);
    viewer.ticket_visibility = dice.choose(&[
        TicketVisibility::Own,
        TicketVisibility::Partner,
        TicketVisibility::Partner,
    ]);
}

/// Rules named `R0`, `R1` and so on, with ids from `first_id` on.
fn definitions(filters: &[Value], first_id: u128) -> Vec<RuleDefinition> {
    filters
        .iter()
        .zip(first_id..)
        .enumerate()
        .map(|(number, (filter, id))| RuleDefinition {
            id: Uuid::from_u128(id),
            name: format!("R{number}"),
            filter: serde_json::from_value(filter.clone()).unwrap(),
        })
        .collect()
}

/// A random filter.
pub fn filter(dice: &mut Dice, depth: usize) -> Value {
    if depth > 3 || dice.one_in(3) {
        return condition(dice);
    }
    let filters: Vec<_> = (0..=dice.up_to(3))
        .map(|_| filter(dice, depth + 1))
        .collect();
    json!({"type": dice.choose(&["all", "all", "any", "none"]), "filters": filters})
}

fn condition(dice: &mut Dice) -> Value {
    let field = dice.choose(&FIELDS);
    let (operator, values) = match field {
        "tag" => (
            dice.choose(&["any_of", "all_of", "none_of"]),
            dice.some(&TAGS),
        ),
        "released" | "confidential" => ("is", vec![dice.choose(&["true", "false"]).to_owned()]),
        "main_contact" | "created_by" if dice.one_in(3) => ("is_self", vec![]),
        "subject" | "reference_number" => (
            dice.choose(&["contains", "equals"]),
            vec![dice.choose(&TEXTS).to_owned()],
        ),
        "created_at" if dice.one_in(2) => (
            dice.choose(&["before", "after"]),
            vec![dice.choose(&TIMES).to_owned()],
        ),
        "created_at" => (
            dice.choose(&["older_than", "newer_than"]),
            vec![dice.choose(&["P30D", "P1M", "PT1H", "P1Y"]).to_owned()],
        ),
        _ => (dice.choose(&["in", "not_in"]), dice.some(set_values(field))),
    };
    json!({"type": "condition", "field": field, "operator": operator, "values": values})
}

/// The values that `in` and `not_in` choose from.
fn set_values(field: &str) -> &'static [&'static str] {
    match field {
        "area" => &AREAS,
        "ticket_type" => &TYPES,
        "status" => &STATUSES,
        "closure" => &CLOSURES,
        "urgency" | "impact" => &LEVELS,
        "main_contact" => &CONTACTS,
        "created_by" => &[ACCESS, OTHER_ACCESS],
        _ => &CHANNELS,
    }
}

/// A random ticket. Each optional attribute may be unknown or absent.
pub fn ticket(dice: &mut Dice) -> Value {
    let mut ticket = json!({
        "ticket_id": "4711",
        "business_partner_id": if dice.one_in(20) { "K-2" } else { "K-1" },
        "area_id": dice.choose(&AREAS),
        "internal": dice.one_in(15),
        "confidential": dice.one_in(4),
    });
    let tags: Vec<_> = (0..dice.up_to(3)).map(|_| dice.choose(&TAGS)).collect();
    let subject = format!("{}{}", dice.choose(&["", "Re: "]), dice.choose(&TEXTS));
    let optional = [
        ("ticket_type_id", json!(dice.choose(&TYPES))),
        ("status", json!(dice.choose(&STATUSES))),
        ("closure", json!(dice.choose(&CLOSURES))),
        ("released", json!(dice.one_in(2))),
        ("main_contact_id", json!(dice.choose(&CONTACTS))),
        (
            "created_by_access_id",
            json!(dice.choose(&[ACCESS, OTHER_ACCESS])),
        ),
        ("tags", json!(tags)),
        ("urgency", json!(dice.choose(&LEVELS))),
        ("impact", json!(dice.choose(&LEVELS))),
        ("entry_channel", json!(dice.choose(&CHANNELS))),
        ("project_id", json!(dice.choose(&CHANNELS))),
        ("service_contract_id", json!(dice.choose(&CHANNELS))),
        ("subject", json!(subject)),
        ("reference_number", json!(dice.choose(&TEXTS))),
        ("created_at", json!(dice.choose(&TIMES))),
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

/// Whether a viewer sees a ticket, decided without an explanation.
pub fn is_visible(policy: &Policy, viewer: &Viewer, ticket: &Value) -> bool {
    with_attributes(ticket, |ticket| {
        evaluator::is_visible(policy, viewer, ticket, now(), &mut Scratch::default())
    })
}

/// All steps of the decision.
pub fn explain<'p>(policy: &'p Policy, viewer: &Viewer, ticket: &Value) -> Vec<StepResult<'p>> {
    with_attributes(ticket, |ticket| {
        evaluator::explain(policy, viewer, ticket, now(), &mut Scratch::default())
    })
}

/// Parses and validates a ticket.
pub fn with_attributes<T>(ticket: &Value, work: impl FnOnce(&TicketAttributes<'_>) -> T) -> T {
    let text = ticket.to_string();
    let mut attributes: TicketAttributes<'_> = serde_json::from_str(&text).unwrap();
    let warnings = attributes.validate();
    assert_eq!(warnings, Ok(vec![]), "{ticket}");
    work(&attributes)
}

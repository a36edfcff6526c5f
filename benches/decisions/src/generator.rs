//! Generates policies and tickets in realistic proportions from a seed, reproducibly.

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng, seq::IndexedRandom as _};
use serde_json::{Map, Value, json};
use ticket_policy::{
    Timestamp,
    filter::{Condition, Field, Operator, TicketFilter},
};

use crate::scenario::{AccessRef, Grant, Rule, Scenario};

/// The size of a policy and the number of tickets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    pub name: &'static str,
    pub areas: usize,
    pub partner_rules: usize,
    pub global_rules: usize,
    pub tickets: usize,
}

/// A small partner.
pub const SMALL: Size = Size {
    name: "small",
    areas: 10,
    partner_rules: 7,
    global_rules: 3,
    tickets: 1000,
};
/// A large partner.
pub const LARGE: Size = Size {
    name: "large",
    areas: 100,
    partner_rules: 150,
    global_rules: 50,
    tickets: 1000,
};
/// The seed of the published results.
pub const SEED: u64 = 2026;

const PARTNER: &str = "K-100";
const NOW: &str = "2026-11-23T08:00:00Z";
const CONTACT: &str = "AP-1";
const ACCESS: &str = "019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e60";
const OTHER_ACCESS: &str = "019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e61";
const WORDS: [&str; 24] = [
    "VPN",
    "Drucker",
    "Störung",
    "Zugang",
    "Passwort",
    "Server",
    "Lizenz",
    "Backup",
    "Outlook",
    "Änderung",
    "Netz",
    "Telefon",
    "Rechnung",
    "Umzug",
    "Maus",
    "Monitor",
    "Firewall",
    "Zertifikat",
    "Kündigung",
    "SAP",
    "Laptop",
    "Router",
    "Mail",
    "Größe",
];

/// Generates a scenario.
pub fn scenario(size: Size, seed: u64) -> Scenario {
    let mut make = Make {
        random: StdRng::seed_from_u64(seed),
        size,
    };
    // the retired area is not one of the `size.areas`
    let mut grants: Vec<_> = (0..size.areas)
        .map(|area| Grant {
            area: id("area", area),
            available: true,
        })
        .collect();
    grants.push(Grant {
        area: "area-retired".to_owned(),
        available: false,
    });
    let scopes = std::iter::repeat_n(false, size.partner_rules)
        .chain(std::iter::repeat_n(true, size.global_rules));
    let rules = scopes
        .enumerate()
        .map(|(number, global)| make.rule(number, global))
        .collect();
    let who = |access: &str, own| AccessRef {
        access: access.to_owned(),
        contact: CONTACT.to_owned(),
        own,
    };
    Scenario {
        partner: PARTNER.to_owned(),
        now: NOW.to_owned(),
        grants,
        rules,
        viewers: vec![who(ACCESS, false), who(OTHER_ACCESS, true)],
        tickets: (0..size.tickets)
            .map(|number| make.ticket(number).to_string())
            .collect(),
    }
}

fn id(kind: &str, number: usize) -> String {
    format!("{kind}-{number}")
}

struct Make {
    random: StdRng,
    size: Size,
}

impl Make {
    fn chance(&mut self, percent: u32) -> bool {
        self.random.random_range(0..100) < percent
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        *of.choose(&mut self.random)
            .expect("something to choose from")
    }

    fn some(&mut self, kind: &str, of: usize, least: usize, most: usize) -> Vec<String> {
        let amount = self.random.random_range(least..=most);
        rand::seq::index::sample(&mut self.random, of, amount)
            .into_iter()
            .map(|number| id(kind, number))
            .collect()
    }

    fn words(&mut self, of: &[&str], most: usize) -> Vec<String> {
        let amount = self.random.random_range(1..=most);
        of.sample(&mut self.random, amount)
            .map(|&word| word.to_owned())
            .collect()
    }

    fn types(&self) -> usize {
        self.size.areas.min(40)
    }

    fn projects(&self) -> usize {
        self.size.areas * 2
    }

    /// Three conditions on three fields. In a large policy most rules are about a few areas, the
    /// others about rare values.
    fn rule(&mut self, number: usize, global: bool) -> Rule {
        let large = self.size.areas > 20;
        let rare = [
            Field::TicketType,
            Field::Project,
            Field::Tag,
            Field::Subject,
        ];
        let by_area = self.chance(if large { 80 } else { 50 });
        let mut fields = vec![if by_area {
            Field::Area
        } else {
            self.one(&rare)
        }];
        if large && !by_area {
            fields.push(self.one(&rare));
        }
        fields.dedup();
        while fields.len() < 3 {
            let field = self.field();
            if !fields.contains(&field) {
                fields.push(field);
            }
        }
        let filters = fields
            .into_iter()
            .map(|field| TicketFilter::Condition(self.condition(field)))
            .collect();
        Rule {
            name: format!("Regel {number}"),
            global,
            filter: TicketFilter::All { filters },
        }
    }

    /// A random field, by how often it occurs in rules.
    fn field(&mut self) -> Field {
        match self.random.random_range(0..100) {
            0..15 => Field::TicketType,
            15..33 => Field::Status,
            33..45 => Field::Urgency,
            45..53 => Field::Impact,
            53..65 => Field::Tag,
            65..71 => Field::Released,
            71..74 => Field::Confidential,
            74..82 => Field::EntryChannel,
            82..90 => Field::Project,
            90..95 => Field::Subject,
            _ => Field::CreatedAt,
        }
    }

    fn condition(&mut self, field: Field) -> Condition {
        let (operator, values) = match field {
            Field::Area => (
                Operator::In,
                self.some(
                    "area",
                    self.size.areas,
                    1,
                    if self.size.areas > 20 { 2 } else { 4 },
                ),
            ),
            Field::TicketType => (Operator::In, self.some("type", self.types(), 1, 4)),
            Field::Status if self.chance(30) => (
                Operator::NotIn,
                self.words(&["open", "in_progress", "parked"], 3),
            ),
            Field::Status => (
                Operator::In,
                self.words(&["open", "in_progress", "parked", "closed"], 2),
            ),
            Field::Urgency | Field::Impact => {
                (Operator::In, self.words(&["low", "medium", "high"], 2))
            }
            Field::Tag if self.chance(10) => (Operator::NoneOf, self.some("Tag", 40, 2, 4)),
            Field::Tag => (Operator::AnyOf, self.some("Tag", 40, 1, 4)),
            Field::Released => (Operator::Is, self.words(&["true", "false"], 1)),
            Field::Confidential => (Operator::Is, vec!["false".to_owned()]),
            Field::EntryChannel => (Operator::In, self.some("channel", 6, 1, 2)),
            Field::Project => (Operator::In, self.some("project", self.projects(), 1, 5)),
            Field::Subject => (Operator::Contains, self.words(&WORDS, 1)),
            _ => (
                Operator::OlderThan,
                vec![format!("P{}D", self.one(&[30, 90, 180, 365]))],
            ),
        };
        Condition {
            field,
            operator,
            values,
        }
    }

    fn subject(&mut self) -> String {
        let words: Vec<_> = (0..self.random.random_range(2..6))
            .map(|_| self.one(&WORDS))
            .collect();
        words.join(" ")
    }

    fn created_at(&mut self) -> String {
        let now = Timestamp::parse(NOW).expect("a time");
        now.plus_seconds(-self.random.random_range(0..500 * 86_400))
            .to_string()
    }

    /// A ticket as in a request. Some have unknown or absent attributes.
    fn ticket(&mut self, number: usize) -> Value {
        let area = match self.random.random_range(0..100) {
            0..2 => "area-retired".to_owned(),
            2..4 => "area-foreign".to_owned(),
            _ => id("area", self.random.random_range(0..self.size.areas)),
        };
        let tags = self.random.random_range(0..5);
        let contacts = [CONTACT, "AP-2", "AP-3", "AP-4"];
        let mut ticket = json!({
            "ticket_id": format!("INC-{number}"),
            "business_partner_id": if self.chance(3) { "K-200" } else { PARTNER },
            "area_id": area,
            "internal": self.chance(3),
            "confidential": self.chance(10),
            "ticket_type_id": id("type", self.random.random_range(0..self.types())),
            "status": self.one(&["open", "in_progress", "parked", "closed"]),
            "released": self.chance(70),
            "main_contact_id": self.one(&contacts),
            "created_by_access_id": self.one(&[ACCESS, OTHER_ACCESS]),
            "tags": self.some("TAG", 40, tags, tags),
            "urgency": self.one(&["low", "medium", "high"]),
            "impact": self.one(&["low", "medium", "high"]),
            "entry_channel": id("channel", self.random.random_range(0..6)),
            "project_id": id("project", self.random.random_range(0..self.projects())),
            "subject": self.subject(),
            "created_at": self.created_at(),
        });
        self.thin_out(ticket.as_object_mut().expect("an object"));
        ticket
    }

    fn thin_out(&mut self, ticket: &mut Map<String, Value>) {
        let optional: Vec<_> = ticket
            .keys()
            .skip_while(|key| *key != "ticket_type_id")
            .cloned()
            .collect();
        for _ in 0..self.one(&[0, 0, 0, 0, 0, 0, 0, 0, 1, 2]) {
            ticket.remove(optional.choose(&mut self.random).expect("a member"));
        }
        for _ in 0..self.one(&[0, 0, 0, 0, 0, 0, 1, 1, 2]) {
            let key = optional.choose(&mut self.random).expect("a member");
            ticket.entry(key).and_modify(|value| *value = Value::Null);
        }
    }
}

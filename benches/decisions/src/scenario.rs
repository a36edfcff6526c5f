//! The input of the benchmark: rules, grants, viewers and tickets.

use serde::Serialize;
use ticket_policy::filter::TicketFilter;

/// An exclusion rule.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Rule {
    pub name: String,
    /// Whether it applies to all partners.
    pub global: bool,
    pub filter: TicketFilter,
}

/// A granted area. The grant has no effect if the area is not available.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Grant {
    pub area: String,
    pub available: bool,
}

/// An access for which decisions are made.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AccessRef {
    pub access: String,
    pub contact: String,
    /// Whether it sees its own tickets only.
    pub own: bool,
}

/// A policy and the tickets to decide on.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Scenario {
    pub partner: String,
    /// The time of all decisions (RFC 3339).
    pub now: String,
    pub grants: Vec<Grant>,
    pub rules: Vec<Rule>,
    pub viewers: Vec<AccessRef>,
    /// Each as the JSON of a request.
    pub tickets: Vec<String>,
}

impl Scenario {
    /// The areas whose tickets may be visible.
    pub fn areas(&self) -> impl Iterator<Item = &str> {
        self.grants
            .iter()
            .filter(|grant| grant.available)
            .map(|grant| grant.area.as_str())
    }
}

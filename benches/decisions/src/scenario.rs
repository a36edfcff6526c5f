//! What is decided on: rules, grants, viewers and tickets, in the product's own words. Everything else is derived from this.

use customer_integration::ticket_filter::TicketFilter;
use serde::Serialize;

/// An exclusion rule.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Rule {
    pub name: String,
    /// For all partners, not only this one.
    pub global: bool,
    pub filter: TicketFilter,
}

/// A granted area. While it is not available the grant has no effect.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Grant {
    pub area: String,
    pub available: bool,
}

/// An access that looks.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AccessRef {
    pub access: String,
    pub contact: String,
    /// It sees its own tickets only.
    pub own: bool,
}

/// A policy and the tickets that it is asked about.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Scenario {
    pub partner: String,
    /// RFC 3339; the benchmark's clock stands still.
    pub now: String,
    pub grants: Vec<Grant>,
    pub rules: Vec<Rule>,
    pub viewers: Vec<AccessRef>,
    /// Each as the JSON that a caller would send.
    pub tickets: Vec<String>,
}

impl Scenario {
    /// The areas whose tickets can be seen at all.
    pub fn areas(&self) -> impl Iterator<Item = &str> {
        self.grants
            .iter()
            .filter(|grant| grant.available)
            .map(|grant| grant.area.as_str())
    }
}

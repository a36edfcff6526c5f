//! Rules, grants, viewers and tickets in the service's own format. All inputs are derived from
//! them.

use customer_integration::ticket_filter::TicketFilter;
use serde::Serialize;

/// An exclusion rule.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Rule {
    pub name: String,
    /// Applies to all partners.
    pub global: bool,
    pub filter: TicketFilter,
}

/// A granted area. The grant has no effect while the area is not available.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Grant {
    pub area: String,
    pub available: bool,
}

/// The access of a viewer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AccessRef {
    pub access: String,
    pub contact: String,
    /// Sees only its own tickets.
    pub own: bool,
}

/// A policy, viewers and tickets.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Scenario {
    pub partner: String,
    /// The fixed current time (RFC 3339).
    pub now: String,
    pub grants: Vec<Grant>,
    pub rules: Vec<Rule>,
    pub viewers: Vec<AccessRef>,
    /// As JSON, like in a request.
    pub tickets: Vec<String>,
}

impl Scenario {
    /// The areas whose tickets can be visible.
    pub fn areas(&self) -> impl Iterator<Item = &str> {
        self.grants
            .iter()
            .filter(|grant| grant.available)
            .map(|grant| grant.area.as_str())
    }
}

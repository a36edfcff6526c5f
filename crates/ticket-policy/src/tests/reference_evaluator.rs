//! A second, naive evaluator: it implements the rules of `docs/domain.md` literally over plain
//! JSON, and shares no code with the evaluator under test.

use jiff::{Span, Timestamp, tz::Offset};
use serde_json::Value;

use super::generators::{NOW, World};
use crate::TicketVisibility;

/// Three-valued logic; `None` is unknown.
type Kleene = Option<bool>;

/// Whether the world's viewer sees a ticket.
pub fn is_visible(world: &World, ticket: &Value) -> bool {
    let viewer = &world.viewer;
    let contact = viewer.contact_id.as_deref();
    let is_main_contact = contact.is_some() && ticket["main_contact_id"].as_str() == contact;
    let is_creator = ticket["created_by_access_id"].as_str() == Some(&*viewer.id_text);
    let mut rules = world.rules.iter().chain(&world.global_rules);
    world.integration_active
        && world.business_partner_active
        && viewer.active
        && ticket["business_partner_id"] == "K-1"
        && ticket["internal"] == false
        && (ticket["confidential"] == false || is_main_contact)
        && world
            .areas
            .iter()
            .any(|area| ticket["area_id"] == area.id && area.available)
        && rules.all(|filter| evaluate(filter, ticket, world) == Some(false))
        && (viewer.ticket_visibility == TicketVisibility::Partner || is_main_contact || is_creator)
}

/// Evaluates a filter.
pub fn evaluate(filter: &Value, ticket: &Value, world: &World) -> Kleene {
    let parts = || -> Vec<Kleene> {
        let filters = filter["filters"].as_array().unwrap();
        filters
            .iter()
            .map(|part| evaluate(part, ticket, world))
            .collect()
    };
    match filter["type"].as_str().unwrap() {
        "all" => all(&parts()),
        "any" => any(&parts()),
        "none" => not(any(&parts())),
        _ => condition(filter, ticket, world),
    }
}

fn all(parts: &[Kleene]) -> Kleene {
    if parts.contains(&Some(false)) {
        Some(false)
    } else if parts.contains(&None) {
        None
    } else {
        Some(true)
    }
}

fn any(parts: &[Kleene]) -> Kleene {
    if parts.contains(&Some(true)) {
        Some(true)
    } else if parts.contains(&None) {
        None
    } else {
        Some(false)
    }
}

fn not(value: Kleene) -> Kleene {
    value.map(|truth| !truth)
}

/// The member of a ticket that holds a field.
fn member(field: &str) -> &str {
    match field {
        "area" => "area_id",
        "ticket_type" => "ticket_type_id",
        "tag" => "tags",
        "main_contact" => "main_contact_id",
        "created_by" => "created_by_access_id",
        "project" => "project_id",
        "service_contract" => "service_contract_id",
        same => same,
    }
}

fn condition(condition: &Value, ticket: &Value, world: &World) -> Kleene {
    let field = condition["field"].as_str().unwrap();
    let operator = condition["operator"].as_str().unwrap();
    let values: Vec<&str> = condition["values"]
        .as_array()
        .unwrap()
        .iter()
        .map(|value| value.as_str().unwrap())
        .collect();
    if operator == "is_self" && field == "main_contact" && world.viewer.contact_id.is_none() {
        return Some(false);
    }
    let attribute = ticket.get(member(field))?;
    let text = attribute.as_str();
    let first = || values[0];
    Some(match operator {
        "in" => text.is_some_and(|text| values.contains(&text)),
        "not_in" => !text.is_some_and(|text| values.contains(&text)),
        "any_of" => values.iter().any(|value| has_tag(attribute, value)),
        "all_of" => values.iter().all(|value| has_tag(attribute, value)),
        "none_of" => !values.iter().any(|value| has_tag(attribute, value)),
        "is" => attribute.as_bool().unwrap_or(false).to_string() == first(),
        "is_self" if field == "main_contact" => text == world.viewer.contact_id.as_deref(),
        "is_self" => text == Some(&*world.viewer.id_text),
        "contains" => text.is_some_and(|text| fold(text).contains(&fold(first()))),
        "equals" => text.is_some_and(|text| fold(text) == fold(first())),
        _ => text.is_some_and(|text| compare_time(text.parse().unwrap(), operator, first())),
    })
}

fn fold(text: &str) -> String {
    text.to_lowercase().replace('ß', "ss")
}

fn has_tag(tags: &Value, name: &str) -> bool {
    tags.as_array()
        .into_iter()
        .flatten()
        .any(|tag| fold(tag.as_str().unwrap()) == fold(name))
}

fn compare_time(created: Timestamp, operator: &str, value: &str) -> bool {
    match operator {
        "before" => created < value.parse().unwrap(),
        "after" => created > value.parse().unwrap(),
        "older_than" => created < before_now(value),
        "newer_than" => created > before_now(value),
        other => panic!("{other}"),
    }
}

fn before_now(duration: &str) -> Timestamp {
    let now = Offset::UTC.to_datetime(NOW.parse().unwrap());
    let then = now.checked_sub(duration.parse::<Span>().unwrap()).unwrap();
    Offset::UTC.to_timestamp(then).unwrap()
}

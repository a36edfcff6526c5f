//! A second evaluator, as naive as can be: it reads domain.md sections 5 and 6 line by line over plain JSON, and shares no code
//! with the one it judges.

use jiff::{Span, Timestamp, tz::Offset};
use serde_json::Value;

use super::generators::{World, now as clock};
use crate::accesses::TicketVisibility;

/// True, false, or unknown.
type Kleene = Option<bool>;

/// Whether the world's access sees a ticket.
pub fn is_visible(world: &World, ticket: &Value) -> bool {
    let me = &world.viewer;
    let contact = me.contact_id.as_deref();
    let is_main_contact = contact.is_some() && ticket["main_contact_id"].as_str() == contact;
    let is_creator = ticket["created_by_access_id"].as_str() == Some(&*me.id_text);
    let granted = |(id, available, _): &(&str, bool, _)| ticket["area_id"] == **id && *available;
    let mut rules = world.rules.iter().chain(&world.global_rules);
    world.integration_active
        && world.business_partner_active
        && me.active
        && ticket["business_partner_id"] == "K-1"
        && ticket["internal"] == false
        && (ticket["confidential"] == false || is_main_contact)
        && world.areas.iter().any(granted)
        && rules.all(|filter| judge(filter, ticket, world) == Some(false))
        && (me.ticket_visibility == TicketVisibility::Partner || is_main_contact || is_creator)
}

/// What a filter comes to.
pub fn judge(filter: &Value, ticket: &Value, world: &World) -> Kleene {
    let parts = || -> Vec<Kleene> {
        filter["filters"]
            .as_array()
            .unwrap()
            .iter()
            .map(|part| judge(part, ticket, world))
            .collect()
    };
    let all = |parts: Vec<Kleene>| match () {
        () if parts.contains(&Some(false)) => Some(false),
        () if parts.contains(&None) => None,
        () => Some(true),
    };
    let not = |kleene: Kleene| kleene.map(|truth| !truth);
    let any = |parts: Vec<Kleene>| not(all(parts.into_iter().map(not).collect()));
    match filter["type"].as_str().unwrap() {
        "all" => all(parts()),
        "any" => any(parts()),
        "none" => not(any(parts())),
        _ => condition(filter, ticket, world),
    }
}

fn condition(condition: &Value, ticket: &Value, world: &World) -> Kleene {
    let field = condition["field"].as_str().unwrap();
    let member = match field {
        "area" => "area_id",
        "ticket_type" => "ticket_type_id",
        "tag" => "tags",
        "main_contact" => "main_contact_id",
        "created_by" => "created_by_access_id",
        "project" => "project_id",
        "service_contract" => "service_contract_id",
        same => same,
    };
    let operator = condition["operator"].as_str().unwrap();
    let values: Vec<&str> = condition["values"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it.as_str().unwrap())
        .collect();
    if operator == "is_self" && field == "main_contact" && world.viewer.contact_id.is_none() {
        return Some(false);
    }
    let fact = ticket.get(member)?;
    let text = fact.as_str();
    let low = |text: &str| text.to_lowercase().replace('ß', "ss");
    let first = || values[0];
    Some(match operator {
        "in" => text.is_some_and(|text| values.contains(&text)),
        "not_in" => !text.is_some_and(|text| values.contains(&text)),
        "any_of" | "all_of" | "none_of" => {
            let tags: Vec<_> = fact
                .as_array()
                .into_iter()
                .flatten()
                .map(|tag| low(tag.as_str().unwrap()))
                .collect();
            let mut there = values.iter().map(|value| tags.contains(&low(value)));
            match operator {
                "any_of" => there.any(|it| it),
                "all_of" => there.all(|it| it),
                _ => !there.any(|it| it),
            }
        }
        "is" => fact.as_bool().unwrap_or(false).to_string() == first(),
        "is_self" if field == "main_contact" => text == world.viewer.contact_id.as_deref(),
        "is_self" => text == Some(&*world.viewer.id_text),
        "contains" => text.is_some_and(|text| low(text).contains(&low(first()))),
        "equals" => text.is_some_and(|text| low(text) == low(first())),
        _ => text.is_some_and(|text| {
            let (created, now): (Timestamp, Timestamp) =
                (text.parse().unwrap(), clock().to_string().parse().unwrap());
            let ago = |span: &str| {
                let then = Offset::UTC
                    .to_datetime(now)
                    .checked_sub(span.parse::<Span>().unwrap());
                Offset::UTC.to_timestamp(then.unwrap()).unwrap()
            };
            match operator {
                "before" => created < first().parse().unwrap(),
                "after" => created > first().parse().unwrap(),
                "older_than" => created < ago(first()),
                "newer_than" => created > ago(first()),
                other => panic!("{other}"),
            }
        }),
    })
}

//! Properties that hold for all configurations and tickets. Every run uses new random cases; a
//! failure prints its seed.

use std::{
    cell::{Cell, RefCell},
    panic::{AssertUnwindSafe, catch_unwind},
};

use rand::RngExt as _;
use serde_json::{Value, json};

use super::{
    generators::{self, Dice, World, explain, filter, is_visible, now, with_attributes},
    reference_evaluator,
};
use crate::{
    creation::{abilities, may_create},
    evaluator::{self, Outcome, Scratch},
    filter::Truth,
    policy::Policy,
    rules::Rule,
};

/// The members of a ticket that must be present.
const REQUIRED: [&str; 5] = [
    "ticket_id",
    "business_partner_id",
    "area_id",
    "internal",
    "confidential",
];

/// Runs a check on random worlds, with some random tickets each.
fn in_worlds(worlds: u64, tickets: usize, check: impl Fn(&World, &Policy, &Value, &mut Dice)) {
    let base: u64 = rand::rng().random();
    for seed in (0..worlds).map(|n| base.wrapping_add(n)) {
        let mut dice = Dice::new(seed);
        let world = World::random(&mut dice);
        let policy = world.policy();
        for _ in 0..tickets {
            let ticket = generators::ticket(&mut dice);
            let outcome = catch_unwind(AssertUnwindSafe(|| {
                check(&world, &policy, &ticket, &mut dice);
            }));
            assert!(outcome.is_ok(), "seed {seed}: {ticket}\n{world:#?}");
        }
    }
}

#[test]
fn visibility_agrees_with_the_reference_evaluator() {
    let total = Cell::new(0);
    let visible = Cell::new(0);
    in_worlds(2000, 50, |world, policy, ticket, _| {
        let is_visible = is_visible(policy, &world.viewer, ticket);
        assert_eq!(is_visible, reference_evaluator::is_visible(world, ticket));
        visible.set(visible.get() + u32::from(is_visible));
        total.set(total.get() + 1);
    });
    assert_eq!(total.get(), 100_000);
    // with only one of the outcomes the comparison would mean little
    assert!(
        (5_000..95_000).contains(&visible.get()),
        "{} are visible",
        visible.get()
    );
}

#[test]
fn each_filter_agrees_with_the_reference_evaluator() {
    let counts = RefCell::new([0; 3]);
    in_worlds(2000, 5, |world, policy, ticket, _| {
        let own = policy.partner.rules.rules().iter().zip(&world.rules);
        let global = policy.global.rules().iter().zip(&world.global_rules);
        for (rule, filter) in own.chain(global) {
            let expected = match reference_evaluator::evaluate(filter, ticket, world) {
                Some(true) => Truth::True,
                None => Truth::Unknown,
                Some(false) => Truth::False,
            };
            counts.borrow_mut()[expected as usize] += 1;
            let truth = truth_of(rule, policy, world, ticket);
            assert_eq!(truth, expected, "{filter}");
        }
    });
    let counts = counts.into_inner();
    assert!(counts.iter().all(|count| *count > 500), "{counts:?}");
}

/// The truth of a rule's filter, according to the matches of the whole policy.
fn truth_of(rule: &Rule, policy: &Policy, world: &World, ticket: &Value) -> Truth {
    let (global, own) = with_attributes(ticket, |ticket| {
        let mut scratch = Scratch::default();
        evaluator::matching(policy, &world.viewer, ticket, now(), &mut scratch)
    });
    let contains = |rules: &[&Rule]| rules.iter().any(|other| other.id == rule.id);
    let certain = contains(&global.certain) || contains(&own.certain);
    let possible = contains(&global.possible) || contains(&own.possible);
    assert!(!(certain && possible));
    match (certain, possible) {
        (true, _) => Truth::True,
        (false, true) => Truth::Unknown,
        (false, false) => Truth::False,
    }
}

#[test]
fn explanation_agrees_with_the_decision() {
    in_worlds(1000, 20, |world, policy, ticket, _| {
        let steps = explain(policy, &world.viewer, ticket);
        let all_pass = steps.iter().all(|step| step.outcome == Outcome::Pass);
        assert_eq!(
            all_pass,
            is_visible(policy, &world.viewer, ticket),
            "{steps:#?}"
        );
    });
}

#[test]
fn additional_rule_never_reveals_a_ticket() {
    in_worlds(500, 3, |world, _, ticket, dice| {
        let mut more = world.clone();
        let additional = filter(dice, 1);
        if dice.one_in(2) {
            more.rules.push(additional);
        } else {
            more.global_rules.push(additional);
        }
        assert!(world.is_visible(ticket) || !more.is_visible(ticket));
    });
}

#[test]
fn removed_attribute_never_reveals_a_ticket() {
    in_worlds(2000, 5, |world, policy, ticket, _| {
        if is_visible(policy, &world.viewer, ticket) {
            return;
        }
        let members = ticket.as_object().unwrap().keys();
        for member in members.filter(|member| !REQUIRED.contains(&member.as_str())) {
            let mut less = ticket.clone();
            less.as_object_mut().unwrap().remove(member);
            assert!(
                !is_visible(policy, &world.viewer, &less),
                "without {member}"
            );
        }
    });
}

#[test]
fn internal_ticket_is_never_visible() {
    in_worlds(2000, 5, |world, policy, ticket, _| {
        let mut internal = ticket.clone();
        internal["internal"] = json!(true);
        assert!(!is_visible(policy, &world.viewer, &internal));
    });
}

#[test]
fn confidential_ticket_of_another_contact_is_never_visible() {
    in_worlds(2000, 5, |world, policy, ticket, _| {
        let mut confidential = ticket.clone();
        confidential["confidential"] = json!(true);
        for contact in [json!("P-9"), Value::Null] {
            confidential["main_contact_id"] = contact;
            assert!(!is_visible(policy, &world.viewer, &confidential));
        }
        confidential
            .as_object_mut()
            .unwrap()
            .remove("main_contact_id");
        assert!(!is_visible(policy, &world.viewer, &confidential));
    });
}

#[test]
fn order_of_rules_does_not_matter() {
    in_worlds(500, 3, |world, policy, ticket, dice| {
        let mut shuffled = world.clone();
        shuffled.rules.reverse();
        let middle = dice.up_to(shuffled.rules.len());
        shuffled.rules.rotate_left(middle);
        shuffled.global_rules.reverse();
        assert_eq!(
            shuffled.is_visible(ticket),
            is_visible(policy, &world.viewer, ticket)
        );
    });
}

#[test]
fn reused_scratch_memory_does_not_change_decisions() {
    let scratch = RefCell::new(Scratch::default());
    in_worlds(500, 20, |world, policy, ticket, _| {
        let reused = with_attributes(ticket, |ticket| {
            let mut scratch = scratch.borrow_mut();
            evaluator::is_visible(policy, &world.viewer, ticket, now(), &mut scratch)
        });
        assert_eq!(reused, is_visible(policy, &world.viewer, ticket));
    });
}

#[test]
fn view_ability_agrees_with_the_decisions() {
    in_worlds(1000, 3, |world, policy, ticket, _| {
        let abilities = abilities(policy, &world.viewer);
        let area = ticket["area_id"].as_str().unwrap();
        let view = abilities
            .iter()
            .find(|ability| *ability.area.id == *area)
            .map(|ability| ability.view);
        assert!(view == Some(true) || !is_visible(policy, &world.viewer, ticket));
        let effective =
            world.integration_active && world.business_partner_active && world.viewer.active;
        // a ticket of which only the area is known, for an access of which nothing is known
        let mut any_viewer = world.clone();
        any_viewer.viewer.contact_id = Some("P-9".into());
        let only_area = json!({"area_id": area});
        let covered = world.rules.iter().chain(&world.global_rules).any(|filter| {
            reference_evaluator::evaluate(filter, &only_area, &any_viewer) == Some(true)
        });
        assert!(view.is_none_or(|view| view == (effective && !covered)));
    });
}

#[test]
fn listed_ticket_types_are_those_that_may_be_created() {
    in_worlds(1000, 3, |world, policy, ticket, _| {
        let abilities = abilities(policy, &world.viewer);
        let area = ticket["area_id"].as_str().unwrap();
        let here = abilities.iter().find(|ability| *ability.area.id == *area);
        for ticket_type in ["t", "u", "v"] {
            let allowed = may_create(policy, &world.viewer, area, ticket_type).allowed();
            let listed = here.is_some_and(|ability| {
                let mut types = ability.ticket_types.iter();
                types.any(|granted| *granted.id == *ticket_type)
            });
            assert_eq!(allowed, listed);
        }
    });
}

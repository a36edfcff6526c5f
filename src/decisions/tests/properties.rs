//! What holds for whatever is configured and whatever is asked. Each run makes up other cases; a failure names its seed.

use rand::RngExt as _;
use serde_json::{Value, json};

use super::{
    generators::{Dice, World, explain, is_visible, with_facts},
    reference_evaluator,
};
use crate::{
    decisions::{
        evaluator::{self, Outcome, Scratch},
        policy::Policy,
        ticket_creation::{abilities, may_create},
    },
    ticket_filter::Truth,
};

/// Runs a check on some worlds, with some tickets each.
fn in_worlds(worlds: u64, tickets: usize, check: impl Fn(&World, &Policy, &Value, &mut Dice)) {
    let base: u64 = rand::rng().random();
    for seed in (0..worlds).map(|n| base.wrapping_add(n)) {
        let mut dice = Dice::new(seed);
        let world = World::random(&mut dice);
        let policy = world.policy();
        for _ in 0..tickets {
            let ticket = world.ticket(&mut dice);
            let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                check(&world, &policy, &ticket, &mut dice);
            }));
            assert!(outcome.is_ok(), "seed {seed}: {ticket}\n{world:#?}");
        }
    }
}

#[test]
fn a_naive_evaluator_agrees_on_a_hundred_thousand_cases() {
    let (seen, asked) = (std::cell::Cell::new(0), std::cell::Cell::new(0));
    in_worlds(2000, 50, |world, policy, ticket, _| {
        let visible = is_visible(policy, &world.viewer, ticket);
        assert_eq!(visible, reference_evaluator::is_visible(world, ticket));
        seen.set(seen.get() + u32::from(visible));
        asked.set(asked.get() + 1);
    });
    assert_eq!(asked.get(), 100_000);
    // or else they would agree on too little
    assert!(
        (5_000..95_000).contains(&seen.get()),
        "{} are visible",
        seen.get()
    );
}

#[test]
fn a_naive_evaluator_agrees_on_what_each_filter_comes_to() {
    let counts = std::cell::RefCell::new([0; 3]);
    in_worlds(2000, 5, |world, policy, ticket, _| {
        let rules = policy.partner.rules.rules().iter().zip(&world.rules);
        for (rule, filter) in rules.chain(policy.global.rules().iter().zip(&world.global_rules)) {
            let expected = match reference_evaluator::judge(filter, ticket, world) {
                Some(true) => Truth::True,
                None => Truth::Unknown,
                Some(false) => Truth::False,
            };
            counts.borrow_mut()[expected as usize] += 1;
            let (global, own) = with_facts(ticket, |facts| {
                evaluator::matching(
                    policy,
                    &world.viewer,
                    facts,
                    super::generators::now(),
                    &mut Scratch::default(),
                )
            });
            let told = |rules: [Vec<&crate::decisions::rules::Rule>; 2]| {
                rules.concat().iter().any(|it| it.id == rule.id)
            };
            assert_eq!(
                told([global.certain, own.certain]),
                expected == Truth::True,
                "{filter}"
            );
            assert_eq!(
                told([global.possible, own.possible]),
                expected == Truth::Unknown,
                "{filter}"
            );
        }
    });
    assert!(
        counts.borrow().iter().all(|count| *count > 500),
        "{counts:?}"
    );
}

#[test]
fn explained_and_unexplained_answers_agree() {
    in_worlds(1000, 20, |world, policy, ticket, _| {
        let steps = explain(policy, &world.viewer, ticket);
        let visible = steps.iter().all(|step| step.outcome == Outcome::Pass);
        assert_eq!(
            visible,
            is_visible(policy, &world.viewer, ticket),
            "{steps:#?}"
        );
    });
}

#[test]
fn one_more_exclusion_rule_shows_nothing_that_was_hidden() {
    in_worlds(500, 3, |world, _, ticket, dice| {
        let mut more = world.clone();
        let filter = world.filter(dice, 1);
        if dice.one_in(2) {
            more.rules.push(filter);
        } else {
            more.global_rules.push(filter);
        }
        assert!(world.is_visible(ticket) || !more.is_visible(ticket));
    });
}

#[test]
fn one_fact_less_shows_nothing_that_was_hidden() {
    in_worlds(2000, 5, |world, policy, ticket, _| {
        if is_visible(policy, &world.viewer, ticket) {
            return;
        }
        let required = [
            "ticket_id",
            "business_partner_id",
            "area_id",
            "internal",
            "confidential",
        ];
        for member in ticket
            .as_object()
            .unwrap()
            .keys()
            .filter(|member| !required.contains(&member.as_str()))
        {
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
fn internal_and_others_confidential_tickets_are_never_visible() {
    in_worlds(2000, 5, |world, policy, ticket, _| {
        let mut internal = ticket.clone();
        internal["internal"] = json!(true);
        assert!(!is_visible(policy, &world.viewer, &internal));
        let mut others = ticket.clone();
        others["confidential"] = json!(true);
        let contacts = [json!("P-9"), Value::Null]
            .into_iter()
            .map(Some)
            .chain([None]);
        for contact in contacts {
            match contact {
                Some(contact) => others["main_contact_id"] = contact,
                None => drop(others.as_object_mut().unwrap().remove("main_contact_id")),
            }
            assert!(!is_visible(policy, &world.viewer, &others));
        }
    });
}

#[test]
fn the_order_of_rules_does_not_matter() {
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
fn memory_that_is_used_again_changes_no_answer() {
    let scratch = std::cell::RefCell::new(Scratch::default());
    in_worlds(500, 20, |world, policy, ticket, _| {
        let again = with_facts(ticket, |facts| {
            evaluator::is_visible(
                policy,
                &world.viewer,
                facts,
                super::generators::now(),
                &mut scratch.borrow_mut(),
            )
        });
        assert_eq!(again, is_visible(policy, &world.viewer, ticket));
    });
}

#[test]
fn capabilities_say_what_the_decisions_do() {
    in_worlds(1000, 3, |world, policy, ticket, _| {
        let abilities = abilities(policy, &world.viewer);
        let area = ticket["area_id"].as_str().unwrap();
        let here = abilities.iter().find(|it| *it.area.id == *area);
        // where nothing can be viewed, no ticket is visible
        assert!(!is_visible(policy, &world.viewer, ticket) || here.is_some_and(|it| it.view));
        let effective =
            world.integration_active && world.business_partner_active && world.viewer.active;
        // nothing is known of a ticket but its area, and the access could be anybody's
        let mut anybody = world.clone();
        anybody.viewer.contact_id = Some("P-9".into());
        let only_area = json!({"area_id": area});
        let mut rules = world.rules.iter().chain(&world.global_rules);
        let covered = rules
            .any(|filter| reference_evaluator::judge(filter, &only_area, &anybody) == Some(true));
        assert!(here.is_none_or(|it| it.view == (effective && !covered)));
        for ticket_type in ["t", "u", "v"] {
            let allowed = may_create(policy, &world.viewer, area, ticket_type).allowed();
            let list_visible =
                here.is_some_and(|it| it.ticket_types.iter().any(|it| *it.id == *ticket_type));
            assert_eq!(allowed, list_visible);
        }
    });
}

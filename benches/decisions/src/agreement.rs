//! Checks that all engines make the same decisions, because only then are they comparable.

use crate::{
    DecisionInput, Engine, Flat, Form, Scenario, casbin::Casbin, cedar::Cedar, ours::Ours,
    rego::Rego,
};

/// The decisions of an engine for each viewer and each ticket.
pub fn decisions<E: Engine>(scenario: &Scenario, form: Form) -> Vec<bool> {
    let tickets = Flat::all(scenario);
    let mut engine = E::compile(scenario, form);
    let inputs = scenario.viewers.iter().flat_map(|viewer| {
        let tickets = scenario.tickets.iter().zip(&tickets);
        tickets.map(move |(json, ticket)| DecisionInput {
            json,
            ticket,
            viewer,
        })
    });
    inputs
        .map(|request| {
            let input = engine.input(request);
            engine.is_visible(&input)
        })
        .collect()
}

fn compare<E: Engine>(scenario: &Scenario, form: Form, expected: &[bool]) {
    for (place, (actual, expected)) in decisions::<E>(scenario, form)
        .iter()
        .zip(expected)
        .enumerate()
    {
        let ticket = scenario.tickets.get(place % scenario.tickets.len());
        assert!(
            actual == expected,
            "{} ({form:?}) decides {actual} for {ticket:?}",
            E::NAME
        );
    }
}

/// Checks all engines in all forms. Returns the percentage of tickets that are visible to the first
/// viewer.
///
/// # Panics
///
/// If two engines disagree.
pub fn check(scenario: &Scenario) -> usize {
    let expected = decisions::<Ours>(scenario, Form::Fastest);
    for form in [Form::Idiomatic, Form::Fastest] {
        compare::<Cedar>(scenario, form, &expected);
        compare::<Rego>(scenario, form, &expected);
        compare::<Casbin>(scenario, form, &expected);
    }
    let tickets = scenario.tickets.len();
    expected
        .iter()
        .take(tickets)
        .filter(|visible| **visible)
        .count()
        * 100
        / tickets
}

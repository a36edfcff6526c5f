//! Engines are compared only where they say the same.

use crate::{
    Engine, Flat, Form, Question, Scenario, casbin::Casbin, cedar::Cedar, ours::Ours, rego::Rego,
};

/// What an engine answers each viewer about each ticket.
pub fn answers<E: Engine>(scenario: &Scenario, form: Form) -> Vec<bool> {
    let tickets = Flat::all(scenario);
    let mut engine = E::compile(scenario, form);
    let asked = scenario.viewers.iter().flat_map(|viewer| {
        let tickets = scenario.tickets.iter().zip(&tickets);
        tickets.map(move |(json, ticket)| Question {
            json,
            ticket,
            viewer,
        })
    });
    asked
        .map(|question| {
            let input = engine.input(question);
            engine.is_visible(&input)
        })
        .collect()
}

fn compare<E: Engine>(scenario: &Scenario, form: Form, expected: &[bool]) {
    for (place, (said, expected)) in answers::<E>(scenario, form)
        .iter()
        .zip(expected)
        .enumerate()
    {
        let ticket = scenario.tickets.get(place % scenario.tickets.len());
        assert!(
            said == expected,
            "{} ({form:?}) says {said} of {ticket:?}",
            E::NAME
        );
    }
}

/// Panics unless all engines give the same answers in all forms. Tells the percentage of tickets that the first viewer sees.
///
/// # Panics
///
/// If an engine disagrees.
pub fn check(scenario: &Scenario) -> usize {
    let expected = answers::<Ours>(scenario, Form::Fastest);
    for form in [Form::Idiomatic, Form::Fastest] {
        compare::<Cedar>(scenario, form, &expected);
        compare::<Rego>(scenario, form, &expected);
        compare::<Casbin>(scenario, form, &expected);
    }
    let tickets = scenario.tickets.len();
    expected
        .iter()
        .take(tickets)
        .filter(|is_visible| **is_visible)
        .count()
        * 100
        / tickets
}

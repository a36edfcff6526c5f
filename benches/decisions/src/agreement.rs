//! Checks that all engines make the same decisions.

use crate::{
    Engine, Flat, Form, Question, Scenario, casbin::Casbin, cedar::Cedar, ours::Ours, rego::Rego,
};

/// The decisions of an engine for each viewer and ticket.
pub fn answers<E: Engine>(scenario: &Scenario, form: Form) -> Vec<bool> {
    let tickets = Flat::all(scenario);
    let mut engine = E::compile(scenario, form);
    let questions = scenario.viewers.iter().flat_map(|viewer| {
        let tickets = scenario.tickets.iter().zip(&tickets);
        tickets.map(move |(json, ticket)| Question {
            json,
            ticket,
            viewer,
        })
    });
    questions
        .map(|question| {
            let input = engine.input(question);
            engine.is_visible(&input)
        })
        .collect()
}

fn compare<E: Engine>(scenario: &Scenario, form: Form, expected: &[bool]) {
    for (number, (decision, expected)) in answers::<E>(scenario, form)
        .iter()
        .zip(expected)
        .enumerate()
    {
        let ticket = scenario.tickets.get(number % scenario.tickets.len());
        assert!(
            decision == expected,
            "{} ({form:?}) decides {decision} for {ticket:?}",
            E::NAME
        );
    }
}

/// Compares the decisions of all engines in all forms. Returns the percentage of tickets that the
/// first viewer sees.
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

//! Measures the decision "may this access see this ticket" beside Cedar, Rego (regorus) and Casbin.
//!
//! One [`Scenario`] holds rules and tickets in the product's own words; each [`Engine`] derives its policy from it. Whatever can
//! be prepared is prepared before the clock starts, in favour of the others: their inputs are built beforehand, with texts
//! folded, ages computed, and unknown and empty facts as marks (see [`flat`]).
#![expect(
    clippy::expect_used,
    reason = "a benchmark that cannot be set up has nobody to tell but its user"
)]

pub mod agreement;
pub mod casbin;
pub mod cedar;
pub mod flat;
pub mod generator;
pub mod ours;
pub mod rego;
pub mod scenario;
pub mod test;

pub use flat::{Flat, Question};
pub use scenario::{AccessRef, Rule, Scenario};

/// How a policy is written in an engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// As its documentation recommends: rule by rule, so that each can be named and changed alone.
    Idiomatic,
    /// As somebody writes it who knows how the engine works and wants nothing but speed.
    Fastest,
}

/// An engine that decides.
pub trait Engine: Sized {
    /// Its name in the tables.
    const NAME: &'static str;
    /// What it is asked, ready to be asked.
    type Input<'s>;

    /// Prepares the scenario's policy.
    fn compile(scenario: &Scenario, form: Form) -> Self;

    /// Prepares a question; not part of what is measured.
    fn input<'s>(&self, question: Question<'s>) -> Self::Input<'s>;

    /// Whether the ticket may be seen.
    fn is_visible(&mut self, input: &Self::Input<'_>) -> bool;
}

//! Compares the decision whether an access may see a ticket with Cedar, Rego (regorus) and Casbin.
//!
//! A [`Scenario`] holds rules and tickets in the types of customer-integration; each [`Engine`]
//! derives its policy from it. Everything that can be prepared is prepared before the measurement,
//! in favor of the other engines: their inputs are complete, with texts folded, ages computed, and
//! markers for unknown and absent attributes (see [`flat`]).
#![expect(
    clippy::expect_used,
    reason = "a benchmark that cannot be set up may panic"
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
    /// As the documentation of the engine recommends: one policy per rule, so that each has a name
    /// and can be changed separately.
    Idiomatic,
    /// Optimized for speed, with knowledge of how the engine works.
    Fastest,
}

/// A policy engine.
pub trait Engine: Sized {
    /// Name in the results.
    const NAME: &'static str;
    /// A prepared request.
    type Input<'s>;

    /// Compiles the policy of the scenario.
    fn compile(scenario: &Scenario, form: Form) -> Self;

    /// Prepares a request. Not part of the measurement.
    fn input<'s>(&self, question: Question<'s>) -> Self::Input<'s>;

    /// Decides whether the viewer may see the ticket.
    fn is_visible(&mut self, input: &Self::Input<'_>) -> bool;
}

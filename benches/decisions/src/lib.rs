//! Compares the decision "may this access see this ticket" with Cedar, Rego (regorus) and Casbin.
//!
//! A [`Scenario`] contains rules and tickets in the service's own format; each [`Engine`] derives
//! its policy from it. The inputs of the other engines are prepared before the measurement, in
//! their favour: texts are case-folded, ages computed, and unknown attributes have special values
//! (see [`flat`]).
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

pub use flat::{DecisionInput, Flat};
pub use scenario::{AccessRef, Rule, Scenario};

/// How a policy is written in an engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// As its documentation recommends: rule by rule, so that each has a name and can be changed
    /// separately.
    Idiomatic,
    /// Optimized for the implementation of the engine.
    Fastest,
}

/// A policy engine.
pub trait Engine: Sized {
    /// Its name in the tables.
    const NAME: &'static str;
    /// The prepared input of a decision.
    type Input<'s>;

    /// Compiles the policy of a scenario.
    fn compile(scenario: &Scenario, form: Form) -> Self;

    /// Prepares an input; this is not measured.
    fn input<'s>(&self, input: DecisionInput<'s>) -> Self::Input<'s>;

    /// Whether the ticket is visible.
    fn is_visible(&mut self, input: &Self::Input<'_>) -> bool;
}

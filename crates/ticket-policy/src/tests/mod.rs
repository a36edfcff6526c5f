//! Tests of whole decisions: tables of all operators, steps and reasons, and properties of random
//! configurations that are checked against an independent reference evaluator.

mod generators;
mod operator_table;
mod properties;
mod reference_evaluator;
mod step_table;

//! Tests of the pure part: a table of what steps, fields and operators mean, and properties that hold for whatever is configured,
//! judged beside a second evaluator that was written for nothing else.

mod generators;
mod operator_table;
mod properties;
mod reference_evaluator;

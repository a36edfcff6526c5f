//! Tests of the pure part: a table of what steps, fields and operators mean, and properties that hold for whatever is configured,
//! judged beside a second evaluator that was written for nothing else.

mod oracle;
mod properties;
mod table;
mod world;

//! The service as its callers meet it: real HTTP, real tokens, both engines. One binary, one file per subject.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test fails by panicking"
)]

mod accesses;
mod authorization;
mod authorization_matrix;
mod bad_input;
mod catalog;
mod conditions;
mod connections;
mod contracts;
mod corpus;
mod database;
mod decisions;
mod document;
mod filters;
mod flat;
mod freshness;
mod grants;
mod history;
mod http;
mod integration;
mod isolation;
mod jwks;
mod limits;
mod operation;
mod program;
mod queries;
mod races;
mod released;
mod rules;
mod silence;
mod support;
mod tab;
mod tags;
mod telemetry;
mod tokens;
mod walkthrough;

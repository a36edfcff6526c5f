//! Tests of the service over HTTP with real tokens, on both database engines. One file per subject.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod access_search;
mod accesses;
mod api_compatibility;
mod authorization;
mod authorization_matrix;
mod bad_input;
mod cached_lists;
mod catalog;
mod catalog_usage;
mod cli;
mod combined_errors;
mod concurrency;
mod conditions;
mod connections;
mod contracts;
mod database;
mod decision_load;
mod decisions;
mod end_to_end;
mod engines;
mod error_language;
mod examples;
mod exclusion_rules;
mod filter_references;
mod filters;
mod freshness;
mod fuzz_corpus;
mod grants;
mod history;
mod http;
mod identity_providers;
mod integration;
mod jwks;
mod labels;
mod limits;
mod lists;
mod messages;
mod openapi;
mod positions;
mod queries;
mod query_plans;
mod startup_shutdown;
mod static_pages;
mod support;
mod tags;
mod tags_in_filters;
mod telemetry;
mod tenant_isolation;
mod ticket_approval;
mod tokens;
mod unknown_attributes;
mod unresponsive_database;
mod walkthrough;

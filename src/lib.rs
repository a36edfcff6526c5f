//! Back end of the tab "Kundenintegration", which configures what the accesses of a business
//! partner may see and do in the ticket portal.
//!
//! There is one module per sub-tab (`accesses`, `areas`, …), each with `routes` (HTTP), `service`
//! (rules), `repo` (SQL) and `dto` (JSON). Modules depend on each other in one direction only, from
//! bottom to top:
//!
//! 1. `common`: types without dependencies
//! 2. `db`: connections, transactions, schema
//! 3. `i18n`, `tokens`, `telemetry`, `config`
//! 4. `http`, `openapi`, `server`: everything about HTTP that is not specific to the domain
//! 5. `crud`: generic resources
//! 6. `catalog`, `ticket_filter`, `integration`, `me`: the ERP's data, filters, the aggregate root,
//!    the caller
//! 7. `grants`: generic grants of catalog entries
//! 8. `accesses`, `areas`, `ticket_types`, `tags`, `queries`, `exclusion_rules`, `plan_boards`,
//!    `history`
//! 9. `decisions`, `overview`: read all of the above
//! 10. `labels`: labels of the enumerations of the above
//! 11. `router`, `app`, `demo`
#![forbid(unsafe_code)]

pub mod accesses;
pub mod app;
pub mod areas;
pub mod catalog;
pub mod common;
pub mod config;
pub mod crud;
pub mod db;
pub mod decisions;
pub mod demo;
pub mod exclusion_rules;
pub mod grants;
pub mod history;
pub mod http;
pub mod i18n;
pub mod integration;
pub mod labels;
pub mod me;
pub mod openapi;
pub mod overview;
pub mod plan_boards;
pub mod queries;
pub mod router;
pub mod server;
pub mod tags;
pub mod telemetry;
pub mod ticket_filter;
pub mod ticket_types;
pub mod tokens;

//! Back end of the tab "Kundenintegration": what the accesses of a business partner may see and do in the ticket portal.
//!
//! One room per sub-tab (`accesses`, `areas`, …), each with `routes` (HTTP, no rule), `service` (rules, neither HTTP nor
//! SQL), `repo` (SQL, no rule) and `dto` (JSON). What they share lives once: `kernel`, `db`, `http`, `grants`, `history`.
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
pub mod openapi;
pub mod plan_boards;
pub mod queries;
pub mod router;
pub mod server;
pub mod tags;
pub mod telemetry;
pub mod ticket_filter;
pub mod ticket_types;
pub mod tokens;

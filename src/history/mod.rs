//! The history: who changed what. Written by every unit of work ([`crate::db::history_log`]), one
//! entry per revision; read by auditors.

pub mod dto;
mod repo;
pub mod routes;

pub use dto::HistoryEntry;

use crate::common::{Action, ids::HistoryEntryId};

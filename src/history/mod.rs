//! The history: who changed what. Written by every unit of work ([`crate::db::history_log`]), one
//! entry per revision; read by auditors.

mod description;
pub mod dto;
mod repo;
pub mod routes;

pub use dto::HistoryEntry;

pub use crate::common::Action;
use crate::common::ids::HistoryEntryId;

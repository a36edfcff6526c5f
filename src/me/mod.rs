//! The caller: what its token says and allows.

mod dto;
pub mod routes;

//! The caller: claims and permissions of its token.

mod dto;
pub mod routes;

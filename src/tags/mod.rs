//! Tags that tickets of a partner may bear: everywhere, or in one granted area; for everybody, or for internal users only.
//!
//! Rules R4 (an area that a tag is bound to stays), R5 (only a granted area can be bound) and R7 (a name exists once per
//! partner and area, whatever its case) live in `service`.

pub mod dto;
mod repo;
pub mod routes;
pub mod service;

pub use dto::Tag;

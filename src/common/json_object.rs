//! Strict JSON objects, see [`JsonObject`].

pub use ticket_policy::JsonObject;

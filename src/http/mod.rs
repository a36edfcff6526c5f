//! HTTP, once for all rooms: who asks (`auth`), what was sent (`body`, `params`, `conditions`, and what was wrong with it: `field_errors`),
//! what is answered (`reply`, `problem`), what surrounds every request (`surround`, `context`, `limits`, `cors`, `head`), how
//! connections are served (`serve`, `connection`), and what the document says of it (`openapi`).
//!
//! The permission is the way to receive a request: a handler takes [`auth::Authorized`] or [`auth::AuthorizedPartner`], naming its
//! scope as a type, and there is no other way to learn who asks or which partner is meant.

/// Path prefix of every operation.
pub const API_BASE: &str = "/api/v1";

pub mod auth;
pub mod body;
pub mod call_context;
pub mod conditional;
pub mod connection;
pub mod cors;
pub mod field_errors;
pub mod head;
pub mod health;
pub mod limits;
pub mod page_cache;
pub mod params;
pub mod problem;
pub mod problem_page;
pub mod request_context;
pub mod response;
pub mod route_guard;
pub mod serve;
pub mod surround;

//! HTTP, once for all rooms: who asks (`auth`), what was sent (`body`, `params`, `conditions`, and what was wrong with it: `faults`),
//! what is answered (`reply`, `problem`), what surrounds every request (`surround`, `context`, `limits`, `cors`, `head`), how
//! connections are served (`serve`, `connection`), and what the document says of it (`openapi`).
//!
//! The permission is the way to receive a request: a handler takes [`auth::Permit`] or [`auth::InPartner`], naming its
//! scope as a type, and there is no other way to learn who asks or which partner is meant.

pub mod auth;
pub mod body;
pub mod call;
pub mod conditions;
pub mod connection;
pub mod context;
pub mod cors;
pub mod faults;
pub mod head;
pub mod health;
pub mod kept;
pub mod limits;
pub mod openapi;
pub mod operations;
pub mod params;
pub mod problem;
pub mod problem_page;
pub mod reply;
pub mod serve;
pub mod surround;

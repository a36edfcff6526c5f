//! What the tests stand on: a real server on a database of its own, typed callers, and a client that knows the document.

pub mod app;
pub mod bodies;
pub mod breaks;
pub mod client;
pub mod document;
pub mod issuer;
pub mod panics;
pub mod postgres;
pub mod proxy;
pub mod wire;

pub use app::{Engine, TestApp};
pub use client::{Answer, Client};

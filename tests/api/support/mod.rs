//! Test support: a real server with a separate database per test, clients for each role, and checks
//! of every response against the OpenAPI document.

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

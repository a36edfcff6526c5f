//! Test support: a real server with a separate database per test, clients for each role, and checks
//! of every response against the OpenAPI document.

pub mod api_compatibility;
pub mod app;
pub mod client;
pub mod document;
pub mod fuzz_harness;
pub mod issuer;
pub mod panics;
pub mod postgres;
pub mod proxy;
pub mod raw_http;

pub use app::{Engine, TestApp};
pub use client::{Client, Response};

//! The service as its callers meet it: real HTTP, real tokens, both engines. One binary, one file per subject.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

mod accesses;
mod support;

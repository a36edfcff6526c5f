//! Behavior that all resources share.

mod cors;
mod list_case;
mod lists;
mod preconditions;

//! Behavior that all resources share.

mod cors;
mod list_case;
mod lists;
mod preconditions;

pub use preconditions::without_language;

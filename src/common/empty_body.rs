//! The body that says nothing.

use serde::Deserialize;
use validator::Validate;

/// The body of an operation that takes none: absent, or `{}`. Members are refused, since whoever sends one expects it to do
/// something.
#[derive(Debug, Clone, Copy, Default, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

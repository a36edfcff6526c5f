//! Empty request body.

use serde::Deserialize;
use validator::Validate;

/// The body of an operation that takes none: absent, or `{}`. Any member is rejected, because a
/// client that sends one expects an effect.
#[derive(Debug, Clone, Copy, Default, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct EmptyBody {}

//! What every room shares and no room owns: errors, identifiers, texts, clocks, and what a write did.
//!
//! Nothing here answers a request, sends a statement or knows a rule of the domain. Types that go everywhere – ids, times,
//! texts – do say how they are written in JSON, in the document and in a column, once, by deriving it.

pub mod audit;
pub mod calendar_duration;
pub mod change;
pub mod counters;
pub mod empty_body;
pub mod error;
pub mod error_code;
pub mod formats;
pub mod ids;
pub mod json_object;
pub mod lenient_enum;
pub mod max_length;
pub mod merge_patch;
pub mod normalize;
pub mod page;
pub mod text;
pub mod timestamp;
pub mod truncated_vec;
pub mod unique_vec;

pub use audit::{Actor, Audit};
pub use change::{Change, Committed, Resource};
pub use empty_body::Nothing;
pub use error::{Code, Error, FieldError, Result, or_not_found};

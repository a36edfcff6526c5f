//! Types that all modules share: errors, ids, text, time, pages, ETags and the outcome of a write.
//!
//! This is the lowest layer: it depends on no other module of the crate. Each type defines its JSON
//! form, its `OpenAPI` schema and, where it is stored, its SQL representation ([`sql`]).

pub mod audit;
pub mod change;
pub mod color;
pub mod comma_separated;
pub mod counters;
pub mod draft;
pub mod email;
pub mod empty_body;
pub mod error;
pub mod error_code;
pub mod etag;
pub mod ids;
pub mod json_integer;
pub mod json_object;
pub mod lenient_enum;
pub mod max_length;
pub mod merge_patch;
pub mod normalize;
pub mod page;
pub mod precondition;
pub mod sql;
pub mod text;
pub mod timestamp;
pub mod truncated_vec;
pub mod unique_vec;

pub use audit::{Actor, Audit};
pub use change::{Action, Change, Committed, Resource};
pub use draft::{Draft, Rejections};
pub use empty_body::EmptyBody;
pub use error::{Code, Error, FieldError, Result, or_not_found};

//! What every room shares and no room owns: errors, identifiers, texts, clocks, and what a write did.
//!
//! Nothing here answers a request, sends a statement or knows a rule of the domain. Types that go everywhere – ids, times,
//! texts – do say how they are written in JSON, in the document and in a column, once, by deriving it.

pub mod audit;
pub mod bounded;
pub mod change;
pub mod choice;
pub mod code;
pub mod count;
pub mod distinct;
pub mod error;
pub mod fold;
pub mod formats;
pub mod ids;
pub mod nothing;
pub mod object;
pub mod page;
pub mod patch;
pub mod period;
pub mod text;
pub mod time;

pub use audit::{Actor, Audit};
pub use change::{Change, Done, Resource};
pub use error::{Code, Error, Fault, Result, found};
pub use nothing::Nothing;

//! What every room shares and no room owns: errors, identifiers, texts, clocks, and what a write did.
//!
//! Nothing here knows HTTP, SQL or a rule of the domain.

pub mod audit;
pub mod change;
pub mod choice;
pub mod distinct;
pub mod error;
pub mod ids;
pub mod object;
pub mod page;
pub mod patch;
pub mod period;
pub mod text;
pub mod time;

pub use audit::{Actor, Audit};
pub use change::{Change, Done, Resource};
pub use error::{Code, Error, Fault, Result, found};

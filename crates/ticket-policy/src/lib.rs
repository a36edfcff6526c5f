//! Decides which tickets a customer access may see, create and release (`docs/domain.md`).
//!
//! The crate is pure: it maps a policy, a viewer, a ticket and a point in time to a decision. It
//! depends on neither HTTP nor SQL and never reads a clock.
//!
//! * [`filter`]: the condition language of queries and exclusion rules.
//! * [`ticket`]: the attributes of a ticket as the caller provides them; some may be missing.
//! * [`validation`]: errors of invalid attributes.
//! * [`policy`]: what is configured for one business partner; [`Viewer`]: the access that decides.
//! * [`rules`]: exclusion rules, compiled and indexed.
//! * [`evaluator`], [`positions`], [`creation`] and [`approval`]: the decisions.
//!
//! Missing attributes are handled with three-valued logic, and an unknown result may only narrow
//! what an access sees: an exclusion rule that may match hides the ticket.

pub mod approval;
mod attribute;
mod calendar_duration;
pub mod creation;
pub mod evaluator;
pub mod filter;
pub mod fold;
pub mod ids;
mod json_object;
mod lenient_enum;
pub mod policy;
pub mod positions;
pub mod rules;
#[cfg(test)]
mod tests;
pub mod ticket;
mod timestamp;
pub mod validation;
mod viewer;

pub use attribute::{Attribute, Str};
pub use calendar_duration::CalendarDuration;
pub use json_object::JsonObject;
pub use lenient_enum::LenientEnum;
pub use timestamp::{InvalidTimestamp, Timestamp};
pub use viewer::{Role, TicketVisibility, Viewer};

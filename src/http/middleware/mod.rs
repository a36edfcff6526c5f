//! Middleware around every request, from the outside in:
//!
//! 1. [`request_task`] runs the request in its own task with a timeout, renders failures as
//!    problem details, adds [`security_headers`] and writes the [`access_log`].
//! 2. [`super::cors`], if browser origins are allowed.
//! 3. [`admission`] rejects oversized and excess requests, and routes HEAD like GET.

pub mod access_log;
pub mod admission;
mod head;
pub mod request_task;
pub mod security_headers;

pub use admission::admit;
pub use request_task::run_request;

//! Everything HTTP that all resources share.
//!
//! * Requests: authentication and authorization ([`auth`]), bodies ([`body`]), path and query
//!   parameters ([`path_params`], [`list_query`]), conditional headers ([`conditional`]), and the
//!   context handlers work with ([`call_context`]).
//! * Responses: successes ([`response`]), cached reads ([`cached_read`], [`page_cache`]) and
//!   problem details ([`problem`]).
//! * Around every request: [`middleware`], with [`concurrency_limit`], [`subject_limits`],
//!   [`rate_limit`] and [`cors`]. [`request_slot`] contains what a request occupies.
//!
//! A handler declares the permission it requires as the type parameter of [`auth::Authorized`] or
//! [`auth::AuthorizedPartner`]. There is no other way to get the caller or the business partner.

/// Path prefix of every operation.
pub const API_BASE: &str = "/api/v1";

pub mod app_context;
pub mod auth;
pub mod body;
pub mod cached_read;
pub mod call_context;
pub mod concurrency_limit;
pub mod conditional;
pub mod connection_activity;
pub mod cors;
pub mod docs;
pub mod field_errors;
pub mod health;
pub mod index_page;
pub mod lenient_json;
pub mod list_query;
pub mod middleware;
pub mod off_worker;
pub mod page_cache;
pub mod path_params;
pub mod problem;
pub mod problem_page;
pub mod protected_resource;
pub mod rate_limit;
pub mod request_context;
pub mod request_slot;
pub mod response;
pub mod route_guard;
pub mod standalone_problem;
pub mod subject_limits;

//! Labels of the API's enumerations in German and English, for front ends.
//!
//! Fields and operators of filters are not included: `GET /ticket-fields` publishes their labels.

pub mod dto;
pub mod routes;

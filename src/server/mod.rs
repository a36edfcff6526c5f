//! The TCP server: accepts connections, closes those that stay idle, and adds problem details to
//! the errors that actix handles itself.

mod idle_timeout;
mod problem_stream;
mod tcp_server;

pub use tcp_server::{ServerOptions, server};

//! The TCP server: accepts connections, and closes those that stay idle.

mod idle_timeout;
mod tcp_server;

pub use tcp_server::{ServerOptions, server};

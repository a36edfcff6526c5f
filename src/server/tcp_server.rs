//! An HTTP/1.1 server like actix's `HttpServer`, which has no idle-connection hook.

use std::{
    future::ready,
    io,
    net::{SocketAddr, TcpListener},
    time::Duration,
};

use actix_http::{HttpService, Protocol};
use actix_server::Server;
use actix_service::{
    IntoServiceFactory, ServiceFactory, ServiceFactoryExt as _, fn_service, map_config,
};
use actix_web::{
    Error,
    body::MessageBody,
    dev::{AppConfig, Extensions, ServiceResponse},
};
use tokio::net::TcpStream;

use super::{idle_timeout::IdleTimeoutStream, problem_stream::ProblemStream};

/// A connection.
type Connection = ProblemStream<IdleTimeoutStream<TcpStream>>;

/// How long to read on after a response that closes its connection. A client that is still
/// sending an oversized body gets the response before the connection is reset.
const LINGER: Duration = Duration::from_secs(1);

/// Options of [`server`].
#[derive(Debug, Clone, Copy)]
pub struct ServerOptions {
    /// Number of worker threads.
    pub workers: usize,
    /// Maximum time a connection may stay without a request in progress.
    pub header_timeout: Duration,
    /// Maximum time for requests in progress to finish after a graceful stop.
    pub shutdown_timeout: Duration,
}

/// Creates a server that starts when it is awaited. Does not handle signals.
pub fn server<F, I, S, B>(
    options: ServerOptions,
    listener: TcpListener,
    app: F,
) -> io::Result<Server>
where
    F: Fn() -> I + Send + Clone + 'static,
    I: IntoServiceFactory<S, actix_http::Request> + 'static,
    S: ServiceFactory<
            actix_http::Request,
            Config = AppConfig,
            Response = ServiceResponse<B>,
            Error = Error,
        > + 'static,
    S::InitError: std::fmt::Debug,
    B: MessageBody + 'static,
{
    let builder = Server::build()
        .workers(options.workers)
        .shutdown_timeout(options.shutdown_timeout.as_secs())
        .disable_signals();
    let shutdown = builder.graceful_shutdown_signal();
    let idle_timeout = options.header_timeout;
    let factory = move || {
        let shutdown = shutdown.clone();
        let http = HttpService::build()
            .client_request_timeout(idle_timeout)
            .client_disconnect_timeout(LINGER)
            .graceful_shutdown_signal(move || {
                let shutdown = shutdown.clone();
                async move { shutdown.notified().await }
            })
            .on_connect_ext(|io: &Connection, data: &mut Extensions| {
                drop(data.insert(io.activity()));
            });
        let app = app()
            .into_factory()
            .map_err(|error: Error| error.error_response());
        let app = map_config(app, |()| AppConfig::default());
        fn_service(move |stream| {
            let connection = accept(stream, idle_timeout);
            ready(Ok::<_, actix_http::error::DispatchError>(connection))
        })
        .and_then(http.finish(app))
    };
    Ok(builder.listen("http", listener, factory)?.run())
}

/// Prepares a new connection.
fn accept(stream: TcpStream, idle_timeout: Duration) -> (Connection, Protocol, Option<SocketAddr>) {
    let peer = stream.peer_addr().ok();
    // Responses are written at once, so Nagle's algorithm would only delay them. The error of a
    // closed connection surfaces on its first read.
    let _ = stream.set_nodelay(true);
    let stream = IdleTimeoutStream::new(stream, idle_timeout);
    let activity = stream.activity();
    let stream = ProblemStream::new(stream, activity, idle_timeout);
    (stream, Protocol::Http1, peer)
}

//! Serves connections. As actix's `HttpServer` does, but that one cannot be told to watch its connections ([`connection`]).
//!
//! [`connection`]: super::connection

use std::{io, net::TcpListener, time::Duration};

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

use super::connection::IdleTimeoutStream;

/// How long a connection is read on after an answer that ends it, so that a caller who still writes a body that is too large
/// gets to see the answer before the connection is reset.
const LINGERING: Duration = Duration::from_secs(1);

/// How connections are served.
#[derive(Debug, Clone, Copy)]
pub struct ServerOptions {
    pub workers: usize,
    /// How long a connection may be without a whole request.
    pub header_timeout: Duration,
    /// How long running requests may take to finish once the service is told to stop.
    pub shutdown_timeout: Duration,
}

/// A server that begins when it is awaited. Signals are not its business.
pub fn server<F, I, S, B>(
    serving: ServerOptions,
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
        .workers(serving.workers)
        .shutdown_timeout(serving.shutdown_timeout.as_secs())
        .disable_signals();
    let stopping = builder.graceful_shutdown_signal();
    let limit = serving.header_timeout;
    let factory = move || {
        let stopping = stopping.clone();
        let http = HttpService::build()
            .client_request_timeout(limit)
            .client_disconnect_timeout(LINGERING)
            .graceful_shutdown_signal(move || {
                let stopping = stopping.clone();
                async move { stopping.notified().await }
            })
            .on_connect_ext(|io: &IdleTimeoutStream<TcpStream>, data: &mut Extensions| {
                drop(data.insert(io.watch()))
            });
        let app = app()
            .into_factory()
            .map_err(|error: Error| error.error_response());
        let app = map_config(app, |()| AppConfig::default());
        let connected = move |io: TcpStream| async move {
            let peer = io.peer_addr().ok();
            // an answer is written at once, so there is nothing to wait for; a connection that is gone tells so when it is read
            let _ = io.set_nodelay(true);
            Ok::<_, actix_http::error::DispatchError>((
                IdleTimeoutStream::new(io, limit),
                Protocol::Http1,
                peer,
            ))
        };
        fn_service(connected).and_then(http.finish(app))
    };
    Ok(builder.listen("http", listener, factory)?.run())
}

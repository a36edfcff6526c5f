//! The one way to build the service, for the binary and for every test.

use std::{
    net::{SocketAddr, TcpListener},
    sync::{Arc, OnceLock, atomic::Ordering},
    time::Duration,
};

use actix_web::{
    App as ActixApp, HttpResponse, HttpServer,
    dev::{Server, ServerHandle},
    middleware::{Condition, from_fn},
    rt,
    web::{self, Bytes, Data},
};
use anyhow::Context as _;
use tokio::{
    signal::unix::{SignalKind, signal},
    time::sleep,
};
use utoipa_actix_web::AppExt as _;

use crate::{
    config::{Config, ShutdownConfig},
    db::{
        Db, DbOptions, RevisionLookup,
        migrations::{self, Direction},
    },
    decisions::PolicyCache,
    http::{
        body::BodyTimeout,
        cors,
        limits::{Gate, RateLimiter},
        page_cache::PageCache,
        route_guard::{RouteTable, not_found_or_405},
        serve::{self, ServerOptions},
        surround::{AppContext, admit, surround},
    },
    router::{self, Document},
    telemetry::metrics::{Metrics, Sources},
    tokens::Verifier,
};

/// How often subjects are forgotten whose requests need no counting any more.
const EVICT_INTERVAL: Duration = Duration::from_mins(1);

/// The service, bound to its addresses but not serving yet.
pub struct App {
    /// The address it really listens on.
    pub address: SocketAddr,
    /// The address of its metrics.
    pub metrics_address: Option<SocketAddr>,
    pub db: Db,
    server: Server,
    metrics: Option<Server>,
    app_context: Data<AppContext>,
    stopping: ShutdownConfig,
}

/// The operations and the document. They depend on nothing but the program, so however many instances a process has – the tests
/// have hundreds –, they are made once.
fn openapi_once() -> anyhow::Result<&'static (Data<RouteTable>, Data<Document>)> {
    static OPENAPI: OnceLock<(Data<RouteTable>, Data<Document>)> = OnceLock::new();
    if let Some(made) = OPENAPI.get() {
        return Ok(made);
    }
    let document = router::document().context("cannot write the document")?;
    let operations = RouteTable::of(&document, &router::PUBLIC_PATHS);
    let document = Document(Bytes::from(serde_json::to_vec(&document)?));
    Ok(OPENAPI.get_or_init(|| (Data::new(operations), Data::new(document))))
}

/// What the requests of an instance share.
#[derive(Clone)]
struct AppState {
    db: Data<Db>,
    current: Data<RevisionLookup>,
    policy_cache: Data<PolicyCache>,
    pages: Data<PageCache>,
    verifier: Data<Verifier>,
    app_context: Data<AppContext>,
    limiter: Option<Data<RateLimiter>>,
}

impl AppState {
    fn new(db: &Db, config: &Config) -> anyhow::Result<Self> {
        let current = Arc::new(RevisionLookup::new(db.clone()));
        let policy_cache = Arc::new(PolicyCache::new(
            db.clone(),
            Arc::clone(&current),
            config.decision_cache_bytes,
        )?);
        let pages = Arc::new(PageCache::new(config.page_cache_bytes));
        let verifier = Arc::new(Verifier::start(&config.tokens));
        let gate = Gate::new(config.limits.concurrent_requests);
        let sources = Sources {
            db: db.clone(),
            policy_cache: Arc::clone(&policy_cache),
            pages: Arc::clone(&pages),
            verifier: Arc::clone(&verifier),
            gate: gate.clone(),
        };
        let app_context = AppContext {
            gate,
            metrics: Metrics::new(sources),
            request_timeout: config.limits.request_timeout,
            origins: config.cors_allowed_origins.clone(),
            stopping: false.into(),
        };
        let limiter = config
            .limits
            .rate
            .map(RateLimiter::new)
            .transpose()?
            .map(Data::new);
        limiter.iter().for_each(evict_idle);
        let app_context = Data::new(app_context);
        let db = Data::new(db.clone());
        Ok(Self {
            db,
            current: current.into(),
            policy_cache: policy_cache.into(),
            pages: pages.into(),
            verifier: verifier.into(),
            app_context,
            limiter,
        })
    }

    fn register(&self, config: &mut web::ServiceConfig) {
        config
            .app_data(self.db.clone())
            .app_data(self.current.clone())
            .app_data(self.policy_cache.clone())
            .app_data(self.pages.clone())
            .app_data(self.verifier.clone())
            .app_data(self.app_context.clone());
        if let Some(limiter) = &self.limiter {
            config.app_data(limiter.clone());
        }
    }
}

/// Bounds the memory of a limiter as long as there is one.
fn evict_idle(limiter: &Data<RateLimiter>) {
    let limiter = Arc::downgrade(limiter);
    rt::spawn(async move {
        while let Some(limiter) = limiter.upgrade() {
            limiter.evict_idle();
            drop(limiter);
            sleep(EVICT_INTERVAL).await;
        }
    });
}

impl App {
    /// Migrates the database if the configuration says so, and binds the addresses.
    pub async fn build(config: Config) -> anyhow::Result<Self> {
        Self::with_routes(config, |_| {}).await
    }

    /// The same with more routes beside its own, for benchmarks that need something to compare with. They come first, so that what is
    /// compared is not made slow by the routes before it.
    pub async fn with_routes(
        config: Config,
        more: fn(&mut web::ServiceConfig),
    ) -> anyhow::Result<Self> {
        let options = DbOptions {
            workers: config.worker_threads,
            ..config.database_options
        };
        let db = Db::open(&config.database, options)?;
        if config.migrate_on_start {
            let applied = migrations::migrate(&config.database, Direction::Up)
                .await
                .context("cannot migrate the database")?;
            tracing::info!(applied, "schema is up to date");
        }
        let (operations, document) = openapi_once()?.clone();
        let shared = AppState::new(&db, &config)?;
        let listener = TcpListener::bind(&config.bind_address)
            .with_context(|| format!("cannot listen on {} (BIND_ADDRESS)", config.bind_address))?;
        let address = listener.local_addr()?;
        let app_context = shared.app_context.clone();
        let (metrics, metrics_address) = match &config.metrics_bind_address {
            Some(address) => metrics_server(address, app_context.clone())
                .map(|(server, at)| (Some(server), Some(at)))?,
            None => (None, None),
        };
        let serving = ServerOptions {
            workers: config.worker_threads,
            header_timeout: config.limits.header_timeout,
            shutdown_timeout: config.stopping.timeout,
        };
        let (origins, body_timeout) = (config.cors_allowed_origins, config.limits.body_timeout);
        // without a word from the service, browsers let no page of another origin in: then nothing has to be looked at
        let for_pages = !origins.is_empty();
        let server = serve::server(serving, listener, move || {
            ActixApp::new()
                .wrap(from_fn(admit))
                .wrap(Condition::new(for_pages, cors::cors(&origins)))
                .wrap(Condition::new(for_pages, from_fn(cors::expose)))
                .wrap(from_fn(surround))
                .configure(|config| shared.register(config))
                .app_data(operations.clone())
                .app_data(document.clone())
                .app_data(BodyTimeout(body_timeout))
                .configure(more)
                .into_utoipa_app()
                .configure(router::api)
                .into_app()
                .configure(router::public)
                .default_service(web::to(not_found_or_405))
        })?;
        Ok(Self {
            address,
            metrics_address,
            db,
            server,
            metrics,
            app_context,
            stopping: config.stopping,
        })
    }

    /// A handle that stops the service at once.
    pub fn handle(&self) -> ServerHandle {
        self.server.handle()
    }

    /// Serves until it is stopped by its handle.
    pub async fn run(self) -> anyhow::Result<()> {
        if let Some(metrics) = self.metrics {
            rt::spawn(metrics);
        }
        Ok(self.server.await?)
    }

    /// Serves until a signal comes, and then finishes what runs: readiness says no first, so that nothing new is sent here; after
    /// a while no connection is accepted any more; and when the last request has been answered the address is given up. Only
    /// then the workers end, since a request may use a connection to the database that another worker opened and drives. A second
    /// signal stops at once.
    pub async fn run_until_signalled(self) -> anyhow::Result<()> {
        let (handle, app_context, ShutdownConfig { delay, timeout }) =
            (self.handle(), self.app_context.clone(), self.stopping);
        let mut signals = Signals::listen()?;
        rt::spawn(async move {
            let name = signals.next().await;
            app_context.stopping.store(true, Ordering::Relaxed);
            // not before it is so: who reads this may ask at once
            tracing::info!(
                signal = name,
                ?delay,
                "stopping: readiness says no, running requests are finished"
            );
            let finish = async {
                sleep(delay).await;
                handle.pause().await;
                // no request may take longer: what then still runs is given up, not waited for once more
                let finished = tokio::time::timeout(timeout, app_context.gate.emptied())
                    .await
                    .is_ok();
                handle.stop(finished).await;
            };
            tokio::select! {
                () = finish => {}
                _ = signals.next() => handle.stop(false).await,
            }
        });
        self.run().await?;
        tracing::info!("stopped");
        Ok(())
    }
}

/// The signals that end the service.
struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    fn listen() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}

/// A server of its own for metrics, so that they can be kept from those who may call the API.
fn metrics_server(
    address: &str,
    app_context: Data<AppContext>,
) -> anyhow::Result<(Server, SocketAddr)> {
    let tell = |app_context: Data<AppContext>| async move {
        match app_context.metrics.text() {
            Ok(text) => HttpResponse::Ok()
                .content_type("application/openmetrics-text; version=1.0.0; charset=utf-8")
                .body(text),
            Err(_) => HttpResponse::InternalServerError().finish(),
        }
    };
    let server = HttpServer::new(move || {
        ActixApp::new()
            .app_data(app_context.clone())
            .route("/metrics", web::get().to(tell))
    })
    .workers(1)
    .disable_signals()
    .bind(address)
    .with_context(|| format!("cannot listen on {address} (METRICS_BIND_ADDRESS)"))?;
    let address = *server.addrs().first().context("no address to listen on")?;
    Ok((server.run(), address))
}

//! Builds and runs the service, for the binary and for every test.

mod metrics;

use std::{
    net::{SocketAddr, TcpListener},
    sync::{Arc, OnceLock},
    time::Duration,
};

use actix_web::{
    App as ActixApp, HttpResponse, HttpServer,
    dev::{Server, ServerHandle},
    middleware::{Condition, from_fn},
    rt,
    web::{self, Data},
};
use anyhow::Context as _;
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    time::{sleep, timeout},
};
use utoipa_actix_web::AppExt as _;

use crate::{
    config::{Config, ShutdownConfig},
    db::{
        DatabaseStateLookup, Db, DbOptions, RevisionLookup, SessionError,
        migrations::{self, Direction},
    },
    decisions::PolicyCache,
    http::{
        app_context::AppContext,
        concurrency_limit::ConcurrencyLimit,
        cors,
        docs::{Document, StaticFile},
        health::check_readiness,
        middleware::{admit, run_request},
        page_cache::PageCache,
        protected_resource::ProtectedResource,
        rate_limit::RateLimiter,
        route_guard::{RouteTable, handle_unrouted},
    },
    router,
    server::{ServerOptions, server},
    telemetry::metrics::Metrics,
    tokens::Verifier,
};

/// How often idle subjects are evicted from the rate limiter.
const EVICT_INTERVAL: Duration = Duration::from_mins(1);

/// Media type of the metrics.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The service, bound to its addresses but not serving yet.
pub struct App {
    /// The address it listens on; its port is never 0.
    pub address: SocketAddr,
    /// The address of its metrics.
    pub metrics_address: Option<SocketAddr>,
    pub db: Db,
    server: Server,
    metrics_server: Option<Server>,
    context: Data<AppContext>,
    shutdown: ShutdownConfig,
}

impl App {
    /// Migrates the database if configured, and binds the addresses.
    pub async fn build(config: Config) -> anyhow::Result<Self> {
        Self::with_routes(config, |_| {}).await
    }

    /// Like [`App::build`], with additional routes that benchmarks compare with. They are
    /// registered first, so that routing does not slow them down.
    pub async fn with_routes(
        config: Config,
        extra_routes: fn(&mut web::ServiceConfig),
    ) -> anyhow::Result<Self> {
        let db = open_database(&config).await?;
        let state = AppState::new(&db, &config)?;
        let context = state.context.clone();
        let listener = TcpListener::bind(&config.bind_address)
            .with_context(|| format!("cannot listen on {} (BIND_ADDRESS)", config.bind_address))?;
        let address = listener.local_addr()?;
        let metrics = match &config.metrics_bind_address {
            Some(address) => Some(metrics_server(address, &state)?),
            None => None,
        };
        let (metrics_server, metrics_address) = metrics.unzip();
        Ok(Self {
            address,
            metrics_address,
            db,
            server: api_server(&config, listener, state, extra_routes)?,
            metrics_server,
            context,
            shutdown: config.stopping,
        })
    }

    /// A handle that stops the service immediately.
    pub fn handle(&self) -> ServerHandle {
        self.server.handle()
    }

    /// Serves until stopped by its handle.
    pub async fn run(self) -> anyhow::Result<()> {
        if let Some(metrics_server) = self.metrics_server {
            rt::spawn(metrics_server);
        }
        Ok(self.server.await?)
    }

    /// Serves until SIGTERM or SIGINT, and then shuts down gracefully. A second signal stops the
    /// service immediately.
    pub async fn run_until_signalled(self) -> anyhow::Result<()> {
        let handle = self.handle();
        let context = self.context.clone();
        let shutdown = self.shutdown;
        let mut signals = Signals::listen()?;
        rt::spawn(async move {
            let signal = signals.next().await;
            context.start_shutdown();
            // Only logged afterwards: readers of this line may check readiness at once.
            let delay = shutdown.delay;
            tracing::info!(
                signal,
                ?delay,
                "shutting down: readiness now fails, draining requests"
            );
            tokio::select! {
                () = drain(&handle, &context, shutdown) => {}
                _ = signals.next() => handle.stop(false).await,
            }
        });
        self.run().await?;
        tracing::info!("stopped");
        Ok(())
    }
}

/// Stops the server once no request is in progress.
///
/// Readiness fails already, so load balancers stop sending requests during the delay. Then the
/// server accepts no more connections. Its workers must run until the last request has finished,
/// because a request may use a database connection that another worker drives.
async fn drain(handle: &ServerHandle, context: &AppContext, shutdown: ShutdownConfig) {
    sleep(shutdown.delay).await;
    handle.pause().await;
    let drained = timeout(shutdown.timeout, context.concurrency_limit.drained()).await;
    // After a timeout, a graceful stop would wait for the same requests again.
    handle.stop(drained.is_ok()).await;
}

/// The signals that shut the service down.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn listen() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Waits for a signal, and returns its name.
    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}

/// The state that all requests of an instance share.
#[derive(Clone)]
struct AppState {
    context: Data<AppContext>,
    db: Data<Db>,
    revisions: Data<RevisionLookup>,
    database_state: Data<DatabaseStateLookup>,
    policy_cache: Data<PolicyCache>,
    page_cache: Data<PageCache>,
    verifier: Data<Verifier>,
    rate_limiter: Option<Data<RateLimiter>>,
}

impl AppState {
    fn new(db: &Db, config: &Config) -> anyhow::Result<Self> {
        let revisions = Arc::new(RevisionLookup::new(db.clone()));
        let policy_cache = Arc::new(PolicyCache::new(
            db.clone(),
            Arc::clone(&revisions),
            config.decision_cache_bytes,
        )?);
        let page_cache = Arc::new(PageCache::new(config.page_cache_bytes));
        let verifier = Arc::new(Verifier::start(&config.tokens));
        let concurrency_limit = ConcurrencyLimit::new(config.limits.concurrent_requests);
        let metrics = Metrics::new(metrics::sources(
            db,
            &concurrency_limit,
            &policy_cache,
            &page_cache,
            &verifier,
        ));
        Ok(Self {
            context: Data::new(AppContext::new(
                concurrency_limit,
                metrics,
                &config.limits,
                config.cors_allowed_origins.clone(),
                ProtectedResource::new(config.public_url.as_ref(), &config.tokens),
            )),
            db: Data::new(db.clone()),
            revisions: revisions.into(),
            database_state: Data::new(DatabaseStateLookup::new(db.clone())),
            policy_cache: policy_cache.into(),
            page_cache: page_cache.into(),
            verifier: verifier.into(),
            rate_limiter: rate_limiter(config)?,
        })
    }

    fn register(&self, app: &mut web::ServiceConfig) {
        app.app_data(self.context.clone())
            .app_data(self.db.clone())
            .app_data(self.revisions.clone())
            .app_data(self.database_state.clone())
            .app_data(self.policy_cache.clone())
            .app_data(self.page_cache.clone())
            .app_data(self.verifier.clone());
        if let Some(rate_limiter) = &self.rate_limiter {
            app.app_data(rate_limiter.clone());
        }
    }
}

/// The rate limiter, if configured, with a task that evicts idle subjects while it exists.
fn rate_limiter(config: &Config) -> anyhow::Result<Option<Data<RateLimiter>>> {
    let Some(limit) = config.limits.rate else {
        return Ok(None);
    };
    let limiter = Data::new(RateLimiter::new(limit)?);
    let evicted = Arc::downgrade(&limiter);
    rt::spawn(async move {
        while let Some(limiter) = evicted.upgrade() {
            limiter.evict_idle();
            drop(limiter);
            sleep(EVICT_INTERVAL).await;
        }
    });
    Ok(Some(limiter))
}

/// Opens the database, and migrates it if configured.
async fn open_database(config: &Config) -> anyhow::Result<Db> {
    let options = DbOptions {
        workers: config.worker_threads,
        ..config.database_options
    };
    let db = Db::open(&config.database, options)?;
    match db.check_sessions().await {
        // The instance is not ready until the database is reachable.
        Err(SessionError::Unreachable(error)) if !config.migrate_on_start => {
            tracing::warn!("{error:#}");
            return Ok(db);
        }
        checked => checked?,
    }
    if config.migrate_on_start {
        let applied = migrations::migrate(&config.database, Direction::Up)
            .await
            .context("cannot migrate the database")?;
        tracing::info!(applied, "schema is up to date");
    } else if !migrations::is_current(&db).await? {
        tracing::warn!(
            "migrations are pending: not ready until `customer-integration migrate` has applied them"
        );
    }
    Ok(db)
}

/// The server of the API and of everything else that needs no separate address.
fn api_server(
    config: &Config,
    listener: TcpListener,
    state: AppState,
    extra_routes: fn(&mut web::ServiceConfig),
) -> anyhow::Result<Server> {
    let (routes, document) = openapi_once()?.clone();
    let options = ServerOptions {
        workers: config.worker_threads,
        header_timeout: config.limits.header_timeout,
        shutdown_timeout: config.stopping.timeout,
    };
    let origins = config.cors_allowed_origins.clone();
    // Without allowed origins, the CORS middleware is skipped.
    let cors_enabled = !origins.is_empty();
    let server = server(options, listener, move || {
        // The middleware registered last runs first.
        ActixApp::new()
            .wrap(from_fn(admit))
            .wrap(Condition::new(cors_enabled, cors::cors(&origins)))
            .wrap(Condition::new(cors_enabled, from_fn(cors::expose_headers)))
            .wrap(from_fn(run_request))
            .configure(|app| state.register(app))
            .app_data(routes.clone())
            .app_data(document.clone())
            .configure(extra_routes)
            .into_utoipa_app()
            .configure(router::api)
            .into_app()
            .configure(router::public)
            .default_service(web::to(handle_unrouted))
    })?;
    Ok(server)
}

/// The OpenAPI document and the routes it describes. They are the same for all instances in a
/// process, of which tests start hundreds, so they are built once.
fn openapi_once() -> anyhow::Result<&'static (Data<RouteTable>, Data<Document>)> {
    static OPENAPI: OnceLock<(Data<RouteTable>, Data<Document>)> = OnceLock::new();
    if let Some(openapi) = OPENAPI.get() {
        return Ok(openapi);
    }
    let document = router::document().context("cannot generate the OpenAPI document")?;
    let routes = RouteTable::new(&document, &router::PUBLIC_PATHS);
    let document = StaticFile::new("application/json", serde_json::to_vec(&document)?)?;
    let document = Document(document);
    Ok(OPENAPI.get_or_init(|| (Data::new(routes), Data::new(document))))
}

/// A separate server for metrics, so that clients of the API cannot reach them.
fn metrics_server(address: &str, state: &AppState) -> anyhow::Result<(Server, SocketAddr)> {
    let state = state.clone();
    let server = HttpServer::new(move || {
        ActixApp::new()
            .app_data(state.context.clone())
            .app_data(state.db.clone())
            .app_data(state.verifier.clone())
            .route("/metrics", web::get().to(serve_metrics))
    })
    .workers(1)
    .disable_signals()
    .bind(address)
    .with_context(|| format!("cannot listen on {address} (METRICS_BIND_ADDRESS)"))?;
    let address = *server.addrs().first().context("no address to listen on")?;
    Ok((server.run(), address))
}

async fn serve_metrics(
    context: Data<AppContext>,
    db: Data<Db>,
    verifier: Data<Verifier>,
) -> HttpResponse {
    let ready = check_readiness(&db, &verifier, &context).await.is_ok();
    match context.metrics.text(ready) {
        Ok(text) => HttpResponse::Ok().content_type(OPEN_METRICS).body(text),
        Err(_) => HttpResponse::InternalServerError().finish(),
    }
}

//! The one way to build the service, for the binary and for every test.

use std::{net::SocketAddr, sync::OnceLock, time::Duration};

use actix_web::{
    App as ActixApp, HttpServer,
    dev::{Server, ServerHandle},
    middleware::from_fn,
    web::{self, Bytes, Data},
};
use anyhow::Context as _;
use utoipa_actix_web::AppExt as _;

use crate::{
    config::Config,
    db::{
        Db,
        migrations::{self, Direction},
    },
    decisions::Keeper,
    http::{
        body::BodyTimeout,
        context, cors,
        head::head_as_get,
        operations::{Operations, unrouted},
        token::Verifier,
    },
    router::{self, Document},
};

/// How long running requests may take to finish once the service is told to stop, in seconds.
const SHUTDOWN_SECONDS: u64 = 20;

/// The service, bound to its address but not serving yet.
pub struct App {
    /// The address it really listens on.
    pub address: SocketAddr,
    pub db: Db,
    server: Server,
}

/// The operations and the document. They depend on nothing but the program, so however many instances a process has – the tests
/// have hundreds –, they are made once.
fn contract() -> anyhow::Result<&'static (Data<Operations>, Data<Document>)> {
    static CONTRACT: OnceLock<(Data<Operations>, Data<Document>)> = OnceLock::new();
    if let Some(made) = CONTRACT.get() {
        return Ok(made);
    }
    let document = router::document().context("cannot write the document")?;
    let operations = Operations::of(&document, &router::OTHERS);
    let document = Document(Bytes::from(serde_json::to_vec(&document)?));
    Ok(CONTRACT.get_or_init(|| (Data::new(operations), Data::new(document))))
}

impl App {
    /// Migrates the database if the configuration says so, and binds the address.
    pub async fn build(config: Config) -> anyhow::Result<Self> {
        Self::with_routes(config, |_| {}).await
    }

    /// The same with more routes beside its own, for benchmarks that need something to compare with.
    pub async fn with_routes(config: Config, more: fn(&mut web::ServiceConfig)) -> anyhow::Result<Self> {
        let db = Db::open(&config.database, config.database_options)?;
        if config.migrate_on_start {
            let applied =
                migrations::migrate(&config.database, Direction::Up).await.context("cannot migrate the database")?;
            tracing::info!(applied, "schema is up to date");
        }
        let (operations, document) = contract()?.clone();
        let verifier = Data::new(Verifier::new(&config.tokens));
        let data = Data::new(db.clone());
        let keeper = Data::new(Keeper::new(db.clone(), config.decision_cache_bytes)?);
        let origins = config.cors_allowed_origins;
        let server = HttpServer::new(move || {
            ActixApp::new()
                .wrap(from_fn(head_as_get))
                .wrap(cors::cors(&origins))
                .wrap(from_fn(cors::expose))
                .wrap(from_fn(context::surround))
                .app_data(data.clone())
                .app_data(keeper.clone())
                .app_data(verifier.clone())
                .app_data(operations.clone())
                .app_data(document.clone())
                .app_data(BodyTimeout(config.body_timeout))
                .into_utoipa_app()
                .configure(router::api)
                .into_app()
                .configure(router::others)
                .configure(more)
                .default_service(web::to(unrouted))
        })
        .workers(config.worker_threads)
        .shutdown_timeout(SHUTDOWN_SECONDS)
        .client_request_timeout(Duration::from_secs(10))
        .bind(&config.bind_address)
        .with_context(|| format!("cannot listen on {} (BIND_ADDRESS is written host:port)", config.bind_address))?;
        let address = *server.addrs().first().context("no address to listen on")?;
        Ok(Self { address, db, server: server.run() })
    }

    /// A handle that stops the service.
    pub fn handle(&self) -> ServerHandle {
        self.server.handle()
    }

    /// Serves until it is told to stop.
    pub async fn run(self) -> anyhow::Result<()> {
        Ok(self.server.await?)
    }
}

//! `customer-integration serve` with one more route, `/bench/constant`: it verifies the token as decisions do and answers a
//! constant as long as the decision on one ticket, whatever the method, and without a look at the body. What decisions cost is
//! measured beside it, in the same process.
#![forbid(unsafe_code)]

use actix_web::{
    HttpResponse,
    web::{self, ServiceConfig},
};
use clap::Parser;
use customer_integration::{
    app::App,
    config::{Config, DatabaseArgs, LogArgs, ServerArgs, TokenArgs},
    http::auth::{Permit, scope::DecisionsRead},
    telemetry,
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// As long as the answer to a question about one ticket.
const ANSWER: &str = r#"{"revision":100,"decisions":[{"ticket_id":"INC-1000","visible":true}]}"#;

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    server: ServerArgs,
    #[command(flatten)]
    database: DatabaseArgs,
    #[command(flatten)]
    tokens: TokenArgs,
    #[command(flatten)]
    log: LogArgs,
}

async fn constant(_permit: Permit<DecisionsRead>) -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(ANSWER)
}

fn more(config: &mut ServiceConfig) {
    config.route("/bench/constant", web::route().to(constant));
}

fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    let (log, config) = Config::new(cli.server, cli.database, cli.tokens, &cli.log, false)?;
    telemetry::log::begin(log, None)?;
    actix_web::rt::System::new().block_on(async {
        let app = App::with_routes(config, more).await?;
        tracing::warn!("listening on http://{}", app.address);
        app.run().await
    })
}

//! `customer-integration serve` with two more routes, to a GET and to a POST: they verify the token as decisions do and answer a
//! constant, without a look at the body. What decisions cost is measured beside them, in the same process. Both sides read and
//! write the same bytes: the paths are as long as that of decisions and the answers have the head and the body of a decision on
//! one ticket, so that what differs is what decisions do, and not how much HTTP there is around it.
#![forbid(unsafe_code)]

use actix_web::{
    HttpResponse,
    http::header,
    web::{self, ServiceConfig},
};
use clap::Parser;
use customer_integration::{
    app::App,
    config::{Config, DatabaseArgs, LogArgs, ServerArgs, TokenArgs},
    http::{
        auth::{Authorized, scope::DecisionsRead},
        response,
    },
    i18n::Lang,
    telemetry,
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// As long as the answer to a question about one ticket.
const ANSWER: &str = r#"{"revision":10,"decisions":[{"ticket_id":"INC-10000","visible":true}]}"#;

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

async fn constant(_permit: Authorized<DecisionsRead>) -> HttpResponse {
    let mut answer = HttpResponse::Ok();
    answer
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .content_type("application/json");
    response::in_language(answer.body(ANSWER), Lang::En.tag())
}

fn more(config: &mut ServiceConfig) {
    config
        .route(
            "/bench/v1/constants/answer-to-a-get",
            web::get().to(constant),
        )
        .route(
            "/bench/v1/constants/answer-to-posts",
            web::post().to(constant),
        );
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
